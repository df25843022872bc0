"""A token that was being minted when the engine was killed: found at the sandbox's API, and to be replaced."""

import json
from typing import Any

import requests

from cli.recovery.cloudflare import CloudflareZones
from cli.recovery.findings import Outcome
from sandbox.cloudflare.server import application
from sandbox.cloudflare.zones import zone_document
from sandbox.conformance.serving import served_on_loopback
from sandbox.store import Store
from tests.cli.test_recovery_outsides import operation


def _wanted_token(zone: str) -> dict[str, Any]:
    resources = json.dumps({f"com.cloudflare.api.account.zone.{zone_document(zone)['id']}": "*"})
    groups = [{"id": "4755a26eedb94da69e1066d98aa820be"}, {"id": "c8fed203ed3043cba015a93ad1616f1f"}]
    policy = {"effect": "allow", "permissionGroups": groups, "resources": resources}
    return {"name": "homelab/dev: DNS-01", "policies": [policy]}


def _mint(address: str, wanted: dict[str, Any], **more: str) -> str:
    """A token at the sandbox's API; gives its id."""
    (policy,) = wanted["policies"]
    policies = [
        {
            "effect": policy["effect"],
            "permission_groups": policy["permissionGroups"],
            "resources": json.loads(policy["resources"]),
        }
    ]
    headers = {"Authorization": "Bearer m"}
    body = {**wanted, **more, "policies": policies}
    answer = requests.post(f"{address}/user/tokens", json=body, headers=headers, timeout=5)
    return str(answer.json()["result"]["id"])


def test_a_lost_token_is_replaced() -> None:
    """Its value died with the engine; neither one of the state is it, nor one of another name or zone."""
    app = application(Store(":memory:"), token="t", maker="m", zones=("lab.example", "other.example"))
    wanted = _wanted_token("lab.example")
    with served_on_loopback(app) as url:
        address = f"{url}/client/v4"
        zones = CloudflareZones(address, "t", lambda: "m")
        _mint(address, _wanted_token("other.example"))
        _mint(address, wanted, name="another")
        kept = _mint(address, wanted)
        asked = operation("cloudflare:index/apiToken:ApiToken", wanted, taken=(kept,))
        assert zones.find(asked).outcome is Outcome.absent
        lost = _mint(address, wanted)
        found = zones.find(asked)
    assert (found.outcome, found.id) == (Outcome.incomplete, lost)


def test_a_lost_token_is_looked_for_on_every_page() -> None:
    """A page has 50; whichever of 51 is not in the state is found."""
    app = application(Store(":memory:"), token="t", maker="m", zones=("lab.example",))
    wanted = _wanted_token("lab.example")
    with served_on_loopback(app) as url:
        zones = CloudflareZones(f"{url}/client/v4", "t", lambda: "m")
        every = {_mint(f"{url}/client/v4", wanted) for _ in range(51)}
        for lost in every:
            taken = tuple(every - {lost})
            asked = operation("cloudflare:index/apiToken:ApiToken", wanted, taken=taken)
            assert zones.find(asked).id == lost
