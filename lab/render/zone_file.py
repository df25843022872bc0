"""Zone files (RFC 1035, section 5): the names that the resolver inside answers itself, and the way back.

The serial follows from the content, so that equal plans give equal files. It does not
grow, which only a secondary server would need, and nobody may transfer these zones.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address
from zlib import crc32

from lab.plan.records import ResolverPlan

_SECONDS = 300
"""How long an answer is kept: an address that moved is found again after five minutes."""


def zone_files(resolver: ResolverPlan) -> dict[str, str]:
    """The content of every zone by the zone's name, sorted.

    A name outside of the resolver's zone, such as a route's under another domain, is a zone of its own: the rest of
    that domain stays with whoever serves it.
    """
    records = _forward(resolver) | _reverse(resolver)
    return {zone: _zone_text(zone, resolver, records[zone]) for zone in sorted(records)}


def _forward(resolver: ResolverPlan) -> dict[str, list[str]]:
    zone = resolver.zone or ""
    found: dict[str, list[str]] = {zone: []}
    for name in resolver.names:
        inside = name.name == zone or name.name.endswith(f".{zone}")
        found.setdefault(zone if inside else name.name, []).append(
            f"{name.name}. A {name.address} ; {name.of}"
        )
    return found


def _reverse(resolver: ResolverPlan) -> dict[str, list[str]]:
    """One zone for each /24 in which a machine is, because names of zones end between two parts of an address."""
    found: dict[str, list[str]] = {}
    machines = [name for name in resolver.names if name.is_machine]
    for machine in sorted(machines, key=lambda name: IPv4Address(name.address)):
        pointer = IPv4Address(machine.address).reverse_pointer
        line = f"{pointer}. PTR {machine.name}."
        found.setdefault(pointer.partition(".")[2], []).append(line)
    return found


def _zone_text(zone: str, resolver: ResolverPlan, records: Iterable[str]) -> str:
    lines = [f"@ NS {resolver.name}.", *records]
    body = "\n".join(lines)
    serial = crc32(body.encode()) or 1
    head = [
        "; Rendered from the lab file.",
        f"$ORIGIN {zone}.",
        f"$TTL {_SECONDS}",
        # Refresh, retry and expire are for secondary servers, of which there are none.
        f"@ SOA {resolver.name}. hostmaster.{resolver.zone}. {serial} 3600 600 86400 {_SECONDS}",
    ]
    return "\n".join([*head, body, ""])
