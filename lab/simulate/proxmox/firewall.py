"""The firewall of one node: a packet passes the chains of its sender, then those of its receiver."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lab.errors import Issue
from lab.simulate.proxmox.guest import Guest
from lab.simulate.proxmox.host import Host
from lab.simulate.proxmox.packet import Decision, Packet
from lab.simulate.proxmox.standard import InputFilter
from lab.simulate.proxmox.zones import Zone, find_zone


@dataclass(frozen=True, kw_only=True)
class Firewall:
    """What the firewall files and the NICs of one node say together."""

    host: Host | None
    """None where the cluster's firewall is off."""
    guests: Mapping[str, Guest]
    before: InputFilter
    ignored: tuple[Issue, ...]
    """What is written in the files and has no effect, because Proxmox VE skips it."""

    def verdict(self, packet: Packet) -> Decision:
        """What becomes of a packet, and what decided it.

        Raises:
            FirewallError: a zone does not exist, or a rule depends on an interface that is not known.
        """
        source, target = (find_zone(name, self.guests) for name in (packet.from_zone, packet.to_zone))
        if _is_one_place(source, target):
            return Decision("ACCEPT", f"it stays inside {packet.from_zone}")
        if self.host is None:
            return Decision("ACCEPT", "cluster.fw does not set enable: 1, so nothing is filtered anywhere")
        if packet.established:
            return Decision("ACCEPT", "it belongs to a known connection, which passes every chain")
        reasons = []
        for decision in self._legs(self.host, source, target, packet):
            if decision.action != "ACCEPT":
                return decision
            reasons.append(decision.reason)
        nothing = f"nothing filters between {packet.from_zone} and {packet.to_zone}"
        return Decision("ACCEPT", "; ".join(reasons) or nothing)

    def _legs(self, host: Host, source: Zone, target: Zone, packet: Packet) -> Iterator[Decision]:
        """The decisions on the way, each made only when the one before let the packet pass."""
        if source.is_host:
            yield host.outgoing(packet, packet.host_interface or target.host_interface)
        elif source.port is not None:
            yield source.port.guest.outgoing(source.port.nic, packet)
        if target.is_host:
            yield host.incoming(packet, packet.host_interface or source.host_interface, self.before)
        elif target.port is not None:
            yield target.port.guest.incoming(target.port.nic, packet, self.before)


def _is_one_place(source: Zone, target: Zone) -> bool:
    """Whether a packet never leaves the host or the NIC that it comes from."""
    if source.port is None or target.port is None:
        return source.is_host and target.is_host
    return source.port.nic is target.port.nic
