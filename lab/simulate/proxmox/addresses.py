"""Addresses as rules name them: one, a network, a range, a list of these, or an IP set."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Protocol

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Addresses(Protocol):
    """Anything that holds addresses."""

    def holds(self, address: Address) -> bool:
        """Whether the address is one of these."""
        ...


@dataclass(frozen=True)
class Span:
    """Every address from the first to the last."""

    version: int
    first: int
    last: int

    def holds(self, address: Address) -> bool:
        """Whether the address is of this family and between the ends."""
        return address.version == self.version and self.first <= int(address) <= self.last


@dataclass(frozen=True)
class Spans:
    """A list of networks and ranges."""

    members: tuple[Span, ...]

    def holds(self, address: Address) -> bool:
        """Whether one of the members holds the address."""
        return any(member.holds(address) for member in self.members)


@dataclass(frozen=True)
class SetEntry:
    """A network of an IP set, or an exception from it."""

    network: Network
    nomatch: bool = False


@dataclass(frozen=True)
class IpSet:
    """An IP set; the most specific entry that holds an address decides, as in the kernel's `hash:net`."""

    name: str
    entries: tuple[SetEntry, ...]

    @classmethod
    def of(cls, name: str, entries: Iterable[SetEntry]) -> "IpSet":
        """A set with its most specific entries first."""
        return cls(name, tuple(sorted(entries, key=lambda entry: -entry.network.prefixlen)))

    def holds(self, address: Address) -> bool:
        """Whether the most specific entry for the address is no exception."""
        found = next((entry for entry in self.entries if address in entry.network), None)
        return found is not None and not found.nomatch


def read_network(text: str) -> Network:
    """Read an address or a network; host bits are dropped, as the kernel does.

    Raises:
        ValueError: the text is neither.
    """
    return ip_network(text, strict=False)


def network_span(network: Network) -> Span:
    """A network as a span."""
    return Span(network.version, int(network[0]), int(network[-1]))


def read_list(text: str) -> Spans:
    """Read addresses, networks and ranges with commas between them, all of one family.

    Raises:
        ValueError: a part is none of these, a range does not rise, or the families are mixed.
    """
    members = tuple(_read_part(part.strip()) for part in text.split(","))
    if len({member.version for member in members}) > 1:
        raise ValueError(f'"{text}" mixes IPv4 and IPv6')
    return Spans(members)


def _read_part(text: str) -> Span:
    first_text, dash, last_text = text.partition("-")
    if not dash:
        return network_span(read_network(text))
    first, last = ip_address(first_text), ip_address(last_text)
    if first.version != last.version or int(last) < int(first):
        raise ValueError(f'"{text}" is not a range; write the lower address first')
    return Span(first.version, int(first), int(last))


def link_local(mac: str) -> IPv6Address:
    """The IPv6 link-local address that an interface makes of its MAC address (RFC 4291, appendix A)."""
    octets = [int(octet, 16) for octet in mac.split(":")]
    half = bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]])
    return IPv6Address(bytes.fromhex("fe80000000000000") + half)
