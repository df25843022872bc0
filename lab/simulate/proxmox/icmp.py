"""The types of ICMP and ICMPv6, by number or by the names that iptables gives them (IANA for the numbers)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lab.simulate.proxmox.protocols import ICMP, ICMPV6


@dataclass(frozen=True)
class IcmpType:
    """A type with one of its codes, or with all of them."""

    number: int
    code: int | None = None
    """None is every code."""

    def covers(self, other: "IcmpType") -> bool:
        """Whether a rule with this type takes a packet of the other."""
        return self.number == other.number and self.code in (None, other.code)


_V4: Mapping[str, IcmpType] = {
    "echo-reply": IcmpType(0),
    "destination-unreachable": IcmpType(3),
    "network-unreachable": IcmpType(3, 0),
    "host-unreachable": IcmpType(3, 1),
    "protocol-unreachable": IcmpType(3, 2),
    "port-unreachable": IcmpType(3, 3),
    "fragmentation-needed": IcmpType(3, 4),
    "network-prohibited": IcmpType(3, 9),
    "host-prohibited": IcmpType(3, 10),
    "communication-prohibited": IcmpType(3, 13),
    "source-quench": IcmpType(4),
    "redirect": IcmpType(5),
    "echo-request": IcmpType(8),
    "router-advertisement": IcmpType(9),
    "router-solicitation": IcmpType(10),
    "time-exceeded": IcmpType(11),
    "ttl-zero-during-transit": IcmpType(11, 0),
    "parameter-problem": IcmpType(12),
    "timestamp-request": IcmpType(13),
    "timestamp-reply": IcmpType(14),
}
_V6: Mapping[str, IcmpType] = {
    "destination-unreachable": IcmpType(1),
    "no-route": IcmpType(1, 0),
    "communication-prohibited": IcmpType(1, 1),
    "address-unreachable": IcmpType(1, 3),
    "port-unreachable": IcmpType(1, 4),
    "packet-too-big": IcmpType(2),
    "time-exceeded": IcmpType(3),
    "parameter-problem": IcmpType(4),
    "echo-request": IcmpType(128),
    "echo-reply": IcmpType(129),
    "router-solicitation": IcmpType(133),
    "router-advertisement": IcmpType(134),
    "neighbor-solicitation": IcmpType(135),
    "neighbour-solicitation": IcmpType(135),
    "neighbor-advertisement": IcmpType(136),
    "neighbour-advertisement": IcmpType(136),
    "redirect": IcmpType(137),
}

ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT = _V6["router-solicitation"], _V6["router-advertisement"]
NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT = _V6["neighbor-solicitation"], _V6["neighbor-advertisement"]

CRITICAL: Mapping[int, tuple[IcmpType, ...]] = {
    ICMP: (_V4["fragmentation-needed"], _V4["time-exceeded"]),
    ICMPV6: (_V6["destination-unreachable"], _V6["time-exceeded"], _V6["packet-too-big"]),
}
"""What a policy of DROP or REJECT lets pass, because connections break without it."""

_LAST = 255


def read_icmp_type(text: str, protocol: int) -> IcmpType:
    """Read `8`, `3/1` or a name.

    Args:
        text: the type as a rule or a packet gives it.
        protocol: the number of ICMP or ICMPv6, whose types differ.

    Raises:
        ValueError: the protocol has no types, or the type is not known here.
    """
    names = {ICMP: _V4, ICMPV6: _V6}.get(protocol)
    if names is None:
        raise ValueError(f'protocol {protocol} has no ICMP types, and "{text}" was given')
    if text in names:
        return names[text]
    match = re.fullmatch(r"([0-9]{1,3})(?:/([0-9]{1,3}))?", text)
    if match is None or int(match[1]) > _LAST or int(match[2] or 0) > _LAST:
        raise ValueError(f'"{text}" is not an ICMP type that is known here: {", ".join(names)}, or a number')
    return IcmpType(int(match[1]), int(match[2]) if match[2] else None)


def is_critical(protocol: int, found: IcmpType | None) -> bool:
    """Whether a policy lets an ICMP packet of this type pass."""
    return found is not None and any(known.covers(found) for known in CRITICAL.get(protocol, ()))
