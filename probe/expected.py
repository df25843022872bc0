"""What the plan expects of every pair: from each service to each port of every other.

Three answers: `declared` (somebody said so, and the right service must answer),
`same network` (nothing but the network itself lets them meet; until a guard runs on the
host it does), and `none` (the connection must fail).
"""

from dataclasses import dataclass
from typing import Literal

from lab.flows import Endpoint, Port, Target
from lab.plan.records import LabPlan, ServicePlan

Expectation = Literal["declared", "same network", "none"]


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A container that can be a source or a target: where it is and what it serves."""

    endpoint: Endpoint
    host: str
    addresses: tuple[str, ...]
    networks: frozenset[str]
    ports: tuple[Port, ...]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One question: may this source open a connection to that port?"""

    source: Endpoint
    target: Target
    host: str
    """The Docker host of the source."""
    addresses: tuple[str, ...]
    """Every address of the target; one that answers is enough."""
    expected: Expectation
    because: str


def spots(plan: LabPlan) -> tuple[Spot, ...]:
    """Every container of the lab that has a network of its own."""
    found = [
        _spot(stack.host, service)
        for stack in plan.stacks
        if stack.managed
        for service in stack.services
        if not service.host_network
    ]
    found += [_spot(router.host, router.service) for router in plan.subnet_routers if router.managed]
    if plan.ingress is not None and plan.ingress.service is not None:
        found.append(_spot(plan.ingress.host, plan.ingress.service))
    return tuple(sorted(found, key=lambda spot: spot.endpoint))


def _spot(host: str, service: ServicePlan) -> Spot:
    return Spot(
        endpoint=service.endpoint,
        host=host,
        addresses=tuple(attachment.address for attachment in service.attachments),
        networks=frozenset(f"{host}/{attachment.network}" for attachment in service.attachments),
        ports=tuple(port for port in service.listens if port.protocol == "tcp"),
    )


def pairs(plan: LabPlan) -> tuple[Pair, ...]:
    """Every ordered pair of containers and every TCP port, with what is expected."""
    everyone = spots(plan)
    allowed = {(flow.source, flow.target): flow.because for flow in plan.flows}
    found = []
    for source in everyone:
        for target in everyone:
            if source.endpoint == target.endpoint:
                continue
            for port in target.ports:
                aim = Target(target.endpoint, port)
                expected, because = _expected(source, target, allowed.get((source.endpoint, aim)))
                found.append(
                    Pair(
                        source=source.endpoint,
                        target=aim,
                        host=source.host,
                        addresses=target.addresses,
                        expected=expected,
                        because=because,
                    )
                )
    return tuple(found)


def _expected(source: Spot, target: Spot, because: str | None) -> tuple[Expectation, str]:
    shared = sorted(source.networks & target.networks)
    if because is not None:
        return "declared", because
    if shared:
        return "same network", f"both are in {shared[0].partition('/')[2]}"
    return "none", "no network in common and nothing declared"
