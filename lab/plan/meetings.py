"""Who has to meet whom: what `needs`, routes and declared flows ask of the networks.

A permission without a way would be an empty word, so what is declared as a flow lays wires
as needs do.
"""

from collections.abc import Iterator

from lab.config.ingress import IngressConfig
from lab.config.stacks import ServiceConfig, StackConfig
from lab.flows import Endpoint
from lab.plan.draft import Draft
from lab.plan.endpoints import expand
from lab.plan.needs import need_targets


def goes_out(draft: Draft, stack: str, declared: StackConfig, service: ServiceConfig) -> bool:
    """Whether a service needs a network with a way out: by its egress, its ports, its routes or its needs."""
    if service.host_network:
        return False
    ingress = draft.config.ingress
    behind_another_host = bool(service.all_routes) and ingress is not None and ingress.host != declared.host
    return bool(service.egress or service.publishes or behind_another_host) or any(
        _is_outside(draft, declared, target.endpoint) for target in need_targets(service, stack)
    )


def _is_outside(draft: Draft, stack: StackConfig, target: Endpoint) -> bool:
    return target.kind != "service" or is_elsewhere(draft, stack, target.name)


def declared_to_go_out(draft: Draft) -> list[str]:
    """Services that may leave their host by a declared flow."""
    found = set[str]()
    for flow in draft.config.flows:
        targets = [one for part in flow.to for one in _members(draft, part.endpoint)]
        sources = [one for part in flow.from_ for one in _members(draft, part) if one.kind == "service"]
        found |= {source.name for source in sources if _leaves(draft, source.name, targets)}
    return sorted(found)


def _leaves(draft: Draft, member: str, targets: list[Endpoint]) -> bool:
    stack, _, name = member.partition("/")
    own = draft.config.stacks.get(stack)
    if own is None or name not in own.services or _on_host(own, name):
        return False
    return any(_is_outside(draft, own, target) for target in targets)


def declared_pairs(draft: Draft) -> list[tuple[str, str]]:
    """Services that may talk by a declared flow."""
    pairs = {
        (source.name, target.endpoint.name)
        for flow in draft.config.flows
        for source in flow.from_
        for target in flow.to
        if source.kind == "service" and target.endpoint.kind == "service"
    }
    known = {
        f"{stack}/{name}"
        for stack, part in draft.config.stacks.items()
        for name, service in part.services.items()
        if not service.host_network
    }
    return sorted(pair for pair in pairs if set(pair) <= known and pair[0] != pair[1])


def is_elsewhere(draft: Draft, stack: StackConfig, member: str) -> bool:
    """Whether a service is reached by its host's address rather than on a wire."""
    other, _, name = member.partition("/")
    theirs = draft.config.stacks.get(other)
    return theirs is not None and (theirs.host != stack.host or _on_host(theirs, name))


def _on_host(stack: StackConfig, service: str) -> bool:
    return service in stack.services and stack.services[service].host_network


def _members(draft: Draft, endpoint: Endpoint) -> Iterator[Endpoint]:
    """Everybody whom an endpoint stands for; of a stack, its services."""
    for one in expand(draft, endpoint):
        if one.kind == "stack":
            stack = draft.config.stacks.get(one.name)
            yield from (
                Endpoint("service", f"{one.name}/{name}") for name in (stack.services if stack else ())
            )
        else:
            yield one


def met_by_ingress(draft: Draft, ingress: IngressConfig) -> list[str]:
    """The services of its host that the ingress speaks to: routed ones, whom it asks, what opens its
    tunnel, and declared ones."""
    wanted = {
        target.endpoint
        for flow in draft.config.flows
        if Endpoint("ingress") in flow.from_
        for target in flow.to
    }
    wanted |= {ingress.auth.endpoint} if ingress.auth else set()
    wanted |= {ingress.ips.endpoint} if ingress.ips and ingress.ips.key else set()
    wanted |= {ingress.tunnel} if ingress.tunnel else set()
    return sorted(
        f"{name}/{service_name}"
        for name, stack in draft.config.stacks.items()
        for service_name, service in stack.services.items()
        if stack.host == ingress.host
        and not service.host_network
        and (service.all_routes or Endpoint("service", f"{name}/{service_name}") in wanted)
    )
