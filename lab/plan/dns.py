"""Names: the public records of routes, and the resolver inside."""

from lab.plan.draft import Draft
from lab.plan.records import DnsPlan, DnsRecordPlan, IngressPlan


def public_zone(draft: Draft) -> str:
    """The zone that holds the lab's domain."""
    return draft.config.dns.zone or draft.config.domain


def plan_dns(draft: Draft, ingress: IngressPlan | None) -> DnsPlan:
    """The public records of routes, and the resolver inside."""
    dns = draft.config.dns
    inside = dns.internal
    zone = public_zone(draft)
    records = _records(draft, ingress) if dns.provider == "cloudflare" else ()
    for record in records:
        if record.name != zone and not record.name.endswith(f".{zone}"):
            draft.refuse(
                "dns.zone", f"{record.name} is not below {zone}", "name the zone that holds the lab's domain"
            )
    forward = inside.forward if inside else None
    return DnsPlan(
        provider=dns.provider,
        zone=zone,
        records=records,
        internal_software=inside.software if inside else None,
        internal_endpoint=inside.endpoint if inside else None,
        internal_zone=inside.zone if inside else None,
        forwards_to=forward.addresses if forward else (),
        forward_tls_name=forward.tls_name if forward else None,
        filters=inside.filters if inside else False,
    )


def _records(draft: Draft, ingress: IngressPlan | None) -> tuple[DnsRecordPlan, ...]:
    if ingress is None or not ingress.entry_points:
        return ()
    address = ingress.entry_points[0].address
    if draft.config.dns.records == "wildcard":
        return (
            DnsRecordPlan(name=f"*.{draft.config.domain}", type="A", content=address, comment="every route"),
        )
    if draft.config.dns.records == "none":
        return ()
    hosts: dict[str, DnsRecordPlan] = {}
    for route in ingress.routes:
        proxied = draft.config.dns.proxied and "internet" in route.audiences
        hosts[route.host] = DnsRecordPlan(
            name=route.host, type="A", content=address, proxied=proxied, comment=f"route to {route.target}"
        )
    return tuple(hosts[name] for name in sorted(hosts))
