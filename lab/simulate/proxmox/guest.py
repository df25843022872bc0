"""The firewall of a guest: what happens at its NIC, on the way out and on the way in."""

from collections.abc import Mapping
from dataclasses import dataclass

from lab.simulate.proxmox import neighbours
from lab.simulate.proxmox.addresses import IpSet
from lab.simulate.proxmox.nics import Kind, Nic
from lab.simulate.proxmox.packet import Action, Decision, Packet
from lab.simulate.proxmox.protocols import UDP
from lab.simulate.proxmox.rule import Rule, first_match
from lab.simulate.proxmox.standard import InputFilter, by_policy, by_rule

_CLIENT_PORTS, _SERVER_PORTS = {4: (68,), 6: (546, 547)}, {4: (67,), 6: (546, 547)}


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A VM or a container, its NICs and its firewall file."""

    vmid: str
    kind: Kind
    nics: Mapping[str, Nic]
    enabled: bool
    rules: tuple[Rule, ...]
    policy_in: Action
    policy_out: Action
    dhcp: bool
    ndp: bool
    radv: bool
    macfilter: bool
    ip_filters: Mapping[str, IpSet]
    """The sources that a NIC may send from, where they are limited."""

    def outgoing(self, nic: Nic, packet: Packet) -> Decision:
        """The decision about a packet that leaves through a NIC."""
        if not (self.enabled and nic.firewall):
            return self._unfiltered(nic)
        if self.dhcp and _is_dhcp(packet, _CLIENT_PORTS, _SERVER_PORTS):
            return Decision("ACCEPT", f"DHCP of guest {self.vmid} (dhcp)")
        if self.macfilter and packet.source_mac.lower() not in ("", nic.mac):
            return Decision(
                "DROP",
                f"macfilter of guest {self.vmid}: {packet.source_mac} is not the address of {nic.name}",
            )
        if neighbours.is_router_advertisement(packet) and not self.radv:
            return Decision("DROP", f"guest {self.vmid} may not offer itself as a router (radv)")
        allowed = self.ip_filters.get(nic.name)
        if allowed is not None and not allowed.holds(packet.source):
            return Decision(
                "DROP", f"IP filter of guest {self.vmid}: {packet.source} is not in {allowed.name}"
            )
        if self.ndp and (neighbours.may_send(packet) or neighbours.is_router_advertisement(packet)):
            return Decision("ACCEPT", f"neighbour discovery of guest {self.vmid} (ndp)")
        rule = first_match(self.rules, packet, "out", nic.name)
        if rule is not None:
            return by_rule(rule, packet)
        return by_policy(self.policy_out, packet, f"policy_out {self.policy_out} of guest {self.vmid}")

    def incoming(self, nic: Nic, packet: Packet, before: InputFilter) -> Decision:
        """The decision about a packet that arrives at a NIC; `before` needs only the NIC's own flag."""
        dropped = before.drops(packet) if nic.firewall else None
        if dropped is not None:
            return dropped
        if not (self.enabled and nic.firewall):
            return self._unfiltered(nic)
        if self.dhcp and _is_dhcp(packet, _SERVER_PORTS, _CLIENT_PORTS):
            return Decision("ACCEPT", f"DHCP of guest {self.vmid} (dhcp)")
        if self.ndp and neighbours.may_receive(packet):
            return Decision("ACCEPT", f"neighbour discovery of guest {self.vmid} (ndp)")
        rule = first_match(self.rules, packet, "in", nic.name)
        if rule is not None:
            return by_rule(rule, packet)
        return by_policy(self.policy_in, packet, f"policy_in {self.policy_in} of guest {self.vmid}")

    def _unfiltered(self, nic: Nic) -> Decision:
        missing = [] if self.enabled else [f"{self.vmid}.fw does not set enable: 1"]
        missing += [] if nic.firewall else [f"NIC {nic.name} has no firewall=1"]
        return Decision("ACCEPT", f"guest {self.vmid}: {' and '.join(missing)}, so nothing is filtered")


def _is_dhcp(
    packet: Packet, from_ports: Mapping[int, tuple[int, ...]], to_ports: Mapping[int, tuple[int, ...]]
) -> bool:
    version = packet.destination.version
    return (
        packet.protocol_number == UDP
        and packet.source_port in from_ports[version]
        and packet.destination_port in to_ports[version]
    )
