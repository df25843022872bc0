"""Random rules of a guard, shaped like those that a plan derives from flows."""

from collections.abc import Iterator
from random import Random

from lab.flows import Port
from lab.plan.records import ANYWHERE, GuardRule
from tests.evidence.conformance.generator import SERVICE, SERVICE_UDP
from tests.evidence.conformance.topology import Container, Topology

_RANGE = Port(8000, "tcp", 8100)
_LIKELY = 0.35


def random_rules(topology: Topology) -> tuple[GuardRule, ...]:
    """Rules for some of what could be asked of a topology; the same for the same seed."""
    random = Random(f"{topology.seed}/guard")
    bridged = [container for container in topology.containers if not container.host_network]
    found: list[GuardRule] = []
    for source in bridged:
        found += _within(random, topology, source, bridged)
        found += _out(random, topology, source)
        found += _local(random, topology, source)
    return tuple(dict.fromkeys((*found, *_in(random, topology))))


def _within(
    random: Random, topology: Topology, source: Container, others: list[Container]
) -> Iterator[GuardRule]:
    for target in others:
        for name in sorted(source.addresses.keys() & target.addresses.keys() if source != target else ()):
            if random.random() < _LIKELY:
                yield GuardRule(
                    way="within",
                    interface=topology.network(name).interface,
                    source=source.addresses[name],
                    destination=target.addresses[name],
                    port=random.choice((SERVICE, SERVICE, SERVICE_UDP, _RANGE, None)),
                    because=f"{source.name} needs {target.name}",
                )


def _out(random: Random, topology: Topology, source: Container) -> Iterator[GuardRule]:
    neighbour = topology.neighbour.address
    for name, address in source.addresses.items():
        if random.random() < _LIKELY:
            yield GuardRule(
                way="out",
                interface=topology.network(name).interface,
                source=address,
                destination=random.choice((neighbour, neighbour, _subnet(neighbour), "", ANYWHERE)),
                port=random.choice((SERVICE, SERVICE_UDP, _RANGE, None)),
                because=f"{source.name} leaves",
            )


def _local(random: Random, topology: Topology, source: Container) -> Iterator[GuardRule]:
    host = topology.host
    ports: list[Port | None] = [*host.listens, None]
    ports += [Port(p.external, p.protocol) for c in topology.containers for p in c.published]
    ports += [port for c in topology.containers if c.host_network for port in c.listens]
    for name, address in source.addresses.items():
        network = topology.network(name)
        if random.random() < _LIKELY:
            yield GuardRule(
                way="local",
                interface=network.interface,
                source=address,
                destination=random.choice((host.address, host.address, network.gateway, "")),
                port=random.choice(ports),
                because=f"{source.name} uses its host",
            )


def _in(random: Random, topology: Topology) -> Iterator[GuardRule]:
    host, neighbour = topology.host.address, topology.neighbour.address
    for container in topology.containers:
        for published in container.published:
            if random.random() < 2 * _LIKELY:
                yield GuardRule(
                    way="in",
                    source=random.choice((neighbour, neighbour, _subnet(neighbour), "", ANYWHERE)),
                    destination=random.choice((host, host, "")),
                    port=random.choice((Port(published.external, published.protocol), None)),
                    because=f"{container.name} is for the segment",
                )


def _subnet(address: str) -> str:
    return f"{address.rpartition('.')[0]}.0/24"
