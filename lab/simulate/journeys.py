"""From a sender to whoever answers: over the sender's host, the wire, the router and the receiver's filters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from lab.simulate.answers import Arrival, Leaving, Walk, ends, nobody_knows, passes
from lab.simulate.artefacts import Container
from lab.simulate.cluster import Cluster
from lab.simulate.docker_host import DockerKernel
from lab.simulate.docker_networks import Aim
from lab.simulate.places import Place, Places
from lab.simulate.tailnet import Tailnet
from lab.simulate.targets import INTERNET, Way
from lab.simulate.unknowns import Facts
from lab.simulate.wires import Wires

_TAILNET_USER = IPv4Address("100.64.0.1")


@dataclass(frozen=True, kw_only=True)
class Journeys:
    """Everything that a packet may pass."""

    places: Places
    cluster: Cluster
    wires: Wires
    kernels: Mapping[str, DockerKernel]
    containers: Mapping[str, tuple[DockerKernel, Container]]
    tailnet: Tailnet | None

    def begin(self, source: str, way: Way, facts: Facts) -> Iterator[Walk]:
        """Every walk from a source by one way."""
        if source.partition(":")[0] == "tailnet":
            yield from self._from_tailnet(source, way, facts)
        elif source == INTERNET:
            yield from (self._from_internet(address, way, facts) for address in self.places.internet)
        else:
            yield from self._from(source, way, facts)

    def _from(self, source: str, way: Way, facts: Facts) -> Iterator[Walk]:
        if source in self.containers:
            yield self._from_container(*self.containers[source], way, facts)
            return
        for place in self.places.of.get(source, ()):
            for address in self.places.addresses(place):
                yield self._from_place(place, address, way, facts)
        for place, known in self.places.carried(source):
            if way.place is not None and way.place.segment == place.segment:
                for address in self.places.addresses(place):
                    yield self._carried(place, address, way, known, facts)

    def _carried(self, place: Place, source: IPv4Address, way: Way, known: bool, facts: Facts) -> Walk:
        text = (
            f"an interface of {place.machine} has no tag: on a VLAN-aware bridge it carries {place.segment}"
        )
        yield passes(text) if known else nobody_knows(text)
        return (yield from self._across(place, source, way, facts))

    def _from_container(self, kernel: DockerKernel, source: Container, way: Way, facts: Facts) -> Walk:
        place = self._exit(kernel.machine, way.place)
        if place is None or place.address is None:
            yield ends(f"{kernel.machine} has no address on a segment")
            return None
        fate = yield from kernel.from_container(source, way.aim, place.address, facts)
        if isinstance(fate, Leaving):
            if way.inner:
                yield ends(
                    f"{kernel.machine} has no route to {way.aim.destination}, and a container sets none"
                )
            return (yield from self._across(place, fate.source, way, facts))
        return fate

    def _exit(self, machine: str, towards: Place | None) -> Place | None:
        """The interface by which a host sends to a place: on its segment, else that of the default route."""
        places = self.places.of.get(machine, ())
        near = [place for place in places if towards is not None and place.segment == towards.segment]
        routed = [place for place in places if place.default_route]
        return next(iter((*near, *routed, *places)), None)

    def _from_place(self, place: Place, source: IPv4Address, way: Way, facts: Facts) -> Walk:
        kernel = self.kernels.get(place.machine)
        if kernel is not None and way.place is not None and way.place.machine == place.machine:
            return (yield from kernel.from_host(way.aim))
        if kernel is not None:
            yield from kernel.leaves(source, way.aim)
        return (yield from self._across(place, source, way, facts))

    def _across(self, place: Place, source: IPv4Address, way: Way, facts: Facts) -> Walk:
        """From an interface of a machine over the wire."""
        aim = way.aim
        yield from self.cluster.leaving(place, source, aim.destination, aim.protocol, aim.port)
        if way.place is None:
            yield from self.wires.out(place)
            return Arrival(INTERNET, aim.port)
        if way.inner and not self.places.one_wire(place.segment, way.place.segment):
            yield ends(f"nobody routes to {aim.destination} from another segment")
            return None
        yield from self.wires.between(place, way.place)
        seen_as = self.wires.seen_as(place, way.place, source)
        return (yield from self._deliver(seen_as, way.place, aim, facts))

    def _deliver(self, source: IPv4Address, place: Place, aim: Aim, facts: Facts) -> Walk:
        yield from self.cluster.arriving(place, source, aim.destination, aim.protocol, aim.port)
        return (yield from self._received(source, place, aim, facts))

    def _received(self, source: IPv4Address, place: Place, aim: Aim, facts: Facts) -> Walk:
        kernel = self.kernels.get(place.machine)
        if kernel is not None:
            return (yield from kernel.from_wire(source, aim, facts))
        return Arrival(place.machine, aim.port)

    def _from_internet(self, source: IPv4Address, way: Way, facts: Facts) -> Walk:
        if way.place is None or way.inner:
            yield ends("it is not in this lab, or has no address that anybody routes to")
            return None
        yield from self.wires.inward()
        return (yield from self._deliver(source, way.place, way.aim, facts))

    def _from_tailnet(self, source: str, way: Way, facts: Facts) -> Iterator[Walk]:
        if self.tailnet is None:
            return
        for router in self.tailnet.advertised:
            for walk in self._from_router(router, way, facts):
                yield self._behind(self.tailnet, source, router, walk, way.aim)

    def _behind(self, tailnet: Tailnet, source: str, router: str, walk: Walk, aim: Aim) -> Walk:
        yield from tailnet.hops(source, router, aim.destination, aim.protocol, aim.port)
        return (yield from walk)

    def _from_router(self, router: str, way: Way, facts: Facts) -> Iterator[Walk]:
        """A router sends on under its own address, and by its own routes; what is for itself passes no interface."""
        here = self.containers[router][0].machine if router in self.containers else router
        if way.place is not None and way.place.machine == router:
            yield self._received(_TAILNET_USER, way.place, way.aim, facts)
        elif not way.inner or (way.place is not None and way.place.machine == here):
            yield from self._from(router, way, facts)
