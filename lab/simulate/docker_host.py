"""The kernel of one Docker host: bridges, Docker's own rules, published ports, and the guard's text.

Written from what was measured on Docker Engine 20.10.24 and 28.5.2, in the order in which
a packet meets it: prerouting and destination translation, then input or forward, the
guard before Docker, and at last masquerading.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from ipaddress import IPv4Address

from lab.simulate.answers import Arrival, Hop, Leaving, Walk, ends, hop, nobody_knows, passes
from lab.simulate.artefacts import Container, DockerHost, Network
from lab.simulate.docker_networks import Aim, DockerNetworks, Translation
from lab.simulate.nftables import Packet, Ruleset, read_ruleset
from lab.simulate.nftables.fields import Hook
from lab.simulate.unknowns import Facts

_CLIENT_PORT = 40000
_NFTABLES_SINCE = 29
"""The first version that may keep its rules in nftables; what those drop was not measured."""
_WIRE = "eth0"
"""The guard names no interface but bridges, so one name stands for all others."""


class DockerKernel:
    """How packets move on one Docker host.

    Args:
        host: its engine, networks and containers.
        addresses: its own addresses on segments.
    """

    def __init__(self, host: DockerHost, addresses: tuple[IPv4Address, ...]) -> None:
        self.machine = host.machine
        self.networks = DockerNetworks(host, addresses)
        self._host = host
        self._decided: dict[tuple[Hook, Packet], Hop] = {}

    @cached_property
    def _rules(self) -> Ruleset:
        return read_ruleset(self._host.guard or "")

    def from_container(self, source: Container, aim: Aim, leaving_by: IPv4Address, facts: Facts) -> Walk:
        """What a container sends, up to whoever gets it, or to the wire under the host's address.

        Args:
            source: the container.
            aim: whom it addresses.
            leaving_by: the host's address on the segment to which it would go.
            facts: about the engine.
        """
        near = self.networks.near(source, aim.destination)
        if near is not None and aim.destination != near.gateway:
            return (yield from self._bridged(source, near, aim, facts))
        route = near or self.networks.routes[source.endpoint]
        if route is None:
            yield ends(f"{source.endpoint} has no network")
            return None
        if near is None and route.internal and facts.ask(self.machine, "recent"):
            yield ends(f"{source.endpoint} has no default route: {route.name} is internal")
            return None
        packet = _packet(source.addresses[route.name], aim, in_interface=route.interface)
        yield passes(f"{source.endpoint} sends by {route.name} to {aim.destination}:{aim.port}")
        yield self._ask("prerouting", packet)
        translation = self.networks.translations.get(aim)
        if translation is not None:
            return (yield from self._to_published(source, packet, route, translation, facts))
        if aim.destination in self.networks.local:
            yield self._ask("input", packet)
            return Arrival(self.machine, aim.port)
        if aim.destination in self.networks.owners:
            owner, there = self.networks.owners[aim.destination]
            yield self._ask("forward", replace(packet, out_interface=there.interface))
            yield self._by_docker(False, f"from {route.name} into {there.name}", facts)
            return Arrival(owner.endpoint, aim.port)
        return (yield from self._out(packet, route, leaving_by, facts))

    def _bridged(self, source: Container, network: Network, aim: Aim, facts: Facts) -> Walk:
        """Within one network: packet filters see it only by br_netfilter; Docker's own rules let it pass."""
        bridge = network.interface
        packet = _packet(source.addresses[network.name], aim, in_interface=bridge)
        yield passes(f"{source.endpoint} finds {aim.destination} in {network.name}")
        if facts.ask(self.machine, "bridge_netfilter"):
            yield self._ask("prerouting", packet)
            yield self._ask("forward", replace(packet, out_interface=bridge))
        owner = self.networks.owners.get(aim.destination)
        return Arrival(owner[0].endpoint, aim.port) if owner else None

    def _to_published(
        self, source: Container, packet: Packet, route: Network, found: Translation, facts: Facts
    ) -> Walk:
        """From a bridge to a published port: the userland proxy takes it, or translation sends it on."""
        answer = self._answer(found)
        # With the proxy, Docker exempts its bridges from translation; it forgets those of internal networks.
        if facts.ask(self.machine, "userland_proxy") and not route.internal:
            yield self._ask("input", packet)
            yield passes(f"the userland proxy of {self.machine} connects to {found.container.endpoint}")
            return answer
        yield self._ask("forward", _translated(packet, found))
        same = route.interface == found.network.interface
        yield self._by_docker(same, f"translated from {route.name} into {found.network.name}", facts)
        if (
            same
            and packet.protocol == "tcp"
            and source != found.container
            and not facts.ask(self.machine, "bridge_netfilter")
        ):
            # The answer crosses the bridge past connection tracking, under an address that nobody asked (measured).
            yield ends(f"{found.container.endpoint} answers {source.endpoint} past the host")
        return answer

    def _answer(self, found: Translation) -> Arrival:
        published = found.publication
        return Arrival(found.container.endpoint, published.internal, (self.machine, published.external))

    def _out(self, packet: Packet, route: Network, leaving_by: IPv4Address, facts: Facts) -> Walk:
        yield self._ask("forward", replace(packet, out_interface=_WIRE))
        kind = "internal network" if route.internal else "network"
        yield self._by_docker(not route.internal, f"out of {kind} {route.name}", facts)
        yield passes(f"masqueraded as {leaving_by}")
        return Leaving(leaving_by)

    def from_wire(self, source: IPv4Address, aim: Aim, facts: Facts) -> Walk:
        """What arrives at the host's own interface."""
        packet = _packet(source, aim, in_interface=_WIRE)
        yield self._ask("prerouting", packet)
        translation = self.networks.translations.get(aim)
        if translation is not None:
            yield self._ask("forward", _translated(packet, translation))
            container = translation.container.endpoint
            yield passes(f"port {aim.port} of {self.machine} is published for {container}")
            return self._answer(translation)
        if aim.destination in self.networks.local:
            yield self._ask("input", packet)
            return Arrival(self.machine, aim.port)
        if aim.destination in self.networks.owners:
            return (yield from self._straight(packet, aim, facts))
        yield ends(f"{aim.destination} is not on {self.machine}")
        return None

    def _straight(self, packet: Packet, aim: Aim, facts: Facts) -> Walk:
        """A neighbour that made this host its route addresses a container itself."""
        container, network = self.networks.owners[aim.destination]
        yield self._ask("forward", replace(packet, out_interface=network.interface))
        opened = network == self.networks.routes[container.endpoint] and not network.internal
        opened = opened and any((p.internal, p.protocol) == (aim.port, aim.protocol) for p in container.ports)
        # Since 28 a rule in the raw table drops what comes from elsewhere for a container's own address.
        opened = opened and not facts.ask(self.machine, "recent")
        yield self._by_docker(opened, f"from elsewhere to {container.endpoint} itself", facts)
        return Arrival(container.endpoint, aim.port)

    def _by_docker(self, accepted: bool, text: str, facts: Facts) -> Hop:
        """What Docker's own rules decide: what they drop was measured in iptables only."""
        if accepted:
            return passes(f"{text}: Docker lets it pass")
        engine = self._host.engine
        if engine.firewall is not None:
            measured = engine.firewall == "iptables"
        elif engine.version is not None:
            measured = engine.version < _NFTABLES_SINCE
        else:
            measured = not facts.ask(self.machine, "recent")
        if measured:
            return ends(f"{text}: Docker drops it")
        return nobody_knows(f"{text}: Docker's rules for iptables drop it, and this engine's may be nftables")

    def from_host(self, aim: Aim) -> Walk:
        """What the host itself sends to one of its containers: it is on every bridge."""
        owner = self.networks.owners.get(aim.destination)
        if owner is None:
            yield ends(f"{aim.destination} is no container of {self.machine}")
            return None
        container, network = owner
        yield self._ask("output", _packet(network.gateway, aim, out_interface=network.interface))
        return Arrival(container.endpoint, aim.port)

    def leaves(self, source: IPv4Address, aim: Aim) -> Iterator[Hop]:
        """What the host itself sends to the wire."""
        yield self._ask("output", _packet(source, aim, out_interface=_WIRE))

    def _ask(self, hook: Hook, packet: Packet) -> Hop:
        found = self._decided.get((hook, packet))
        if found is None:
            decision = self._rules.verdict(hook, packet)
            found = self._decided[hook, packet] = hop(decision.accepted, f"{self.machine}: {decision}")
        return found


def _packet(source: IPv4Address, aim: Aim, *, in_interface: str = "", out_interface: str = "") -> Packet:
    return Packet(
        source=source,
        destination=aim.destination,
        protocol=aim.protocol,
        source_port=_CLIENT_PORT,
        destination_port=aim.port,
        in_interface=in_interface,
        out_interface=out_interface,
    )


def _translated(packet: Packet, found: Translation) -> Packet:
    return replace(
        packet,
        destination=found.container.addresses[found.network.name],
        destination_port=found.publication.internal,
        out_interface=found.network.interface,
        original_destination=packet.destination,
        original_destination_port=packet.destination_port,
    )
