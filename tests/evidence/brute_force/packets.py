"""One packet, and what the filters on its way say to it."""

from functools import cache
from ipaddress import IPv4Address, IPv4Network
from typing import NamedTuple

from lab.flows import Port
from lab.plan.records import GuardPlan

_PRIVATE = tuple(
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/3"),
    )
)


class Packet(NamedTuple):
    """The first packet of a connection."""

    source: str
    destination: str
    number: int
    protocol: str


@cache
def inside(address: str, text: str) -> bool:
    """Whether an address is what a rule says: an address, a subnet, `internet`, or empty for every one."""
    if not text:
        return True
    if text == "internet":
        return not any(IPv4Address(address) in network for network in _PRIVATE)
    return IPv4Address(address) in IPv4Network(text, strict=False)


def speaks_of(port: Port | None, packet: Packet) -> bool:
    """Whether a rule's port, None for all, is that of a packet."""
    if port is None:
        return True
    return packet.protocol == port.protocol and port.number <= packet.number <= max(port.number, port.last)


def guard_accepts(guard: GuardPlan, way: str, interface: str, packet: Packet) -> bool:
    """Whether any rule of a guard lets a packet through, taken one after the other."""
    for rule in guard.rules:
        if rule.way != way or rule.interface != interface:
            continue
        ends = inside(packet.source, rule.source) and inside(packet.destination, rule.destination)
        if ends and speaks_of(rule.port, packet):
            return True
    return False


def grant_says(text: str, packet: Packet) -> bool:
    """Whether a grant's `*`, `tcp:443` or `tcp:8000-8010` is about the port of a packet."""
    protocol, _, span = text.partition(":")
    first, _, last = span.partition("-")
    return text == "*" or (packet.protocol == protocol and int(first) <= packet.number <= int(last or first))


def rule_says(port: str, protocol: str, packet: Packet) -> bool:
    """Whether the port of a Proxmox rule, `443` or `8000:8010`, empty for all, is that of a packet."""
    if not port:
        return True
    first, _, last = port.partition(":")
    return packet.protocol == (protocol or "tcp") and int(first) <= packet.number <= int(last or first)
