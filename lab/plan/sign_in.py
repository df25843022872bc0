"""The sign-in of the lab: how an Authelia of this lab is told to read what the routes ask for."""

from lab.config.stacks import ServiceConfig
from lab.flows import Endpoint
from lab.plan.draft import Draft

ACCESS_CONTROL = "/run/homelab/files/access-control.yml"
"""Where Authelia finds how many factors each route asks for."""
_FILES = "X_AUTHELIA_CONFIG"
"""The files that Authelia reads, in this order: a later one wins (Authelia, *Configuration, Methods, Files*)."""
_OWN_FILE = "/config/configuration.yml"
"""What it reads when nobody says anything (its image)."""


def sign_in_environment(draft: Draft, member: str, service: ServiceConfig) -> dict[str, str]:
    """What a service is told because it is the sign-in; refused where it was told to read something else only.

    Args:
        draft: the draft.
        member: the service, such as `sign-in/authelia`.
        service: what was declared of it.
    """
    ingress = draft.config.ingress
    auth = ingress.auth if ingress is not None and ingress.manage == "yes" else None
    if auth is None or auth.kind != "authelia" or auth.endpoint != Endpoint("service", member):
        return {}
    by_command = any(word.startswith(("--config", "-c")) for word in service.command)
    if not by_command and _FILES not in service.environment:
        return {_FILES: f"{_OWN_FILE},{ACCESS_CONTROL}"}
    told = service.command if by_command else (service.environment[_FILES],)
    if not any(ACCESS_CONTROL in word for word in told):
        stack, _, name = member.partition("/")
        draft.refuse(
            f"stacks.{stack}.services.{name}.{'command' if by_command else 'environment'}",
            f"Authelia is told to read {' '.join(told)}, and not {ACCESS_CONTROL}, where this lab writes which routes "
            "ask for one factor and which for two: its own file would decide that",
            f"add {ACCESS_CONTROL} after its own file, or say nothing of files",
        )
    return {}
