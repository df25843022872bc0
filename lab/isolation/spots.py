"""Where everybody is on the segments: addresses that are fixed, and those that somebody unnamed may have."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from lab.flows import Endpoint
from lab.isolation.guards import covers
from lab.isolation.wires import untagged_on
from lab.plan.directory import OPERATOR
from lab.plan.records import ANYWHERE, GuestPlan, LabPlan


@dataclass(frozen=True)
class Spot:
    """Where a machine is on a segment."""

    vlan: str
    address: str
    """Its address there; the segment's subnet, or a part of it, where nobody fixed one."""
    tagged: bool = False
    """Whether it tags its frames itself, as a trunk: `net.bridge.bridge-nf-filter-vlan-tagged` is 0 unless somebody
    sets it (Linux, ip-sysctl), so no packet filter of a bridge sees those, the Proxmox firewall included."""
    group: str = ""
    """The segment whose security group stands at this interface of a guest, and at no other of the same guest."""


class Spots:
    """The places of one plan."""

    def __init__(self, plan: LabPlan) -> None:
        self._plan = plan
        self._subnets = {vlan.name: vlan.subnet for vlan in self._plan.vlans}
        self._tags = {vlan.tag: vlan.name for vlan in self._plan.vlans if vlan.tag is not None}

    @cached_property
    def all(self) -> dict[Endpoint, tuple[Spot, ...]]:
        """Every machine and segment with its places; one of which nobody fixed the address may have any there."""
        found = {
            endpoint: tuple(spot for known in spots for spot in self._expanded(known))
            for endpoint, spots in self._written.items()
        }
        return found | {Endpoint("vlan", vlan.name): self.anywhere(vlan.name) for vlan in self._plan.vlans}

    def _expanded(self, spot: Spot) -> Iterator[Spot]:
        if spot.address:
            yield spot
        else:
            yield from (replace(spot, address=one.address) for one in self.anywhere(spot.vlan))

    @cached_property
    def _written(self) -> dict[Endpoint, tuple[Spot, ...]]:
        """The places as they are written down: without an address where nobody fixed one."""
        plan = self._plan
        found = {Endpoint("guest", guest.name): tuple(self._of_guest(guest)) for guest in plan.guests}
        found |= {Endpoint("device", d.name): (Spot(d.vlan, d.address or ""),) for d in plan.devices}
        found |= {Endpoint("node", n.name): (Spot(n.vlan, n.address),) for n in plan.nodes if n.vlan}
        if plan.operator_vlan:
            found[OPERATOR] = (Spot(plan.operator_vlan, plan.operator_address or ""),)
        return found

    def _of_guest(self, guest: GuestPlan) -> Iterator[Spot]:
        for nic in guest.nics:
            trunk = [self._tags[tag] for tag in nic.trunks if tag in self._tags]
            for name in trunk:
                yield Spot(name, self._address_in(guest, name), tagged=True, group=nic.vlan)
            if not trunk and nic.vlan in self._subnets:
                yield Spot(nic.vlan, nic.address or "", group=nic.vlan)
            # Unlike its tagged frames those without a tag meet the firewall of the bridge.
            for name in untagged_on(self._plan, guest.node, nic.bridge) if trunk else ():
                yield Spot(name, self._address_in(guest, name), group=nic.vlan)

    def _address_in(self, guest: GuestPlan, vlan: str) -> str:
        return next((text for text in guest.addresses if covers(self._subnets[vlan], text)), "")

    def anywhere(self, vlan: str) -> tuple[Spot, ...]:
        """Somebody unnamed may be anywhere in a segment, so also where only a rule expects somebody."""
        subnet = self._subnets[vlan]
        parts = (text for text in self._spoken if text != subnet and covers(subnet, text))
        return (Spot(vlan, subnet), *(Spot(vlan, text) for text in parts))

    @cached_property
    def outside(self) -> tuple[str, ...]:
        """Whoever is on the internet: anywhere there, and where a rule expects somebody."""
        return (ANYWHERE, *(text for text in self._spoken if covers(ANYWHERE, text)))

    @cached_property
    def _spoken(self) -> tuple[str, ...]:
        """The addresses and subnets that rules are about and that are nobody's whom the lab names."""
        plan = self._plan
        found = [rule.destination for guard in plan.guards for rule in guard.rules if rule.way == "out"]
        found += [rule.source for guard in plan.guards for rule in guard.rules if rule.way == "in"]
        found += [rule.source for guest in plan.guests for rule in guest.rules]
        found += [rule.source for node in plan.nodes for rule in node.rules]
        found += [rule.source for vlan in plan.vlans for rule in vlan.rules]
        found += [grant.destination for grant in plan.tailnet.grants] if plan.tailnet else []
        known = {"", ANYWHERE, plan.operator_address, *self._subnets.values()}
        known |= {vlan.gateway for vlan in plan.vlans}
        known |= {spot.address for spots in self._written.values() for spot in spots}
        return tuple(
            text
            for text in dict.fromkeys(found)
            if text not in known and text.removesuffix("/32") not in known
        )
