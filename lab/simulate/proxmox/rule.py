"""A rule that counts, and which packets it takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.simulate.proxmox.addresses import Addresses
from lab.simulate.proxmox.macros import Service
from lab.simulate.proxmox.packet import Action, Direction, Packet
from lab.simulate.proxmox.reading import FirewallError, refusal


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of a host or a guest, its references resolved."""

    where: str
    """Its file and number, and for the rule of a group the rule that includes it. Numbers begin at 1."""
    text: str
    direction: Direction
    action: Action
    services: tuple[Service, ...] = (Service(),)
    """It takes a packet that fits one of these."""
    source: Addresses | None = None
    """None is every address."""
    destination: Addresses | None = None
    interface: str = ""
    """`net0` of a guest or an interface of the host; empty is each."""

    def takes(self, packet: Packet, direction: Direction, interface: str | None) -> bool:
        """Whether the packet is meant.

        Args:
            packet: the packet.
            direction: into or out of the host or the guest that has the rule.
            interface: where the packet passes; None where that is not known.

        Raises:
            FirewallError: the rule names an interface, and the packet's is not known.
        """
        if self.direction != direction or not self._fits(packet):
            return False
        if self.interface and interface is None:
            raise _unknown_interface(self)
        return self.interface in ("", interface)

    def _fits(self, packet: Packet) -> bool:
        if self.source is not None and not self.source.holds(packet.source):
            return False
        if self.destination is not None and not self.destination.holds(packet.destination):
            return False
        protocol, icmp = packet.protocol_number, packet.icmp
        return any(
            service.takes(protocol, packet.source_port, packet.destination_port, icmp)
            for service in self.services
        )

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def first_match(
    rules: Sequence[Rule], packet: Packet, direction: Direction, interface: str | None
) -> Rule | None:
    """The rule that decides: the first that takes the packet."""
    return next((rule for rule in rules if rule.takes(packet, direction, interface)), None)


def _unknown_interface(rule: Rule) -> FirewallError:
    return refusal(
        rule.where,
        f'"{rule.text}" depends on the host\'s interface, and the NIC of the packet is tagged, so it is not'
        " known here which interface that is",
        "give the packet's host_interface",
    )
