"""What a rule can ask of a packet, and what the kernel answers in each hook."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address
from typing import Literal

from lab.simulate.nftables.packet import PROTOCOLS, WITH_PORTS, Address, Packet
from lab.simulate.nftables.tokens import Tokens
from lab.simulate.nftables.values import (
    CT_STATE,
    CT_STATUS,
    FAMILY,
    ICMP_TYPE,
    ICMPV6_TYPE,
    INTERFACE,
    IPV4,
    IPV6,
    MARK,
    PORT,
    PROTOCOL,
    Kind,
    name_value,
)

Hook = Literal["prerouting", "input", "forward", "output"]


class Missing(Enum):
    """Why there is no value."""

    ABSENT = "the packet has no such header: the rule ends here, also where it asks `!=`"
    UNKNOWN = "the packet has bytes there that no model knows"


Value = int | Missing


@dataclass(frozen=True)
class View:
    """A packet as one base chain sees it.

    Attributes:
        packet: the packet.
        hook: where it is.
        tracked: whether conntrack has seen it yet.
        after_nat: whether its destination is translated by now.
    """

    packet: Packet
    hook: Hook
    tracked: bool = True
    after_nat: bool = True

    @property
    def destination(self) -> tuple[Address, int | None]:
        """Address and port in the packet's own headers."""
        packet = self.packet
        if self.after_nat or packet.reply:
            return packet.destination, packet.destination_port
        return packet.original


@dataclass(frozen=True)
class Field:
    """Something that a rule compares.

    Attributes:
        words: as nft writes it.
        kind: of its values.
        read: its value for a packet.
    """

    words: str
    kind: Kind
    read: Callable[[View], Value]


def _interface_in(view: View) -> Value:
    return name_value("" if view.hook == "output" else view.packet.in_interface)


def _interface_out(view: View) -> Value:
    return name_value(view.packet.out_interface if view.hook in ("forward", "output") else "")


def _source(family: str) -> Callable[[View], Value]:
    return lambda view: int(view.packet.source) if view.packet.family == family else Missing.ABSENT


def _destination(family: str) -> Callable[[View], Value]:
    return lambda view: int(view.destination[0]) if view.packet.family == family else Missing.ABSENT


def _protocol_of_ip(view: View) -> Value:
    return view.packet.number if view.packet.family == "ip" else Missing.ABSENT


def _port(protocol: int | None, *, source: bool) -> Callable[[View], Value]:
    """Read a port; without a protocol, the bytes at its place whatever the protocol is."""

    def read(view: View) -> Value:
        packet = view.packet
        if protocol is not None and packet.number != protocol:
            return Missing.ABSENT
        if packet.number not in WITH_PORTS:
            return Missing.UNKNOWN
        port = packet.source_port if source else view.destination[1]
        return Missing.UNKNOWN if port is None else port

    return read


def _icmp_type(family: str, protocol: int) -> Callable[[View], Value]:
    def read(view: View) -> Value:
        packet = view.packet
        if packet.family != family or packet.number != protocol or packet.icmp_type is None:
            return Missing.ABSENT
        return packet.icmp_type

    return read


def _ct_state(view: View) -> Value:
    # The kernel calls a packet invalid when conntrack has nothing to say about it.
    return CT_STATE.names[view.packet.ct_state if view.tracked else "invalid"]


def _has_conntrack(view: View) -> bool:
    return view.tracked and view.packet.ct_state not in ("invalid", "untracked")


def _ct_status(view: View) -> Value:
    if not _has_conntrack(view):
        return Missing.ABSENT
    decided = view.after_nat or view.packet.ct_state != "new"
    return CT_STATUS.names["dnat"] if view.packet.translated and decided else 0


def _ct_original_address(family: str) -> Callable[[View], Value]:
    def read(view: View) -> Value:
        if not _has_conntrack(view) or view.packet.family != family:
            return Missing.ABSENT
        return int(view.packet.original[0])

    return read


def _ct_original_port(view: View) -> Value:
    if not _has_conntrack(view):
        return Missing.ABSENT
    port = view.packet.original[1]
    return Missing.UNKNOWN if port is None else port


def _family(view: View) -> Value:
    return FAMILY.names["ipv4" if isinstance(view.packet.source, IPv4Address) else "ipv6"]


_TCP, _UDP = PROTOCOLS["tcp"], PROTOCOLS["udp"]

L4PROTO = Field("meta l4proto", PROTOCOL, lambda view: view.packet.number)
NFPROTO = Field("meta nfproto", FAMILY, _family)

_FIELDS = (
    L4PROTO,
    NFPROTO,
    Field("meta mark", MARK, lambda view: view.packet.mark),
    Field("meta iifname", INTERFACE, _interface_in),
    Field("meta oifname", INTERFACE, _interface_out),
    Field("mark", MARK, lambda view: view.packet.mark),
    Field("iifname", INTERFACE, _interface_in),
    Field("oifname", INTERFACE, _interface_out),
    Field("ip saddr", IPV4, _source("ip")),
    Field("ip daddr", IPV4, _destination("ip")),
    Field("ip protocol", PROTOCOL, _protocol_of_ip),
    Field("ip6 saddr", IPV6, _source("ip6")),
    Field("ip6 daddr", IPV6, _destination("ip6")),
    Field("tcp sport", PORT, _port(_TCP, source=True)),
    Field("tcp dport", PORT, _port(_TCP, source=False)),
    Field("udp sport", PORT, _port(_UDP, source=True)),
    Field("udp dport", PORT, _port(_UDP, source=False)),
    Field("th sport", PORT, _port(None, source=True)),
    Field("th dport", PORT, _port(None, source=False)),
    Field("icmp type", ICMP_TYPE, _icmp_type("ip", PROTOCOLS["icmp"])),
    Field("icmpv6 type", ICMPV6_TYPE, _icmp_type("ip6", PROTOCOLS["icmpv6"])),
    Field("ct state", CT_STATE, _ct_state),
    Field("ct status", CT_STATUS, _ct_status),
    Field("ct original ip daddr", IPV4, _ct_original_address("ip")),
    Field("ct original ip6 daddr", IPV6, _ct_original_address("ip6")),
    Field("ct original proto-dst", PORT, _ct_original_port),
)
FIELDS = {tuple(field.words.split()): field for field in _FIELDS}
"""Every field by its words."""
_LONGEST = max(map(len, FIELDS))


def read_field(tokens: Tokens) -> Field:
    """Read the words of a field.

    Raises:
        UnreadableRules: no known field comes next.
    """
    for length in range(_LONGEST, 0, -1):
        ahead = [tokens.peek(number) for number in range(length)]
        field = FIELDS.get(tuple(token.text for token in ahead))
        if field is not None and all(token.kind == "word" for token in ahead):
            tokens.position += length
            return field
    words = " ".join(tokens.peek(number).text.strip() for number in range(3)).strip()
    raise tokens.refuse(
        f"`{words}` starts with neither a statement nor a comparison that the evaluator knows",
        f"write counter, log, limit, comment, a verdict, or one of: {', '.join(f.words for f in _FIELDS)}",
    )
