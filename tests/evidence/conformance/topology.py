"""A Docker host with networks, containers and a neighbour, as plain values that JSON keeps.

They are not the records of the model: what was seen of a topology stays readable when
the model changes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address

from lab.flows import Port
from lab.plan.records import EngineFacts, GuardRule, PublishedPort

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Network:
    """A Docker network; `isolated` is the option `inhibit_ipv4`. Without `gateway6` it has no IPv6."""

    name: str
    interface: str
    subnet: str
    gateway: str
    internal: bool = False
    icc: bool = True
    isolated: bool = False
    subnet6: str = ""
    gateway6: str = ""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The Docker host itself, or its neighbour on the segment. Nobody mentions `canaries` to the model."""

    name: str
    address: str
    address6: str
    listens: tuple[Port, ...]
    canaries: tuple[Port, ...]


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container with its addresses by network. Nobody mentions `canaries` to the model."""

    name: str
    addresses: Mapping[str, str] = field(default_factory=dict)
    addresses6: Mapping[str, str] = field(default_factory=dict)
    listens: tuple[Port, ...] = ()
    canaries: tuple[Port, ...] = ()
    published: tuple[PublishedPort, ...] = ()
    host_network: bool = False

    def link_local(self, network: str) -> str:
        """Its IPv6 address on a link: Docker makes the MAC address of the IPv4 one, the kernel this of the MAC."""
        a, b, c, d = IPv4Address(self.addresses[network]).packed
        return str(IPv6Address(f"fe80::42:{a:02x}ff:fe{b:02x}:{c:02x}{d:02x}"))


@dataclass(frozen=True, kw_only=True)
class Topology:
    """Everything on one host, and its neighbour."""

    seed: str
    """How to have it made again."""
    networks: tuple[Network, ...]
    containers: tuple[Container, ...]
    host: Machine
    neighbour: Machine

    def network(self, name: str) -> Network:
        """One of its networks."""
        return next(network for network in self.networks if network.name == name)

    def attached(self, changes: Mapping[str, tuple[str, ...]], seed: str) -> "Topology":
        """The same with containers in other networks; in those that are new to it each has its usual address."""
        containers = tuple(
            self._moved(container, changes[container.name]) if container.name in changes else container
            for container in self.containers
        )
        return replace(self, seed=seed, containers=containers)

    def _moved(self, container: Container, names: tuple[str, ...]) -> Container:
        # The same last part in every network, so that none is taken twice.
        own = next(iter(container.addresses.values()))
        last = int(IPv4Address(own)) & 15
        networks = [self.network(name) for name in names]
        return replace(
            container,
            addresses={n.name: address_in(n, last) for n in networks},
            addresses6={n.name: address6_in(n, last) for n in networks if n.subnet6},
        )


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Under what a topology was probed; `rules` are the guard's, None where there is none."""

    engine: EngineFacts
    rules: tuple[GuardRule, ...] | None = None


def address_in(network: Network, last: int) -> str:
    """The address with this last part in a network of 16."""
    return str(IPv4Address(int(IPv4Address(network.subnet.split("/")[0])) + last))


def address6_in(network: Network, last: int) -> str:
    """The same in its IPv6 subnet."""
    return str(IPv6Address(int(IPv6Address(network.subnet6.split("/")[0])) + last))


def host_addresses(topology: Topology) -> Iterator[str]:
    """Every IPv4 address that the host has, or would have if no network were isolated; not loopback."""
    yield topology.host.address
    yield from (network.gateway for network in topology.networks)
