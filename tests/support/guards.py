"""The guards of a plan as a person would say them, for tests.

Containers are written `stack/service@network` in place of an address, Traefik
`ingress@network`; everything else as it stands in the rule.
"""

from collections.abc import Iterator

from lab.plan.records import GuardPlan, GuardRule, LabPlan, NetworkPlan, ServicePlan


def containers(plan: LabPlan) -> Iterator[tuple[str, ServicePlan]]:
    """Every container of a plan with its host."""
    yield from ((stack.host, service) for stack in plan.stacks for service in stack.services)
    yield from ((router.host, router.service) for router in plan.subnet_routers)
    if plan.ingress is not None and plan.ingress.service is not None:
        yield plan.ingress.host, plan.ingress.service


def networks(plan: LabPlan) -> Iterator[tuple[str, NetworkPlan]]:
    """Every Docker network of a plan with its host."""
    yield from ((stack.host, network) for stack in plan.stacks for network in stack.networks)
    yield from ((router.host, router.network) for router in plan.subnet_routers)
    if plan.ingress is not None and plan.ingress.front is not None:
        yield from ((plan.ingress.host, network) for network in (plan.ingress.front, *plan.ingress.slots))


def guard_of(plan: LabPlan, host: str = "docker-1") -> GuardPlan:
    """The guard of a host."""
    (found,) = [guard for guard in plan.guards if guard.host == host]
    return found


def names(plan: LabPlan) -> dict[str, str]:
    """What the address of each container is called."""
    return {
        attachment.address: f"{service.endpoint.name or service.endpoint.kind}@{attachment.network}"
        for _, service in containers(plan)
        for attachment in service.attachments
    }


def accepted(plan: LabPlan, host: str = "docker-1") -> set[str]:
    """The rules of a host as `way source -> destination port`; fails where one names another bridge than
    its source is on."""
    called = names(plan)
    bridges = {(where, network.interface): network.name for where, network in networks(plan)}
    found = set()
    for rule in guard_of(plan, host).rules:
        assert _bridge_of(called.get(rule.source, "")) == bridges.get((host, rule.interface), ""), rule
        found.add(_words(rule, called))
    return found


def _bridge_of(name: str) -> str:
    return name.partition("@")[2]


def _words(rule: GuardRule, called: dict[str, str]) -> str:
    source, destination = (called.get(text, text) for text in (rule.source, rule.destination))
    return f"{rule.way} {source} -> {destination} {rule.port or 'every port'}"
