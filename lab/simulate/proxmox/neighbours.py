"""Neighbour discovery: which types of ICMPv6 a host or a guest may send and receive."""

from lab.simulate.proxmox.icmp import (
    NEIGHBOUR_ADVERTISEMENT,
    NEIGHBOUR_SOLICITATION,
    ROUTER_ADVERTISEMENT,
    ROUTER_SOLICITATION,
    IcmpType,
)
from lab.simulate.proxmox.packet import Packet
from lab.simulate.proxmox.protocols import ICMPV6

_ALWAYS = (ROUTER_SOLICITATION, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT)


def may_receive(packet: Packet) -> bool:
    """Whether it is of a type that option `ndp` lets in."""
    return may_send(packet) or is_router_advertisement(packet)


def may_send(packet: Packet) -> bool:
    """Whether it is of a type that option `ndp` lets out."""
    return _is_one_of(packet, _ALWAYS)


def is_router_advertisement(packet: Packet) -> bool:
    """Whether the sender offers itself as a router, which needs option `radv`."""
    return _is_one_of(packet, (ROUTER_ADVERTISEMENT,))


def _is_one_of(packet: Packet, types: tuple[IcmpType, ...]) -> bool:
    return packet.protocol_number == ICMPV6 and packet.icmp in types
