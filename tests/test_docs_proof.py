"""The pages about the proof: their examples are real output, and they name whatever there is to name."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from lab.isolation.findings.kinds import KINDS
from lab.isolation.limits import CLAIM, NOT_MODELLED
from lab.isolation.verdict import Verdict
from tests.lab.render.test_reach_data import SHAPES
from tests.support.golden import assert_golden

ROOT = Path(__file__).resolve().parents[1]
MATRIX = ROOT / "docs" / "reading-the-matrix.md"
THREATS = ROOT / "docs" / "threat-model.md"
_EXAMPLE = re.compile(r"<!-- lab ([^\n]+) -->\n```text\n.*?```", re.DOTALL)
_KINDS = re.compile(r"<!-- kinds -->\n\n(?:\|[^\n]*\n)*", re.DOTALL)


def example(found: re.Match[str]) -> str:
    """An example with what the command prints of the dev lab now."""
    result = CliRunner().invoke(app, shlex.split(found[1]), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return f"<!-- lab {found[1]} -->\n```text\n{result.stdout}```"


def kinds(_: re.Match[str]) -> str:
    """The table of findings."""
    rows = "".join(f"| `{kind}` | {meaning} |\n" for kind, meaning in KINDS.items())
    return f"<!-- kinds -->\n\n| kind | means |\n| --- | --- |\n{rows}"


def test_the_examples_are_what_the_commands_print(
    update_golden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each example of docs/reading-the-matrix.md is the output of its command for the dev lab, byte for byte."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("LAB", raising=False)
    text = MATRIX.read_text()
    assert len(_EXAMPLE.findall(text)) >= 4
    found = _KINDS.sub(kinds, _EXAMPLE.sub(example, text))
    assert_golden(MATRIX, found, update=update_golden)


def test_every_kind_of_finding_is_listed() -> None:
    """The page lists each kind of finding that the code has, with what it means."""
    listed = set(re.findall(r"^\| `([a-z-]+)` \| [^|]+ \|$", MATRIX.read_text(), re.MULTILINE))
    assert set(KINDS) <= listed


def test_every_verdict_is_listed() -> None:
    """The page says what each of the three verdicts means."""
    for verdict in Verdict:
        assert f"| `{verdict}` | " in MATRIX.read_text()


def keys(value: Any) -> Iterator[str]:
    """Every key of a nested value."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from keys(part)
    elif isinstance(value, list):
        for part in value:
            yield from keys(part)


@pytest.mark.parametrize("verb", sorted(SHAPES))
def test_every_key_of_the_data_is_named(verb: str) -> None:
    """The page names each key of what a verb answers in JSON."""
    page = MATRIX.read_text()
    missing = {key for key in keys(SHAPES[verb]) if f"`{key}`" not in page}
    assert missing == set()


@pytest.mark.parametrize("line", NOT_MODELLED)
def test_every_limit_has_its_reason(line: str) -> None:
    """Whatever is printed as not modelled is a row of docs/threat-model.md, with its reason."""
    (row,) = [row for row in THREATS.read_text().splitlines() if row.startswith(f"| {line} |")]
    assert len(row.split("|")[2].strip()) > 20


def test_the_claim_is_the_one_that_is_printed() -> None:
    """The page claims what every answer claims, no more."""
    claim = CLAIM.removeprefix("claimed: ")
    assert f"> {claim[0].upper()}{claim[1:]}.\n" in THREATS.read_text()


def test_no_limit_is_only_in_the_page() -> None:
    """Each row of the page is one that is printed."""
    table = THREATS.read_text().partition("| left out | why |")[2].partition("\n## ")[0]
    rows = [row.split(" | ")[0].removeprefix("| ") for row in table.splitlines()[2:] if row]
    assert rows == list(NOT_MODELLED)
