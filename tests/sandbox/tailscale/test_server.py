"""The HTTP API of the sandbox's Tailscale."""

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.conformance.serving import served_on_loopback
from sandbox.store import Store
from sandbox.tailscale.acl import NOT_EVALUATED
from sandbox.tailscale.devices import register_device
from sandbox.tailscale.server import application
from tests.sandbox.tailscale.conftest import KEY, Send

ACL = "/tailnet/-/acl"
KEYS = "/tailnet/-/keys"
POLICY = """// the lab's policy
{
  "tagOwners": {"tag:router": ["autogroup:admin"]},
  "autoApprovers": {"routes": {"10.0.20.0/24": ["tag:router"]}},
  "grants": [{"src": ["*"], "dst": ["tag:router"], "ip": ["tcp:443"]},],
}
"""


def put_policy(send: Send, text: str = POLICY, **headers: str) -> requests.Response:
    """Post a policy as the plugin does."""
    wanted = {"Content-Type": "application/hujson", "Accept": "application/hujson"} | headers
    return send("POST", ACL, data=text.encode(), headers=wanted)


def key_body(**create: Any) -> dict[str, Any]:
    """A request for an auth key."""
    return {
        "capabilities": {"devices": {"create": create}},
        "expirySeconds": 3600,
        "description": "lab router",
    }


@pytest.mark.parametrize("auth", [None, ("wrong", ""), ("", KEY)])
def test_only_the_key_opens(send: Send, auth: tuple[str, str] | None) -> None:
    """Without it, with a wrong one and with the key as password everything is 401."""
    answer = send("GET", ACL, auth=auth)
    assert (answer.status_code, answer.json()) == (401, {"message": "API token invalid"})


def test_the_key_as_bearer_opens(base: str) -> None:
    """A Bearer token is as good as Basic."""
    answer = requests.get(base + ACL, headers={"Authorization": f"Bearer {KEY}"}, timeout=5)
    assert answer.status_code == 200


def test_the_policy_keeps_its_text(send: Send) -> None:
    """HuJSON comes back as it was sent, with comments; as JSON it is the same policy."""
    answer = put_policy(send)
    assert (answer.status_code, answer.text) == (200, POLICY)
    assert send("GET", ACL, headers={"Accept": "application/hujson"}).text == POLICY
    as_json = send("GET", ACL, headers={"Accept": "application/json"})
    assert as_json.json()["autoApprovers"] == {"routes": {"10.0.20.0/24": ["tag:router"]}}
    assert as_json.headers["ETag"] == answer.headers["ETag"]


def test_if_match_protects_the_policy(send: Send) -> None:
    """`ts-default` works once, an old ETag never, the present one does; an empty body resets."""
    assert put_policy(send, **{"If-Match": '"ts-default"'}).status_code == 200
    refused = put_policy(send, **{"If-Match": '"ts-default"'})
    assert (refused.status_code, refused.json()) == (
        412,
        {"message": "precondition failed, invalid old hash"},
    )
    etag = send("GET", ACL).headers["ETag"]
    assert put_policy(send, POLICY + "\n", **{"If-Match": etag}).status_code == 200
    assert put_policy(send, POLICY, **{"If-Match": etag}).status_code == 412
    assert put_policy(send, "").status_code == 200
    assert put_policy(send, **{"If-Match": '"ts-default"'}).status_code == 200


def test_a_wrong_policy_is_not_stored(send: Send) -> None:
    """A refused policy leaves the old one in force."""
    put_policy(send)
    answer = put_policy(send, '{"grants": [{"src": ["tag:nope"], "dst": ["*"], "ip": ["*"]}]}')
    assert (answer.status_code, answer.json()) == (400, {"message": 'src=tag not found: "tag:nope"'})
    assert send("GET", ACL).text == POLICY


def test_unevaluated_tests_are_said(send: Send) -> None:
    """An answer about a policy whose tests meet conditions on posture says that these were not evaluated."""
    test = {"src": "a@example.com", "deny": ["10.0.0.1:22"]}
    rule = {"src": ["a@example.com"], "dst": ["10.0.0.1"], "ip": ["22"], "srcPosture": ["posture:x"]}
    policy = {"grants": [rule], "tests": [test]}
    assert NOT_EVALUATED in put_policy(send, json.dumps(policy)).headers
    assert NOT_EVALUATED not in put_policy(send, json.dumps({"grants": [], "tests": [test]})).headers


def test_a_policy_that_fails_its_own_tests_is_not_stored(send: Send) -> None:
    """The answer says which destination of which user is otherwise than wanted."""
    put_policy(send)
    rule = {"src": ["a@example.com"], "dst": ["10.0.0.1"], "ip": ["tcp:22"]}
    test = {"src": "a@example.com", "accept": ["10.0.0.1:23"], "deny": ["10.0.0.1:22"]}
    answer = put_policy(send, json.dumps({"grants": [rule], "tests": [test]}))
    assert answer.status_code == 400
    assert answer.json() == {
        "message": "test(s) failed",
        "data": [
            {
                "user": "a@example.com",
                "errors": [
                    'address "10.0.0.1:23": want: Accept, got: Drop',
                    'address "10.0.0.1:22": want: Drop, got: Accept',
                ],
            }
        ],
    }
    assert send("GET", ACL).text == POLICY


def test_validate_changes_nothing(send: Send) -> None:
    """A right policy validates to nothing, a wrong one to its text with status 200; neither is stored."""
    before = send("GET", ACL).text
    assert send("POST", f"{ACL}/validate", data=POLICY).json() == {}
    wrong = send("POST", f"{ACL}/validate", data='{"nonsense": 1}')
    assert (wrong.status_code, wrong.json()) == (200, {"message": 'json: unknown field "nonsense"'})
    tests = send("POST", f"{ACL}/validate", [{"src": "tag:nope", "accept": ["*:22"]}])
    assert tests.json()["message"] == "test(s) failed"
    assert tests.json()["data"][0]["user"] == "tag:nope"
    assert send("GET", ACL).text == before


def test_life_of_an_auth_key(send: Send, store: Store) -> None:
    """The key is shown once, listed, read without its secret, deleted; the secret is never stored."""
    put_policy(send)
    made = send("POST", KEYS, key_body(preauthorized=True, tags=["tag:router"])).json()
    assert made["key"].startswith(f"tskey-auth-{made['id']}-")
    assert (made["keyType"], made["expirySeconds"]) == ("auth", 3600)
    assert made["capabilities"]["devices"]["create"] == {
        "reusable": False,
        "ephemeral": False,
        "preauthorized": True,
        "tags": ["tag:router"],
    }
    read = send("GET", f"{KEYS}/{made['id']}").json()
    assert read == {name: value for name, value in made.items() if name != "key"}
    assert [key["id"] for key in send("GET", KEYS).json()["keys"]] == [made["id"]]
    with store.transaction() as transaction:
        assert made["key"] not in str(transaction.list("tailscale/keys"))
    assert send("PUT", f"{KEYS}/{made['id']}", {}).status_code == 400
    assert send("DELETE", f"{KEYS}/{made['id']}").status_code == 200
    gone = send("GET", f"{KEYS}/{made['id']}")
    assert (gone.status_code, gone.json()) == (404, {"message": "key not found"})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (key_body(tags=["tag:nope"]), "requested tags [tag:nope] are invalid or not permitted"),
        (key_body() | {"expirySeconds": 7776001}, "expirySeconds must be a number from 1 to 7776000"),
        (key_body() | {"description": "no/slash"}, "description must have at most 50 characters"),
        (key_body() | {"colour": "red"}, 'json: unknown field "colour"'),
        (key_body(reusable="yes"), "reusable must be true or false"),
        ({"keyType": "client", "scopes": ["all"]}, "auth keys only"),
        ({}, "capabilities.devices is required"),
    ],
)
def test_wrong_keys_are_refused(send: Send, body: dict[str, Any], text: str) -> None:
    """Undefined tags, wrong values and unknown fields are refused, and no key is made."""
    answer = send("POST", KEYS, body)
    assert answer.status_code == 400
    assert text in answer.json()["message"]
    assert send("GET", KEYS).json() == {"keys": []}


def test_devices_and_their_routes(send: Send, store: Store) -> None:
    """A device's covered routes are approved by the policy; the rest by hand; a missing device is 404."""
    put_policy(send)
    assert send("GET", "/tailnet/-/devices").json() == {"devices": []}
    with store.transaction() as transaction:
        device = register_device(
            transaction, hostname="router", tags=("tag:router",), advertised=("10.0.20.0/24", "10.0.30.0/24")
        )
    (listed,) = send("GET", "/tailnet/-/devices").json()["devices"]
    assert (listed["hostname"], listed["tags"]) == ("router", ["tag:router"])
    path = f"/device/{device['nodeId']}/routes"
    assert send("GET", path).json()["enabledRoutes"] == ["10.0.20.0/24"]
    assert send("POST", path, {"routes": ["10.0.30.0/24"]}).json()["enabledRoutes"] == ["10.0.30.0/24"]
    assert send("POST", f"/device/{device['id']}/tags", {"tags": ["tag:no"]}).status_code == 400
    missing = send("GET", "/device/99999/routes")
    assert (missing.status_code, missing.json()) == (
        404,
        {"message": "no manageable device matching 99999 found"},
    )


def test_dns_resources_are_views_of_one_configuration(send: Send) -> None:
    """What is set by the single resources is in the configuration, and the other way round."""
    dns = "/tailnet/-/dns"
    assert send("POST", f"{dns}/nameservers", {"dns": ["10.0.20.53"]}).json() == {
        "dns": ["10.0.20.53"],
        "magicDNS": True,
    }
    send("POST", f"{dns}/searchpaths", {"searchPaths": ["lab.example.org"]})
    send("POST", f"{dns}/preferences", {"magicDNS": False})
    send("PATCH", f"{dns}/split-dns", {"lab.example.org": ["10.0.20.53"], "x.org": ["1.1.1.1"]})
    assert send("PATCH", f"{dns}/split-dns", {"x.org": None}).json() == {"lab.example.org": ["10.0.20.53"]}
    configuration = send("GET", f"{dns}/configuration").json()
    assert configuration == {
        "nameservers": [{"address": "10.0.20.53", "useWithExitNode": False}],
        "searchPaths": ["lab.example.org"],
        "splitDNS": {"lab.example.org": [{"address": "10.0.20.53", "useWithExitNode": False}]},
        "preferences": {"magicDNS": False, "overrideLocalDNS": False},
    }
    send("POST", f"{dns}/configuration", {"preferences": {"magicDNS": True}})
    assert send("GET", f"{dns}/nameservers").json() == {"dns": []}
    assert send("POST", f"{dns}/nameservers", {"dns": ["no"]}).status_code == 400


def test_settings(send: Send) -> None:
    """A PATCH changes what it names, null changes nothing, wrong values and names are refused."""
    path = "/tailnet/-/settings"
    assert send("GET", path).json()["devicesApprovalOn"] is False
    changed = send("PATCH", path, {"devicesApprovalOn": True, "httpsEnabled": None}).json()
    assert (changed["devicesApprovalOn"], changed["httpsEnabled"]) == (True, False)
    assert send("PATCH", path, {"devicesKeyDurationDays": 181}).status_code == 400
    assert send("PATCH", path, {"colour": "red"}).status_code == 400
    assert send("GET", path).json() == changed


def test_unknown_paths_are_named(send: Send) -> None:
    """What is not simulated is a 404 that says so."""
    answer = send("GET", "/tailnet/-/webhooks")
    assert answer.status_code == 404
    assert "does not answer GET /api/v2/tailnet/-/webhooks" in answer.json()["message"]


def test_state_survives_a_restart(tmp_path: Path) -> None:
    """Policy and keys are there when the API starts again over the same file."""
    for turn in range(2):
        store = Store(tmp_path / "state.db")
        with served_on_loopback(application(store, key=KEY)) as url:
            if turn == 0:
                requests.post(f"{url}/api/v2{ACL}", data=POLICY, auth=(KEY, ""), timeout=5)
                requests.post(f"{url}/api/v2{KEYS}", json=key_body(), auth=(KEY, ""), timeout=5)
            assert requests.get(f"{url}/api/v2{ACL}", auth=(KEY, ""), timeout=5).text == POLICY
            assert len(requests.get(f"{url}/api/v2{KEYS}", auth=(KEY, ""), timeout=5).json()["keys"]) == 1
        store.close()


def test_requests_are_fast(base: str) -> None:
    """The median request takes under 5 ms of processor time, client included."""
    times = []
    with requests.Session() as session:
        session.auth = (KEY, "")
        sends: tuple[Callable[[], requests.Response], ...] = (
            lambda: session.post(base + ACL, data=POLICY, timeout=5),
            lambda: session.get(base + ACL, timeout=5),
            lambda: session.post(base + KEYS, json=key_body(tags=["tag:router"]), timeout=5),
        )
        for _ in range(20):
            for send in sends:
                start = time.process_time()
                assert send().status_code == 200
                times.append(time.process_time() - start)
    assert statistics.median(times) < 0.005
