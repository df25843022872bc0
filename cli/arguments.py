"""What several verbs are told in the same way, and how each says that it was told nonsense."""

import contextlib
import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from lab.errors import Issue, LabError
from lab.plan import load_plan
from lab.plan.records import LabPlan

FINE, DIFFERENT, BAD_INPUT = 0, 1, 2

LabOption = Annotated[
    str, typer.Option("--lab", "-l", help="The environment: dev for Pulumi.dev.yaml.", envvar="LAB")
]
FileOption = Annotated[Path | None, typer.Option("--file", "-f", help="A lab file, in place of --lab.")]


class Format(StrEnum):
    """How a verb answers."""

    text = "text"
    json = "json"


class PageFormat(StrEnum):
    """How a verb of the proof answers."""

    text = "text"
    json = "json"
    markdown = "markdown"


FormatOption = Annotated[Format, typer.Option("--format", help="text or json")]
PageFormatOption = Annotated[PageFormat, typer.Option("--format", help="text, json or markdown")]


def lab_file(lab: str, file: Path | None) -> Path:
    """The lab file that is meant."""
    return file or Path(f"Pulumi.{lab}.yaml")


@contextlib.contextmanager
def told(as_json: bool = False) -> Iterator[None]:
    """Turn a lab's problems into text on standard error, or JSON on standard output, and exit code 2."""
    try:
        yield
    except LabError as error:
        if as_json:
            issues = list(map(issue_data, error.issues))
            print(json.dumps({"version": 1, "ok": False, "issues": issues}, indent=2))
            raise typer.Exit(BAD_INPUT) from None
        fail(str(error))


def issue_data(issue: Issue) -> dict[str, str]:
    """A problem for a program."""
    return {"path": issue.path, "problem": issue.problem, "repair": issue.repair}


def fail(text: str, code: int = BAD_INPUT) -> NoReturn:
    """Say what is wrong, and stop."""
    print(text, file=sys.stderr)
    raise typer.Exit(code)


def planned(path: Path) -> LabPlan:
    """The plan of a lab file, or its problems told."""
    with told():
        return load_plan(path)
