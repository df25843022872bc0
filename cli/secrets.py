"""A secret of a lab, for a verb that needs one: from where the program takes it, too."""

import os
import subprocess

from lab.names import environment_variable

_PREFIX = "LAB_SECRET"


def variable_of(name: str) -> str:
    """The variable that may hold a secret."""
    return environment_variable(_PREFIX, name)


def secret(name: str, environment: str) -> str | None:
    """The value of a secret: the stack's configuration has it, else the environment; None where neither does.

    Args:
        name: as the lab file has it.
        environment: whose configuration, such as `dev`.
    """
    command = ["pulumi", "config", "get", name, "--stack", environment, "--non-interactive"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        return os.environ.get(variable_of(name)) or None
    found = done.stdout.strip() if done.returncode == 0 else ""
    return found or os.environ.get(variable_of(name)) or None
