"""Names: the public records of routes, and the resolver inside."""

from lab.names import owned_comment
from lab.plan.draft import Draft
from lab.plan.public_names import Publications
from lab.plan.records import DnsPlan, DnsRecordPlan, IngressPlan, Publication, ResolverPlan
from lab.plan.zones import public_zones, zone_of

_TUNNELS = "cfargotunnel.com"
"""Below this name each tunnel has one of its own (Cloudflare: Tunnel, DNS records)."""


def plan_dns(draft: Draft, ingress: IngressPlan | None, resolver: ResolverPlan | None) -> DnsPlan:
    """The public records of routes, beside the resolver inside."""
    dns = draft.config.dns
    published = dns.provider == "cloudflare" and ingress is not None and bool(ingress.entry_points)
    return DnsPlan(
        provider=dns.provider,
        zones=public_zones(draft),
        records=tuple(_records(draft, ingress)) if published and ingress is not None else (),
        resolver=resolver,
    )


def _records(draft: Draft, ingress: IngressPlan) -> list[DnsRecordPlan]:
    """One record for each host name, sorted, after the one for all."""
    records = []
    if draft.config.dns.records == "wildcard":
        everyone = all("internet" in route.audiences for route in ingress.routes)
        mode = Publications(draft).mode
        name = f"*.{draft.config.domain}"
        address = ingress.entry_points[0].address
        records.append(_record(draft, name, mode, address, everyone, "every route"))
    hosts = {route.host: route for route in reversed(ingress.routes)}
    for host, route in sorted(hosts.items()):
        if route.published not in ("none", "wildcard"):
            outside = any("internet" in r.audiences for r in ingress.routes if r.host == host)
            about = f"route to {route.target}"
            address = inside_address(ingress, route.audiences)
            records.append(_record(draft, host, route.published, address, outside, about))
    return records


def inside_address(ingress: IngressPlan, audiences: tuple[str, ...]) -> str:
    """The address at which the ingress serves these audiences, those inside first; empty where it has none.

    An ingress that is only observed may serve an audience that no entry point of it names: it is where it is.
    """
    ways = sorted(
        ingress.entry_points,
        key=lambda entry: (entry.audience not in audiences, entry.audience == "internet"),
    )
    return next((entry.address for entry in ways), "")


def _record(
    draft: Draft, name: str, publication: Publication, address: str, for_internet: bool, about: str
) -> DnsRecordPlan:
    zone, comment = zone_of(draft, name), owned_comment(draft.environment, about)
    if publication == "tunnel":
        content = f"{draft.config.dns.tunnel}.{_TUNNELS}"
        return DnsRecordPlan(
            name=name, zone=zone, type="CNAME", content=content, proxied=True, comment=comment
        )
    content = draft.config.dns.address if for_internet and draft.config.dns.address else address
    proxied = publication == "proxied"
    return DnsRecordPlan(name=name, zone=zone, type="A", content=content, proxied=proxied, comment=comment)
