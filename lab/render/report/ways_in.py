"""The sections about how one gets in: the ingress, names, and the tailnet."""

from collections.abc import Iterator
from ipaddress import IPv4Address

from lab.plan.records import DnsRecordPlan, EntryPointPlan, IngressPlan, LabPlan, ResolverPlan, RoutePlan
from lab.render.report.words import remark
from lab.render.table import table


def edge(plan: LabPlan) -> Iterator[list[str]]:
    """The ingress and its routes."""
    ingress = plan.ingress
    if ingress is None:
        return
    state = "" if ingress.managed else ", observed"
    head = [
        f"Ingress: {ingress.software} on {ingress.host}, tls {ingress.tls}{state}{remark(ingress.description)}"
    ]
    head += [f"  {entry.audience}: {_way_in(entry)}" for entry in ingress.entry_points]
    head += _protection(ingress)
    yield head
    rows = [
        (
            _address(r),
            str(r.target),
            ", ".join(r.audiences),
            r.auth,
            r.covered_by or "-",
        )
        for r in ingress.routes
    ]
    if rows:
        yield ["Routes", *table(rows, head=("url", "to", "audience", "asks for", "certificate"))]


def _way_in(entry: EntryPointPlan) -> str:
    place = (
        f"{entry.address}:{entry.port}" if entry.published else f"port {entry.port}, through the tunnel only"
    )
    return place if entry.redirect is None else f"{place}, redirected to from port {entry.redirect}"


def _address(route: RoutePlan) -> str:
    own = f":{route.entry}" if route.own_port else ""
    return f"{route.scheme}://{route.host}{own}{route.path or ''}"


def _protection(ingress: IngressPlan) -> list[str]:
    lines = []
    if ingress.auth_kind:
        lines.append(f"  authentication: {ingress.auth_kind} at {ingress.auth_url}")
    if ingress.ips:
        asked = "asked about every visitor" if ingress.crowdsec else "which reads logs"
        lines.append(f"  intrusion prevention: {ingress.ips}, {asked}")
    if ingress.tunnel:
        lines.append(f"  the tunnel is opened by {ingress.tunnel} ({', '.join(ingress.trusted_upstreams)})")
    elif ingress.trusted_upstreams:
        lines.append(f"  TLS ends upstream at {', '.join(ingress.trusted_upstreams)}")
    if ingress.rate_limit:
        lines.append(f"  rate limit: {ingress.rate_limit} requests a second")
    return lines


def names(plan: LabPlan) -> Iterator[list[str]]:
    """Certificate, public names, resolver and tailnet."""
    if plan.certificate is not None:
        c = plan.certificate
        minted = f", with a token that is minted with {c.mint.maker.name}" if c.mint is not None else ""
        how = (
            f"by DNS-01 at {c.dns}{minted}"
            if c.pair is None
            else f"as the secrets {c.pair.certificate.name} and {c.pair.key.name}"
        )
        yield [f"Certificate: {', '.join(c.names)} from {c.ca} {how}"]
    dns = plan.dns
    if dns.records:
        head = ("name", "type", "leads to", "zone", "")
        rows = [(r.name, r.type, r.content, r.zone, _record_facts(r)) for r in dns.records]
        yield [f"Public names: {dns.provider}", *table(rows, head=head)]
    if dns.resolver is not None:
        yield _resolver(dns.resolver)
    if plan.tailnet is not None:
        t = plan.tailnet
        groups = [f"  group {name}: {', '.join(users)}" for name, users in t.groups.items()]
        routes = [f"  route {route}, approved for {tag}" for route, tag in t.routes.items()]
        grants = [f"  {', '.join(g.sources)} may use {g.destination} {' '.join(g.ports)}" for g in t.grants]
        shells = [
            f"  {', '.join(s.sources)} may have a shell on {', '.join(s.tags)} as {', '.join(s.users)} ({s.action})"
            for s in t.ssh
        ]
        names = (
            [f"  names below {t.split_dns.domain} are asked of {t.split_dns.nameserver}"]
            if t.split_dns
            else []
        )
        members = [f"  members: {', '.join(map(str, t.members))}"] if t.members else []
        yield [f"Tailnet{remark(t.description)}", *groups, *routes, *grants, *shells, *names, *members]


def _record_facts(record: DnsRecordPlan) -> str:
    private = record.type == "A" and IPv4Address(record.content).is_private
    return "; ".join(
        filter(None, ("proxied" if record.proxied else "", "private address" if private else ""))
    )


def _resolver(resolver: ResolverPlan) -> list[str]:
    forward = f", forwards to {' '.join(resolver.forwards_to)}" if resolver.forwards_to else ""
    tls = f" over TLS as {resolver.forward_tls_name}" if resolver.forward_tls_name else ""
    zone = f", zone {resolver.zone}" if resolver.zone else ""
    filters = ", filters advertisers and malware" if resolver.filters else ""
    head = f"Resolver: {resolver.software} at {resolver.endpoint}{zone}{forward}{tls}{filters}"
    rows = [(name.name, name.address, name.of) for name in resolver.names]
    return [head, *table(rows, head=("name inside", "leads to", "what"))] if rows else [head]
