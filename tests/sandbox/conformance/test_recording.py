"""Files that are no recordings, each with the place and the repair in the message."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.conformance.errors import ConformanceError
from sandbox.conformance.recording import read_cases
from tests.sandbox.conformance import cases


def test_a_recording_is_read_gzipped_or_plain(tmp_path: Path) -> None:
    """Both forms give the same cases, with the file's name and an empty note where there is none."""
    packed = cases.recording(tmp_path)
    plain = tmp_path / "plain.jsonl"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    first, second = read_cases([packed, plain])
    assert (first.id, first.note, first.died, first.file) == (
        f"{cases.TYPE}/1-life/min",
        "",
        False,
        "things.jsonl.gz",
    )
    assert first.steps == second.steps


def _problem(file: Path) -> str:
    with pytest.raises(ConformanceError) as problem:
        read_cases([file])
    return str(problem.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, cut off in the middle, and empty files are refused with what to give instead."""
    assert "no.jsonl: cannot be read" in _problem(tmp_path / "no.jsonl")
    whole = cases.recording(tmp_path)
    whole.write_bytes(whole.read_bytes()[:-20])
    assert "things.jsonl.gz: cannot be read" in _problem(whole)
    whole.write_bytes(gzip.compress(b"\n\n"))
    assert "holds no case" in _problem(whole)
    whole.write_bytes(b"\x1f\x8b\x08 no gzip")
    assert "cannot be read" in _problem(whole)


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    """The message has the number of the line and the place in it."""
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps(cases.case()) + '\n{"id": \n')
    assert "x.jsonl, line 2: is not JSON" in _problem(file)


@pytest.mark.parametrize(
    ("case", "part"),
    [
        ([], "must be an object"),
        (cases.case(id=7), "no text `id`"),
        (cases.case(steps=[]), "no list `steps`"),
        (cases.case(steps=["check"]), "step 0: has the kind None"),
        (cases.case(steps=[{"kind": "dance"}]), "step 0: has the kind 'dance'; known are check"),
        (cases.case(steps=[{"kind": "check", "news": {}}]), "needs olds, result as well"),
        (
            cases.case(steps=[{**cases.STEPS[2], "http": [{"method": "GET"}]}]),
            "needs method, path and status",
        ),
    ],
)
def test_a_case_of_another_format_is_refused(case: Any, part: str, tmp_path: Path) -> None:
    """What a case or step lacks is said with the line it is on."""
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps(case))
    problem = _problem(file)
    assert part in problem
    assert "line 1" in problem
