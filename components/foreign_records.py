"""Public records that are not this environment's, found before anything is created.

Cloudflare takes a second A record of a name and answers with both, so that half of the
visitors would go elsewhere, and it refuses an identical one only when half of the lab
exists. So the zones are read first, with the lab's own provider. A record is this
environment's when its comment begins with its mark, which is written in the same
request as the record: it is there after a killed run too, when no state knows of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pulumi

from components.refusals import Refused, asked
from lab.errors import Issue, LabError
from lab.names import owner_mark
from lab.plan.records import DnsRecordPlan, LabPlan

_ADDRESSES = frozenset({"A", "AAAA", "CNAME"})
"""What leads a visitor somewhere; any two of these of one name get in each other's way."""
_READS, _WRITES = "#dns_records:read", "#dns_records:edit"
_REFUSED = ("403", "401", "authentication error", "unauthorized", "invalid access token")
_ALL = 1_000_000
"""More records than a zone may hold; without a number the provider stops at 1,000 and says nothing."""


@dataclass(frozen=True, kw_only=True)
class ExistingRecord:
    """A record as the zone has it."""

    name: str
    type: str
    content: str
    comment: str

    def __str__(self) -> str:
        return f"{self.name} {self.type} {self.content}"


class ZoneProblems(LabError):
    """Public zones that cannot be read, or hold somebody else's records under the lab's names."""

    headline = "the public zones have"


def refuse_foreign_records(plan: LabPlan, provider: pulumi.ProviderResource | None) -> None:
    """Stop where a name of the lab is taken in a public zone, or a zone cannot be read.

    Raises:
        ZoneProblems: with every such record and zone.
    """
    wanted = [
        *(plan.dns.records if plan.dns.managed else ()),
        *(plan.certificate.caa if plan.certificate else ()),
    ]
    if provider is None:
        return
    issues: list[Issue] = []
    for zone in sorted({record.zone for record in wanted}):
        try:
            existing = _records_of(zone, provider)
        except _Unreadable as problem:
            issues.append(problem.issue)
            continue
        issues += in_the_way([record for record in wanted if record.zone == zone], existing, plan.environment)
    if issues:
        raise ZoneProblems(issues)


def in_the_way(
    wanted: Iterable[DnsRecordPlan], existing: Sequence[ExistingRecord], environment: str
) -> Iterator[Issue]:
    """The records of others under names of the lab.

    Args:
        wanted: the records of the lab in one zone.
        existing: everything in that zone.
        environment: the lab's environment, whose own records are none of these.
    """
    mark = owner_mark(environment)
    others: dict[str, list[ExistingRecord]] = {}
    for found in existing:
        if not found.comment.startswith(mark):
            others.setdefault(found.name, []).append(found)
    for record in wanted:
        for other in others.get(record.name, ()):
            if _collide(record, other):
                yield _issue(other, record, mark)


def _collide(record: DnsRecordPlan, other: ExistingRecord) -> bool:
    if record.type in _ADDRESSES:
        return other.type in _ADDRESSES
    # Several authorities may be named side by side; only the very same record cannot be there twice.
    tag, _, value = record.content.partition(" ")
    return other.type == record.type and other.content.split() == ["0", tag, f'"{value}"']


def _issue(other: ExistingRecord, record: DnsRecordPlan, mark: str) -> Issue:
    whose = f'its comment is "{other.comment}"' if other.comment else "it has no comment"
    return Issue(
        path=f"zone {record.zone}",
        problem=f"{other} exists and was not created by this environment ({whose})",
        repair=f'delete it, or choose another name; if it is this lab\'s, begin its comment with "{mark}"',
    )


class _Unreadable(Exception):
    def __init__(self, issue: Issue) -> None:
        self.issue = issue


def _records_of(zone: str, provider: pulumi.ProviderResource) -> list[ExistingRecord]:
    """Everything in a zone, asked now: the program waits, because nothing may be registered before the answer."""
    import pulumi_cloudflare as cloudflare

    options = pulumi.InvokeOptions(provider=provider)
    try:
        wanted = cloudflare.GetZoneFilterArgs(match="all", name=zone)
        found = asked(lambda: cloudflare.get_zone(filter=wanted, opts=options))
        listed = asked(
            lambda: cloudflare.get_dns_records(zone_id=found.zone_id, max_items=_ALL, opts=options)
        )
    except Refused as refusal:
        raise _Unreadable(_unreadable(zone, str(refusal))) from None
    # Read past the SDK, which warns of it: the list is an old one, and says so where it is about another thing.
    rights = pulumi.get(found, "permissions") or ()
    if _READS in rights and _WRITES not in rights:
        raise _Unreadable(_no_rights(zone, f"it may read records and not write them ({_READS})"))
    return [
        ExistingRecord(name=r.name, type=r.type, content=r.content or "", comment=r.comment or "")
        for r in listed.results
    ]


def _unreadable(zone: str, text: str) -> Issue:
    """Why a zone could not be read, in words that its owner can act on; what the API said is kept."""
    if "exactly one" in text:
        return Issue(
            path=f"zone {zone}",
            problem=f"the account of the token has no such zone, or the token may not see it ({text})",
            repair="write the zone under dns.zone or dns.zones as the dashboard shows it, or give the token "
            "Zone Read for it",
        )
    if any(word in text.lower() for word in _REFUSED):
        return _no_rights(zone, text)
    return Issue(
        path=f"zone {zone}",
        problem=f"it cannot be read: {text}",
        repair="see whether the API is reachable from here (connections.cloudflare), and try again",
    )


def _no_rights(zone: str, text: str) -> Issue:
    return Issue(
        path=f"zone {zone}",
        problem=f"Cloudflare refuses the token cloudflare-token: {text}",
        repair="make a token with Zone Read and DNS Edit for this zone, and "
        "`pulumi config set --secret cloudflare-token`",
    )
