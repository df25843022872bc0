"""Addresses of those whom nobody named: the ends of a segment, and whatever a rule expects somebody to have.

Somebody unnamed may be anywhere. Most rules mean a segment as a whole or one machine, so
its first and last free address stand for all; an address or a part of a segment that a
text speaks of and that is nobody's is tried as well.
"""

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network

from lab.simulate.artefacts import Artefacts

_ADDRESS = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?)(?![\d.])")
_PUBLIC = (IPv4Network("1.1.1.1/32"), IPv4Network("217.0.43.1/32"))
"""Two addresses of the internet."""


def spoken(artefacts: Artefacts) -> frozenset[IPv4Network]:
    """Every address and subnet in the texts of packet filters and of the tailnet's policy."""
    texts = [host.guard or "" for host in artefacts.docker]
    texts += [artefacts.proxmox.cluster_fw, *(guest.firewall or "" for guest in artefacts.proxmox.guests)]
    texts += [artefacts.tailnet.policy or ""] if artefacts.tailnet else []
    return frozenset(IPv4Network(found, strict=False) for text in texts for found in _ADDRESS.findall(text))


def strangers(
    subnet: IPv4Network, named: Iterable[IPv4Network], taken: frozenset[IPv4Address]
) -> tuple[IPv4Address, ...]:
    """The addresses under which somebody unnamed on a segment is tried.

    Args:
        subnet: the segment's.
        named: the addresses and subnets that texts speak of.
        taken: the addresses that somebody has.
    """
    parts = [subnet, *(part for part in named if part != subnet and part.subnet_of(subnet))]
    return tuple(sorted({address for part in parts for address in _ends(part, subnet, taken)}))


def _ends(part: IPv4Network, subnet: IPv4Network, taken: frozenset[IPv4Address]) -> Iterator[IPv4Address]:
    first = max(int(part.network_address), int(subnet.network_address) + 1)
    last = min(int(part.broadcast_address), int(subnet.broadcast_address) - 1)
    for numbers in (range(first, last + 1), range(last, first - 1, -1)):
        yield from [found for number in numbers if (found := IPv4Address(number)) not in taken][:1]


def on_the_internet(named: Iterable[IPv4Network]) -> tuple[IPv4Address, ...]:
    """The addresses under which somebody on the internet is tried."""
    parts = {*_PUBLIC, *(part for part in named if part.is_global)}
    return tuple(sorted({part[0] for part in parts}))
