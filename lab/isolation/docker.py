"""How packets move on one Docker host: what was measured, as rules.

Every rule has its row in the table of docs/isolation.md, which says on which engines it
was seen. A container reaches its neighbours on a bridge, its host by any gateway, what
the host publishes, and the segment; an internal network closes some of that, and how
much depends on the engine. The guard of the host, where there is one, decides last.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from lab.flows import Port
from lab.isolation.boxes import EVERYWHERE, LOOPBACK, Box, Bridge, first_network, is_everywhere, unpublished
from lab.isolation.docker_ipv6 import DockerIpv6
from lab.isolation.engine import Known, Rule, by_docker, decide, may_use_nftables
from lab.isolation.guards import GuardRules
from lab.isolation.userland_proxy import passed_on
from lab.isolation.verdict import Leg, Path, Verdict, any_of, no, yes
from lab.plan.records import EngineFacts, GuardRule, PublishedPort

__all__ = ["EVERYWHERE", "LOOPBACK", "Box", "Bridge", "DockerGround"]


@dataclass(frozen=True, kw_only=True)
class DockerGround:
    """One Docker host with everything on it.

    `between`, `to_host`, `to_published`, `leave`, `arrive` and `from_host` answer for whoever tries every address;
    the methods with an address or a network in their arguments answer for that one.
    """

    name: str
    addresses: tuple[str, ...]
    """The host's addresses on segments."""
    engine: EngineFacts
    bridges: Mapping[str, Bridge]
    guard: GuardRules | None = None

    @cached_property
    def ipv6(self) -> DockerIpv6:
        """The same host, as IPv6 sees it."""
        return DockerIpv6(
            name=self.name, engine=self.engine, bridges=self.bridges, guarded=self.guard is not None
        )

    def between(self, source: Box, target: Box, port: Port | None) -> Iterator[Path]:
        """The ways from one container to another by the networks that both are in, and by IPv6."""
        for name in source.addresses:
            if name in target.addresses:
                yield self.within(source, target, name, port)
        yield from self.ipv6.between(source, target, port.protocol if port else None)

    def within(self, source: Box, target: Box, network: str, port: Port | None) -> Path:
        """The way from one container to another's address in a network, whether both are in it or not."""
        bridge = self.bridges[network]
        if network not in source.addresses:
            apart = (
                f"{source.name} is not in network {network}, and Docker passes nothing from one to another"
            )
            return Path((by_docker(self.engine, lambda known: (False, apart)),))

        def connected(known: Known) -> tuple[bool, str]:
            if not known.bridge_netfilter:
                return True, f"no packet filter sees what members of {network} send each other"
            if not bridge.icc:
                return False, f"network {network} has inter-container communication off"
            return True, f"members of {network} reach each other on every port"

        legs = (yes(f"both are in network {network}"), by_docker(self.engine, connected))
        if self.guard is None:
            return Path(legs)
        rule = self._rule("within", bridge, source, target.addresses[network], port)

        def guarded(known: Known) -> tuple[bool, str]:
            if not known.bridge_netfilter:
                return True, f"the guard does not see what members of {network} send each other"
            return rule is not None, self._said(rule, "what no rule accepts within a network")

        return Path((*legs, decide(self.engine, guarded)))

    def to_host(self, source: Box, port: Port | None) -> Iterator[Path]:
        """The ways from a container to a port that its host itself listens on."""
        for address in self._tried(source):
            yield self.host_at(source, address, port)
        yield from self.ipv6.to_host(source)

    def host_at(self, source: Box, address: str, port: Port | None) -> Path:
        """The way from a container to a port that its host listens on, by one of the host's addresses."""
        bridge, legs = self._towards(source, address)
        return Path((*legs, self._local(bridge, source, address, port)) if bridge else legs)

    def to_published(self, source: Box, target: Box, published: PublishedPort) -> Iterator[Path]:
        """The ways from a container to a port that another one publishes on the host."""
        for address in self._tried(source):
            yield self.published_at(source, target, published, address)
        yield from self.ipv6.to_published(source, target, published)

    def published_at(self, source: Box, target: Box, published: PublishedPort, address: str) -> Path:
        """The way from a container to a port that another one publishes, by one of the host's addresses."""
        if (closed := unpublished(self.bridges, target, published, address)) is not None:
            return Path((closed,))
        bridge, legs = self._towards(source, address)
        if bridge is None:
            return Path(legs)
        publisher = first_network(target, self.bridges)
        assert publisher is not None
        passes = passed_on(bridge, source, target, publisher, published)
        passed = by_docker(self.engine, passes)
        if bridge.internal and address != bridge.gateway:
            # As in `leave_for`: an engine of which nobody knows whether it closes this has no default route there.
            passed = no(f"Docker's isolation drops what leaves the internal network {bridge.name}")
        if self.guard is None:
            return Path((*legs, passed))
        guarded = self._guarded_publication(source, target, bridge, publisher, published, address)
        if not may_use_nftables(self.engine):
            # One fact may open what Docker closes and close what the guard opens, so both are asked of it at once.
            together = decide(
                self.engine, lambda known: passes(known) if not passes(known)[0] else guarded(known)
            )
            if together.verdict is Verdict.no:
                return Path((*legs, together))
        return Path((*legs, passed, decide(self.engine, guarded)))

    def _guarded_publication(
        self,
        source: Box,
        target: Box,
        bridge: Bridge,
        publisher: Bridge,
        published: PublishedPort,
        address: str,
    ) -> Rule:
        """What the guard says to a connection from a bridge to a published port."""
        assert self.guard is not None
        external, inner = (
            Port(published.external, published.protocol),
            Port(published.internal, published.protocol),
        )
        asked = self._rule("local", bridge, source, address, external)
        back = self._rule("within", bridge, source, target.addresses.get(bridge.name, ""), inner)
        if not self.guard.watches(bridge.interface) and self.guard.watches(publisher.interface):
            back = self.guard.accepts("in", "", source.addresses[bridge.name], address, external)

        def guarded(known: Known) -> tuple[bool, str]:
            if known.userland_proxy:
                return asked is not None, self._said(asked, "what no rule lets through to the host")
            return back is not None, self._said(back, "what no rule accepts within a network")

        return guarded

    def leave(self, source: Box, destination: str, port: Port | None) -> tuple[Leg, ...]:
        """The legs from a container to its host's segment, by the best of its ways.

        Over IPv4 it appears there under the host's address.
        """
        return _better(self.leave_for(source, destination, port), self.ipv6.leave(source))

    def leave_for(self, source: Box, destination: str, port: Port | None) -> tuple[Leg, ...]:
        """The legs from a container to an IPv4 address on its host's segment or behind it."""
        bridge, legs = self._towards(source, destination)
        if bridge is None:
            return legs
        masked = yes(f"it leaves by {bridge.name} under the host's address")
        if bridge.internal:
            # Where Docker's rules may be nftables, which were not measured, there is no default route either.
            masked = no(f"network {bridge.name} is internal: no way out")
        if self.guard is None:
            return (*legs, masked)
        rule = self._rule("out", bridge, source, destination, port)
        return (*legs, masked, self._guarded(rule, "what no rule lets out"))

    def arrive(self, source: str, target: Box, published: PublishedPort) -> tuple[Leg, ...]:
        """The legs from the segment to a container's published port, from the host's own interface on."""
        address = next(iter(self.addresses), "") if is_everywhere(published) else published.address
        return _better(
            self.arrive_at(source, target, published, address), self.ipv6.arrive(target, published)
        )

    def arrive_at(self, source: str, target: Box, published: PublishedPort, address: str) -> tuple[Leg, ...]:
        """The same by one of the host's IPv4 addresses; to those in Docker networks anybody may set a route."""
        if (closed := unpublished(self.bridges, target, published, address)) is not None:
            return (closed,)
        where = (
            f"port {published.external}/{published.protocol} of {self.name} is published for {target.name}"
        )
        if published.address == LOOPBACK:
            return (no(f"{where} on loopback only"),)
        if self.guard is None:
            return (yes(f"{where}, and Docker lets it past the host's own firewall"),)
        rule = self.guard.accepts("in", "", source, address, Port(published.external, published.protocol))
        return (yes(where), self._guarded(rule, "what no rule lets in"))

    def arrive_routed(self, source: str, target: Box, network: str, port: Port | None) -> tuple[Leg, ...]:
        """The legs from the segment to a container's own address, for whoever sets a route to it by the host.

        Docker before 28 opens what is published towards the container's own address, whatever address of the
        host it is published on, loopback included.
        """
        bridge = self.bridges[network]
        if bridge.isolated:
            return (no(f"the host has no address in network {network}"),)
        inner = {Port(published.internal, published.protocol) for published in target.published}
        opened = bridge == first_network(target, self.bridges) and not bridge.internal and port in inner

        def passes(known: Known) -> tuple[bool, str]:
            if known.recent:
                return False, "Docker drops what comes from elsewhere for a container's own address"
            if not opened:
                return False, "Docker forwards nothing from elsewhere to a port that is not published"
            return (
                True,
                f"Docker opens {port} of {target.name} to whoever sets a route to it, being published",
            )

        legs = (by_docker(self.engine, passes),)
        if self.guard is None:
            return legs
        rule = self.guard.accepts("in", "", source, target.addresses[network], port)
        return (*legs, self._guarded(rule, "what no rule lets in"))

    def from_host(self, target: Box) -> Path:
        """The way from the host to a container of its own."""
        open_ones = (n for n in target.addresses if self.bridges[n].host_address or self.bridges[n].gateway6)
        if target.addresses and next(open_ones, None) is None:
            return Path((no(f"{self.name} has no address in its networks"),))
        return Path((yes(f"{self.name} reaches its own containers"),))

    def from_host_by(self, target: Box, network: str) -> Path:
        """The way from the host to a container's IPv4 address in one network."""
        if self.bridges[network].isolated:
            return Path((no(f"{self.name} has no address in network {network}"),))
        return Path((yes(f"{self.name} reaches {target.name} in network {network}"),))

    def from_host_published(self, target: Box, published: PublishedPort, address: str) -> Path:
        """The way from the host to a port that a container publishes, by one of the host's IPv4 addresses."""
        if (closed := unpublished(self.bridges, target, published, address)) is not None:
            return Path((closed,))
        return Path((yes(f"{self.name} reaches what it publishes itself"),))

    def _tried(self, source: Box) -> Iterator[str]:
        """The host's addresses worth trying: a gateway that is not one's own opens nothing more."""
        yield from (self.bridges[name].gateway for name in source.addresses)
        yield from self.addresses

    def _towards(self, source: Box, address: str) -> tuple[Bridge | None, tuple[Leg, ...]]:
        """The network by which a packet to the host, or beyond it, leaves; None where it does not."""
        own = next((b for n in source.addresses if (b := self.bridges[n]).gateway == address), None)
        if own is not None and own.isolated:
            return None, (no(f"the host has no address in network {own.name}"),)
        if own is not None:
            return own, (yes(f"the gateway {address} of network {own.name} is the host"),)
        route = first_network(source, self.bridges)
        if route is None:
            return None, (no(f"{source.name} has no network"),)

        def passes(known: Known) -> tuple[bool, str]:
            if route.isolated:
                return False, f"network {route.name} has no gateway"
            if route.internal and known.recent:
                return False, f"it is in internal networks only, which have no default route ({route.name})"
            return True, f"its default route is network {route.name}"

        return route, (decide(self.engine, passes),)

    def _local(self, bridge: Bridge, source: Box, address: str, port: Port | None) -> Leg:
        if self.guard is None:
            return yes(f"{self.name} accepts at {address} what its containers send")
        rule = self._rule("local", bridge, source, address, port)
        return self._guarded(rule, "what no rule lets through to the host")

    def _rule(self, way: str, bridge: Bridge, source: Box, to: str, port: Port | None) -> GuardRule | None:
        assert self.guard is not None
        return self.guard.accepts(way, bridge.interface, source.addresses[bridge.name], to, port)

    def _guarded(self, rule: GuardRule | None, dropped: str) -> Leg:
        said = self._said(rule, dropped)
        return no(said) if rule is None else yes(said)

    def _said(self, rule: GuardRule | None, dropped: str) -> str:
        if rule is None:
            return f"the guard of {self.name} drops {dropped}"
        return f"the guard of {self.name} accepts it: {rule.because}"


def _better(usual: tuple[Leg, ...], other: Path) -> tuple[Leg, ...]:
    """The legs of the usual way, unless another one lets more through."""
    mine = Path(usual).verdict
    return usual if any_of((mine, other.verdict)) is mine else other.legs
