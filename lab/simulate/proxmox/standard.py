"""What every chain of Proxmox VE ends in, and what comes before the rules of each.

From the chains PVEFW-Drop, PVEFW-Reject, PVEFW-reject and PVEFW-smurfs as its compiler writes them.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from lab.simulate.proxmox.addresses import IpSet
from lab.simulate.proxmox.icmp import is_critical
from lab.simulate.proxmox.packet import Action, Decision, Packet
from lab.simulate.proxmox.protocols import UDP
from lab.simulate.proxmox.rule import Rule

_MULTICAST = IPv4Network("224.0.0.0/4")
_EVERY_MACHINE = IPv4Address("255.255.255.255")
_ANSWERED = (135, 137, 138, 139, 445)
"""UDP ports of Windows that a policy of REJECT answers before it drops noise."""
_NETBIOS_NAMES, _SSDP, _DNS = 137, 1900, 53


def by_rule(rule: Rule, packet: Packet) -> Decision:
    """What a rule that takes the packet does with it."""
    if rule.action == "REJECT" and not _is_answered(packet):
        return Decision("DROP", f"{rule}, which answers neither ICMP nor broadcast nor multicast")
    return Decision(rule.action, str(rule))


def by_policy(policy: Action, packet: Packet, name: str) -> Decision:
    """What a policy does with a packet that no rule takes.

    Args:
        policy: what it says.
        packet: the packet.
        name: its name with its owner, `policy_in DROP of guest 100`.
    """
    if policy == "ACCEPT":
        return Decision("ACCEPT", name)
    if packet.sent_to != "UNICAST" or packet.destination in _MULTICAST:
        return Decision("DROP", f"{name}, which drops broadcast and multicast")
    if is_critical(packet.protocol_number, packet.icmp):
        return Decision("ACCEPT", f"{name}, which lets ICMP pass that connections break without")
    if policy == "REJECT" and _is_dropped_quietly(packet):
        return Decision("DROP", f"{name}, which drops discovery and stray DNS answers")
    if policy == "REJECT" and not _is_answered(packet):
        return Decision("DROP", f"{name}, which does not answer ICMP")
    return Decision(policy, name)


def _is_answered(packet: Packet) -> bool:
    """Whether a REJECT sends an answer; else it is a DROP."""
    return not (packet.is_icmp or packet.sent_to == "BROADCAST" or packet.source in _MULTICAST)


def _is_dropped_quietly(packet: Packet) -> bool:
    source, target = packet.source_port, packet.destination_port
    if packet.protocol_number != UDP or target in _ANSWERED:
        return False
    # An answer of NetBIOS name service to a high port is answered too, and comes first.
    return source == _DNS or (target == _SSDP and source != _NETBIOS_NAMES)


@dataclass(frozen=True)
class InputFilter:
    """What is dropped before any rule of the host or of a guest, on its way in."""

    blacklist: IpSet | None
    nosmurfs: bool

    def drops(self, packet: Packet) -> Decision | None:
        """The decision against a packet; None lets it go on."""
        if self.blacklist is not None and self.blacklist.holds(packet.source):
            return Decision("DROP", f"IP set blacklist of cluster.fw holds {packet.source}")
        if self.nosmurfs and (packet.source in _MULTICAST or packet.source == _EVERY_MACHINE):
            return Decision("DROP", f"host.fw: nosmurfs drops source {packet.source}")
        return None
