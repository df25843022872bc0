"""The firewall of the node itself."""

from dataclasses import dataclass

from lab.simulate.proxmox.addresses import IpSet, Network
from lab.simulate.proxmox.corosync import Corosync
from lab.simulate.proxmox.neighbours import may_receive, may_send
from lab.simulate.proxmox.packet import Action, Decision, Packet
from lab.simulate.proxmox.protocols import IGMP, TCP, PortRanges, in_ranges
from lab.simulate.proxmox.rule import Rule, first_match
from lab.simulate.proxmox.standard import InputFilter, by_policy, by_rule

_TO_OTHER_NODES: PortRanges = ((8006, 8006), (22, 22), (5900, 5999), (3128, 3128))
_MIGRATION = (60000, 60050)
_MANAGEMENT: PortRanges = (*_TO_OTHER_NODES, _MIGRATION)


@dataclass(frozen=True, kw_only=True)
class Host:
    """What decides about packets to and from the node."""

    enabled: bool
    rules: tuple[Rule, ...]
    """Those of the node, then those of the cluster."""
    policy_in: Action
    policy_out: Action
    ndp: bool
    management: IpSet
    """Who keeps access whatever the policy says, though not whatever a rule says."""
    local_network: Network
    corosync: Corosync

    def incoming(self, packet: Packet, interface: str | None, before: InputFilter) -> Decision:
        """The decision about a packet to the node.

        Args:
            packet: the packet.
            interface: where it arrives; None where that is not known.
            before: what is dropped before the rules.

        Raises:
            FirewallError: a rule depends on an interface that is not known.
        """
        if not self.enabled:
            return _UNFILTERED
        if self.ndp and may_receive(packet):
            return _NEIGHBOUR
        dropped = before.drops(packet)
        if dropped is not None:
            return dropped
        if packet.protocol_number == IGMP:
            return _IGMP
        rule = first_match(self.rules, packet, "in", interface)
        if rule is not None:
            return by_rule(rule, packet)
        if _is_tcp_to(packet, _MANAGEMENT) and self.management.holds(packet.source):
            return Decision("ACCEPT", f"IP set management holds {packet.source}, which keeps access")
        corosync = self.corosync.accepts_in(packet)
        if corosync:
            return Decision("ACCEPT", corosync)
        return by_policy(self.policy_in, packet, f"policy_in {self.policy_in} of the host")

    def outgoing(self, packet: Packet, interface: str | None) -> Decision:
        """The decision about a packet from the node; see `incoming`."""
        if not self.enabled:
            return _UNFILTERED
        if self.ndp and may_send(packet):
            return _NEIGHBOUR
        if packet.protocol_number == IGMP:
            return _IGMP
        rule = first_match(self.rules, packet, "out", interface)
        if rule is not None:
            return by_rule(rule, packet)
        if _is_tcp_to(packet, _TO_OTHER_NODES) and packet.destination in self.local_network:
            return Decision(
                "ACCEPT", f"{packet.destination} is in the node's local network {self.local_network}"
            )
        corosync = self.corosync.accepts_out(packet)
        if corosync:
            return Decision("ACCEPT", corosync)
        return by_policy(self.policy_out, packet, f"policy_out {self.policy_out} of the host")


_UNFILTERED = Decision("ACCEPT", "host.fw sets enable: 0, so nothing to or from the host is filtered")
_NEIGHBOUR = Decision("ACCEPT", "neighbour discovery of the host (ndp)")
_IGMP = Decision("ACCEPT", "IGMP passes the host's firewall")


def _is_tcp_to(packet: Packet, ports: PortRanges) -> bool:
    return packet.protocol_number == TCP and in_ranges(packet.destination_port, ports)
