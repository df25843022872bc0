"""API tokens of the sandbox's Cloudflare: minted, used, changed and revoked, and what they open."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cloudflare import Cloudflare
from cloudflare.types.user import TokenCreateResponse

from sandbox.cloudflare.rights import GROUPS
from sandbox.cloudflare.server import ROUTES, application
from sandbox.cloudflare.zones import zone_document
from sandbox.conformance.serving import served_on_loopback
from sandbox.store import Store
from tests.sandbox.cloudflare.conftest import MAKER, TOKEN, Send
from tests.sandbox.cloudflare.test_access import codes
from tests.support.shared import shared_path

HERE, ELSEWHERE = (zone_document(name)["id"] for name in ("example.org", "dev.lab.example"))
IDS = {group.name: identifier for identifier, group in GROUPS.items()}
NOW = datetime.now(UTC)


def policy(*names: str, zone: str = HERE, effect: str = "allow") -> dict[str, Any]:
    """A policy of some permission groups on one zone."""
    return {
        "effect": effect,
        "permission_groups": [{"id": IDS[name]} for name in names],
        "resources": {f"com.cloudflare.api.account.zone.{zone}": "*"},
    }


def body(*policies: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A token that answers the challenges of one zone, unless other policies are given."""
    return {"name": "dns01", "policies": list(policies) or [policy("Zone Read", "DNS Write")], **more}


def minted(send: Send, *policies: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A new token, with its value."""
    status, envelope = send("POST", "/user/tokens", body(*policies, **more), token=MAKER)
    assert status == 200, envelope
    made: dict[str, Any] = envelope["result"]
    return made


def writes(send: Send, token: str, zone: str = HERE) -> tuple[int, list[int]]:
    """Status and codes of writing a record."""
    record = {"type": "TXT", "name": "_acme-challenge", "content": "x", "ttl": 60}
    status, envelope = send("POST", f"/zones/{zone}/dns_records", record, token=token)
    return status, codes(envelope)


def reads(send: Send, token: str, zone: str = HERE) -> int:
    """The status of reading records."""
    return send("GET", f"/zones/{zone}/dns_records", token=token)[0]


def test_a_minted_token_opens_its_zone_alone(send: Send) -> None:
    """It sees its zone and writes records there; the other one is neither listed, shown, read nor written."""
    value = minted(send)["value"]
    zones = send("GET", "/zones", token=value)[1]["result"]
    assert [zone["name"] for zone in zones] == ["example.org"]
    assert writes(send, value) == (200, [])
    assert reads(send, value) == 200
    assert send("GET", "/zones?name=dev.lab.example", token=value)[1]["result"] == []
    status, envelope = send("GET", f"/zones/{ELSEWHERE}", token=value)
    assert (status, codes(envelope)) == (403, [9109])
    assert writes(send, value, ELSEWHERE) == (403, [10000])
    assert reads(send, value, ELSEWHERE) == 403


def test_a_right_is_not_another(send: Send) -> None:
    """Who reads records writes none, and who may not see zones lists none."""
    value = minted(send, policy("DNS Read"))["value"]
    assert reads(send, value) == 200
    assert writes(send, value) == (403, [10000])
    status, envelope = send("GET", "/zones", token=value)
    assert (status, codes(envelope)) == (403, [9109])
    assert writes(send, minted(send, policy("Zone Read"))["value"]) == (403, [10000])


def test_a_denial_is_stronger(send: Send) -> None:
    """What one policy takes, another does not give back."""
    every = {**policy("DNS Write"), "resources": {"com.cloudflare.api.account.zone.*": "*"}}
    value = minted(send, every, policy("DNS Write", zone=ELSEWHERE, effect="deny"))["value"]
    assert writes(send, value) == (200, [])
    assert writes(send, value, ELSEWHERE) == (403, [10000])


@pytest.mark.parametrize(
    "more",
    [
        {"status": "disabled"},
        {"expires_on": (NOW - timedelta(minutes=1)).isoformat()},
        {"not_before": (NOW + timedelta(hours=1)).isoformat()},
        {"condition": {"request_ip": {"in": ["203.0.113.0/24"]}}},
        {"condition": {"request_ip": {"not_in": ["127.0.0.0/8"]}}},
    ],
)
def test_a_token_that_is_not_good_opens_nothing(send: Send, more: dict[str, Any]) -> None:
    """Switched off, ended, not begun, or from an address from which it is not good: as one that nobody made."""
    value = minted(send, **more)["value"]
    assert writes(send, value) == (403, [9109, 10000])
    status, envelope = send("GET", "/user/tokens/verify", token=value)
    assert (status, codes(envelope)) == (401, [1000])


def test_a_token_is_good_within_its_bounds(send: Send) -> None:
    """Times and addresses that include now and here change nothing; the check says the times."""
    bounds = {
        "not_before": (NOW - timedelta(minutes=1)).isoformat(),
        "expires_on": (NOW + timedelta(hours=1)).isoformat(),
    }
    made = minted(
        send, **bounds, condition={"request_ip": {"in": ["127.0.0.0/8"], "not_in": ["127.9.0.0/16"]}}
    )
    found = send("GET", "/user/tokens/verify", token=made["value"])[1]["result"]
    assert found == {"id": made["id"], "status": "active", **bounds}


def test_only_the_maker_makes_tokens_and_it_does_nothing_else(send: Send) -> None:
    """Neither the lab's own token nor a minted one can; the maker sees no zone."""
    made = minted(send)
    for token in (TOKEN, made["value"]):
        for method, path in (
            ("POST", "/user/tokens"),
            ("GET", "/user/tokens"),
            ("GET", "/user/tokens/permission_groups"),
            ("GET", f"/user/tokens/{made['id']}"),
            ("PUT", f"/user/tokens/{made['id']}"),
            ("DELETE", f"/user/tokens/{made['id']}"),
        ):
            status, envelope = send(method, path, body() if method in ("POST", "PUT") else None, token=token)
            assert (status, codes(envelope)) == (403, [9109]), (method, path)
    assert send("GET", "/zones", token=MAKER)[0] == 403
    assert writes(send, MAKER) == (403, [10000])


def test_the_value_is_shown_once(tmp_path: Path) -> None:
    """The answer to its creation has it; no later one, and not the file of the state."""
    store = Store(tmp_path / "state.db")
    with (
        served_on_loopback(application(store, token=TOKEN, maker=MAKER, zones=("example.org",))) as url,
        Cloudflare(api_token=MAKER, base_url=f"{url}/client/v4", max_retries=0) as client,
    ):
        made = client.user.tokens.create(name="dns01", policies=body()["policies"])
        assert isinstance(made, TokenCreateResponse)
        assert made.id is not None
        value = str(made.value)
        assert 40 <= len(value) <= 80
        later = [client.user.tokens.get(made.id), *client.user.tokens.list()]
        later.append(client.user.tokens.update(made.id, name="other", policies=body()["policies"]))
    assert [found.id for found in later if found] == [made.id] * 3
    assert value not in repr(later)
    store.close()
    assert not any(value.encode() in file.read_bytes() for file in tmp_path.iterdir())


def test_tokens_survive_a_restart(tmp_path: Path) -> None:
    """A minted token opens its zone when the API is started again over the same file."""
    values: list[str] = []
    for _ in range(2):
        store = Store(tmp_path / "state.db")
        with served_on_loopback(application(store, token=TOKEN, maker=MAKER, zones=("example.org",))) as url:
            if not values:
                with Cloudflare(api_token=MAKER, base_url=f"{url}/client/v4", max_retries=0) as client:
                    made = client.user.tokens.create(name="dns01", policies=body()["policies"])
                    assert isinstance(made, TokenCreateResponse)
                    values.append(str(made.value))
            with Cloudflare(api_token=values[0], base_url=f"{url}/client/v4", max_retries=0) as client:
                assert [zone.name for zone in client.zones.list()] == ["example.org"]
        store.close()


def test_a_revoked_token_opens_nothing(send: Send) -> None:
    """From the answer to its deletion on, and a second deletion finds nothing."""
    made = minted(send)
    assert writes(send, made["value"]) == (200, [])
    path = f"/user/tokens/{made['id']}"
    assert send("DELETE", path, token=MAKER)[1]["result"] == {"id": made["id"]}
    assert writes(send, made["value"]) == (403, [9109, 10000])
    for method in ("GET", "DELETE"):
        status, envelope = send(method, path, token=MAKER)
        assert (status, codes(envelope)) == (404, [1003])


def test_a_change_keeps_the_value(send: Send) -> None:
    """Other rights are in force at once; id, time of issue and policy stay."""
    made = minted(send, policy("DNS Read"))
    status, envelope = send("PUT", f"/user/tokens/{made['id']}", body(policy("DNS Write")), token=MAKER)
    changed = envelope["result"]
    assert status == 200
    assert [changed[name] for name in ("id", "issued_on")] == [made[name] for name in ("id", "issued_on")]
    assert changed["policies"][0]["id"] == made["policies"][0]["id"]
    assert writes(send, made["value"]) == (200, [])


def test_groups_come_back_by_id_with_their_names(send: Send) -> None:
    """Whatever the order in which they were asked for (the reason for Terraform's endless differences)."""
    (found,) = minted(send, policy("Zone Read", "DNS Write"))["policies"]
    assert found["permission_groups"] == [
        {"id": "4755a26eedb94da69e1066d98aa820be", "name": "DNS Write"},
        {"id": "c8fed203ed3043cba015a93ad1616f1f", "name": "Zone Read"},
    ]


def test_answers_have_no_blanks(base: str, send: Send) -> None:
    """As Cloudflare writes them: the official plugin compares a token's resources as text."""
    headers = {"Authorization": f"Bearer {MAKER}"}
    made = minted(send)
    text = requests.get(f"{base}/user/tokens/{made['id']}", headers=headers, timeout=5).text
    assert f'"resources":{{"com.cloudflare.api.account.zone.{HERE}":"*"}}' in text


def test_tokens_are_listed_in_pages(send: Send) -> None:
    """As many as asked for, and how many there are."""
    made = [minted(send)["id"] for _ in range(7)]
    envelope = send("GET", "/user/tokens?per_page=5&page=2", token=MAKER)[1]
    assert len(envelope["result"]) == 2
    assert envelope["result_info"]["total_count"] == len(made)
    newest = send("GET", "/user/tokens?direction=desc", token=MAKER)[1]["result"]
    oldest = send("GET", "/user/tokens", token=MAKER)[1]["result"]
    assert newest == oldest[::-1]
    assert {token["id"] for token in newest} == set(made)


def test_groups_are_found_by_name_and_scope(send: Send) -> None:
    """What a policy may give; another scope has none of it."""
    path = "/user/tokens/permission_groups"
    assert {group["name"] for group in send("GET", path, token=MAKER)[1]["result"]} == set(IDS)
    (found,) = send("GET", f"{path}?name=DNS%20Write", token=MAKER)[1]["result"]
    assert (found["id"], found["scopes"]) == (IDS["DNS Write"], ["com.cloudflare.api.account.zone"])
    assert send("GET", f"{path}?scope=com.cloudflare.api.user", token=MAKER)[1]["result"] == []


def test_calls_need_the_rights_of_the_api_description() -> None:
    """Each call is opened by exactly those groups that Cloudflare documents for it and the sandbox knows."""
    document = json.loads(shared_path("schemas/cloudflare-openapi-subset.json").read_text())
    known = set(IDS) | {"API Tokens Read", "API Tokens Write"}
    for route in ROUTES:
        path = (
            route.path.replace("{zone}", "{zone_id}")
            .replace("{record}", "{dns_record_id}")
            .replace("{token}", "{token_id}")
        )
        documented = set(document["paths"][path][route.method.lower()].get("x-api-token-group") or ())
        if path == "/zones":
            assert documented == {"Zone Zone Read"}
            continue
        assert route.rights == documented & known, (route.method, path)
