"""Findings about public names: what tells the world an address inside, for nobody's good."""

from collections.abc import Iterator
from ipaddress import IPv4Address

from lab.isolation.findings.finding import Finding
from lab.isolation.proof import Proof
from lab.plan.records import DnsRecordPlan


def public_names(proof: Proof) -> Iterator[Finding]:
    """Records with a private address: the internet gets nowhere by them, and those inside may not need them."""
    plan = proof.plan
    resolver = plan.dns.resolver
    inside = {name.name for name in resolver.names} if resolver else set()
    for record in plan.dns.records:
        if not _is_private(record):
            continue
        if _is_for_internet(proof, record):
            yield Finding(
                kind="public-name-leads-inside",
                where=f"record {record.name}",
                problem=f"{record.name} is for the internet and leads to {record.content}, a private address",
                consequence="nobody outside gets there",
                repair="write the address that the internet sees under dns.address, or mode: tunnel",
            )
        elif record.name in inside:
            yield Finding(
                kind="needless-public-name",
                where=f"record {record.name}",
                problem=f"{record.name} leads to {record.content}, a private address that everybody may read, "
                "and the resolver inside answers the same",
                consequence="whoever looks learns which services there are and where",
                repair="write dns: none at the route, or records: none under dns of the lab",
            )


def _is_private(record: DnsRecordPlan) -> bool:
    return record.type == "A" and IPv4Address(record.content).is_private


def _is_for_internet(proof: Proof, record: DnsRecordPlan) -> bool:
    ingress = proof.plan.ingress
    wildcard = record.name.startswith("*.")
    return ingress is not None and any(
        "internet" in route.audiences
        for route in ingress.routes
        if route.host == record.name or (wildcard and route.published == "wildcard")
    )
