"""Zones with records as the Cloudflare API stores them, and questions about them."""

from typing import Any

import dns.name
from dns.rdatatype import RdataType

from sandbox.cloudflare.records import build
from sandbox.cloudflare.zones import create_zones, records_collection, zone_document
from sandbox.dns.answers import Found, find
from sandbox.dns.zones import Zone, read_zones
from sandbox.store import Store

APEXES = ("lab.example", "example.org", "sub.example.org")
SERIAL = 7


def fill(store: Store, *bodies: dict[str, Any]) -> None:
    """Put records into an account with the zones above: of each body the API makes a record of zone `zone`."""
    with store.transaction() as transaction:
        create_zones(transaction, APEXES)
        for body in bodies:
            zone = zone_document(body.get("zone", APEXES[0]))
            fields = {"ttl": 300} | {key: value for key, value in body.items() if key != "zone"}
            record = build(fields, zone, APEXES)
            transaction.put(records_collection(zone["id"]), record["id"], record)


def account(*bodies: dict[str, Any]) -> tuple[Zone, ...]:
    """The zones of an account with these records."""
    store = Store(":memory:")
    fill(store, *bodies)
    with store.transaction() as transaction:
        zones = read_zones(transaction)
    store.close()
    return zones


def asked(zones: tuple[Zone, ...], name: str, kind: str = "A") -> Found:
    """What is said about a name."""
    return find(zones, dns.name.from_text(name), RdataType[kind], SERIAL)


def said(zones: tuple[Zone, ...], name: str, kind: str = "A") -> list[str]:
    """The answer, a line for each record, as a zone file has it."""
    return [line for rrset in asked(zones, name, kind).answer for line in rrset.to_text().splitlines()]


def outcome(zones: tuple[Zone, ...], name: str, kind: str = "A") -> tuple[str, list[str], bool]:
    """The code, the owners and types in the authority section, and whether it is said with authority."""
    found = asked(zones, name, kind)
    authority = [f"{rrset.name} {rrset.rdtype.name}" for rrset in found.authority]
    return found.rcode.name, authority, found.is_authoritative
