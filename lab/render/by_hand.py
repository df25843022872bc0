"""The files that a person puts in place, because nothing of ours writes to that machine."""

from lab.plan.records import LabPlan
from lab.render.resolver import resolver_files


def files_by_hand(plan: LabPlan) -> dict[str, str]:
    """Every file by its machine and its place there, such as `dns/etc/bind/named.conf`."""
    resolver = plan.dns.resolver
    if resolver is None or resolver.endpoint.kind == "service":
        return {}
    return {f"{resolver.endpoint.name}{path}": text for path, text in resolver_files(resolver).items()}
