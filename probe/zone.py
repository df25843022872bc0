"""What Cloudflare says about the zone and the token of a lab: what no plan knows of the certificate.

Only reads, with two exceptions that create nothing: whether a token may write is asked by a record without a name, and
whether one may make tokens by a token without one, which Cloudflare refuses for the rights where it may not, and for
the form where it may.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.isolation.preflight import MINT, TOKEN, ZONE, Condition
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
_NEW_MAKER = (
    "make one with User / API Tokens / Edit and nothing else (dash.cloudflare.com, API tokens), and store it as the "
    "secret that certificate.mint-token names; or remove mint-token"
)
_BAD_REQUEST = 400


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
    return _conditions(base_url, token, ZONE, lambda client: _asked(client, certificate))


def minting_conditions(base_url: str, maker: str) -> tuple[Condition, ...]:
    """Whether a credential may make tokens, asked by one without a name, which Cloudflare never makes.

    Args:
        base_url: of Cloudflare's API.
        maker: the credential; in no answer.
    """
    return _conditions(base_url, maker, MINT, _may_mint)


def _conditions(
    base_url: str, token: str, what: str, ask: Callable[["Cloudflare"], Iterator[Condition]]
) -> tuple[Condition, ...]:
    """What is asked with a token; a silent API leaves one condition undecided."""
    from cloudflare import APIConnectionError, APIStatusError, Cloudflare

    client = Cloudflare(api_token=token, base_url=base_url.rstrip("/"), timeout=SECONDS, max_retries=1)
    # What the environment may hold beside it is somebody else's.
    client.api_key = client.api_email = client.user_service_key = None
    try:
        return tuple(ask(client))
    except APIConnectionError as error:
        cause = type(error.__cause__ or error).__name__
        return (
            _unknown(
                what, f"{base_url} does not answer ({cause})", "see connections.cloudflare and the network"
            ),
        )
    except APIStatusError as error:
        return (
            _unknown(
                what, f"Cloudflare refuses to tell: {_said(error)}", "try again, or see its status page"
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
        if error.status_code == _BAD_REQUEST:
            return Condition(
                what=TOKEN, verdict=Verdict.yes, reason=f"it reads {zone.name} and may write its records"
            )
        return _unknown(TOKEN, f"Cloudflare does not say whether it may write: {_said(error)}", "try again")
    return _unknown(
        TOKEN, "Cloudflare took a record without a name", "look for it in the zone, and report this"
    )


def _may_mint(client: "Cloudflare") -> Iterator[Condition]:
    import httpx
    from cloudflare import APIStatusError

    try:
        client.post("/user/tokens", cast_to=httpx.Response, body={})
    except APIStatusError as error:
        if error.status_code in (401, 403):
            yield _no(MINT, f"the credential may not make tokens: {_said(error)}", _NEW_MAKER)
            return
        if error.status_code != _BAD_REQUEST:
            raise
        yield Condition(
            what=MINT, verdict=Verdict.yes, reason="the credential may make tokens, any of its owner"
        )
        return
    yield _unknown(
        MINT, "Cloudflare made a token without a name", "look for it in your profile, and report this"
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
