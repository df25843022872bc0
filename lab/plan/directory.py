"""Who is who in a plan: what an endpoint stands for, and the addresses under which it is seen.

Everything that asks "whom does this flow mean, and from where do its packets come" asks
here: the rules of guests and segments, the guards of Docker hosts, and the proof.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lab.flows import Endpoint, Port
from lab.plan.records import DockerHostPlan, GuestPlan, LabPlan, NetworkPlan, PublishedPort, ServicePlan

INTERNET, OPERATOR, INGRESS = Endpoint("internet"), Endpoint("operator"), Endpoint("ingress")


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container and the Docker host that it is on."""

    host: str
    service: ServicePlan
    managed: bool = True

    def published_as(self, port: Port | None) -> tuple[PublishedPort, ...]:
        """The ports of its host that lead to one of its own, or to one of a range; to any of them for None."""
        return tuple(
            published
            for published in self.service.published
            if port is None
            or (
                published.protocol == port.protocol
                and port.number <= published.internal <= (port.last or port.number)
            )
        )


class Directory:
    """The endpoints of one plan."""

    def __init__(self, plan: LabPlan) -> None:
        self.plan = plan
        self.hosts: dict[str, DockerHostPlan] = {host.name: host for host in plan.docker_hosts}

    @cached_property
    def containers(self) -> dict[Endpoint, Container]:
        """Every container of the lab by its endpoint, the ingress and subnet routers among them."""
        return {container.service.endpoint: container for container in _containers(self.plan)}

    @cached_property
    def networks(self) -> dict[tuple[str, str], NetworkPlan]:
        """Every Docker network by its host and name."""
        plan = self.plan
        found = {(stack.host, network.name): network for stack in plan.stacks for network in stack.networks}
        found |= {(router.host, router.network.name): router.network for router in plan.subnet_routers}
        if plan.ingress is not None:
            edge = [plan.ingress.front, *plan.ingress.slots]
            found |= {(plan.ingress.host, network.name): network for network in edge if network}
        return found

    @cached_property
    def routers(self) -> tuple[Endpoint, ...]:
        """The tailnet's subnet routers: containers, guests and nodes."""
        plan = self.plan
        return (
            *(router.service.endpoint for router in plan.subnet_routers),
            *(Endpoint("guest", guest.name) for guest in plan.guests if guest.advertises),
            *(Endpoint("node", node.name) for node in plan.nodes if node.advertises),
        )

    def members(self, endpoint: Endpoint) -> tuple[Endpoint, ...]:
        """What an endpoint stands for: the members of a set, the services of a stack, every guest or node, or
        itself."""
        if endpoint.kind not in ("set", "stack", "guests", "nodes"):
            return (endpoint,)
        found: dict[Endpoint, None] = {}
        waiting = [endpoint]
        seen = {endpoint}
        while waiting:
            current = waiting.pop(0)
            parts = self._parts(current)
            if parts is None:
                found[current] = None
            else:
                waiting += [part for part in parts if part not in seen]
                seen |= set(parts)
        return tuple(found)

    def _parts(self, endpoint: Endpoint) -> tuple[Endpoint, ...] | None:
        if endpoint.kind == "set":
            return self.plan.sets.get(endpoint.name, ())
        if endpoint.kind == "stack":
            return self._services.get(endpoint.name, ())
        if endpoint.kind == "guests":
            return tuple(Endpoint("guest", guest.name) for guest in self.plan.guests)
        if endpoint.kind == "nodes":
            return tuple(Endpoint("node", node.name) for node in self.plan.nodes)
        return None

    @cached_property
    def _services(self) -> dict[str, tuple[Endpoint, ...]]:
        found = {stack.name: tuple(s.endpoint for s in stack.services) for stack in self.plan.stacks}
        return found | {router.name: (router.service.endpoint,) for router in self.plan.subnet_routers}

    @cached_property
    def machines(self) -> dict[str, tuple[str, ...]]:
        """The fixed addresses of every guest and device, by name."""
        found = {guest.name: _addresses(guest) for guest in self.plan.guests}
        return found | {device.name: tuple(filter(None, [device.address])) for device in self.plan.devices}

    @cached_property
    def _segments(self) -> dict[str, str]:
        return {vlan.name: vlan.subnet for vlan in self.plan.vlans}

    @cached_property
    def _nodes(self) -> dict[str, str]:
        return {node.name: node.address for node in self.plan.nodes}

    def addresses(self, endpoint: Endpoint) -> tuple[str, ...]:
        """The addresses or subnets that an endpoint's packets carry on a segment; empty text for anywhere.

        A container's are its host's, because it leaves masqueraded, and the tailnet's are those of its subnet
        routers, which masquerade by default (Tailscale, `--snat-subnet-routes`).
        """
        found = [address for member in self.members(endpoint) for address in self._of(member)]
        return tuple(dict.fromkeys(found))

    def senders(self, source: Endpoint, entry: Port | None) -> tuple[str, ...]:
        """The same, for connections to a port of the ingress: a terminator's are just those that are trusted.

        Args:
            source: who connects.
            entry: the port of the ingress; None where the connection is to somebody else.
        """
        ingress = self.plan.ingress
        if ingress is None or ingress.tunnel is not None or entry not in ingress.carried:
            return self.addresses(source)
        if source != INTERNET and source not in ingress.carriers.values():
            return self.addresses(source)
        return tuple(address for address, carrier in ingress.carriers.items() if carrier == source)

    def _of(self, endpoint: Endpoint) -> tuple[str, ...]:
        kind, name = endpoint.kind, endpoint.name
        if kind in ("guest", "device"):
            return self.machines.get(name, ())
        if kind == "internet":
            return ("",)
        if kind == "vlan":
            return (self._segments[name],) if name in self._segments else ()
        if kind == "node":
            return (self._nodes[name],) if self._nodes.get(name) else ()
        if kind == "operator":
            return self._operator()
        if kind == "ingress" and self.plan.ingress is not None:
            return self.machines.get(self.plan.ingress.host, ())
        if kind == "tailnet":
            return self._tailnet
        container = self.containers.get(endpoint)
        return self.machines.get(container.host, ()) if container else ()

    @cached_property
    def _tailnet(self) -> tuple[str, ...]:
        """One address for each subnet router, the first: that is the one that its host routes from."""
        return tuple(sorted({found[0] for router in self.routers if (found := self._of(router))}))

    def _operator(self) -> tuple[str, ...]:
        if self.plan.operator_address:
            return (self.plan.operator_address,)
        segment = self._segments.get(self.plan.operator_vlan or "")
        return (segment,) if segment else ()

    def owner(self, address: str) -> Endpoint | None:
        """The machine of an address, if it is one of the lab's."""
        return self._owners.get(address)

    @cached_property
    def _owners(self) -> dict[str, Endpoint]:
        guests = {guest.name for guest in self.plan.guests}
        found = {
            address: Endpoint("guest" if name in guests else "device", name)
            for name, addresses in self.machines.items()
            for address in addresses
        }
        return found | {address: Endpoint("node", name) for name, address in self._nodes.items()}


def _containers(plan: LabPlan) -> Iterator[Container]:
    for stack in plan.stacks:
        for service in stack.services:
            yield Container(host=stack.host, service=service, managed=stack.managed)
    for router in plan.subnet_routers:
        yield Container(host=router.host, service=router.service, managed=router.managed)
    if plan.ingress is not None and plan.ingress.service is not None:
        yield Container(host=plan.ingress.host, service=plan.ingress.service, managed=plan.ingress.managed)


def _addresses(guest: GuestPlan) -> tuple[str, ...]:
    """Those of its interfaces and, behind a trunk, those that it gives itself."""
    return tuple(dict.fromkeys((*(nic.address for nic in guest.nics if nic.address), *guest.addresses)))
