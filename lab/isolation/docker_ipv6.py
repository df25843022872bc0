"""IPv6 on one Docker host, where Docker does much less than over IPv4.

Engines before 27 set no IPv6 rule at all: `icc`, `internal` and the isolation of networks
from each other mean nothing there, and the host forwards to and from its segments. What
newer ones do was not measured. The guard drops all of it, and a container that is only in
networks without IPv6 has it switched off.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address

from lab.flows import Protocol
from lab.isolation.boxes import EVERYWHERE_AND_IPV6, Box, Bridge, first_network
from lab.isolation.engine import Known, decide
from lab.isolation.verdict import Leg, Path, no, unknown, yes
from lab.plan.records import EngineFacts, PublishedPort

FILTERED_SINCE = 27
"""The first version that sets IPv6 rules without being told (`ip6tables`; Docker's release notes)."""


@dataclass(frozen=True, kw_only=True)
class DockerIpv6:
    """One Docker host, as IPv6 sees it."""

    name: str
    engine: EngineFacts
    bridges: Mapping[str, Bridge]
    guarded: bool

    def between(self, source: Box, target: Box, protocol: Protocol | None) -> Iterator[Path]:
        """The ways from one container to another."""
        for name in target.addresses:
            if self.bridges[name].gateway6 and self._speaks(source):
                yield self.within(source, target, name, protocol)

    def within(self, source: Box, target: Box, network: str, protocol: Protocol | None) -> Path:
        """The way from one container to another's address in a network with IPv6, which both are in or not."""
        if network in source.addresses:
            return Path((yes(f"both are in network {network}"), self._bridged(self.bridges[network])))
        route = first_network(source, self.bridges)
        shared = route is not None and route.name in target.addresses
        back = yes(f"{target.name} answers in network {route.name}") if shared and route else None
        return Path((*self._leaving(source), back or self._answered(target, protocol)))

    def host_at(self, source: Box, address: str) -> Path:
        """The way from a container to any port of its host, by one of the host's addresses."""
        return Path(self._towards_host(source, address))

    def to_host(self, source: Box) -> Iterator[Path]:
        """The ways from a container to any port of its host."""
        for name in source.addresses:
            if gateway := self.bridges[name].gateway6:
                yield self.host_at(source, gateway)

    def published_at(self, source: Box, target: Box, published: PublishedPort, address: str) -> Path:
        """The way from a container to a port that another one publishes, by one of the host's addresses."""
        if (closed := self._unpublished(target, published)) is not None:
            return Path((closed,))
        return Path((*self._towards_host(source, address), self._proxied()))

    def to_published(self, source: Box, target: Box, published: PublishedPort) -> Iterator[Path]:
        """The ways from a container to a port that another one publishes."""
        for name in source.addresses:
            if gateway := self.bridges[name].gateway6:
                yield self.published_at(source, target, published, gateway)

    def leave(self, source: Box) -> Path:
        """The way from a container to the segment."""
        return Path((*self._leaving(source), yes("it leaves under its own address")))

    def arrive(self, target: Box, published: PublishedPort) -> Path:
        """The way from the segment to a published port, which no rule of the guard is about."""
        if (closed := self._unpublished(target, published)) is not None:
            return Path((closed,))
        return Path((self._proxied(),))

    def arrive_routed(self, target: Box, protocol: Protocol | None) -> Path:
        """The way from the segment to any port of a container, for whoever sets a route to it by the host."""
        return Path((self._forwarded(), self._answered(target, protocol)))

    def _speaks(self, box: Box) -> bool:
        return any(self.bridges[name].gateway6 for name in box.addresses)

    def _bridged(self, bridge: Bridge) -> Leg:
        if not self.guarded:
            return yes(f"members of {bridge.name} reach each other") if bridge.icc else self._unfiltered()

        def passes(known: Known) -> tuple[bool, str]:
            if known.bridge_netfilter:
                return False, f"the guard of {self.name} drops IPv6"
            return True, f"the guard does not see what members of {bridge.name} send each other"

        return decide(self.engine, passes)

    def _towards_host(self, source: Box, address: str) -> tuple[Leg, ...]:
        own = [self.bridges[name] for name in source.addresses if self.bridges[name].gateway6]
        here = next((b for b in own if b.gateway6 == address or IPv6Address(address).is_link_local), None)
        if here is not None:
            return yes(f"{address} of network {here.name} is the host"), self._forwarded()
        return self._leaving(source)

    def _leaving(self, source: Box) -> tuple[Leg, ...]:
        if not self._speaks(source):
            return (no(f"{source.name} is in no network with IPv6, and has it switched off"),)
        route = first_network(source, self.bridges)
        if route is None or not route.gateway6:
            return (no(f"the default route of {source.name} is a network without IPv6"),)
        return yes(f"its default route is network {route.name}"), self._forwarded()

    def _answered(self, target: Box, protocol: Protocol | None) -> Leg:
        """Whether a target's answer finds its way; a datagram has done its work without one."""
        route = first_network(target, self.bridges)
        if route is not None and route.gateway6:
            return yes(f"{self.name} forwards IPv6 to {target.name}, and back by network {route.name}")
        if protocol == "tcp":
            return no(f"{target.name} has no IPv6 route by which to answer")
        return yes(f"{self.name} forwards datagrams to {target.name}, which cannot answer")

    def _forwarded(self) -> Leg:
        if self.guarded:
            return no(f"the guard of {self.name} drops IPv6")
        return self._unfiltered()

    def _unfiltered(self) -> Leg:
        if self.engine.version is None or self.engine.version >= FILTERED_SINCE:
            return unknown(
                f"what an engine of version {FILTERED_SINCE} or newer does with IPv6 was not measured"
            )
        return yes("Docker before 27 has no rule for IPv6")

    def _unpublished(self, target: Box, published: PublishedPort) -> Leg | None:
        if published.address != EVERYWHERE_AND_IPV6:
            return no(f"{published.external}/{published.protocol} is published on an IPv4 address only")
        gateway = first_network(target, self.bridges)
        if gateway is None or gateway.internal:
            return no(f"{target.name} is in internal networks only, where Docker publishes nothing")
        if gateway.isolated and not gateway.gateway6:
            return no(
                f"the host has no address in network {gateway.name}, by which {target.name} is published"
            )
        return None

    def _proxied(self) -> Leg:
        def passes(known: Known) -> tuple[bool, str]:
            if known.userland_proxy:
                return True, "the engine's userland proxy accepts it on the host"
            return False, "without a userland proxy nothing on the host accepts it"

        return decide(self.engine, passes)
