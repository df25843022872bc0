"""What services say they need: read, and checked against what there is.

A need is a permission and a demand at once: the wires are laid after it and the flows
are listed from it, so both ask here how its text is meant. A need of something that
does not exist, or of a port that nobody listens on, is refused.
"""

from lab.config.stacks import ServiceConfig, StackConfig
from lab.flows import SINGLE_KINDS, Port, Target
from lab.names import did_you_mean
from lab.plan.draft import Draft
from lab.plan.endpoints import check_endpoint


def need_target(text: str, stack: str) -> Target:
    """What a `needs` entry means: `db:5432` in the own stack, `stack/service:port`, or any target.

    Raises:
        ValueError: it is none of these.
    """
    head, _, tail = text.rpartition(":")
    if head and ":" not in head and head not in SINGLE_KINDS and not text.startswith("service:"):
        text = f"service:{head if '/' in head else f'{stack}/{head}'}:{tail}"
    return Target.parse(text)


def need_targets(service: ServiceConfig, stack: str) -> list[Target]:
    """Everything a service needs, less what cannot be read, which `check_needs` refuses."""
    targets = []
    for text in service.needs:
        try:
            targets.append(need_target(text, stack))
        except ValueError:
            continue
    return targets


def check_needs(draft: Draft, stack_name: str, stack: StackConfig) -> None:
    """Refuse the needs of a stack's services that nothing can meet."""
    for name, service in stack.services.items():
        where = f"stacks.{stack_name}.services.{name}"
        for index, text in enumerate(service.needs):
            path = f"{where}.needs[{index}]"
            try:
                target = need_target(text, stack_name)
            except ValueError:
                draft.refuse(
                    path,
                    f'"{text}" does not say whom it needs, and at which port',
                    "write db:5432 for a service of this stack, stack/db:5432 for one of another, or internet:443",
                )
                continue
            if target.endpoint.kind == "service":
                _check_service(draft, stack, target.endpoint.name, target.port, path)
            else:
                check_endpoint(draft, target.endpoint, path)


def _check_service(draft: Draft, stack: StackConfig, member: str, port: Port | None, path: str) -> None:
    service = _find_service(draft, member, path)
    if service is None:
        return
    if port is None:
        draft.refuse(
            path, f"it does not say which port of {member}", f"write it behind the name: {member}:PORT"
        )
        return
    if not any(_covers(listened, port) for listened in service.listens):
        ports = ", ".join(str(p) for p in service.listens) or "nothing"
        draft.refuse(
            path,
            f"service {member} does not listen on {port}; it listens on {ports}",
            f"add {port} to listens of {member}, or write a port that it listens on",
        )
    host = draft.config.stacks[member.partition("/")[0]].host
    if host != stack.host and str(port) not in service.publishes and not service.host_network:
        draft.refuse(
            path,
            f"service {member} runs on {host} and publishes no port there",
            f'add publishes: {{"{port}": {port.number}}} to it',
        )


def _find_service(draft: Draft, member: str, path: str) -> ServiceConfig | None:
    stack_name, _, name = member.partition("/")
    stack = draft.config.stacks.get(stack_name)
    service = stack.services.get(name) if stack else None
    if service is None:
        known = [f"{s}/{n}" for s, part in draft.config.stacks.items() for n in part.services]
        draft.refuse(path, f'there is no service "{member}"', did_you_mean(member, known))
    return service


def _covers(listened: Port, port: Port) -> bool:
    return listened.protocol == port.protocol and listened.number <= port.number <= (
        listened.last or listened.number
    )
