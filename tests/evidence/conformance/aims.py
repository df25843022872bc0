"""Every question that is asked of a topology, always in the same order: who asks which address for which port."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Literal

from lab.flows import Port
from lab.plan.records import PublishedPort
from tests.evidence.conformance.topology import LOOPBACK, Container, Topology, host_addresses

LOOPBACK6 = "::1"
BRIDGE_LINK_LOCAL = "fe80::1"
"""What Docker gives every bridge that has IPv6."""
HOST, NEIGHBOUR = "host", "neighbour"

Kind = Literal["itself", "container", "host", "published", "neighbour"]


@dataclass(frozen=True, kw_only=True)
class Aim:
    """One question."""

    kind: Kind
    source: str
    """The name of a container, or `host` or `neighbour`."""
    target: str
    """Whose answer counts: the name of a container, or `host` or `neighbour`."""
    address: str
    port: Port
    declared: bool = True
    """Whether the model has heard of the port."""
    network: str = ""
    """The network in which the address is the target's, or by which a link-local address is asked."""
    published: PublishedPort | None = None

    @property
    def ipv6(self) -> bool:
        """Whether it is asked over IPv6."""
        return ":" in self.address

    @property
    def link_local(self) -> bool:
        """Whether the address means something on one link only."""
        return self.ipv6 and IPv6Address(self.address).is_link_local

    @property
    def asked(self) -> Port | None:
        """The port as the model is asked for it: one that nobody mentioned has no number."""
        return self.port if self.declared else None


def aims(topology: Topology) -> tuple[Aim, ...]:
    """All questions about a topology."""
    found: list[Aim] = []
    for container in topology.containers:
        if not container.host_network:
            found += _from(topology, container.name, container)
    found += _from(topology, HOST, None)
    found += _from(topology, NEIGHBOUR, None)
    return tuple(found)


def _from(topology: Topology, source: str, container: Container | None) -> Iterator[Aim]:
    for target in topology.containers:
        yield from _at_container(source, container, target)
    yield from _at_host(topology, source, container)
    if source != NEIGHBOUR:
        yield from _at_neighbour(topology, source)


def _ports(listens: tuple[Port, ...], canaries: tuple[Port, ...]) -> Iterator[tuple[Port, bool]]:
    yield from ((port, True) for port in listens)
    yield from ((port, False) for port in canaries)


def _at_container(source: str, own: Container | None, target: Container) -> Iterator[Aim]:
    kind: Kind = "itself" if target.name == source else "container"
    for port, declared in _ports(target.listens, target.canaries):
        for network, address in (*target.addresses.items(), *target.addresses6.items()):
            yield Aim(
                kind=kind,
                source=source,
                target=target.name,
                address=address,
                port=port,
                declared=declared,
                network=network,
            )
        for network in target.addresses6:
            shares = own is not None and network in own.addresses6 and kind == "container"
            if shares or source == HOST:
                yield Aim(
                    kind=kind,
                    source=source,
                    target=target.name,
                    address=target.link_local(network),
                    port=port,
                    declared=declared,
                    network=network,
                )


def _at_host(topology: Topology, source: str, own: Container | None) -> Iterator[Aim]:
    """What the host listens on, what its containers in host mode do, and what it publishes for the others."""
    addresses = [*host_addresses(topology), topology.host.address6]
    # The address of a bridge that nobody is plugged into stays tentative.
    used = {name for container in topology.containers for name in container.addresses6}
    addresses += [network.gateway6 for network in topology.networks if network.name in used]
    places = [(address, "") for address in addresses]
    places += [(BRIDGE_LINK_LOCAL, network) for network in (own.addresses6 if own else ())]
    if source == HOST:
        places += [(LOOPBACK, ""), (LOOPBACK6, "")]
    listeners = [(HOST, topology.host.listens, topology.host.canaries)]
    listeners += [(c.name, c.listens, c.canaries) for c in topology.containers if c.host_network]
    for address, network in places:
        for name, listens, canaries in listeners:
            for port, declared in _ports(listens, canaries):
                yield Aim(
                    kind="host",
                    source=source,
                    target=name,
                    address=address,
                    port=port,
                    declared=declared,
                    network=network,
                )
        for container in topology.containers:
            for published in container.published:
                yield Aim(
                    kind="published",
                    source=source,
                    target=container.name,
                    address=address,
                    port=Port(published.external, published.protocol),
                    network=network,
                    published=published,
                )


def _at_neighbour(topology: Topology, source: str) -> Iterator[Aim]:
    neighbour = topology.neighbour
    for address in (neighbour.address, neighbour.address6):
        for port, declared in _ports(neighbour.listens, neighbour.canaries):
            yield Aim(
                kind="neighbour",
                source=source,
                target=NEIGHBOUR,
                address=address,
                port=port,
                declared=declared,
            )
