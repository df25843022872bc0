"""The public records of the lab, in zones that exist already.

Owns records and never a zone or its settings: those belong to whoever registered the
domain. A record of the same name that is somebody else's is neither adopted nor joined:
the program looks for such records first (`components.foreign_records`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.cloudflare_records import create_records, zone_ids
from lab.plan.records import DnsPlan


@dataclass(frozen=True, kw_only=True)
class DnsZoneArgs:
    """The zones and their records."""

    dns: DnsPlan


class DnsZone(pulumi.ComponentResource):
    """Records in Cloudflare zones."""

    names: pulumi.Output[Sequence[str]]
    """The full names of the records, known once they exist."""

    def __init__(self, name: str, args: DnsZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("homelab:index:DnsZone", name, {}, opts)
        zones = zone_ids(self, (record.zone for record in args.dns.records))
        records = create_records(self, name, args.dns.records, zones)
        self.names = pulumi.Output.all(*(record.name for record in records))
        self.register_outputs({"names": self.names})
