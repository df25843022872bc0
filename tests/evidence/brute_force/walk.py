"""A packet's walk through a lab, from place to place, in one world."""

from collections.abc import Iterable, Iterator

from lab.flows import Endpoint
from lab.plan.records import GuardPlan, NetworkPlan, PublishedPort, RulePlan, VlanPlan
from tests.evidence.brute_force.atlas import PUBLIC, Atlas, Box
from tests.evidence.brute_force.packets import Packet, grant_says, guard_accepts, inside, rule_says, speaks_of
from tests.evidence.brute_force.worlds import World

Arrival = tuple[Endpoint, int, str]
"""Where a packet ends: at whom, and at which port and protocol of theirs."""
_INTERNET = Endpoint("internet")
_TAILNET = "100.64.0.1"
_MANAGEMENT = ((22, 22), (3128, 3128), (5900, 5999), (8006, 8006), (60000, 60050))
"""What Proxmox opens to the set `management` (facts, section 3)."""


class Walk:
    """Where packets end in one world."""

    def __init__(self, atlas: Atlas, world: World) -> None:
        self.atlas, self.plan, self.world = atlas, atlas.plan, world

    # From a container.

    def from_box(self, box: Box, packet: Packet) -> Iterator[Arrival]:
        """What a container sends: to a neighbour, to its host, or beyond."""
        for name, address in box.addresses.items():
            network = self.atlas.networks[box.host][name]
            if inside(packet.destination, network.subnet):
                yield from self._on_bridge(box.host, network, packet._replace(source=address))
                return
        way_out = self.atlas.way_out[box.endpoint]
        if way_out is not None and not (way_out.internal and self.world.engine(box.host).recent):
            sent = packet._replace(source=box.addresses[way_out.name])
            yield from self._at_host(box.host, way_out, sent)

    def _on_bridge(self, host: str, network: NetworkPlan, packet: Packet) -> Iterator[Arrival]:
        if packet.destination == network.gateway:
            yield from self._at_host(host, network, packet)
        seen = self.world.engine(host).netfilter
        for box in self.atlas.boxes.values():
            here = box.host == host and box.addresses.get(network.name) == packet.destination
            if here and (not seen or self._lets(host, network, "within", packet)):
                yield box.endpoint, packet.number, packet.protocol

    def _guard(self, host: str, network: NetworkPlan) -> GuardPlan | None:
        guard = self.atlas.guards.get(host)
        return guard if guard is not None and network.interface in guard.bridges else None

    def _at_host(self, host: str, network: NetworkPlan, packet: Packet) -> Iterator[Arrival]:
        """A host receives from one of its bridges: for itself, for what it publishes, or to pass on."""
        own = self.atlas.own[host]
        if packet.destination in own:
            yield from self._local(host, network, packet)
            return
        if any(inside(packet.destination, other.subnet) for other in self.atlas.networks[host].values()):
            yield from self._across(host, network, packet)
            return
        if network.internal and self.world.engine(host).closes:
            return
        if self._lets(host, network, "out", packet):
            yield from self.from_machine(self.atlas.machine_of[host], packet, own=False)

    def _across(self, host: str, network: NetworkPlan, packet: Packet) -> Iterator[Arrival]:
        """From one bridge of a host to another, which only Docker's own rules and a guard of either close."""
        box, other = self.atlas.at_bridge.get(packet.destination, (None, None))
        if box is None or other is None or box.host != host or self.world.engine(host).closes:
            return
        guard = self._guard(host, other)
        entered = guard is None or guard_accepts(guard, "in", "", packet)
        if self._guard(host, network) is None and entered:
            yield box.endpoint, packet.number, packet.protocol

    def _local(self, host: str, network: NetworkPlan, packet: Packet) -> Iterator[Arrival]:
        """A host receives from one of its bridges under an address of its own."""
        found = self._publisher(host, packet)
        if found is not None:
            yield from self._to_published(host, network, packet, *found)
        elif self._lets(host, network, "local", packet):
            yield self.atlas.machine_of[host], packet.number, packet.protocol

    def _to_published(
        self, host: str, network: NetworkPlan, packet: Packet, box: Box, published: PublishedPort
    ) -> Iterator[Arrival]:
        engine, back = self.world.engine(host), self.atlas.way_out[box.endpoint] == network
        if engine.closes and (network.internal or not (engine.proxy or back)):
            return
        if engine.proxy:
            passes = self._lets(host, network, "local", packet)
        else:
            # The engine rewrites it before any filter sees it, and it has to go back by the bridge it came from.
            own = box.addresses.get(network.name, "")
            inner = packet._replace(destination=own, number=published.internal)
            watched = self._guard(host, network) is not None
            passes = (
                back and self._lets(host, network, "within", inner) if watched else self._enters(box, packet)
            )
        if passes:
            yield box.endpoint, published.internal, published.protocol

    def _lets(self, host: str, network: NetworkPlan, way: str, packet: Packet) -> bool:
        """Whether the guard, if one watches this network, lets a packet through."""
        guard = self.atlas.guards.get(host)
        if guard is None or network.interface in guard.bridges:
            return guard is None or guard_accepts(guard, way, network.interface, packet)
        # From a bridge that is not its own it drops only what a process of the host would accept for its containers.
        here = [a for a, port in guard.published if speaks_of(port, packet) and a == packet.destination]
        return way != "local" or not here

    def _publisher(self, host: str, packet: Packet) -> tuple[Box, PublishedPort] | None:
        """The container that is published at an address and port of a host; none that has internal networks only."""
        for box in self.atlas.boxes.values():
            way_out = self.atlas.way_out[box.endpoint]
            if box.host != host or way_out is None or way_out.internal:
                continue
            for published in box.service.published:
                here = published.address in ("", "0.0.0.0", packet.destination)
                if here and (published.external, published.protocol) == (packet.number, packet.protocol):
                    return box, published
        return None

    # From a machine.

    def from_machine(self, machine: Endpoint, packet: Packet, *, own: bool = True) -> Iterator[Arrival]:
        """What a machine sends by any of its interfaces, a Docker host also to its own containers.

        What is its own it may tag and route as it likes; what it passes on for others it does not.
        """
        host = self.atlas.hosts.get(machine)
        if host is not None:
            yield from self._to_own_boxes(host, packet)
        for vlan, address in self.atlas.places[machine]:
            yield from self._on_wire(vlan, packet._replace(source=address))
            yield from self._by_route(vlan, packet._replace(source=address)) if own else ()
        guest = self.atlas.guests.get(machine.name) if machine.kind == "guest" else None
        for vlan in self._untagged(guest.name) if guest is not None and own else ():
            for address in self.atlas.free[vlan]:
                yield from self._on_wire(vlan, packet._replace(source=address))
                yield from self._by_route(vlan, packet._replace(source=address))

    def _to_own_boxes(self, host: str, packet: Packet) -> Iterator[Arrival]:
        for box in self.atlas.boxes.values():
            if box.host == host and packet.destination in box.addresses.values():
                yield box.endpoint, packet.number, packet.protocol
        if packet.destination in self.atlas.own[host] and (found := self._publisher(host, packet)):
            box, published = found
            yield box.endpoint, published.internal, published.protocol

    def _untagged(self, name: str) -> Iterator[str]:
        """The tagged segments into which an interface without a tag can send."""
        guest = self.atlas.guests[name]
        node = next(node for node in self.plan.nodes if node.name == guest.node)
        for nic in guest.nics:
            made_here = node.creates_bridge and node.bridge == nic.bridge
            if nic.tag is None and not nic.trunks and (made_here or self.world.others_open):
                for vlan in self.plan.vlans:
                    if vlan.tag is not None and (vlan.bridge or node.bridge) == nic.bridge:
                        yield vlan.name

    def _on_wire(self, vlan: str, packet: Packet) -> Iterator[Arrival]:
        """A segment, whatever else is the same wire, and what routes from there."""
        for other in self.plan.vlans if self._routed() else self.atlas.wires[vlan]:
            for machine in self.atlas.at.get((other.name, packet.destination), ()):
                seen = packet if machine.kind == "node" else self._masqueraded(vlan, other, packet)
                if self._passes(machine, other.name, seen):
                    yield from self._at_machine(machine, seen)
        if packet.destination in PUBLIC and self._routed():
            yield _INTERNET, packet.number, packet.protocol

    def _masqueraded(self, vlan: str, other: VlanPlan, packet: Packet) -> Packet:
        """A node that masquerades a segment puts its own address on what it routes from there."""
        nat = self.plan.router.kind == "node" and self.atlas.vlans[vlan].nat
        if not nat or other in self.atlas.wires[vlan]:
            return packet
        node = next((node.address for node in self.plan.nodes if node.vlan == other.name), other.gateway)
        return packet._replace(source=node or packet.source)

    def _by_route(self, vlan: str, packet: Packet) -> Iterator[Arrival]:
        """Whoever is on the wire of a Docker host may take it for a router to the containers' own addresses."""
        box, network = self.atlas.at_bridge.get(packet.destination, (None, None))
        if box is None or network is None:
            yield from self._past(vlan, packet)
            return
        host, engine = self.atlas.machine_of[box.host], self.world.engine(box.host)
        wires = {other.name for other in self.atlas.wires[vlan]}
        near = wires & {place for place, _ in self.atlas.places[host]}
        if not any(self._passes(host, place, packet) for place in near):
            return
        published = {(p.internal, p.protocol) for p in box.service.published}
        reached = network == self.atlas.way_out[box.endpoint] and not network.internal
        opened = not engine.recent and reached and (packet.number, packet.protocol) in published
        guard = self._guard(box.host, network)
        if (opened or not engine.closes) and (guard is None or guard_accepts(guard, "in", "", packet)):
            yield box.endpoint, packet.number, packet.protocol

    def _past(self, vlan: str, packet: Packet) -> Iterator[Arrival]:
        """A Docker host takes what is for the address of one interface from a neighbour at another, too."""
        wires = {other.name for other in self.atlas.wires[vlan]}
        for host in self.atlas.hosts:
            places = self.atlas.places[host]
            elsewhere = [place for place, address in places if address == packet.destination]
            near = wires & {place for place, _ in places}
            if elsewhere and any(self._passes(host, place, packet) for place in near - set(elsewhere)):
                yield from self._at_machine(host, packet)

    def _routed(self) -> bool:
        kind = self.plan.router.kind
        return kind == "node" or (kind != "none" and self.world.others_open)

    # From elsewhere.

    def from_tailnet(self, group: str, packet: Packet) -> Iterator[Arrival]:
        """What users of the tailnet send: by each subnet router that advertises it, if the policy lets them."""
        for router, routes in self._routers():
            if any(inside(packet.destination, route) for route in routes) and self._granted(group, packet):
                yield from self._by_router(router, packet)

    def _routers(self) -> Iterator[tuple[Endpoint, tuple[str, ...]]]:
        yield from ((router.service.endpoint, router.advertises) for router in self.plan.subnet_routers)
        yield from ((Endpoint("guest", guest.name), guest.advertises) for guest in self.plan.guests)
        yield from ((Endpoint("node", node.name), node.advertises) for node in self.plan.nodes)

    def _granted(self, group: str, packet: Packet) -> bool:
        policy = self.plan.tailnet
        if policy is None or not policy.managed:
            return self.world.others_open
        approved = any(inside(packet.destination, route) for route in policy.routes)
        if not approved and not self.world.others_open:
            return False
        meant = {f"group:{group}", "autogroup:member", "*"}
        return any(
            (not group or meant & set(grant.sources))
            and inside(packet.destination, grant.destination)
            and any(grant_says(text, packet) for text in grant.ports)
            for grant in policy.grants
        )

    def _by_router(self, router: Endpoint, packet: Packet) -> Iterator[Arrival]:
        if router in self.atlas.boxes:
            yield from self.from_box(self.atlas.boxes[router], packet)
            return
        if any(address == packet.destination for _, address in self.atlas.places[router]):
            host = self.atlas.hosts.get(router)
            found = self._publisher(host, packet) if host is not None else None
            if found is None:
                yield router, packet.number, packet.protocol
            elif self._enters(found[0], packet._replace(source=_TAILNET)):
                yield found[0].endpoint, found[1].internal, found[1].protocol
            return
        yield from self.from_machine(router, packet, own=False)

    def from_internet(self, packet: Packet) -> Iterator[Arrival]:
        """What somebody on the internet sends: whatever routes decides, and nobody said what it forwards."""
        if self.plan.router.kind == "none" or not self.world.others_open:
            return
        for vlan in self.plan.vlans:
            for machine in self.atlas.at.get((vlan.name, packet.destination), ()):
                if self._passes(machine, vlan.name, packet):
                    yield from self._at_machine(machine, packet)

    def _at_machine(self, machine: Endpoint, packet: Packet) -> Iterator[Arrival]:
        host = self.atlas.hosts.get(machine)
        found = self._publisher(host, packet) if host is not None else None
        if host is None or found is None:
            yield machine, packet.number, packet.protocol
            return
        box, published = found
        if self._enters(box, packet):
            yield box.endpoint, published.internal, published.protocol

    def _enters(self, box: Box, packet: Packet) -> bool:
        """Whether the guard lets a packet from elsewhere in to a container that publishes its port."""
        network = self.atlas.way_out[box.endpoint]
        guard = self._guard(box.host, network) if network else None
        return guard is None or guard_accepts(guard, "in", "", packet)

    # The Proxmox firewall.

    def _passes(self, machine: Endpoint, vlan: str, packet: Packet) -> bool:
        if machine.kind == "guest":
            # No packet filter of a bridge sees frames that are tagged, as those of a trunk are.
            return vlan in self.atlas.tagged(machine.name) or self._passes_guest(machine.name, vlan, packet)
        return machine.kind != "node" or self._passes_node(machine.name, packet)

    def _is_on(self) -> bool:
        return "cluster-firewall" in self.plan.owns and any(node.managed for node in self.plan.nodes)

    def _passes_guest(self, name: str, vlan: str, packet: Packet) -> bool:
        guest = self.atlas.guests[name]
        if not guest.managed or not self._is_on():
            return self.world.others_open
        zones = self.atlas.zones(name, vlan)
        rules = [*guest.rules, *(rule for zone in zones if zone.managed for rule in zone.rules)]
        return _accepted(rules, packet)

    def _passes_node(self, name: str, packet: Packet) -> bool:
        if not self._is_on():
            return self.world.others_open
        node = next(node for node in self.plan.nodes if node.name == name)
        if node.managed and _accepted(node.rules, packet):
            return True
        nodes = {other.address for other in self.plan.nodes}
        trusted = [self.atlas.vlans[node.vlan].subnet] if node.vlan else []
        if self.plan.operator_vlan:
            operator = self.plan.operator_address or self.atlas.vlans[self.plan.operator_vlan].subnet
            trusted.append(operator)
        known = packet.source in nodes or any(inside(packet.source, text) for text in trusted)
        tcp = packet.protocol == "tcp" and any(a <= packet.number <= b for a, b in _MANAGEMENT)
        corosync = packet.protocol == "udp" and packet.number in (5404, 5405) and packet.source in nodes
        return (known and tcp) or corosync or (not node.managed and self.world.others_open)


def _accepted(rules: Iterable[RulePlan], packet: Packet) -> bool:
    return any(
        inside(packet.source, rule.source) and rule_says(rule.port, rule.protocol, packet) for rule in rules
    )
