"""What an engine made of its containers: addresses, default routes, and the ports that it translates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address

from lab.errors import Issue
from lab.simulate.artefacts import ArtefactError, Container, DockerHost, Network, Publication

_EVERYWHERE = IPv4Address("0.0.0.0")


@dataclass(frozen=True, kw_only=True)
class Aim:
    """Where a packet is sent to: what its sender writes into it."""

    destination: IPv4Address
    port: int
    protocol: str


@dataclass(frozen=True)
class Translation:
    """A published port that a packet is meant for, its container and the network by which Docker reaches it."""

    publication: Publication
    container: Container
    network: Network


class DockerNetworks:
    """The networks of one engine, and who is in them.

    Args:
        host: its networks and containers.
        addresses: the host's own addresses on segments.

    Raises:
        ArtefactError: a container is in a network that is not there, or at an address outside of it.
    """

    def __init__(self, host: DockerHost, addresses: tuple[IPv4Address, ...]) -> None:
        if problems := list(_misplaced(host)):
            raise ArtefactError(problems)
        self.containers = host.containers
        self.by_name: Mapping[str, Network] = {network.name: network for network in host.networks}
        gateways = (network.gateway for network in host.networks)
        self.local = frozenset((*addresses, *gateways))
        """Every address that is the host itself: on segments, and the gateway of each network."""

    def near(self, source: Container, address: IPv4Address) -> Network | None:
        """The network of a container that an address is in."""
        own = (self.by_name[name] for name in source.addresses)
        return next((network for network in own if address in network.subnet), None)

    @cached_property
    def owners(self) -> Mapping[IPv4Address, tuple[Container, Network]]:
        """Containers by each of their addresses."""
        return {
            address: (container, self.by_name[name])
            for container in self.containers
            for name, address in container.addresses.items()
        }

    @cached_property
    def routes(self) -> Mapping[str, Network | None]:
        """The network of each container's default route: the first with a way out, by name, else the first of all."""
        found: dict[str, Network | None] = {}
        for container in self.containers:
            networks = [self.by_name[name] for name in sorted(container.addresses)]
            found[container.endpoint] = next(
                (n for n in networks if not n.internal), next(iter(networks), None)
            )
        return found

    @cached_property
    def translations(self) -> Mapping[Aim, Translation]:
        """What the engine translates: nothing for a container that is in internal networks only."""
        found: dict[Aim, Translation] = {}
        for container in self.containers:
            network = self.routes[container.endpoint]
            if network is None or network.internal:
                continue
            for part in container.ports:
                addresses = self.local if part.address == _EVERYWHERE else self.local & {part.address}
                for address in addresses:
                    aim = Aim(destination=address, port=part.external, protocol=part.protocol)
                    found[aim] = Translation(part, container, network)
        return found

    def published(self, protocol: str, port: int) -> list[IPv4Address]:
        """The host's addresses at which a container answers on a port of the host."""
        return sorted(
            at.destination for at in self.translations if (at.protocol, at.port) == (protocol, port)
        )


def _misplaced(host: DockerHost) -> Iterator[Issue]:
    """What the engine itself refuses when a container is created."""
    subnets = {network.name: network.subnet for network in host.networks}
    for container in host.containers:
        for name, address in container.addresses.items():
            if name not in subnets or address not in subnets[name]:
                yield Issue(
                    path=f"{host.machine} {container.endpoint}",
                    problem=f"{address} is not in network {name} ({subnets.get(name, 'which is not there')})",
                    repair="give it an address of the network",
                )
