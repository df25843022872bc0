"""Addresses of rules as spans, and IP sets with their exceptions as spans that do not overlap."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

_FAMILIES = (4, 6)


@dataclass(frozen=True, order=True)
class Span:
    """Every address of a family from the first to the last, as numbers; its text is as nft reads it."""

    version: int
    first: int
    last: int

    def __str__(self) -> str:
        kind = ipaddress.IPv4Address if self.version == 4 else ipaddress.IPv6Address
        size = self.last - self.first + 1
        if size == 1:
            return str(kind(self.first))
        if size & (size - 1) == 0 and self.first % size == 0:
            return f"{kind(self.first)}/{kind(0).max_prefixlen - size.bit_length() + 1}"
        return f"{kind(self.first)}-{kind(self.last)}"


Spans = tuple[Span, ...]


def network_span(text: str) -> Span:
    """An address or a network; host bits are dropped, as the kernel does.

    Raises:
        ValueError: the text is neither.
    """
    network = ipaddress.ip_network(text, strict=False)
    return Span(network.version, int(network.network_address), int(network.broadcast_address))


def list_spans(text: str) -> Spans:
    """Addresses, networks and ranges with commas between them.

    Raises:
        ValueError: a part is none of these, or a range does not rise.
    """
    return merged(_part(part.strip()) for part in text.split(","))


def _part(text: str) -> Span:
    low, dash, high = text.partition("-")
    if not dash:
        return network_span(text)
    first, last = ipaddress.ip_address(low), ipaddress.ip_address(high)
    if first.version != last.version or int(first) > int(last):
        raise ValueError(f"{text} is no range of addresses")
    return Span(first.version, int(first), int(last))


def merged(spans: Iterable[Span]) -> Spans:
    """The same addresses in rising spans that neither overlap nor touch, as nft wants them."""
    found: list[Span] = []
    for span in sorted(spans):
        before = found[-1] if found else None
        if before is not None and before.version == span.version and span.first <= before.last + 1:
            found[-1] = Span(span.version, before.first, max(before.last, span.last))
        else:
            found.append(span)
    return tuple(found)


def set_spans(entries: Iterable[tuple[Span, bool]]) -> Spans:
    """The addresses of an IP set.

    Args:
        entries: each network, and whether it is an exception (`nomatch`). The most specific entry that holds
            an address decides, as in the kernel's `hash:net`.
    """
    found: list[Span] = []
    for span, is_exception in sorted(entries, key=lambda entry: entry[0].first - entry[0].last):
        found = [rest for known in found for rest in _without(known, span)]
        if not is_exception:
            found.append(span)
    return merged(found)


def _without(span: Span, hole: Span) -> Iterable[Span]:
    if span.version != hole.version or hole.last < span.first or span.last < hole.first:
        return [span]
    sides = (Span(span.version, span.first, hole.first - 1), Span(span.version, hole.last + 1, span.last))
    return [side for side in sides if side.first <= side.last]


def of_family(spans: Spans, version: int) -> Spans:
    """The spans of one family."""
    return tuple(span for span in spans if span.version == version)


def families(*parts: Spans | None) -> tuple[int, ...]:
    """The families in which every part has an address; a part that is None has all of both."""
    return tuple(version for version in _FAMILIES if all(p is None or of_family(p, version) for p in parts))


def link_local(mac: str) -> Span:
    """The IPv6 link-local address that an interface makes of its MAC address (RFC 4291, appendix A)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    half = bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]])
    return network_span(str(ipaddress.IPv6Address(bytes.fromhex("fe80000000000000") + half)))
