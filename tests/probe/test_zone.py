"""What Cloudflare says about token, zone and records: each obstacle, at the sandbox's API."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import web
from cloudflare import Cloudflare

from lab.plan.records import CertificatePlan, DnsRecordPlan
from probe.zone import minting_conditions, zone_conditions
from sandbox.cloudflare.server import application
from sandbox.conformance.serving import served_on_loopback
from sandbox.store import Store

TOKEN = "a-token-that-opens"


def certificate(base: str, zone: str) -> CertificatePlan:
    """A wildcard below a name in a zone."""
    record = DnsRecordPlan(name=base, zone=zone, type="CAA", content="issue letsencrypt.org")
    return CertificatePlan(names=(f"*.{base}",), caa=(record,))


WANTED = certificate("dev.lab.example", "lab.example")
CLEAR = [
    ("zone", "yes", "lab.example is in the account, and active"),
    ("token", "yes", "it reads lab.example and may write its records"),
    ("caa", "yes", "with this lab's records letsencrypt.org may sign"),
]


@contextmanager
def account(*records: dict[str, Any]) -> Iterator[str]:
    """The base URL of an account with the zone and some records of somebody else."""
    app = application(Store(":memory:"), token=TOKEN, zones=("lab.example",))
    with served_on_loopback(app) as url:
        base = f"{url}/client/v4"
        with Cloudflare(api_token=TOKEN, base_url=base, max_retries=0) as client:
            (zone,) = client.zones.list().result
            for record in records:
                client.post(f"/zones/{zone.id}/dns_records", cast_to=object, body={"ttl": 1} | record)
        yield base


def said(base: str, token: str = TOKEN, wanted: CertificatePlan = WANTED) -> list[tuple[str, str, str]]:
    """Each condition with its verdict and reason."""
    found = zone_conditions(base, token, wanted)
    assert all(one.repair for one in found if one.verdict != "yes")
    assert token not in repr(found)
    return [(one.what, str(one.verdict), one.reason) for one in found]


def caa(name: str, value: str) -> dict[str, Any]:
    """A CAA record."""
    return {"type": "CAA", "name": name, "data": {"flags": 0, "tag": "issue", "value": value}}


def test_nothing_is_in_the_way_and_nothing_is_written() -> None:
    """Asking whether the token may write leaves the zone as it was."""
    with account() as base:
        assert said(base) == CLEAR
        with Cloudflare(api_token=TOKEN, base_url=base) as client:
            (zone,) = client.zones.list().result
            assert list(client.dns.records.list(zone_id=zone.id)) == []


def test_a_revoked_token() -> None:
    """Nothing else can be asked with it."""
    with account() as base:
        assert said(base, "another") == [
            (
                "token",
                "no",
                "Cloudflare does not accept it: 403 9109 Invalid access token; 10000 Authentication error",
            )
        ]


def test_a_zone_that_the_token_does_not_see() -> None:
    """Somebody else's, or none."""
    with account() as base:
        other = certificate("other.example", "other.example")
        assert said(base, wanted=other) == [("zone", "no", "the token sees no zone other.example")]


def test_a_token_that_only_reads() -> None:
    """Found out without writing anything."""
    app = application(Store(":memory:"), token=TOKEN, zones=("lab.example",))
    app.middlewares.append(_read_only)
    with served_on_loopback(app) as url:
        found = said(f"{url}/client/v4")
    reason = "it may not write records of lab.example: 403 10000 Authentication error"
    assert found == [CLEAR[0], ("token", "no", reason), CLEAR[2]]


@web.middleware
async def _read_only(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    if request.method == "GET":
        return await handler(request)
    refusal = {
        "success": False,
        "errors": [{"code": 10000, "message": "Authentication error"}],
        "result": None,
    }
    return web.json_response(refusal, status=403)


@pytest.mark.parametrize(
    ("record", "verdict", "reason"),
    [
        (caa("lab.example", "digicert.com"), "yes", CLEAR[2][2]),
        (
            caa("dev.lab.example", "digicert.com; policy=ev"),
            "yes",
            f"{CLEAR[2][2]}, and by somebody else's records also digicert.com",
        ),
        (
            {"type": "CNAME", "name": "dev.lab.example", "content": "home.example.net"},
            "no",
            "dev.lab.example is an alias (CNAME), beside which no CAA record can stand (RFC 1034, 3.6.2)",
        ),
        (
            {"type": "NS", "name": "dev.lab.example", "content": "ns.example.net"},
            "no",
            "dev.lab.example is given to other name servers (NS), "
            "so the answer to the challenge would have to be there",
        ),
        ({"type": "NS", "name": "away.lab.example", "content": "ns.example.net"}, "yes", CLEAR[2][2]),
    ],
)
def test_a_record_of_somebody_else(record: dict[str, Any], verdict: str, reason: str) -> None:
    """The lab adds CAA records of its own, so others may sign too; what those cannot mend is told."""
    with account(record) as base:
        assert said(base) == [*CLEAR[:2], ("caa", verdict, reason)]


def test_nobody_answers() -> None:
    """An API out of reach decides nothing."""
    with account() as base:
        pass
    ((what, verdict, reason),) = said(base)
    assert (what, verdict) == ("zone", "cannot tell")
    assert reason.startswith(f"{base} does not answer (")


@pytest.mark.parametrize(
    ("credential", "verdict", "reason"),
    [
        ("maker", "yes", "the credential may make tokens, any of its owner"),
        (
            TOKEN,
            "no",
            "the credential may not make tokens: 403 9109 Unauthorized to access requested resource",
        ),
        (
            "another",
            "no",
            "the credential may not make tokens: 403 9109 Invalid access token; 10000 Authentication error",
        ),
    ],
)
def test_whether_a_credential_may_make_tokens(credential: str, verdict: str, reason: str) -> None:
    """Found out without making one; the credential is in no answer."""
    app = application(Store(":memory:"), token=TOKEN, maker="maker", zones=("lab.example",))
    with served_on_loopback(app) as url:
        (found,) = minting_conditions(f"{url}/client/v4", credential)
        with Cloudflare(api_token="maker", base_url=f"{url}/client/v4") as client:
            assert list(client.user.tokens.list()) == []
    assert (found.what, str(found.verdict), found.reason) == ("minted token", verdict, reason)
    assert bool(found.repair) == (verdict == "no")


def test_a_silent_api_does_not_say_whether_a_credential_may_make_tokens() -> None:
    """One condition that nobody can tell, of the token and not of the zone."""
    (found,) = minting_conditions("http://127.0.0.1:1/client/v4", "maker")
    assert (found.what, str(found.verdict)) == ("minted token", "cannot tell")
