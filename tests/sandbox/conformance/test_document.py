"""The generated part of a document."""

from pathlib import Path

import pytest

from sandbox.conformance.document import BEGIN, END, part_of, write_part
from sandbox.conformance.errors import ConformanceError


def test_only_what_is_between_the_marks_changes(tmp_path: Path) -> None:
    """The rest of the document stays as it is, and writing twice gives the same."""
    file = tmp_path / "page.md"
    file.write_text(f"# Page\n\n{BEGIN}\nold\n{END}\n\nThe end.\n")
    for _ in range(2):
        write_part(file, "| new |")
        assert file.read_text() == f"# Page\n\n{BEGIN}\n\n| new |\n\n{END}\n\nThe end.\n"
    assert part_of(file.read_text(), "page") == "| new |"


@pytest.mark.parametrize("text", ["", f"{BEGIN}", f"{END}\n{BEGIN}", f"{BEGIN}\n{END}\n{BEGIN}\n{END}"])
def test_a_document_without_its_marks_is_not_touched(text: str, tmp_path: Path) -> None:
    """Missing, reversed and repeated marks are refused, and the document stays as it was."""
    file = tmp_path / "page.md"
    file.write_text(text)
    with pytest.raises(ConformanceError, match="must hold the line"):
        write_part(file, "new")
    assert file.read_text() == text
    with pytest.raises(ConformanceError, match="cannot be read"):
        write_part(tmp_path / "no.md", "new")
