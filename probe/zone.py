"""What Cloudflare says about the zone and the token of a lab: what no plan knows of the certificate.

Only reads, with one exception that creates nothing: whether the token may write is asked by a record without a name,
which Cloudflare refuses for its rights where it may not, and for its form where it may.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.isolation.preflight import TOKEN, ZONE, Condition
from lab.isolation.verdict import Verdict
from lab.plan.certificate import AUTHORITY
from lab.plan.records import CertificatePlan

if TYPE_CHECKING:
    from cloudflare import APIStatusError, Cloudflare

CAA = "caa"
"""The condition about who may sign, and where the challenge is answered."""
SECONDS = 10.0
_NEW_TOKEN = (
    "make a token with Zone / Zone / Read and Zone / DNS / Edit for this one zone (dash.cloudflare.com, API tokens), "
    "and store it: pulumi config set --secret cloudflare-token"
)


@dataclass(frozen=True)
class _Zone:
    id: str
    name: str
    status: str


def zone_conditions(base_url: str, token: str, certificate: CertificatePlan) -> tuple[Condition, ...]:
    """Whether zone, token and CAA records let the certificate be signed.

    Args:
        base_url: of Cloudflare's API, such as `https://api.cloudflare.com/client/v4`.
        token: the lab's `cloudflare-token`; in no answer.
        certificate: what is asked for.
    """
    from cloudflare import APIConnectionError, APIStatusError, Cloudflare

    client = Cloudflare(api_token=token, base_url=base_url.rstrip("/"), timeout=SECONDS, max_retries=1)
    # What the environment may hold beside it is somebody else's.
    client.api_key = client.api_email = client.user_service_key = None
    try:
        return tuple(_asked(client, certificate))
    except APIConnectionError as error:
        cause = type(error.__cause__ or error).__name__
        return (
            _unknown(
                ZONE, f"{base_url} does not answer ({cause})", "see connections.cloudflare and the network"
            ),
        )
    except APIStatusError as error:
        return (
            _unknown(
                ZONE, f"Cloudflare refuses to tell: {_said(error)}", "try again, or see its status page"
            ),
        )
    finally:
        client.close()


def _asked(client: "Cloudflare", certificate: CertificatePlan) -> Iterator[Condition]:
    for name in certificate.zones:
        bases = {record.name for record in certificate.caa if record.zone == name}
        yield from _about(client, name, bases)


def _about(client: "Cloudflare", name: str, bases: set[str]) -> Iterator[Condition]:
    """What is said about one zone, and the base names of the certificate in it."""
    from cloudflare import APIStatusError

    try:
        zones = [_Zone(z.id, z.name, str(z.status)) for z in client.zones.list(name=name)]
    except APIStatusError as error:
        if error.status_code not in (400, 401, 403):
            raise
        yield _no(TOKEN, f"Cloudflare does not accept it: {_said(error)}", _NEW_TOKEN)
        return
    if not zones:
        yield _no(ZONE, f"the token sees no zone {name}", _NEW_TOKEN)
        return
    zone = zones[0]
    yield _active(zone)
    yield _may_write(client, zone)
    yield from _records(client, zone, bases)


def _active(zone: _Zone) -> Condition:
    if zone.status == "active":
        return Condition(what=ZONE, verdict=Verdict.yes, reason=f"{zone.name} is in the account, and active")
    return _no(
        ZONE,
        f"{zone.name} is {zone.status}: nobody asks Cloudflare for its names, so an authority sees no answer",
        "enter Cloudflare's name servers at the registrar of the domain",
    )


def _may_write(client: "Cloudflare", zone: _Zone) -> Condition:
    import httpx
    from cloudflare import APIStatusError

    nameless = {"type": "TXT"}
    try:
        client.post(f"/zones/{zone.id}/dns_records", cast_to=httpx.Response, body=nameless)
    except APIStatusError as error:
        if error.status_code in (401, 403):
            return _no(TOKEN, f"it may not write records of {zone.name}: {_said(error)}", _NEW_TOKEN)
        if error.status_code == 400:
            return Condition(
                what=TOKEN, verdict=Verdict.yes, reason=f"it reads {zone.name} and may write its records"
            )
        return _unknown(TOKEN, f"Cloudflare does not say whether it may write: {_said(error)}", "try again")
    return _unknown(
        TOKEN, "Cloudflare took a record without a name", "look for it in the zone, and report this"
    )


def _records(client: "Cloudflare", zone: _Zone, bases: set[str]) -> Iterator[Condition]:
    aliases = {record["name"] for record in _listed(client, zone, "CNAME")}
    away = {record["name"] for record in _listed(client, zone, "NS")} - {zone.name}
    problems = [problem for base in sorted(bases) if (problem := _obstacle(base, aliases, away)) is not None]
    for problem in problems:
        yield _no(CAA, problem, "change that record at Cloudflare, or choose other names for the certificate")
    if not problems:
        others = {_authority(record) for record in _listed(client, zone, "CAA") if record["name"] in bases}
        also = ", ".join(sorted(others - {AUTHORITY}))
        reason = f"with this lab's records {AUTHORITY} may sign"
        yield Condition(
            what=CAA,
            verdict=Verdict.yes,
            reason=f"{reason}, and by somebody else's records also {also}" if also else reason,
        )


def _obstacle(base: str, aliases: set[str], away: set[str]) -> str | None:
    """Why the lab's CAA records or its answer to the challenge would not be found."""
    if base in aliases:
        return f"{base} is an alias (CNAME), beside which no CAA record can stand (RFC 1034, 3.6.2)"
    elsewhere = next((name for name in sorted(away) if base == name or base.endswith(f".{name}")), None)
    if elsewhere is not None:
        return f"{elsewhere} is given to other name servers (NS), so the answer to the challenge would have to be there"
    return None


def _authority(record: dict[str, Any]) -> str:
    """Whom a CAA record names (RFC 8659, 4.2)."""
    return str(record["data"]["value"]).partition(";")[0].strip() or "nobody"


def _listed(client: "Cloudflare", zone: _Zone, kind: str) -> Iterator[dict[str, Any]]:
    types: Any = kind
    for record in client.dns.records.list(zone_id=zone.id, type=types):
        yield record.to_dict()


def _said(error: "APIStatusError") -> str:
    """Status, codes and texts of a refusal; none of them holds the token."""
    problems: Sequence[Any] = getattr(error, "errors", ())
    texts = [f"{p.code} {p.message}" for p in problems if getattr(p, "code", None) is not None]
    return f"{error.status_code} {'; '.join(texts)}".rstrip()


def _no(what: str, reason: str, repair: str) -> Condition:
    return Condition(what=what, verdict=Verdict.no, reason=reason, repair=repair)


def _unknown(what: str, reason: str, repair: str) -> Condition:
    return Condition(what=what, verdict=Verdict.unknown, reason=reason, repair=repair)
