"""The secrets of a lab, resolved before anything is registered.

A value comes from the stack's own configuration (`pulumi config set --secret NAME`),
else from the environment (`LAB_SECRET_NAME`). All missing ones are told at once: a
program that stopped at the first would have created things by then. A value leaves here
only as a secret output, so the engine never stores or prints it in clear.
"""

from collections.abc import Iterable, Mapping

import pulumi

from lab.errors import Issue, SecretsMissing
from lab.names import environment_variable
from lab.plan.records import SecretRef

PREFIX = "LAB_SECRET"


def resolve_secrets(
    wanted: Iterable[SecretRef], settings: pulumi.Config, environment: Mapping[str, str]
) -> dict[str, pulumi.Output[str]]:
    """The value of every secret by its name.

    Raises:
        SecretsMissing: names every secret that is in neither place.
    """
    found: dict[str, pulumi.Output[str]] = {}
    missing: list[Issue] = []
    for name in sorted(ref.name for ref in wanted):
        value = plain(name, settings, environment)
        if value is not None:
            found[name] = pulumi.Output.secret(value)
        else:
            missing.append(_missing(name, environment_variable(PREFIX, name)))
    if missing:
        raise SecretsMissing(missing)
    return found


def plain(name: str, settings: pulumi.Config, environment: Mapping[str, str]) -> str | None:
    """The value of a secret itself, for whoever has to look at it before anything is registered, and hands on none."""
    value = settings.get(name)
    return value if value is not None else environment.get(environment_variable(PREFIX, name)) or None


def _missing(name: str, variable: str) -> Issue:
    return Issue(
        path=name,
        problem="no value: it is neither in the stack's configuration nor in the environment",
        repair=f"run `pulumi config set --secret {name}`, or set {variable}",
    )
