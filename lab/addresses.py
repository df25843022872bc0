"""Subnets and numbers out of pools: what is recorded stays, the rest is the lowest free by name.

Arithmetic is on integers, with `ipaddress` only at the edges: a pool is a sorted list
of free intervals, so that ten thousand subnets take milliseconds. Nothing here knows
what a subnet is for; it knows who owns it, for the sake of the message when two do.
"""

import bisect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

DOCKER_DEFAULT_POOLS = (
    *(IPv4Network(f"172.{second}.0.0/16") for second in range(17, 32)),
    IPv4Network("192.168.0.0/16"),
)
"""Where an engine puts networks that name no subnet (moby, `libnetwork/ipamutils`)."""

TAILNET_RANGE = IPv4Network("100.64.0.0/10")
"""Where Tailscale gives addresses to devices (RFC 6598's shared address space)."""


def address_number(text: str) -> int:
    """A well-formed address as an integer; faster than `ipaddress`, and without its checks."""
    return int.from_bytes(map(int, text.split(".")))


def address_text(number: int) -> str:
    """An integer as an address."""
    return f"{number >> 24}.{(number >> 16) & 255}.{(number >> 8) & 255}.{number & 255}"


@dataclass(frozen=True, order=True)
class Claim:
    """A subnet and who says that it is theirs."""

    network: IPv4Network
    owner: str
    path: str = ""
    """Where it is declared, or the ledger's key."""


def span(network: IPv4Network) -> tuple[int, int]:
    """The first and the last address of a network as integers, its network and broadcast addresses included."""
    first = int(network.network_address)
    return first, first + (1 << (32 - network.prefixlen)) - 1


def overlaps(claims: Iterable[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Every claim that overlaps one before it in address order, with the widest such one.

    Networks are nested or apart, never overlapping in part, so one pass over them in order is enough.
    """
    widest, reach = None, -1
    for claim in sorted(claims, key=lambda c: (int(c.network.network_address), c.network.prefixlen, c.owner)):
        first, last = span(claim.network)
        if widest is not None and first <= reach:
            yield widest, claim
        if last > reach:
            widest, reach = claim, last


def capacity(network: IPv4Network) -> int:
    """How many containers a Docker bridge network holds: all addresses but network, gateway and broadcast.

    A /29 holds 5 (measured on engines 20.10 and 28; the gateway counts on internal networks too).
    """
    return max(network.num_addresses - 3, 0)


def prefix_for(members: int) -> int:
    """The prefix of a new network: at least a /28, and room for twice the present need."""
    prefix = 28
    while 2 ** (32 - prefix) - 3 < 2 * members:
        prefix -= 1
    return prefix


class FreeSpace:
    """The free parts of a pool, as sorted, disjoint intervals of integers."""

    def __init__(self, pool: IPv4Network, taken: Iterable[IPv4Network] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        free, end = span(pool)
        for first, last in sorted(map(span, taken)):
            if first > end:
                break
            if first > free:
                self._starts.append(free)
                self._ends.append(first - 1)
            free = max(free, last + 1)
        if free <= end:
            self._starts.append(free)
            self._ends.append(end)

    def remove(self, network: IPv4Network) -> None:
        """Take a subnet out; parts that are not free already do no harm."""
        first, last = span(network)
        index = max(bisect.bisect_right(self._starts, first) - 1, 0)
        while index < len(self._starts) and self._starts[index] <= last:
            start, end = self._starts[index], self._ends[index]
            if end < first:
                index += 1
                continue
            left = [(start, first - 1)] if start < first else []
            right = [(last + 1, end)] if end > last else []
            kept = left + right
            self._starts[index : index + 1] = [part[0] for part in kept]
            self._ends[index : index + 1] = [part[1] for part in kept]
            index += len(kept)

    def take(self, prefix: int) -> IPv4Network | None:
        """The lowest free subnet of this prefix length, taken out; None when there is none."""
        size = 1 << (32 - prefix)
        for start, end in zip(self._starts, self._ends, strict=True):
            aligned = -(-start // size) * size
            if aligned + size - 1 <= end:
                network = IPv4Network((aligned, prefix))
                self.remove(network)
                return network
        return None


def assign_numbers(
    keys: Iterable[str], recorded: Mapping[str, int], candidates: Iterable[int]
) -> dict[str, int]:
    """A number for each key: the recorded one, else the lowest candidate that nobody has.

    A record whose key is gone keeps its number out of use. Keys that find no candidate
    are missing from the answer.
    """
    taken = set(recorded.values())
    free = (number for number in candidates if number not in taken)
    numbers: dict[str, int] = {}
    for key in sorted(keys):
        if key in recorded:
            numbers[key] = recorded[key]
        elif (number := next(free, None)) is not None:
            numbers[key] = number
    return numbers


def host_numbers(network: IPv4Network) -> range:
    """The addresses of a network that containers may have, as integers: after the gateway, before broadcast."""
    return range(int(network.network_address) + 2, int(network.broadcast_address))


def gateway_of(network: IPv4Network) -> IPv4Address:
    """The address that Docker's bridge itself has: the first one."""
    return network.network_address + 1
