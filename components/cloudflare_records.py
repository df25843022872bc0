"""Cloudflare records from plan records, for the components that own some.

The Cloudflare SDK takes a second and 110 MB to import, so it is imported only when a
record is created. Cloudflare refuses two records of one name that exclude each other
(an A and a CNAME), so the old one goes first; names are full ones, as its API returns
them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pulumi

from lab.names import join
from lab.plan.records import DnsRecordPlan

if TYPE_CHECKING:
    from pulumi_cloudflare import DnsRecord

_AUTOMATIC = 1
"""The TTL that Cloudflare chooses; proxied records must have it."""


def zone_ids(parent: pulumi.ComponentResource, zones: Iterable[str]) -> Mapping[str, pulumi.Output[str]]:
    """The ids of zones by their names, each looked up once."""
    return {zone: _zone_id(parent, zone) for zone in sorted(set(zones))}


def _zone_id(parent: pulumi.ComponentResource, zone: str) -> pulumi.Output[str]:
    """The id of a zone by its name, looked up with the provider of the component."""
    import pulumi_cloudflare as cloudflare

    found = cloudflare.get_zone_output(
        filter=cloudflare.GetZoneFilterArgs(match="all", name=zone),
        opts=pulumi.InvokeOutputOptions(parent=parent),
    )
    return found.zone_id


def create_records(
    parent: pulumi.ComponentResource,
    name: str,
    records: Sequence[DnsRecordPlan],
    zones: Mapping[str, pulumi.Output[str]],
) -> "list[DnsRecord]":
    """Create records as children of a component, each in its zone.

    Args:
        parent: the component.
        name: its name, with which those of the records begin.
        records: what is created.
        zones: the id of each zone of a record, by its name.
    """
    seen: Counter[str] = Counter()
    created = []
    for record in records:
        kind = join("caa", record.content.partition(" ")[0]) if record.type == "CAA" else record.type.lower()
        label = join(name, record.name.replace("*", "wildcard"), kind)
        seen[label] += 1
        # Several records of one name and type are numbered in the order of the plan.
        created.append(
            _record(
                parent, join(label, str(seen[label]) if seen[label] > 1 else ""), zones[record.zone], record
            )
        )
    return created


def _record(
    parent: pulumi.ComponentResource, name: str, zone: pulumi.Input[str], record: DnsRecordPlan
) -> "DnsRecord":
    import pulumi_cloudflare as cloudflare

    tag, _, value = record.content.partition(" ")
    caa = record.type == "CAA"
    return cloudflare.DnsRecord(
        name,
        zone_id=zone,
        name=record.name,
        type=record.type,
        content=None if caa else record.content,
        data=cloudflare.DnsRecordDataArgs(flags=0, tag=tag, value=value) if caa else None,
        ttl=_AUTOMATIC,
        proxied=record.proxied,
        comment=record.comment or None,
        opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True),
    )
