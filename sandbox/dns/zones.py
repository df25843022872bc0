"""The zones that the name server answers for, as they are in the store at one moment."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import dns.name

from sandbox.cloudflare.zones import all_zones, records_collection
from sandbox.store import Transaction

Record = dict[str, Any]
"""A record as Cloudflare's API shows it."""


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A zone with its records.

    Attributes:
        apex: its name.
        name_servers: those that Cloudflare assigned to it.
        records: all of them, in the form of the API.
    """

    apex: dns.name.Name
    name_servers: tuple[dns.name.Name, ...]
    records: tuple[Record, ...] = field(repr=False)

    @cached_property
    def nodes(self) -> dict[dns.name.Name, list[Record]]:
        """The records of each name that exists: that of a record, the apex, and every name between the two.

        A name without a record of its own exists where a name below it does (RFC 4592, section 2.2.2).
        """
        found: dict[dns.name.Name, list[Record]] = {self.apex: []}
        for record in self.records:
            owner = dns.name.from_text(record["name"])
            found.setdefault(owner, []).append(record)
            while owner != self.apex:
                owner = owner.parent()
                found.setdefault(owner, [])
        return found


def read_zones(transaction: Transaction) -> tuple[Zone, ...]:
    """All zones of the Cloudflare account with their records."""
    return tuple(
        Zone(
            apex=dns.name.from_text(zone["name"]),
            name_servers=tuple(dns.name.from_text(name) for name in zone["name_servers"]),
            records=tuple(record for _, record in transaction.list(records_collection(zone["id"]))),
        )
        for zone in all_zones(transaction)
    )
