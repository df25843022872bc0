"""Zones, authorisation and paths of the sandbox's Cloudflare."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import cloudflare
import pytest
import requests
from cloudflare import Cloudflare
from cloudflare.types.zones import Zone
from pydantic import TypeAdapter

from sandbox.cloudflare.server import application
from sandbox.conformance.serving import served_on_loopback
from sandbox.store import Store
from tests.sandbox.cloudflare.conftest import TOKEN, Send
from tests.support.shared import ROOT


def codes(envelope: dict[str, Any]) -> list[int]:
    """The error codes of an envelope."""
    return [error["code"] for error in envelope["errors"]]


def test_zones_are_found_by_name(client: Cloudflare, send: Send) -> None:
    """The plugin's query finds the zone; an unknown apex gives an empty list and no error."""
    envelope = send("GET", "/zones?name=example.org&match=all")[1]
    (zone,) = envelope["result"]
    TypeAdapter(Zone).validate_python(zone)
    assert envelope["result_info"]["total_count"] == 1
    found = client.zones.get(zone_id=zone["id"])
    assert found is not None
    assert found.name == "example.org"
    assert send("GET", "/zones?name=nope.org")[1]["result"] == []
    assert {one.name for one in client.zones.list()} == {"example.org", "dev.lab.example"}


def test_the_token_check(client: Cloudflare, send: Send) -> None:
    """The right token is active; a wrong one is 401 there."""
    verified = client.user.tokens.verify()
    assert verified is not None
    assert verified.status == "active"
    status, envelope = send("GET", "/user/tokens/verify", token="wrong")
    assert (status, codes(envelope)) == (401, [1000])


@pytest.mark.parametrize(
    ("token", "status", "code"), [(None, 400, 9106), ("wrong", 403, 9109), ("", 400, 6003)]
)
def test_only_the_token_opens(send: Send, token: str | None, status: int, code: int) -> None:
    """Without, with a wrong and with an empty token nothing is answered but the refusal."""
    got, envelope = send("GET", "/zones", token=token)
    assert (got, codes(envelope)[0], envelope["result"]) == (status, code, None)
    assert TOKEN not in str(envelope)


def test_the_official_client_understands_refusals(base: str) -> None:
    """A wrong token is a PermissionDeniedError of the official client."""
    with (
        Cloudflare(api_token="wrong", base_url=base, max_retries=0) as client,
        pytest.raises(cloudflare.PermissionDeniedError),
    ):
        client.zones.list()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/zones/x", 404, 7003),
        ("POST", "/zones/x/dns_records", 404, 7003),
        ("GET", "/nowhere", 404, 7003),
        ("GET", "/zones/" + "a" * 32, 403, 9109),
        ("GET", "/zones/" + "a" * 32 + "/dns_records", 403, 9109),
        ("DELETE", "/zones", 405, 10405),
    ],
)
def test_paths_that_do_not_exist(send: Send, method: str, path: str, status: int, code: int) -> None:
    """Unknown paths, malformed ids, unknown zones and wrong methods have their own refusals."""
    got, envelope = send(method, path, {} if method == "POST" else None)
    assert (got, codes(envelope)[0]) == (status, code)


def test_a_body_that_is_no_json(base: str, zone_id: str) -> None:
    """Broken JSON is a 400 of the API and not a crash."""
    answer = requests.post(
        f"{base}/zones/{zone_id}/dns_records",
        data="{",
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=5,
    )
    assert (answer.status_code, codes(answer.json())) == (400, [9207])


def test_state_survives_a_restart(tmp_path: Path) -> None:
    """Zones keep their ids and records when the API is started again over the same file."""
    seen: list[Any] = []
    for _ in range(2):
        store = Store(tmp_path / "state.db")
        with (
            served_on_loopback(application(store, token=TOKEN, zones=("example.org",))) as url,
            Cloudflare(api_token=TOKEN, base_url=f"{url}/client/v4", max_retries=0) as client,
        ):
            (zone,) = client.zones.list().result
            if not seen:
                client.dns.records.create(zone_id=zone.id, type="A", name="a", content="192.0.2.1", ttl=1)
            seen.append([zone.id, *(record.id for record in client.dns.records.list(zone_id=zone.id))])
        store.close()
    assert len(seen[0]) == 2
    assert seen[0] == seen[1]


def test_the_package_is_not_imported_at_start() -> None:
    """Importing the server does not import the official `cloudflare` package."""
    code = "import sys, sandbox.cloudflare.server; sys.exit('cloudflare' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=30, check=False)
    assert done.returncode == 0
