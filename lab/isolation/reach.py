"""Who reaches whom: every way that a connection may take, leg by leg."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from lab.addresses import TAILNET_RANGE
from lab.flows import Endpoint, Port
from lab.isolation.boxes import EVERYWHERE, LOOPBACK, Box, first_network
from lab.isolation.docker import DockerGround
from lab.isolation.grounds import Grounds
from lab.isolation.segments import Segments
from lab.isolation.spots import Spot
from lab.isolation.tailnet import advertised, granted
from lab.isolation.verdict import Answer, Path, best_first, no, unknown, yes
from lab.plan.directory import INGRESS, INTERNET, Container, Directory
from lab.plan.records import LabPlan, PublishedPort, RoutePlan


class Reach:
    """The reachability of one plan."""

    def __init__(self, plan: LabPlan) -> None:
        self.plan = plan
        self.directory = Directory(plan)
        self.segments = Segments(self.directory)
        self.grounds = Grounds(self.directory)

    def answer(self, source: Endpoint, target: Endpoint, port: Port | None) -> Answer:
        """Whether a source can open a connection to a port of a target, and by which way.

        Args:
            source: a service, the ingress, a guest, node, device, segment, the operator, the internet, or users
                of the tailnet.
            target: the same.
            port: the target's own port; None for one that nobody declared.
        """
        source, target = self.machine(source), self.machine(target)
        paths = best_first(self._ways(source, target, port))
        return Answer(source, target, port, paths or (Path((no(self._apart(source, target)),)),))

    def machine(self, endpoint: Endpoint) -> Endpoint:
        """What sends and receives an endpoint's packets: the host for whoever shares its network, and the machine
        of an ingress that is only observed."""
        container = self.directory.containers.get(endpoint)
        if container is not None and container.service.host_network:
            return self.grounds.host_endpoint(container.host)
        if endpoint == INGRESS and container is None and self.plan.ingress is not None:
            return self._named(self.plan.ingress.host)
        return endpoint

    def _named(self, name: str) -> Endpoint:
        guest = any(guest.name == name for guest in self.plan.guests)
        return Endpoint("guest" if guest else "device", name)

    def _ways(self, source: Endpoint, target: Endpoint, port: Port | None) -> Iterator[Path]:
        inside, aim = self.directory.containers.get(source), self.directory.containers.get(target)
        if source.kind == "tailnet":
            yield from self._from_tailnet(source, target, port)
        elif target.kind == "tailnet":
            yield Path((no("no grant lets the lab open connections to devices of the tailnet"),))
        elif (outer := self._outer.get((target, port))) is not None:
            yield from self._to_outer(source, *outer)
        elif inside is None and aim is None:
            yield from self.segments.ways(source, target, port)
        elif inside is None and aim is not None:
            yield from self._into(source, aim, port)
        elif inside is not None and aim is None:
            yield from self._out_of(inside, target, port)
        elif inside is not None and aim is not None:
            yield from self._between(inside, aim, port)

    def ground(self, container: Container) -> DockerGround:
        """The Docker host of a container."""
        return self.grounds.by_host[container.host]

    def box(self, container: Container) -> Box:
        """A container as the rules about packets want it."""
        return self.grounds.box(container)

    def _between(self, source: Container, target: Container, port: Port | None) -> Iterator[Path]:
        here, there = self.box(source), self.box(target)
        if source.host == target.host:
            ground = self.ground(source)
            yield from ground.between(here, there, port)
            for published in _published(target, port):
                yield from ground.to_published(here, there, published)
            yield from _crossing(ground, here, there, port)
            return
        for published in _published(target, port):
            for spot in self._published_at(target, published):
                yield from self._arriving(source.service.endpoint, target, published, spot)

    def _out_of(self, source: Container, target: Endpoint, port: Port | None) -> Iterator[Path]:
        """From a container to a machine, a segment or the internet."""
        if target == self.grounds.host_endpoint(source.host):
            yield from self.ground(source).to_host(self.box(source), port)
        elif target == INTERNET:
            for address in self.segments.outside:
                leaving = self.ground(source).leave(self.box(source), address, port)
                for way in self.segments.ways(self.grounds.host_endpoint(source.host), INTERNET, port):
                    yield Path((*leaving, *way.legs))
        else:
            for spot in self.segments.spots.get(target, ()):
                yield from (way for _, way in self._to_spot(source.service.endpoint, target, spot, port))

    def _to_spot(
        self, source: Endpoint, target: Endpoint, spot: Spot, port: Port | None, *, tagging: bool = True
    ) -> Iterator[tuple[str, Path]]:
        """The ways to one place of a machine, each with the address under which the source comes there."""
        container = self.directory.containers.get(source)
        if container is None:
            yield from self.segments.ways_to(source, target, spot, port, tagging=tagging)
            return
        host = self.grounds.host_endpoint(container.host)
        if target == host:
            yield spot.address, self.ground(container).host_at(self.box(container), spot.address, port)
            return
        leaving = self.ground(container).leave(self.box(container), spot.address, port)
        for address, way in self.segments.ways_to(host, target, spot, port, tagging=False):
            yield address, Path((*leaving, *way.legs))

    def to_address(self, source: Endpoint, vlan: str, address: str, port: Port) -> tuple[Path, ...]:
        """The ways to an address of a segment that no machine of the lab has, its gateway for one."""
        whoever = Endpoint("vlan", vlan)
        ways = self._to_spot(self.machine(source), whoever, Spot(vlan, address), port, tagging=False)
        return best_first(way for _, way in ways)

    def _into(self, source: Endpoint, target: Container, port: Port | None) -> Iterator[Path]:
        """From a machine, a segment or the internet to a container."""
        if source == self.grounds.host_endpoint(target.host):
            yield self.ground(target).from_host(self.box(target))
            return
        for published in _published(target, port):
            for spot in self._published_at(target, published):
                yield from self._arriving(source, target, published, spot)
            yield from self._past(source, target, published)
        yield from self._routed_into(source, target, port)

    def _past(self, source: Endpoint, target: Container, published: PublishedPort) -> Iterator[Path]:
        """The ways to a published port by another interface of its host than the one with that address.

        Linux takes a packet for any of its addresses from any interface (RFC 1122, 3.3.4.2, weak host model), so
        a neighbour there needs nothing but a route of its own making.
        """
        host = self.grounds.host_endpoint(target.host)
        external = Port(published.external, published.protocol)
        everywhere = published.address in ("", EVERYWHERE)
        addresses = set(self.ground(target).addresses if everywhere else (published.address,)) - {LOOPBACK}
        for spot in self.segments.spots.get(host, ()):
            for sender, way in self.segments.neighbours(source, host, spot, external):
                for address in sorted(addresses - {spot.address}):
                    arrival = self._front(target).arrive_at(sender, self.box(target), published, address)
                    yield Path((*way.legs, *arrival))

    def _routed_into(self, source: Endpoint, target: Container, port: Port | None) -> Iterator[Path]:
        """The ways to a container's own addresses, for a neighbour of its host that takes it for a router."""
        host = self.grounds.host_endpoint(target.host)
        for spot in self.segments.spots.get(host, ()):
            for address, way in self.segments.neighbours(source, host, spot, port):
                for attachment in target.service.attachments:
                    ground = self._towards(target, attachment.network)
                    behind = ground.arrive_routed(address, self.box(target), attachment.network, port)
                    yield Path((*way.legs, *behind))

    def _towards(self, target: Container, network: str) -> DockerGround:
        """The Docker host of a container, without its guard where that does not watch what goes into a network."""
        ground = self.ground(target)
        interface = ground.bridges[network].interface
        return (
            ground if ground.guard is None or ground.guard.watches(interface) else replace(ground, guard=None)
        )

    @cached_property
    def _outer(self) -> dict[tuple[Endpoint, Port | None], tuple[Container, PublishedPort]]:
        """The ports of Docker hosts at which a container answers, and not the host itself."""
        networks = self.directory.networks
        return {
            (self.grounds.host_endpoint(found.host), Port(published.external, published.protocol)): (
                found,
                published,
            )
            for found in self.directory.containers.values()
            if any(not networks[found.host, a.network].internal for a in found.service.attachments)
            for published in found.service.published
        }

    def _to_outer(self, source: Endpoint, target: Container, published: PublishedPort) -> Iterator[Path]:
        """The ways to a port of a Docker host at which a container answers."""
        inside = self.directory.containers.get(source)
        if inside is not None and inside.host == target.host:
            yield from self.ground(target).to_published(self.box(inside), self.box(target), published)
            return
        for spot in self._published_at(target, published):
            yield from self._arriving(source, target, published, spot)
        yield from self._past(source, target, published)

    def _published_at(self, target: Container, published: PublishedPort) -> Iterator[Spot]:
        """The places of a host at which a port is published."""
        for spot in self.segments.spots.get(self.grounds.host_endpoint(target.host), ()):
            if published.address in ("", EVERYWHERE, spot.address):
                yield spot

    def _arriving(
        self,
        source: Endpoint,
        target: Container,
        published: PublishedPort,
        spot: Spot,
        *,
        tagging: bool = True,
    ) -> Iterator[Path]:
        """The ways from outside of a host to a port that is published there."""
        ground, external = self._front(target), Port(published.external, published.protocol)
        host = self.grounds.host_endpoint(target.host)
        for address, way in self._to_spot(source, host, spot, external, tagging=tagging):
            arrival = ground.arrive_at(address, self.box(target), published, spot.address)
            yield Path((*way.legs, *arrival))

    def _front(self, target: Container) -> DockerGround:
        """The Docker host of a container, as whoever comes to a port that it publishes meets it."""
        network = first_network(self.box(target), self.ground(target).bridges)
        return self._towards(target, network.name) if network else self.ground(target)

    def _from_tailnet(self, source: Endpoint, target: Endpoint, port: Port | None) -> Iterator[Path]:
        for router in self.directory.routers:
            for address, wanted, way in self._behind(router, target, port):
                legs = advertised(self.plan, router, address), granted(self.plan, source, address, wanted)
                yield Path((*legs, *way.legs))

    def _behind(
        self, router: Endpoint, target: Endpoint, port: Port | None
    ) -> Iterator[tuple[str, Port | None, Path]]:
        """What a subnet router reaches of a target: under which address and port, and how."""
        aim = self.directory.containers.get(target)
        outer = self._outer.get((target, port))
        wanted = (
            [(aim, published) for published in _published(aim, port)] if aim else [outer] if outer else []
        )
        if aim is not None or outer is not None:
            for aim, published in wanted:
                external = Port(published.external, published.protocol)
                for spot in self._published_at(aim, published):
                    for way in self._forwarded(router, aim, published, spot):
                        yield spot.address, external, way
            return
        for spot in self.segments.spots.get(target, ()):
            if router == target:
                yield spot.address, port, Path((yes(f"{router} is the subnet router itself"),))
                continue
            for _, way in self._to_spot(router, target, spot, port, tagging=False):
                yield spot.address, port, way

    def _forwarded(
        self, router: Endpoint, target: Container, published: PublishedPort, spot: Spot
    ) -> Iterator[Path]:
        """The ways of a subnet router to a published port, which may be one of its own host."""
        container = self.directory.containers.get(router)
        ground = self.ground(target)
        if container is not None and container.host == target.host:
            yield ground.published_at(self.box(container), self.box(target), published, spot.address)
        elif router == self.grounds.host_endpoint(target.host):
            # The host passes it on like what comes from a segment, and knows its sender: nothing masquerades it.
            ground = self._front(target)
            yield Path(ground.arrive_at(str(TAILNET_RANGE), self.box(target), published, spot.address))
        else:
            yield from self._arriving(router, target, published, spot, tagging=False)

    def relayed(self, source: Endpoint, target: Endpoint, port: Port | None) -> tuple[Path, ...]:
        """The ways by which the ingress passes a source's requests on to a target (layer 7), the best first."""
        routes = (route for route in self.routes.get(target, ()) if port is not None and route.port == port)
        return best_first(path for route in routes for path in self.relayed_by(route, source))

    def relayed_by(self, route: RoutePlan, source: Endpoint) -> tuple[Path, ...]:
        """The ways by which requests of a source are passed on by one route, the best first."""
        source = self.machine(source)
        if source == INGRESS:
            return ()
        onward = self.answer(INGRESS, route.target, route.port).best
        passed = yes(f"Traefik passes {route.host} on by route {route.name}, {_asks(route)}")
        ingress = self.plan.ingress
        entries = {ingress.way_in(route, audience): None for audience in route.audiences} if ingress else {}
        inward = [way for entry in entries for way in self.into_ingress(source, entry)]
        return best_first(Path((*way.legs, passed, *onward.legs), through=(INGRESS,)) for way in inward)

    def into_ingress(self, source: Endpoint, entry: Port) -> Iterator[Path]:
        """How requests of a source come to a port of the ingress: those of the internet also by whoever ends their TLS.

        Whether a tunnel or terminator passes them on is decided outside the lab, so it is taken to do so.
        """
        yield self.answer(source, INGRESS, entry).best
        ingress = self.plan.ingress
        if source != INTERNET or ingress is None or entry not in ingress.carried:
            return
        if not ingress.carriers:
            yield Path((unknown("nobody said who ends TLS for the internet and brings its requests"),))
        for carrier in dict.fromkeys(ingress.carriers.values()):
            if carrier != INTERNET:
                brought = yes(f"{carrier} passes on what the internet asks it for")
                yield Path((brought, *self.answer(carrier, INGRESS, entry).best.legs))

    @cached_property
    def routes(self) -> dict[Endpoint, list[RoutePlan]]:
        """The routes to each target."""
        found: dict[Endpoint, list[RoutePlan]] = {}
        for route in self.plan.ingress.routes if self.plan.ingress else ():
            found.setdefault(route.target, []).append(route)
        return found

    def _apart(self, source: Endpoint, target: Endpoint) -> str:
        if source.kind == "tailnet" or target.kind == "tailnet":
            return "no subnet router leads there"
        if target in self.directory.containers:
            host = self.directory.containers[target].host
            return f"no network in common, and {target} publishes no such port on {host}"
        return f"nothing leads from {source} to {target}"


def _crossing(ground: DockerGround, source: Box, target: Box, port: Port | None) -> Iterator[Path]:
    """The ways from a container to an address in a network that it is not in, which only Docker's own rules close.

    A guard passes nothing from a network that it watches to another, and into one what it lets in from anywhere.
    From internal networks nothing leads there whatever the engine: before 28 its rules, which were measured, drop
    it, and since 28 there is no route.
    """
    route = first_network(source, ground.bridges)
    guard = ground.guard
    if route is None or route.internal or (guard is not None and guard.watches(route.interface)):
        return
    for network, address in target.addresses.items():
        if network in source.addresses:
            continue
        closed = guard is not None and guard.watches(ground.bridges[network].interface)
        if (
            guard is None
            or not closed
            or guard.accepts("in", "", source.addresses[route.name], address, port)
        ):
            yield ground.within(source, target, network, port)


def _published(target: Container, port: Port | None) -> tuple[PublishedPort, ...]:
    """The ways to a port by its host; nobody publishes a port that nobody declared."""
    return target.published_as(port) if port is not None else ()


def _asks(route: RoutePlan) -> str:
    return "and asks for nothing" if route.auth == "none" else f"and asks for {route.auth} first"
