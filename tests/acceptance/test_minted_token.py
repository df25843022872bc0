"""The life of a minted token, with the real engine, the plugin and the API: made, kept, replaced, revoked."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.cloudflare.server import application
from sandbox.conformance.serving import served_on_loopback
from sandbox.store import Store
from tests.acceptance.alone import Alone, alone

pytestmark = pytest.mark.engine

TOKEN, MAKER = "the-token-of-the-lab", "the-credential-that-makes-tokens"
ZONES = ("lab.example", "other.example")
PROGRAM = """
import os

import pulumi
import pulumi_cloudflare as cloudflare

from components import WildcardCert, WildcardCertArgs
from lab.plan.records import CertificatePlan, DnsRecordPlan, MintPlan, SecretRef

url = os.environ["API"]
zones = cloudflare.Provider("zones", base_url=url, api_token=pulumi.Output.secret(os.environ["ZONE_TOKEN"]))
maker = cloudflare.Provider("maker", base_url=url, api_token=pulumi.Output.secret(os.environ["MAKER"]))
names = [line for line in open("names").read().split()]
caa = tuple(
    DnsRecordPlan(name=name, zone=name.partition(".")[2], type="CAA", content="issue letsencrypt.org") for name in names
)
mint = MintPlan(name="homelab/alone: DNS-01", maker=SecretRef("m"))
certificate = CertificatePlan(names=tuple(f"*.{name}" for name in names), caa=caa, mint=mint)
args = WildcardCertArgs(certificate=certificate, maker=maker)
made = WildcardCert("certificate", args, pulumi.ResourceOptions(providers=[zones]))
pulumi.export("token", made.dns_token)
"""


@dataclass(kw_only=True)
class Place:
    """A folder with a certificate and its state, and the account in which its token is."""

    engine: Alone
    url: str
    wrote: list[str] = field(default_factory=list)
    """The writes about tokens, in order."""

    def names(self, *names: str) -> None:
        """What the certificate covers, a wildcard below each."""
        (self.engine.folder / "names").write_text("\n".join(names))

    @property
    def token(self) -> str:
        """The minted token, as somebody with the passphrase sees it."""
        done = self.engine.pulumi("stack", "output", "token", "--show-secrets")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def tokens(self) -> list[dict[str, Any]]:
        """Every token that the account has."""
        answer = requests.get(
            f"{self.url}/user/tokens", headers={"Authorization": f"Bearer {MAKER}"}, timeout=5
        )
        found: list[dict[str, Any]] = answer.json()["result"]
        return found

    def opens(self, token: str) -> list[str]:
        """The zones that a token opens."""
        answer = requests.get(f"{self.url}/zones", headers={"Authorization": f"Bearer {token}"}, timeout=5)
        return [zone["name"] for zone in answer.json()["result"] or ()]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A certificate in one of the two zones of an account."""
    (tmp_path / "__main__.py").write_text(PROGRAM)
    runtime = {"name": "python", "options": {"virtualenv": ".venv"}}
    (tmp_path / "Pulumi.yaml").write_text(json.dumps({"name": "homelab", "runtime": runtime}))
    app, wrote = application(Store(":memory:"), token=TOKEN, maker=MAKER, zones=ZONES), []

    @web.middleware
    async def noted(request: web.Request, handler: Handler) -> web.StreamResponse:
        if "/user/tokens" in request.path and request.method != "GET":
            wrote.append(request.method)
        return await handler(request)

    app.middlewares.append(noted)
    with served_on_loopback(app) as server:
        url = f"{server}/client/v4"
        variables = {"API": url, "ZONE_TOKEN": TOKEN, "MAKER": MAKER}
        found = Place(engine=alone(tmp_path, "cloudflare", url, variables), url=url, wrote=wrote)
        found.names("dev.lab.example")
        yield found


def test_the_life_of_a_minted_token(place: Place) -> None:
    """Made for its zone, unchanged by a refresh, replaced for another zone before the old one ends, and revoked."""
    said = [place.engine.up()]
    first = place.token
    assert place.opens(first) == ["lab.example"]
    said.append(again := place.engine.up("--refresh"))
    assert "unchanged" in again
    assert place.wrote == ["POST"]

    place.names("dev.lab.example", "dev.other.example")
    said.append(place.engine.up())
    second = place.token
    assert place.wrote == ["POST", "POST", "DELETE"]
    assert (place.opens(first), place.opens(second)) == ([], ["lab.example", "other.example"])
    assert [token["name"] for token in place.tokens()] == ["homelab/alone: DNS-01"]

    done = place.engine.pulumi("destroy", "--yes")
    said.append(done.stdout + done.stderr)
    assert done.returncode == 0, said[-1]
    assert place.tokens() == []
    assert not any(secret in text for secret in (first, second, TOKEN, MAKER) for text in said)


def test_a_token_is_rotated_by_hand(place: Place) -> None:
    """`pulumi up --replace` of the one resource makes another with the same rights, and then revokes the old one."""
    place.engine.up()
    first = place.token
    urns = place.engine.pulumi("stack", "--show-urns").stdout.split()
    (urn,) = [word for word in urns if word.endswith("::certificate-dns-token")]
    place.engine.up("--replace", urn)
    assert place.wrote == ["POST", "POST", "DELETE"]
    assert (place.opens(first), place.opens(place.token)) == ([], ["lab.example"])


def test_a_token_that_somebody_revoked_is_made_anew(place: Place) -> None:
    """A refresh finds that it is gone; there is nothing to revoke then."""
    place.engine.up()
    (token,) = place.tokens()
    headers = {"Authorization": f"Bearer {MAKER}"}
    requests.delete(f"{place.url}/user/tokens/{token['id']}", headers=headers, timeout=5).raise_for_status()
    place.engine.up("--refresh")
    assert place.wrote == ["POST", "DELETE", "POST"]
    assert place.opens(place.token) == ["lab.example"]


def test_the_value_is_encrypted_in_the_state(place: Place) -> None:
    """Neither the minted token nor the credential is in any file of the state in clear."""
    place.engine.up()
    value = place.token
    texts = [file.read_bytes() for file in (place.engine.folder / "state").rglob("*") if file.is_file()]
    assert any(b"certificate-dns-token" in text for text in texts)
    assert not any(secret.encode() in text for secret in (value, MAKER, TOKEN) for text in texts)
