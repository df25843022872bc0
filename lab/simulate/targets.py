"""What a sender may write into a packet to reach somebody: every address and port that leads there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lab.simulate.artefacts import Container
from lab.simulate.docker_host import DockerKernel
from lab.simulate.docker_networks import Aim
from lab.simulate.places import Place, Places

INTERNET = "internet"


@dataclass(frozen=True, kw_only=True)
class Way:
    """What to address, and where that is."""

    aim: Aim
    place: Place | None
    """The interface by which it is reached; None for the internet."""
    inner: bool = False
    """Whether only the host, its containers and its neighbours have a route to this address."""


class Targets:
    """The ways to everybody."""

    def __init__(
        self,
        places: Places,
        kernels: Mapping[str, DockerKernel],
        containers: Mapping[str, tuple[DockerKernel, Container]],
    ) -> None:
        self._places = places
        self._kernels = kernels
        self._containers = containers

    def ways(self, target: str, protocol: str, number: int) -> Iterator[Way]:
        """Every way to a port of a target."""
        if target == INTERNET:
            for address in self._places.internet:
                yield Way(aim=Aim(destination=address, port=number, protocol=protocol), place=None)
        elif target in self._containers:
            yield from self._into(*self._containers[target], protocol, number)
        else:
            for place in self._places.of.get(target, ()):
                yield from self._at(place, protocol, number)

    def _at(self, place: Place, protocol: str, number: int) -> Iterator[Way]:
        """A port of a machine; where a Docker host publishes it, whoever is behind it is meant."""
        kernel = self._kernels.get(place.machine)
        published = kernel.networks.published(protocol, number) if kernel else []
        for own in self._places.addresses(place):
            gateways = sorted(kernel.networks.local - {own}) if kernel else []
            for address in published or (own, *gateways):
                aim = Aim(destination=address, port=number, protocol=protocol)
                yield Way(aim=aim, place=place, inner=address != own)

    def _into(self, kernel: DockerKernel, container: Container, protocol: str, number: int) -> Iterator[Way]:
        """A container by its own addresses, and by the ports of its host that lead to it."""
        aims = [
            Aim(destination=address, port=number, protocol=protocol)
            for address in container.addresses.values()
        ]
        aims += [
            Aim(destination=address, port=part.external, protocol=protocol)
            for part in container.ports
            if (part.internal, part.protocol) == (number, protocol)
            for address in (sorted(kernel.networks.local) if part.address.is_unspecified else [part.address])
        ]
        for place in self._places.of.get(kernel.machine, ()):
            yield from (Way(aim=aim, place=place, inner=aim.destination != place.address) for aim in aims)
