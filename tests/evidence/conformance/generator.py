"""Random topologies: a block of networks and containers, and the same containers attached otherwise.

A block gets subnets, names and ports of its own from its number, so that several stand
side by side on one engine. A container keeps the ports that it publishes for as long as
it lives, so they are the same in all topologies of a block.
"""

from dataclasses import dataclass, replace
from random import Random

from lab.flows import Port
from lab.plan.records import PublishedPort
from tests.evidence.conformance.topology import (
    LOOPBACK,
    Container,
    Machine,
    Network,
    Topology,
    address6_in,
    address_in,
)

SERVICE, SERVICE_UDP = Port(8080), Port(5353, "udp")
CANARY, CANARY_UDP = Port(6001), Port(6002, "udp")
_FIRST_PUBLISHED, _FIRST_OF_HOST, _PORTS_OF_A_BLOCK = 20000, 26000, 16


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where blocks stand: the number of a lane, whose Docker host and neighbour they have."""

    lane: int
    host: Machine
    neighbour: Machine

    @property
    def pool(self) -> str:
        """What holds every IPv4 subnet of the lane."""
        return f"10.{128 + self.lane}.0.0/16"

    @property
    def pool6(self) -> str:
        """What holds every IPv6 subnet of the lane."""
        return f"fd00:{128 + self.lane}::/32"


def site(lane: int) -> Site:
    """The machines of a lane."""

    def machine(name: str, last: int) -> Machine:
        ports = {"listens": (SERVICE, SERVICE_UDP), "canaries": (CANARY, CANARY_UDP)}
        return Machine(
            name=name, address=f"10.10.{20 + lane}.{last}", address6=f"fd00:10:{20 + lane}::{last}", **ports
        )

    return Site(lane=lane, host=machine(f"host-{lane}", 11), neighbour=machine(f"neighbour-{lane}", 12))


def block(seed: int, number: int, at: Site, variants: int) -> tuple[Topology, ...]:
    """The topologies of a block: one, and `variants` more in which some containers have moved.

    Args:
        seed: of the run; the block's own follows from it, the lane and the number.
        number: from 0 to 255, each once on a lane.
        at: where it stands.
        variants: how many more.
    """
    name = f"{seed}/{at.lane}/{number}"
    random = Random(name)
    networks = _networks(random, number, at)
    bridged = [_container(random, number, index, networks) for index in range(random.randint(3, 4))]
    containers = (*bridged, *([_host_container(number)] if random.random() < 0.4 else []))
    published = tuple(_with_published(random, number, n, c, at.host) for n, c in enumerate(containers))
    first = Topology(
        seed=f"{name}/0", networks=networks, containers=published, host=at.host, neighbour=at.neighbour
    )
    found = [first]
    for variant in range(1, variants + 1):
        moved = random.sample(found[-1].containers, random.randint(2, len(bridged)))
        changes = {c.name: _move(random, c, networks) for c in moved if not c.host_network}
        found.append(found[-1].attached(changes, f"{name}/{variant}"))
    return tuple(found)


def _networks(random: Random, number: int, at: Site) -> tuple[Network, ...]:
    found = []
    for index in range(random.randint(3, 4)):
        subnet = f"10.{128 + at.lane}.{number}.{16 * index}"
        has_ipv6 = random.random() < 0.25
        subnet6 = f"fd00:{128 + at.lane}:{number:x}:{index}::"
        letters = "".join(random.choice("abcdefghij") for _ in range(3))
        found.append(
            Network(
                # The order of the names decides about default routes, so it is random.
                name=f"{letters}-{number}-{index}",
                interface=f"br-{at.lane:02x}{number:04x}{index:02x}",
                subnet=f"{subnet}/28",
                gateway=f"10.{128 + at.lane}.{number}.{16 * index + 1}",
                internal=random.random() < 0.35,
                icc=random.random() < 0.65,
                isolated=random.random() < 0.15,
                subnet6=f"{subnet6}/64" if has_ipv6 else "",
                gateway6=f"{subnet6}1" if has_ipv6 else "",
            )
        )
    return tuple(found)


def _some(random: Random, networks: tuple[Network, ...]) -> tuple[str, ...]:
    return tuple(network.name for network in random.sample(networks, 1 if random.random() < 0.55 else 2))


def _move(random: Random, container: Container, networks: tuple[Network, ...]) -> tuple[str, ...]:
    """Where a container moves; one that publishes does not move into internal networks only (docs/isolation.md)."""
    names = _some(random, networks)
    closed = all(network.internal for network in networks if network.name in names)
    return tuple(container.addresses) if closed and container.published else names


def _container(random: Random, number: int, index: int, networks: tuple[Network, ...]) -> Container:
    names = _some(random, networks)
    joined = [network for network in networks if network.name in names]
    last = index + 2
    return Container(
        name=f"c{number}-{index}",
        addresses={n.name: address_in(n, last) for n in joined},
        addresses6={n.name: address6_in(n, last) for n in joined if n.subnet6},
        listens=(SERVICE, SERVICE_UDP),
        canaries=(CANARY, CANARY_UDP),
    )


def _host_container(number: int) -> Container:
    first = _FIRST_OF_HOST + number * _PORTS_OF_A_BLOCK
    return Container(
        name=f"c{number}-host",
        listens=(Port(first), Port(first + 1, "udp")),
        canaries=(Port(first + 2), Port(first + 3, "udp")),
        host_network=True,
    )


def _with_published(
    random: Random, number: int, index: int, container: Container, host: Machine
) -> Container:
    if container.host_network or random.random() < 0.4:
        return container
    published = []
    for place, port in enumerate(container.listens):
        if random.random() < 0.6:
            external = _FIRST_PUBLISHED + number * _PORTS_OF_A_BLOCK + index * 2 + place
            address = random.choice(("0.0.0.0", "0.0.0.0", host.address, LOOPBACK, ""))
            published.append(
                PublishedPort(
                    internal=port.number, external=external, address=address, protocol=port.protocol
                )
            )
    return replace(container, published=tuple(published))
