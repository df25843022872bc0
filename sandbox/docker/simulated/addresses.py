"""Arithmetic of address pools, without state: overlap, default pools, lowest free address.

Follows the local IPAM driver of Docker Engine 20.10: network and broadcast address are never given out,
and the lowest free address is. IPv4 only; the caller refuses IPv6.
"""

from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv4Network

from sandbox.docker.simulated.errors import EngineError

OVERLAP = "Pool overlaps with other one on this address space"
IN_USE = "Address already in use"
NO_POOL = (
    "could not find an available, non-overlapping IPv4 address pool among the defaults "
    "to assign to the network"
)


def default_pools() -> Iterable[IPv4Network]:
    """The engine's 31 default pools in its order; the first is the default bridge's."""
    for second in range(17, 32):
        yield IPv4Network(f"172.{second}.0.0/16")
    yield from IPv4Network("192.168.0.0/16").subnets(new_prefix=20)


def parse_subnet(text: str) -> IPv4Network:
    """The subnet of an IPAM entry; host bits are cut off, as engine 20.10 does when it compares pools.

    Raises:
        EngineError: 500 when the text is no IPv4 subnet in CIDR notation.
    """
    if "/" not in text:
        raise EngineError(500, f"Invalid subnet {text} : invalid CIDR address: {text}")
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        raise EngineError(500, f"Invalid subnet {text} : invalid CIDR address: {text}") from None


def parse_address(text: str, what: str) -> IPv4Address:
    """An IPv4 address, or a refusal (400) that names the field."""
    try:
        return IPv4Address(text)
    except ValueError:
        raise EngineError(400, f"invalid {what} address: {text}") from None


def refuse_overlap(subnet: IPv4Network, others: Iterable[IPv4Network]) -> None:
    """Refuse (403) a pool that shares an address with another network of this engine."""
    if any(subnet.overlaps(other) for other in others):
        raise EngineError(403, OVERLAP)


def free_default_pool(others: Collection[IPv4Network]) -> IPv4Network:
    """The first default pool that overlaps nothing; refused with the engine's text when all are taken."""
    for pool in default_pools():
        if not any(pool.overlaps(other) for other in others):
            return pool
    raise EngineError(500, NO_POOL)


def is_assignable(subnet: IPv4Network, address: IPv4Address) -> bool:
    """Whether an address of the subnet may be given to someone: not its first, not its last."""
    return address in subnet and address not in (subnet.network_address, subnet.broadcast_address)


def lowest_free(
    subnet: IPv4Network, taken: Collection[IPv4Address], within: IPv4Network | None = None
) -> IPv4Address | None:
    """The lowest assignable address that nobody has, or None.

    Args:
        subnet: the pool.
        taken: gateway, auxiliary and endpoint addresses.
        within: the part of the pool (`IPRange`) that automatic addresses come from.
    """
    pool = within or subnet
    for number in range(int(pool.network_address), int(pool.broadcast_address) + 1):
        address = IPv4Address(number)
        if is_assignable(subnet, address) and address not in taken:
            return address
    return None


def mac_of(address: IPv4Address) -> str:
    """The MAC address that the bridge driver derives from an endpoint's address."""
    return "02:42:" + ":".join(f"{octet:02x}" for octet in address.packed)
