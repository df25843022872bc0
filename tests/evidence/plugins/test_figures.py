"""The table of figures in docs/sandbox.md is what all recordings give."""

from pathlib import Path

from sandbox.conformance.document import part_of, write_part
from sandbox.conformance.report import table
from sandbox.conformance.stand_ins import stand_in_figures
from tests.support.shared import shared_path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "sandbox.md"


def test_the_table_of_figures_is_current(update_golden: bool) -> None:
    """Every figure of the committed table is that of a replay of all recordings; `make golden` writes it anew."""
    folder = shared_path("schemas/plugin-recordings/docker.jsonl.gz").parent
    found = table(stand_in_figures(folder, jobs=2))
    if update_golden:
        write_part(PAGE, found)
    assert part_of(PAGE.read_text(), PAGE.name) == found
