"""Endpoints that a lab file names: whether each exists, and which machines each stands for.

Refuses a name that resolves to nothing wherever one may be written, because a
permission for nobody is a typing mistake, and a set that contains itself.
"""

from collections.abc import Iterator

from lab.flows import Endpoint
from lab.names import did_you_mean
from lab.plan.draft import Draft


def check_endpoint(draft: Draft, endpoint: Endpoint, path: str) -> None:
    """Refuse an endpoint that is not in the lab."""
    config = draft.config
    known: dict[str, list[str]] = {
        "service": [f"{stack}/{name}" for stack, part in config.stacks.items() for name in part.services],
        "stack": list(config.stacks),
        "guest": list(config.guests),
        "node": list(config.nodes),
        "device": list(config.devices),
        "vlan": list(config.vlans),
        "set": list(config.sets),
        "tailnet": list(config.tailnet.groups) if config.tailnet else [],
    }
    if endpoint.name and endpoint.name not in known[endpoint.kind]:
        kind = "tailnet group" if endpoint.kind == "tailnet" else endpoint.kind
        draft.refuse(
            path, f'there is no {kind} "{endpoint.name}"', did_you_mean(endpoint.name, known[endpoint.kind])
        )
    if endpoint == Endpoint("ingress") and config.ingress is None:
        draft.refuse(path, "there is no ingress", "declare ingress, or name something else")


def check_references(draft: Draft) -> None:
    """Refuse every endpoint outside of flows and needs that is not in the lab, and sets within themselves."""
    for path, endpoint in _references(draft):
        check_endpoint(draft, endpoint, path)
    for name in draft.config.sets:
        start = Endpoint("set", name)
        if any(member == start for first in draft.config.sets[name] for member in _closure(draft, first)):
            draft.refuse(f"sets.{name}", "the set contains itself", "list its members without itself")


def _references(draft: Draft) -> Iterator[tuple[str, Endpoint]]:
    config = draft.config
    for name, members in config.sets.items():
        yield from ((f"sets.{name}", member) for member in members)
    if config.tailnet is not None:
        yield from (("tailnet.members", member) for member in config.tailnet.members)
    if config.identity is not None:
        yield "identity.endpoint", config.identity.endpoint
        yield from (("identity.clients", client) for client in config.identity.clients)
    if config.ingress is not None and config.ingress.auth is not None:
        yield "ingress.auth.endpoint", config.ingress.auth.endpoint
    if config.ingress is not None and config.ingress.ips is not None:
        yield "ingress.ips.endpoint", config.ingress.ips.endpoint
    if config.ingress is not None and config.ingress.tunnel is not None:
        yield "ingress.tunnel", config.ingress.tunnel
    if config.dns.internal is not None:
        yield "dns.internal.endpoint", config.dns.internal.endpoint


def expand(draft: Draft, endpoint: Endpoint) -> tuple[Endpoint, ...]:
    """The endpoints that one stands for: the members of a set, every guest or node, or itself."""
    return tuple(
        member for member in _closure(draft, endpoint) if member.kind not in ("set", "guests", "nodes")
    )


def _closure(draft: Draft, endpoint: Endpoint) -> Iterator[Endpoint]:
    config, seen, waiting = draft.config, set[Endpoint](), [endpoint]
    while waiting:
        current = waiting.pop(0)
        if current in seen:
            continue
        seen.add(current)
        yield current
        if current.kind == "set":
            waiting += config.sets.get(current.name, ())
        elif current.kind == "guests":
            waiting += [Endpoint("guest", name) for name in sorted(config.guests)]
        elif current.kind == "nodes":
            waiting += [Endpoint("node", name) for name in sorted(config.nodes)]
