"""The verb `diff`: what opens and closes between two lab files, or since the last `pulumi up`."""

import json
import os
from pathlib import Path

import pytest

from cli.deployed import VERSION
from components import deployed as writer
from lab.isolation import prove
from lab.isolation.difference import open_paths, written
from lab.plan import load_plan
from tests.cli.proof_lab import LAB, placed, run

CHANGED = (
    LAB.replace('needs: ["db:5432"], ', "")
    .replace("listens: [80]", "listens: [80, 9090]")
    .replace("host: www, ", "host: www, port: 80, ")
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two labs, in which the command runs."""
    placed(tmp_path, LAB, "old.yaml")
    placed(tmp_path, CHANGED, "new.yaml")
    placed(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB", "test")
    return tmp_path


def answering(folder: Path, monkeypatch: pytest.MonkeyPatch, output: str, code: int = 0) -> None:
    """A command `pulumi` that answers with this text, and keeps what it was asked."""
    program = folder / "bin" / "pulumi"
    program.parent.mkdir(exist_ok=True)
    (folder / "answer").write_text(output)
    stream = "" if code == 0 else " >&2"
    program.write_text(f'#!/bin/sh\necho "$@" >{folder}/asked\ncat {folder}/answer{stream}\nexit {code}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


def test_no_difference_is_code_0() -> None:
    """Two equal labs are code 0 and say that nothing changed."""
    result = run("diff", "old.yaml", "old.yaml")
    assert result.exit_code == 0
    assert "  no path opens, none closes\n" in result.stdout


def test_a_difference_is_code_1() -> None:
    """A need that is gone closes its path, with the reason that closes it now, and is code 1."""
    result = run("diff", "old.yaml", "new.yaml")
    assert result.exit_code == 1
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[:2] == ["From old.yaml to new.yaml", ""]
    closes = lines.index("Closes: 1 path")
    assert lines[closes + 3].startswith("service:web/app service:web/db 5432/tcp yes no ")
    assert "network vnet-web" in lines[closes + 3] or "within a network" in lines[closes + 3]


def test_the_other_way_round_it_opens() -> None:
    """What closes in one direction opens in the other, because it is needed."""
    found = json.loads(run("diff", "new.yaml", "old.yaml", "--format", "json").stdout)
    assert (found["version"], found["before"], found["after"]) == (1, "new.yaml", "old.yaml")
    assert found["opens"] == [
        {
            "from": "service:web/app",
            "to": "service:web/db",
            "port": "5432/tcp",
            "before": "no",
            "after": "yes",
            "because": "web/app needs it",
        }
    ]
    assert (found["closes"], found["may_change"]) == ([], [])


def deployed(folder: Path) -> dict[str, object]:
    """The output of a stack that was created from the first lab."""
    paths = written(open_paths(prove(load_plan(folder / "Pulumi.test.yaml"))))
    return {"version": VERSION, "reach": paths}


def test_what_is_deployed_is_what_the_stack_recorded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --deployed the output of the environment's stack is the old lab."""
    answering(folder, monkeypatch, json.dumps(deployed(folder)))
    assert run("diff", "--deployed").exit_code == 0
    assert (folder / "asked").read_text().split() == [
        *("stack", "output", "lab", "--json", "--stack", "test", "--non-interactive")
    ]
    placed(folder, CHANGED)
    result = run("diff", "--deployed")
    assert result.exit_code == 1
    assert result.stdout.startswith("From what is deployed to Pulumi.test.yaml\n\nCloses: 1 path\n")


def test_a_lab_file_may_be_named_with_deployed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one lab file that is named is what it becomes, and its name says which environment."""
    answering(folder, monkeypatch, json.dumps(deployed(folder)))
    (folder / "Pulumi.test.yaml").unlink()
    placed(folder, CHANGED, "Pulumi.home.yaml")
    assert run("diff", "--deployed", "Pulumi.home.yaml").exit_code == 1
    assert "--stack home" in (folder / "asked").read_text()


def test_the_version_is_that_of_the_program() -> None:
    """What is read here is what the program writes."""
    assert VERSION == writer.VERSION


@pytest.mark.parametrize(
    ("output", "code", "said"),
    [
        (
            "error: no stack named 'test' found",
            255,
            "its stack has no output lab to compare with: error: no stack named 'test' found\n"
            "      repair: create it with `pulumi up`, or compare two lab files: lab diff OLD NEW",
        ),
        (
            "[1]",
            0,
            "its output lab is not one of this program\n      repair: run `pulumi up` once",
        ),
        (
            '{"version": 1, "reach": []}',
            0,
            f"its output lab has version 1, and this program reads version {VERSION}\n"
            "      repair: run `pulumi up` once with this checkout, or compare with the checkout that made it",
        ),
        (
            f'{{"version": {VERSION}}}',
            0,
            "its output lab does not say who reaches whom (KeyError: 'reach')\n      repair: run `pulumi up` once",
        ),
        (
            f'{{"version": {VERSION}, "reach": ["a | b | 80/tcp | maybe"]}}',
            0,
            "its output lab does not say who reaches whom (ValueError: 'maybe' is not a valid Verdict)\n"
            "      repair: run `pulumi up` once",
        ),
    ],
)
def test_what_cannot_be_compared_is_bad_input(
    folder: Path, monkeypatch: pytest.MonkeyPatch, output: str, code: int, said: str
) -> None:
    """A stack that is not there, or recorded something else, is code 2 and says what to do."""
    answering(folder, monkeypatch, output, code)
    result = run("diff", "--deployed")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"the question has one problem\n  - environment test: {said}\n"


def test_without_pulumi_nobody_can_say_what_is_deployed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where there is no `pulumi` that is code 2, with the two ways to get one."""
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    result = run("diff", "--deployed")
    assert result.exit_code == 2
    assert result.stderr == (
        "the question has one problem\n"
        "  - environment test: pulumi is not on PATH, so nobody can say what is deployed\n"
        "      repair: source .sandbox/env (after `make up`), or install Pulumi for a lab of your own\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "diff: two lab files are compared\n      repair: name OLD and NEW, or write --deployed\n"),
        (
            ["old.yaml"],
            "diff: two lab files are compared\n      repair: name OLD and NEW, or write --deployed\n",
        ),
        (
            ["old.yaml", "new.yaml", "--deployed"],
            "diff: with --deployed there is only one lab file to name\n      repair: leave out OLD\n",
        ),
    ],
)
def test_what_to_compare_has_to_be_said(arguments: list[str], said: str) -> None:
    """Too few or too many lab files are code 2 and say what is wanted."""
    result = run("diff", *arguments)
    assert (result.exit_code, result.stderr) == (2, said)


def test_a_lab_file_is_compared_without_its_neighbours() -> None:
    """An older copy beside the lab is no second lab of its site: what they share is not held against them."""
    assert run("diff", "old.yaml", "Pulumi.test.yaml").exit_code == 0


def test_a_lab_file_that_is_not_there_is_bad_input() -> None:
    """Each of the two lab files has to be one."""
    for files in (["none.yaml", "new.yaml"], ["old.yaml", "none.yaml"]):
        result = run("diff", *files)
        assert result.exit_code == 2
        assert "none.yaml: there is no such file" in result.stderr
