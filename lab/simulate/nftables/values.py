"""Values as the kernel compares them: unsigned integers, alone or as spans, one kind for each nft data type.

An interface name is its 16 bytes as one number, so that `br-*` is a span like any other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Network, IPv6Network
from typing import NamedTuple

from lab.simulate.nftables.packet import PROTOCOLS
from lab.simulate.nftables.tokens import Token, Tokens, unreadable

# IFNAMSIZ of linux/if.h, with the terminating zero.
_NAME_BYTES = 16


class Span(NamedTuple):
    """All values from the first to the last, both included."""

    first: int
    last: int


@dataclass(frozen=True)
class Kind:
    """A data type of nft.

    Attributes:
        name: as nft writes it after `type`.
        last: the highest value; -1 for kinds that `parse` reads.
        names: symbolic values.
        parse: reads one token, for what is neither a number nor a symbolic name.
    """

    name: str
    last: int = -1
    names: Mapping[str, int] = field(default_factory=dict, compare=False)
    parse: Callable[[Token], Span] | None = field(default=None, compare=False)


@lru_cache(maxsize=4096)
def name_value(name: str) -> int:
    """An interface name as the number that its padded bytes are."""
    return int.from_bytes(name.encode().ljust(_NAME_BYTES, b"\0"), "big")


def _interface(token: Token) -> Span:
    name, wild = token.text.removesuffix("*"), token.text.endswith("*")
    if token.kind not in ("word", "string") or "*" in name or "\\" in name or not name:
        raise unreadable(
            token.line, f"{token} is not an interface name", 'write "eth0", or "br-*" for a prefix'
        )
    if len(name.encode()) >= _NAME_BYTES:
        raise unreadable(
            token.line, f"{token} is longer than the 15 bytes of an interface name", "shorten it"
        )
    first = name_value(name)
    # The bytes behind a prefix may be anything; behind a whole name they are zero.
    rest = 256 ** (_NAME_BYTES - len(name.encode())) - 1 if wild else 0
    return Span(first, first + rest)


def _network(token: Token, network: type[IPv4Network] | type[IPv6Network]) -> Span:
    try:
        if token.kind != "literal":
            raise AddressValueError("not an address")
        found = network(token.text)
    except ValueError as error:
        raise unreadable(
            token.line,
            f"{token} is not an address or prefix of this family: {error}",
            "write an address, or a prefix without host bits such as 10.0.0.0/24 or fd00::/8",
        ) from None
    return Span(int(found.network_address), int(found.broadcast_address))


_ICMP_TYPES = {
    "echo-reply": 0,
    "destination-unreachable": 3,
    "source-quench": 4,
    "redirect": 5,
    "echo-request": 8,
    "router-advertisement": 9,
    "router-solicitation": 10,
    "time-exceeded": 11,
    "parameter-problem": 12,
    "timestamp-request": 13,
    "timestamp-reply": 14,
    "info-request": 15,
    "info-reply": 16,
    "address-mask-request": 17,
    "address-mask-reply": 18,
}
_ICMPV6_TYPES = {
    "destination-unreachable": 1,
    "packet-too-big": 2,
    "time-exceeded": 3,
    "parameter-problem": 4,
    "echo-request": 128,
    "echo-reply": 129,
    "mld-listener-query": 130,
    "mld-listener-report": 131,
    "mld-listener-done": 132,
    "mld-listener-reduction": 132,
    "nd-router-solicit": 133,
    "nd-router-advert": 134,
    "nd-neighbor-solicit": 135,
    "nd-neighbor-advert": 136,
    "nd-redirect": 137,
    "router-renumbering": 138,
    "ind-neighbor-solicit": 141,
    "ind-neighbor-advert": 142,
    "mld2-listener-report": 143,
}

IPV4 = Kind("ipv4_addr", parse=lambda token: _network(token, IPv4Network))
IPV6 = Kind("ipv6_addr", parse=lambda token: _network(token, IPv6Network))
PROTOCOL = Kind("inet_proto", 255, PROTOCOLS)
PORT = Kind("inet_service", 65535)
INTERFACE = Kind("ifname", parse=_interface)
MARK = Kind("mark", 2**32 - 1)
ICMP_TYPE = Kind("icmp_type", 255, _ICMP_TYPES)
ICMPV6_TYPE = Kind("icmpv6_type", 255, _ICMPV6_TYPES)
FAMILY = Kind("nf_proto", 255, {"ipv4": 2, "ipv6": 10})
# One bit each, as in the kernel's nf_conntrack_common.h.
CT_STATE = Kind("ct_state", 127, {"invalid": 1, "established": 2, "related": 4, "new": 8, "untracked": 64})
CT_STATUS = Kind("ct_status", 1023, {"dnat": 32})

KINDS = {
    kind.name: kind
    for kind in (IPV4, IPV6, PROTOCOL, PORT, INTERFACE, MARK, ICMP_TYPE, ICMPV6_TYPE, FAMILY, CT_STATE)
}
"""The types that a named set or map may have."""


def read_single(tokens: Tokens, kind: Kind) -> Span:
    """Read one value of a kind; an address prefix and a name with `*` are spans.

    Raises:
        UnreadableRules: the next token is no such value.
    """
    token = tokens.take()
    if kind.parse is not None:
        return kind.parse(token)
    if token.kind == "word" and token.text in kind.names:
        value = kind.names[token.text]
        return Span(value, value)
    try:
        if token.kind != "literal":
            raise ValueError
        value = int(token.text, 0)
    except ValueError:
        known = f", or one of {', '.join(kind.names)}" if kind.names else ""
        raise unreadable(
            token.line, f"{token} is not known as a value of type {kind.name}", f"write a number{known}"
        ) from None
    if value > kind.last:
        raise unreadable(token.line, f"{token} is above {kind.last}, the highest {kind.name}", "lower it")
    return Span(value, value)


def read_span(tokens: Tokens, kind: Kind) -> Span:
    """Read one value, prefix or range of a kind.

    Raises:
        UnreadableRules: what comes next is none, or the range does not rise.
    """
    line = tokens.peek().line
    low = read_single(tokens, kind)
    if not tokens.accept("-"):
        return low
    high = read_single(tokens, kind)
    if low.first != low.last or high.first != high.last or low.first > high.first:
        raise unreadable(
            line, "a range goes from one value to another that is not lower", "write it as LOW-HIGH"
        )
    return Span(low.first, high.last)
