"""Segments that only look separate: untagged ones on one bridge, and what an untagged interface carries besides.

Frames without a tag on one bridge are on one wire, however many subnets are written down
for it. An interface without a tag on a VLAN-aware bridge is a trunk: its guest may send
with any tag (Proxmox's manual, Network Configuration, "VLAN 802.1Q").
"""

from functools import cached_property

from lab.isolation.verdict import Leg, unknown, yes
from lab.plan.records import GuestPlan, LabPlan, NicPlan

_Bridge = tuple[str, str]
"""A node and the name of a bridge on it."""


def untagged_on(plan: LabPlan, node: str, bridge: str) -> tuple[str, ...]:
    """The segments whose frames travel on a bridge without a tag: a trunk carries them beside the tagged ones."""
    usual = next((part.bridge for part in plan.nodes if part.name == node), None)
    return tuple(vlan.name for vlan in plan.vlans if vlan.tag is None and (vlan.bridge or usual) == bridge)


class Wires:
    """The bridges of one plan."""

    def __init__(self, plan: LabPlan) -> None:
        self._plan = plan

    def one(self, first: str, second: str) -> bool:
        """Whether two segments are one wire."""
        return self._roots.get(first, first) == self._roots.get(second, second)

    @cached_property
    def _roots(self) -> dict[str, str]:
        """Each untagged segment with one that stands for all that it is one wire with."""
        shared: dict[_Bridge, set[str]] = {}
        untagged = {vlan.name: vlan for vlan in self._plan.vlans if vlan.tag is None}
        for guest in self._plan.guests:
            for nic in guest.nics:
                here = untagged_on(self._plan, guest.node, nic.bridge) if nic.trunks else (nic.vlan,)
                shared.setdefault((guest.node, nic.bridge), set()).update(untagged.keys() & here)
        for node in self._plan.nodes:
            if node.vlan in untagged and untagged[node.vlan].bridge in (None, node.bridge):
                shared.setdefault((node.name, node.bridge), set()).add(node.vlan)
        roots = {name: name for name in untagged}
        for names in shared.values():
            merged = {roots[name] for name in names}
            roots |= {name: min(merged) for name, root in roots.items() if root in merged}
        return roots

    def carried(self, guest: GuestPlan) -> tuple[tuple[str, Leg], ...]:
        """The segments that a guest is not in and that its interfaces carry all the same, each with how."""
        return tuple(found for nic in guest.nics for found in self._carried(guest, nic))

    def _carried(self, guest: GuestPlan, nic: NicPlan) -> tuple[tuple[str, Leg], ...]:
        tagged = self._tagged.get((guest.node, nic.bridge), {})
        if nic.tag is not None or nic.trunks or not tagged:
            return ()
        what = f"the interface of guest {guest.name} has no tag, and bridge {nic.bridge} of {guest.node}"
        if (guest.node, nic.bridge) in self._aware:
            leg = yes(f"{what} is VLAN-aware, so it carries every VLAN")
        else:
            leg = unknown(f"{what} may be VLAN-aware, which would make it carry every VLAN")
        return tuple((name, leg) for name in tagged)

    @cached_property
    def _aware(self) -> frozenset[_Bridge]:
        """The bridges that are made here, with VLANs; nobody said how the others are."""
        return frozenset((node.name, node.bridge) for node in self._plan.nodes if node.creates_bridge)

    @cached_property
    def _tagged(self) -> dict[_Bridge, dict[str, None]]:
        """The tagged segments of each bridge."""
        return {
            (node.name, bridge): {
                vlan.name: None
                for vlan in self._plan.vlans
                if vlan.tag is not None and (vlan.bridge or node.bridge) == bridge
            }
            for node in self._plan.nodes
            for bridge in {node.bridge, *(vlan.bridge for vlan in self._plan.vlans if vlan.bridge)}
        }
