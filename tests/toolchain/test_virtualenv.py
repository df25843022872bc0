"""The virtual environment: when it is left alone, added to, or made anew."""

import json
import sys
from pathlib import Path

import pytest

from toolchain.virtualenv import DEVELOPMENT, MADE, PROGRAM, RECORD, Lock, ensure, step, wanted_stamp


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with both locks and no environment."""
    (tmp_path / PROGRAM.name).write_text("one==1\n")
    (tmp_path / DEVELOPMENT.name).write_text("one==1\ntwo==2\n")
    return tmp_path


def made(root: Path, lock: Lock) -> dict[str, str]:
    """Return the stamp that filling an environment from ``lock`` leaves."""
    return {MADE: "yes", **wanted_stamp(root, lock)}


@pytest.mark.parametrize(
    ("held", "wanted", "expected"),
    [
        (PROGRAM, PROGRAM, "ready"),
        (DEVELOPMENT, PROGRAM, "ready"),
        (DEVELOPMENT, DEVELOPMENT, "ready"),
        (PROGRAM, DEVELOPMENT, "add"),
        (None, PROGRAM, "add"),
    ],
)
def test_an_environment_that_holds_the_lock_is_left_alone(
    root: Path, held: Lock | None, wanted: Lock, expected: str
) -> None:
    """The larger lock serves for the smaller, and the smaller is added to for the larger."""
    stamp = made(root, held) if held else None
    assert step(stamp, wanted_stamp(root, wanted), wanted) == expected


@pytest.mark.parametrize("changed", ["requirements.txt", "python"])
@pytest.mark.parametrize("lock", [PROGRAM, DEVELOPMENT])
def test_a_changed_lock_or_python_makes_it_anew(root: Path, changed: str, lock: Lock) -> None:
    """What an older lock installed does not stay behind."""
    stamp = made(root, DEVELOPMENT) | {changed: "another"}
    assert step(stamp, wanted_stamp(root, lock), lock) == "renew"


def test_an_environment_of_the_users_own_is_never_deleted(root: Path) -> None:
    """One that was there before is added to, also when the lock changes later."""
    wanted = wanted_stamp(root, PROGRAM)
    assert step(None, wanted, PROGRAM) == "add"
    assert step(wanted | {"requirements.txt": "another"}, wanted, PROGRAM) == "add"


def test_an_unfinished_environment_is_made_anew(root: Path) -> None:
    """One that was begun and not finished counts as nothing."""
    assert step({MADE: "yes"}, wanted_stamp(root, DEVELOPMENT), DEVELOPMENT) == "renew"


def test_a_ready_environment_costs_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a current stamp nothing is started and nothing is said."""
    folder = root / ".venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / RECORD).write_text(json.dumps(made(root, PROGRAM)))
    assert ensure(PROGRAM, root) == folder / "bin" / "python"
    assert capsys.readouterr() == ("", "")


def test_the_command_lab_lies_beside_python(root: Path) -> None:
    """Messages say `lab check`; the environment has that command, for this checkout."""
    folder = root / ".venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)
    (root / ".venv" / RECORD).write_text(json.dumps(made(root, PROGRAM)))
    ensure(PROGRAM, root)
    command = folder / "lab"
    assert command.stat().st_mode & 0o111
    assert command.read_text() == f'#!/bin/sh\nPYTHONPATH={root} exec {folder / "python"} -m cli "$@"\n'
