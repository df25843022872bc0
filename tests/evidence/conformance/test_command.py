"""The command against a plugin that answers right, and against ones that answer wrongly on purpose."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.conformance.command import main
from tests.sandbox.conformance import cases

ROOT = Path(__file__).resolve().parents[3]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and problems of a run."""
    code = main([*arguments, "--jobs", "1"])
    said = capsys.readouterr()
    return code, said.out, said.err


def document(capsys: pytest.CaptureFixture[str], mistake: str, file: Path) -> tuple[int, dict[str, Any]]:
    """Exit code and figures of a run against a plugin with a mistake."""
    code, out, _ = run(capsys, cases.plugin(mistake), str(file), "--format", "json")
    return code, json.loads(out)["types"][cases.TYPE]


def test_a_plugin_that_answers_as_recorded_agrees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every step agrees, nothing is counted apart, and the exit code is 0."""
    code, figures = document(capsys, "none", cases.recording(tmp_path))
    assert code == 0
    assert (figures["steps"], figures["agrees"], figures["differences"]) == (5, 5, [])


@pytest.mark.parametrize(
    ("mistake", "kind", "field", "theirs", "ours"),
    [
        ("lenient", "check: accepts, theirs refuses", "failures", ["text is missing"], []),
        ("updates", "diff: updates, theirs replaces", "replaces", ["text"], []),
        ("outputs", "create: other outputs", "text", "a", "changed"),
        ("body", "HTTP: other body", "POST /things text", "a", "other"),
        ("silent", "HTTP: request missing", "POST /things", ["POST /things"], []),
        ("deletes", "delete: does not fail, theirs does", "error", "it is protected", "(no error)"),
    ],
)
def test_each_mistake_is_said(
    mistake: str,
    kind: str,
    field: str,
    theirs: Any,
    ours: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrong answer is named with its kind, the file, the case, the step and both sides; the exit code is 1."""
    code, figures = document(capsys, mistake, cases.recording(tmp_path))
    assert code == 1
    assert (figures["agrees"], figures["differs"]) == (4, 1)
    found = {one["kind"]: one["example"] for one in figures["differences"]}[kind]
    assert (found["field"], found["theirs"], found["ours"]) == (field, theirs, ours)
    assert (found["file"], found["case"]) == ("things.jsonl.gz", f"{cases.TYPE}/1-life/min")


def test_what_is_refused_by_name_is_counted_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A refused property is no difference, and what could only come of it is not asked about."""
    code, figures = document(capsys, "refuses", cases.recording(tmp_path))
    assert code == 0
    assert (figures["agrees"], figures["refused"], figures["differs"]) == (1, 4, 0)


def test_text_and_markdown_name_type_kind_and_example(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both forms hold the figures of the type and an example with both sides."""
    file = cases.recording(tmp_path)
    for form in ("text", "markdown"):
        _, out, _ = run(capsys, cases.plugin("outputs"), str(file), "--format", form)
        for part in (cases.TYPE, "1 x create: other outputs", "step 2: text", 'theirs: "a"', '"changed"'):
            assert part in out


def test_several_jobs_give_the_same_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures do not depend on how many plugins run at once."""
    many = [cases.case(id=f"{cases.TYPE}/1-life/{number}") for number in range(6)]
    file = cases.recording(tmp_path, *many)
    outs = []
    for jobs in ("1", "3"):
        assert main([cases.plugin("outputs"), str(file), "--jobs", jobs]) == 1
        outs.append(capsys.readouterr().out)
    assert outs[0] == outs[1]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("no-such-plugin",), "there is no such program"),
        (('"',), "Quote the command"),
        ((cases.plugin(), "--only", "nowhere"), "no case has this in its id"),
    ],
)
def test_a_mistake_in_the_command_is_said(
    arguments: tuple[str, ...], part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong with the command line is one text, and the exit code is 2."""
    code, _, err = run(capsys, *arguments, str(cases.recording(tmp_path)))
    assert code == 2
    assert part in err


def test_an_unknown_package_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Recordings of a package whose configuration is not known cannot be replayed."""
    file = cases.recording(tmp_path, cases.case(package="aws"))
    code, _, err = run(capsys, cases.plugin(), str(file))
    assert code == 2
    assert "package aws" in err
    assert "context.py" in err
