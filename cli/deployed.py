"""What is deployed, as the environment's stack itself recorded it in its output `lab`."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.config.load import environment_of
from lab.errors import Issue, QueryError
from lab.isolation.difference import Key, read

VERSION = 3
"""The version of the output that is understood here; `components.deployed` writes it."""


def deployed_paths(lab_file: Path) -> dict[Key, tuple[str, str]]:
    """The open paths of what is deployed for a lab file's environment.

    Raises:
        QueryError: there is no `pulumi`, nothing is deployed, or it was recorded by another version.
    """
    environment = environment_of(lab_file)
    return _paths(_output(environment), environment)


def _output(environment: str) -> Any:
    command = ["pulumi", "stack", "output", "lab", "--json", "--stack", environment, "--non-interactive"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise _refused(
            environment,
            "pulumi is not on PATH, so nobody can say what is deployed",
            "source .sandbox/env (after `make up`), or install Pulumi for a lab of your own",
        ) from None
    if done.returncode != 0:
        said = " ".join((done.stderr.strip() or done.stdout.strip()).split())[-500:]
        raise _refused(
            environment,
            f"its stack has no output lab to compare with: {said}",
            "create it with `pulumi up`, or compare two lab files: lab diff OLD NEW",
        )
    return json.loads(done.stdout)


def _paths(output: Any, environment: str) -> dict[Key, tuple[str, str]]:
    if not isinstance(output, Mapping) or "version" not in output:
        raise _refused(environment, "its output lab is not one of this program", "run `pulumi up` once")
    if output["version"] != VERSION:
        raise _refused(
            environment,
            f"its output lab has version {output['version']}, and this program reads version {VERSION}",
            "run `pulumi up` once with this checkout, or compare with the checkout that made it",
        )
    try:
        return read(output["reach"])
    except (KeyError, TypeError, ValueError) as error:
        problem = f"its output lab does not say who reaches whom ({type(error).__name__}: {error})"
        raise _refused(environment, problem, "run `pulumi up` once") from None


def _refused(environment: str, problem: str, repair: str) -> QueryError:
    return QueryError([Issue(path=f"environment {environment}", problem=problem, repair=repair)])
