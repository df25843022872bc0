"""Protocols and ports as rules name them."""

import re
from collections.abc import Mapping

ICMP, IGMP, TCP, UDP, ICMPV6 = 1, 2, 6, 17, 58

_NAMES: Mapping[str, int] = {
    "icmp": ICMP,
    "igmp": IGMP,
    "tcp": TCP,
    "udp": UDP,
    "dccp": 33,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "icmpv6": ICMPV6,
    "ipv6-icmp": ICMPV6,
    "ospf": 89,
    "vrrp": 112,
    "sctp": 132,
    "udplite": 136,
}
WITH_PORTS = frozenset({TCP, UDP, 33, 132, 136})

_MAX_PROTOCOL, _MAX_PORT = 255, 65535
_PORT_PART = re.compile(r"^([0-9]{1,5})(?::([0-9]{1,5}))?$")

PortRanges = tuple[tuple[int, int], ...]


def read_protocol(text: str) -> int:
    """The number of a protocol given by name or number (IANA, Assigned Internet Protocol Numbers).

    Raises:
        ValueError: the name is not known here, or the number is above 255.
    """
    name = text.lower()
    if name in _NAMES:
        return _NAMES[name]
    if re.fullmatch(r"[0-9]{1,3}", text) and int(text) <= _MAX_PROTOCOL:
        return int(text)
    raise ValueError(f'"{text}" is not a protocol that is known here: {", ".join(_NAMES)}, or its number')


def read_ports(text: str) -> PortRanges:
    """Read `443`, `5900:5999` or a list of these with commas.

    Raises:
        ValueError: a part is no number from 0 to 65535, or a range does not rise.
    """
    return tuple(_read_part(part.strip()) for part in text.split(","))


def _read_part(text: str) -> tuple[int, int]:
    match = _PORT_PART.match(text)
    if match is None:
        raise ValueError(f'"{text}" is not a port number; names of services are not known here')
    first, last = int(match[1]), int(match[2] or match[1])
    if last > _MAX_PORT or last < first:
        raise ValueError(f'"{text}" is not a port or a range of ports from 0 to {_MAX_PORT}')
    return first, last


def in_ranges(port: int | None, ranges: PortRanges) -> bool:
    """Whether the port is in one of the ranges; no ranges take every port."""
    return not ranges or (port is not None and any(first <= port <= last for first, last in ranges))
