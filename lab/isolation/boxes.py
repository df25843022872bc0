"""Docker networks and containers as far as packets care: by which network one leaves, and where it is published."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.isolation.verdict import Leg, no
from lab.plan.records import PublishedPort

EVERYWHERE = "0.0.0.0"
EVERYWHERE_AND_IPV6 = ""
"""No address at all, which Docker takes for every address of both protocols."""
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """A Docker network."""

    name: str
    interface: str
    gateway: str
    internal: bool = False
    icc: bool = True
    """Whether Docker itself lets its members reach each other."""
    isolated: bool = False
    """Whether the host has no IPv4 address in it (`inhibit_ipv4`, `gateway_mode_ipv4=isolated`)."""
    gateway6: str = ""
    """The host's IPv6 address in it; empty for a network without IPv6, whose members have it switched off."""

    @property
    def host_address(self) -> str:
        """The host's IPv4 address in it; empty where it has none."""
        return "" if self.isolated else self.gateway


@dataclass(frozen=True, kw_only=True)
class Box:
    """A container."""

    name: str
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Its address in each network, by the network's name."""
    published: tuple[PublishedPort, ...] = ()
    host_network: bool = False


def first_network(box: Box, bridges: Mapping[str, Bridge]) -> Bridge | None:
    """The network of a container's default route, in which Docker also publishes its ports.

    One with a way out comes before internal ones, one with IPv6 before those without, then
    the names decide (seen on 20.10.24; without IPv6 on 28.5.2 too).
    """
    found = [bridges[name] for name in box.addresses]
    return min(found, key=lambda b: (b.internal, not b.gateway6, b.name), default=None)


def is_everywhere(published: PublishedPort) -> bool:
    """Whether a port is published on every IPv4 address of its host."""
    return published.address in (EVERYWHERE, EVERYWHERE_AND_IPV6)


def unpublished(
    bridges: Mapping[str, Bridge], target: Box, published: PublishedPort, address: str
) -> Leg | None:
    """Why a published port is not to be found at an IPv4 address of its host; None where it is."""
    gateway = first_network(target, bridges)
    if gateway is None or gateway.internal:
        return no(f"{target.name} is in internal networks only, where Docker publishes nothing")
    if gateway.isolated:
        return no(f"the host has no address in network {gateway.name}, by which {target.name} is published")
    if not is_everywhere(published) and published.address != address:
        return no(f"{published.external}/{published.protocol} is published on {published.address} only")
    return None
