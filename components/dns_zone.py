"""The public records of the lab, in a zone that exists already.

Owns records and never the zone or its settings: those belong to whoever registered the
domain. An existing record of the same name is not adopted, the provider refuses it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.cloudflare_records import create_records, zone_id
from lab.plan.records import DnsPlan


@dataclass(frozen=True, kw_only=True)
class DnsZoneArgs:
    """The zone and its records."""

    dns: DnsPlan


class DnsZone(pulumi.ComponentResource):
    """Records in a Cloudflare zone."""

    zone_id: pulumi.Output[str]
    names: pulumi.Output[Sequence[str]]
    """The full names of the records, known once they exist."""

    def __init__(self, name: str, args: DnsZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("homelab:index:DnsZone", name, {}, opts)
        self.zone_id = zone_id(self, args.dns.zone)
        records = create_records(self, name, self.zone_id, args.dns.records)
        self.names = pulumi.Output.all(*(record.name for record in records))
        self.register_outputs({"zone_id": self.zone_id, "names": self.names})
