"""How packets move between machines: segments, what routes between them, and the Proxmox firewall.

A switch filters nothing, so two machines on one segment reach each other unless one of
them is a guest behind the Proxmox firewall. Between segments the router decides; a
router that is not ours is not guessed. The rules of the Proxmox firewall are in
docs/isolation.md with the page of its manual that each is from.
"""

from collections.abc import Iterator
from functools import cached_property

from lab.flows import Endpoint, Port
from lab.isolation.guards import covers, port_covers
from lab.isolation.spots import Spot, Spots
from lab.isolation.verdict import Leg, Path, no, unknown, yes
from lab.isolation.wires import Wires
from lab.plan.directory import INTERNET, OPERATOR, Directory
from lab.plan.records import COROSYNC_PORTS, MANAGEMENT_PORTS, GuestPlan, RulePlan


class Segments:
    """The segments of one plan."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.plan = directory.plan
        self._vlans = {vlan.name: vlan for vlan in self.plan.vlans}
        self._guests = {guest.name: guest for guest in self.plan.guests}
        self._rules: dict[tuple[str, str], list[tuple[RulePlan, Port | None]]] = {}
        self._node_rules = {
            node.name: [(rule, rule_port(rule)) for rule in node.rules]
            for node in self.plan.nodes
            if node.managed
        }
        self._places = Spots(self.plan)
        self.wires = Wires(self.plan)

    @property
    def spots(self) -> dict[Endpoint, tuple[Spot, ...]]:
        """Every machine and segment with its places."""
        return self._places.all

    @property
    def outside(self) -> tuple[str, ...]:
        """Whoever is on the internet."""
        return self._places.outside

    def ways(self, source: Endpoint, target: Endpoint, port: Port | None) -> Iterator[Path]:
        """The ways from one machine to another, or to somebody on a segment.

        Args:
            source: guest, node, device, operator, segment or the internet.
            target: the same.
            port: None for one that nobody declared.
        """
        if target == INTERNET:
            yield from (
                Path((self._out(spot.vlan),)) for spot in self.spots.get(source, ()) if source != INTERNET
            )
        else:
            for spot in self.spots.get(target, ()):
                yield from (way for _, way in self.ways_to(source, target, spot, port))

    def ways_to(
        self, source: Endpoint, target: Endpoint, spot: Spot, port: Port | None, *, tagging: bool = True
    ) -> Iterator[tuple[str, Path]]:
        """The ways to one place of a machine, each with the address under which the source comes there.

        Args:
            source: who sends.
            target: whose place it is.
            spot: the place.
            port: None for one that nobody declared.
            tagging: whether the source tags frames as it likes; what it passes on for others it does not.
        """
        if source == INTERNET:
            for address in self.outside:
                yield address, Path((self._forwarded(), *self.filters(target, spot, address, port)))
        for legs, own in self._starts(source, tagging=tagging):
            address = own.address if target.kind == "node" else self._seen_as(own, spot)
            yield address, Path((*legs, self._wire(own, spot), *self.filters(target, spot, address, port)))

    def _seen_as(self, own: Spot, theirs: Spot) -> str:
        """The address of a packet on another segment: a node that masquerades a segment puts its own there."""
        if self.plan.router.kind != "node" or not self._vlans[own.vlan].nat:
            return own.address
        if self.wires.one(own.vlan, theirs.vlan):
            return own.address
        node = next((node.address for node in self.plan.nodes if node.vlan == theirs.vlan), None)
        return node or self._vlans[theirs.vlan].gateway or own.address

    def _starts(self, source: Endpoint, *, tagging: bool) -> Iterator[tuple[tuple[Leg, ...], Spot]]:
        """Where a machine may send from: its places, and any on a segment that an interface of it carries besides."""
        yield from (((), own) for own in self.spots.get(source, ()))
        for vlan, leg in self._carried(source) if tagging else ():
            yield from (((leg,), own) for own in self._places.anywhere(vlan))

    def _carried(self, source: Endpoint) -> tuple[tuple[str, Leg], ...]:
        return self.wires.carried(self._guests[source.name]) if source.kind == "guest" else ()

    def near(self, source: Endpoint, target: Endpoint) -> bool:
        """Whether two machines have a wire in common."""
        own = {spot.vlan for spot in self.spots.get(source, ())} | {vlan for vlan, _ in self._carried(source)}
        return any(self.wires.one(vlan, spot.vlan) for vlan in own for spot in self.spots.get(target, ()))

    def neighbours(
        self, source: Endpoint, target: Endpoint, spot: Spot, port: Port | None
    ) -> Iterator[tuple[str, Path]]:
        """The ways over one wire: whoever is there may take the target for a router to what is behind it."""
        for legs, own in self._starts(source, tagging=True):
            if self.wires.one(own.vlan, spot.vlan):
                filters = self.filters(target, spot, own.address, port)
                yield own.address, Path((*legs, self._wire(own, spot), *filters))

    def _wire(self, own: Spot, theirs: Spot) -> Leg:
        if own.vlan == theirs.vlan:
            return yes(f"both are on vlan {own.vlan}, and a switch filters nothing")
        between = f"vlan {own.vlan} and vlan {theirs.vlan}"
        if self.wires.one(own.vlan, theirs.vlan):
            return yes(f"{between} are one wire: neither has a tag, and both are on one bridge")
        router = self.plan.router
        if router.kind == "none":
            return no(f"nothing routes between {between}")
        if router.kind == "node":
            return yes(f"the node routes between {between} and filters nothing on the way")
        return unknown(f"{self._router} decides between {between}, and its rules are not this lab's")

    def _out(self, vlan: str) -> Leg:
        if self.plan.router.kind == "none":
            return no(f"nothing routes from vlan {vlan} to the internet")
        if self.plan.router.kind == "node":
            return yes(f"the node routes vlan {vlan} to the internet")
        return unknown(f"{self._router} decides whether vlan {vlan} reaches the internet")

    def _forwarded(self) -> Leg:
        if self.plan.router.kind == "none":
            return no("nothing routes from the internet to the lab")
        return unknown(f"{self._router} decides what it forwards from the internet")

    @property
    def _router(self) -> str:
        router = self.plan.router
        return f"the router {router.endpoint or router.kind}"

    def filters(self, target: Endpoint, spot: Spot, source: str, port: Port | None) -> tuple[Leg, ...]:
        """What stands in front of a machine of ours; nothing stands in front of a device."""
        if spot.tagged:
            return (yes(f"{target} is a trunk there, and no packet filter of a bridge sees tagged frames"),)
        if target.kind == "guest":
            return (self._guest_filter(self._guests[target.name], spot, source, port),)
        if target.kind == "node":
            return (self._node_filter(target.name, spot, source, port),)
        return ()

    def is_filtered(self, target: Endpoint) -> bool:
        """Whether something of the lab stands in front of a machine wherever it is."""
        return target.kind in ("guest", "node") and not self._tagged_at(target)

    def unfiltered_at(self, target: Endpoint) -> frozenset[str]:
        """The segments on which nothing of the lab stands in front of a machine."""
        if target.kind in ("guest", "node"):
            return self._tagged_at(target)
        return frozenset(spot.vlan for spot in self.spots.get(target, ()))

    def _tagged_at(self, target: Endpoint) -> frozenset[str]:
        return frozenset(spot.vlan for spot in self.spots.get(target, ()) if spot.tagged)

    @cached_property
    def _switch(self) -> Leg:
        plan = self.plan
        if not any(node.managed for node in plan.nodes):
            return unknown("no node is managed here, so nobody said whether the cluster's firewall is on")
        if "cluster-firewall" not in plan.owns:
            return unknown("another environment owns the cluster's firewall, and decides whether it is on")
        return yes("the cluster's firewall is on")

    def _guest_filter(self, guest: GuestPlan, spot: Spot, source: str, port: Port | None) -> Leg:
        if not guest.managed:
            return unknown(f"guest {guest.name} is only observed, and its firewall is not this lab's")
        if self._switch.verdict is not yes("").verdict:
            return self._switch
        for rule, accepted in self._rules_at(guest, spot.group):
            if covers(rule.source, source) and port_covers(accepted, port):
                return yes(f"the firewall of guest {guest.name} accepts it: {rule.comment}")
        return no(f"the firewall of guest {guest.name} drops what no rule accepts")

    def _rules_at(self, guest: GuestPlan, group: str) -> list[tuple[RulePlan, Port | None]]:
        """The rules at one interface: the guest's own, and those of the segment whose group stands there."""
        found = self._rules.get((guest.name, group))
        if found is None:
            vlan = self._vlans.get(group)
            rules = (*guest.rules, *(vlan.rules if vlan is not None and vlan.managed else ()))
            found = self._rules[guest.name, group] = [(rule, rule_port(rule)) for rule in rules]
        return found

    def opened(self, target: Endpoint) -> tuple[Port, ...]:
        """The ports of a machine of which its firewall speaks."""
        if target.kind == "guest":
            return tuple(port for _, port in self.rules_of(target.name) if port is not None)
        if target.kind != "node":
            return ()
        own = (port for _, port in self._node_rules.get(target.name, ()) if port is not None)
        return tuple(dict.fromkeys((*MANAGEMENT_PORTS, COROSYNC_PORTS, *own)))

    def rules_of(self, guest: str) -> list[tuple[RulePlan, Port | None]]:
        """What a managed guest's firewall accepts, with the port of each rule read."""
        plan = self._guests[guest]
        groups = dict.fromkeys(nic.vlan for nic in plan.nics) if plan.managed else ()
        found = (rule for group in groups for rule in self._rules_at(plan, group))
        return list(dict.fromkeys(found))

    def _node_filter(self, name: str, spot: Spot, source: str, port: Port | None) -> Leg:
        if self._switch.verdict is not yes("").verdict:
            return self._switch
        for rule, accepted in self._node_rules.get(name, ()):
            if covers(rule.source, source) and port_covers(accepted, port):
                return yes(f"the firewall of node {name} accepts it: {rule.comment}")
        managed = port is not None and any(port_covers(opened, port) for opened in MANAGEMENT_PORTS)
        if managed and any(covers(member, source) for member in self._management(spot)):
            return yes(f"{source} is in the set management, to which Proxmox opens {port} of every node")
        if port is not None and port_covers(COROSYNC_PORTS, port) and self._is_node(source):
            return yes("Proxmox lets the nodes of a cluster speak to each other by corosync")
        if name not in self._node_rules:
            return unknown(f"node {name} is only observed, and its own firewall may be off")
        return no(
            f"the firewall of node {name} drops what no rule accepts and is not from the set management"
        )

    def _is_node(self, source: str) -> bool:
        return any(node.address == source for node in self.plan.nodes)

    def _management(self, spot: Spot) -> tuple[str, ...]:
        """The set `management`: the operator, the nodes, and what Proxmox adds by itself, the node's segment."""
        operator = self.directory.addresses(OPERATOR)
        nodes = tuple(node.address for node in self.plan.nodes)
        return (*operator, *nodes, self._vlans[spot.vlan].subnet)


def rule_port(rule: RulePlan) -> Port | None:
    """The port of a Proxmox rule: `443`, `8000:8010`, or None for every one."""
    if not rule.port:
        return None
    return Port.parse(f"{rule.port.replace(':', '-')}/{rule.protocol or 'tcp'}")
