"""docs/docker-api.md: its tables are those of the code."""

import re
from pathlib import Path

from lab.docker_api import HANDSHAKE, RIGHTS, ROOT, Call, root_calls
from tests.support.golden import assert_golden

PAGE = Path(__file__).resolve().parents[2] / "docs" / "docker-api.md"
_TABLE = r"<!-- {} -->\n(?:\n(?:\|[^\n]*\n)+)?"


def _named(calls: tuple[Call, ...]) -> str:
    return ", ".join(f"`{call}`" for call in calls)


def rights() -> str:
    """Each right with its calls and what it shows or does."""
    rows = [f"| (every right) | {_named(HANDSHAKE)} | which version the API has |"]
    for right, meaning in RIGHTS.items():
        told = f"{meaning.shows}; **root on the host**" if root_calls([right]) else meaning.shows
        told += f"; a finding: it shows {meaning.reveals}" if meaning.reveals else ""
        rows.append(f"| `{right}` | {_named(meaning.calls)} | {told} |")
    return "\n".join(
        ["<!-- rights -->\n", "| right | calls | shows or does |", "| --- | --- | --- |", *rows, ""]
    )


def root() -> str:
    """Each call that is root, with how."""
    rows = [f"| `{call}` | {how} |" for call, how in ROOT.items()]
    return "\n".join(["<!-- root -->\n", "| call | how |", "| --- | --- |", *rows, ""])


def test_the_tables_are_those_of_the_code(update_golden: bool) -> None:
    """The page lists every right and every call that is root, as the code has them."""
    text = PAGE.read_text()
    for title, table in (("rights", rights()), ("root", root())):
        pieces = re.split(_TABLE.format(title), text)
        assert len(pieces) == 2
        text = table.join(pieces)
    assert_golden(PAGE, text, update=update_golden)
