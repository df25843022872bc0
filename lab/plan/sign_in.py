"""The sign-in of the lab: how an Authelia of this lab is told to read what the routes ask for."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from lab.config.stacks import ServiceConfig
from lab.flows import Endpoint
from lab.plan.draft import Draft

ACCESS_CONTROL = "/run/homelab/files/access-control.yml"
"""Where Authelia finds how many factors each route asks for."""
_FILES = "X_AUTHELIA_CONFIG"
"""The files that Authelia reads, in this order: a later one wins (Authelia, *Configuration, Methods, Files*)."""
_OWN_FILE = "/config/configuration.yml"
"""What it reads when nobody says anything (its image)."""
_OPTION = re.compile(r"--config(?:=(?P<long>.*))?|-c=?(?P<short>.*)")
"""The same on its command line, which goes before the variable (Authelia, *CLI, authelia*)."""
_OVERRIDES = "AUTHELIA_ACCESS_CONTROL_"
"""Variables that go before every file (Authelia, *Configuration, Methods, Environment*)."""


def sign_in_environment(draft: Draft, member: str, service: ServiceConfig) -> dict[str, str]:
    """What a service is told because it is the sign-in; refused where it is told something else that would decide.

    Args:
        draft: the draft.
        member: the service, such as `sign-in/authelia`.
        service: what was declared of it.
    """
    ingress = draft.config.ingress
    auth = ingress.auth if ingress is not None and ingress.manage == "yes" else None
    if auth is None or auth.kind != "authelia" or auth.endpoint != Endpoint("service", member):
        return {}
    where = f"stacks.{member.replace('/', '.services.')}"
    _refuse_overrides(draft, f"{where}.environment", service.environment)
    by_command = tuple(_files_of(service.command))
    if not by_command and _FILES not in service.environment:
        return {_FILES: f"{_OWN_FILE},{ACCESS_CONTROL}"}
    files = by_command or tuple(service.environment[_FILES].split(","))
    if files[-1] != ACCESS_CONTROL:
        draft.refuse(
            f"{where}.{'command' if by_command else 'environment'}",
            f"Authelia is told to read {', '.join(files)}, and the last of them decides how many factors a route asks "
            f"for; it has to be {ACCESS_CONTROL}, which this lab writes from the routes",
            f"put {ACCESS_CONTROL} last, or say nothing of files",
        )
    return {}


def check_identity(draft: Draft) -> None:
    """Refuse two words for one provider: what the ingress asks, and what services ask by themselves."""
    ingress, identity = draft.config.ingress, draft.config.identity
    auth = ingress.auth if ingress is not None else None
    if auth is None or identity is None or identity.endpoint != auth.endpoint or identity.kind == auth.kind:
        return
    draft.refuse(
        "identity.kind",
        f"{identity.endpoint} is called {identity.kind} here and {auth.kind} at ingress.auth",
        "write what it is in both places, or name the endpoint of the other one",
    )


def _files_of(command: tuple[str, ...]) -> Iterator[str]:
    """The files that a command line names, in its order: `--config=a,b`, `--config a`, and with `-c` also `-ca`."""
    for word, following in pairwise((*command, "")):
        if option := _OPTION.fullmatch(word):
            yield from (option["long"] or option["short"] or following).split(",")


def _refuse_overrides(draft: Draft, where: str, environment: Mapping[str, str]) -> None:
    for name in environment:
        if name.startswith(_OVERRIDES):
            draft.refuse(
                where,
                f"{name} goes before every file, so it and not the routes would decide whom Authelia lets in",
                "remove it; ingress.auth.default and auth of a route say the same",
            )
