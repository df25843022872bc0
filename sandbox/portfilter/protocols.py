"""Protocols, ports and ICMP types as rules of Proxmox VE name them (numbers: IANA)."""

import re
from collections.abc import Mapping

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
PORT_MAX = 65535

PROTOCOLS: Mapping[str, int] = {
    "icmp": ICMP, "igmp": 2, "ipencap": 4, "tcp": TCP, "udp": UDP, "dccp": 33, "ipv6": 41, "gre": 47, "esp": 50,
    "ah": 51, "icmpv6": ICMPV6, "ipv6-icmp": ICMPV6, "ospf": 89, "pim": 103, "vrrp": 112, "l2tp": 115, "sctp": 132,
    "udplite": 136,
}  # fmt: skip
WITH_PORTS = frozenset({TCP, UDP, 33, 132, 136})
_SERVICES: Mapping[str, int] = {
    "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "tftp": 69, "http": 80, "pop3": 110, "ntp": 123,
    "imap": 143, "imap2": 143, "snmp": 161, "bgp": 179, "ldap": 389, "https": 443, "syslog": 514, "submission": 587,
    "ipp": 631, "ldaps": 636, "rsync": 873, "imaps": 993, "pop3s": 995, "openvpn": 1194, "mqtt": 1883, "nfs": 2049,
    "mysql": 3306, "mdns": 5353, "postgresql": 5432,
}  # fmt: skip

Ports = tuple[tuple[int, int], ...]
"""Rising ranges that do not overlap; none are all ports."""
IcmpType = tuple[int, int | None]
"""A type with its code, or with all codes."""

_ICMP_V4: Mapping[str, IcmpType] = {
    "echo-reply": (0, None), "destination-unreachable": (3, None), "network-unreachable": (3, 0),
    "host-unreachable": (3, 1), "protocol-unreachable": (3, 2), "port-unreachable": (3, 3),
    "fragmentation-needed": (3, 4), "network-prohibited": (3, 9), "host-prohibited": (3, 10),
    "communication-prohibited": (3, 13), "source-quench": (4, None), "redirect": (5, None),
    "echo-request": (8, None), "router-advertisement": (9, None), "router-solicitation": (10, None),
    "time-exceeded": (11, None), "ttl-zero-during-transit": (11, 0), "parameter-problem": (12, None),
    "timestamp-request": (13, None), "timestamp-reply": (14, None),
}  # fmt: skip
_ICMP_V6: Mapping[str, IcmpType] = {
    "destination-unreachable": (1, None), "no-route": (1, 0), "communication-prohibited": (1, 1),
    "address-unreachable": (1, 3), "port-unreachable": (1, 4), "packet-too-big": (2, None),
    "time-exceeded": (3, None), "parameter-problem": (4, None), "echo-request": (128, None),
    "echo-reply": (129, None), "router-solicitation": (133, None), "router-advertisement": (134, None),
    "neighbor-solicitation": (135, None), "neighbour-solicitation": (135, None),
    "neighbor-advertisement": (136, None), "neighbour-advertisement": (136, None), "redirect": (137, None),
}  # fmt: skip


def protocol_number(text: str) -> int:
    """The number of a protocol.

    Raises:
        ValueError: the name is not known here, or the number is none of a protocol.
    """
    if text.lower() in PROTOCOLS:
        return PROTOCOLS[text.lower()]
    if text.isascii() and text.isdigit() and int(text) <= 255:
        return int(text)
    raise ValueError(f"the sandbox knows no protocol '{text}'; give its number")


def read_ports(text: str) -> Ports:
    """The ranges of `443`, `8000:8100`, `ssh` or a list of these.

    Raises:
        ValueError: a part is no port, or a name that is not known here.
    """
    found: list[tuple[int, int]] = []
    for first, last in sorted(_port_range(part.strip()) for part in text.split(",")):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def _port_range(text: str) -> tuple[int, int]:
    if text in _SERVICES:
        return _SERVICES[text], _SERVICES[text]
    match = re.fullmatch(r"([0-9]{1,5})(?::([0-9]{1,5}))?", text)
    if match is None:
        raise ValueError(f"the sandbox knows no service '{text}'; give its port")
    first, last = int(match[1]), int(match[2] or match[1])
    if last > PORT_MAX or first > last:
        raise ValueError(f"invalid port range '{text}'")
    return first, last


def icmp_type(text: str, protocol: int) -> IcmpType:
    """The type that a rule names, `8`, `3/1` or a word of iptables.

    Raises:
        ValueError: it is not known here.
    """
    known = _ICMP_V4 if protocol == ICMP else _ICMP_V6
    if text in known:
        return known[text]
    match = re.fullmatch(r"([0-9]{1,3})(?:/([0-9]{1,3}))?", text)
    if match is None or max(int(match[1]), int(match[2] or 0)) > 255:
        raise ValueError(f"the sandbox knows no ICMP type '{text}'; give its number")
    return int(match[1]), int(match[2]) if match[2] else None
