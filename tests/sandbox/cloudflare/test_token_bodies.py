"""Bodies of API tokens that the sandbox's Cloudflare refuses."""

from typing import Any

import pytest

from tests.sandbox.cloudflare.conftest import MAKER, Send
from tests.sandbox.cloudflare.test_access import codes
from tests.sandbox.cloudflare.test_tokens import body, policy


def _policy_without(name: str) -> dict[str, Any]:
    return {key: value for key, value in policy("DNS Write").items() if key != name}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (body() | {"name": ""}, ["name must have 1 to 120 characters."]),
        (body() | {"name": "x" * 121}, ["name must have 1 to 120 characters."]),
        (body() | {"surname": "x"}, ["surname is not a field of a token."]),
        ({"name": "x"}, ["policies: Field required."]),
        ({"policies": []}, ["name: Field required."]),
        (body() | {"policies": {}}, ["policies must be a list."]),
        (body(_policy_without("effect")), ["policies.0.effect: Field required."]),
        (body(_policy_without("resources")), ["policies.0.resources: Field required."]),
        (
            body(policy("DNS Write") | {"id": "a"}),
            ["Reusing existing policies is not supported by token creation"],
        ),
        (
            body(policy("DNS Write") | {"permission_groups": [{"id": "0" * 32}]}),
            ["Permission group not found: the sandbox has DNS Write, DNS Read, Zone Read"],
        ),
        (
            body(policy("DNS Write", zone="0" * 32)),
            [f"Resource not found: com.cloudflare.api.account.zone.{'0' * 32} is no zone of this account"],
        ),
        (body(expires_on="tomorrow"), ["expires_on must be a date and a time."]),
        (
            body(condition={"request_ip": {"in": ["home"]}}),
            ["condition.request_ip.in must be a list of networks."],
        ),
        (
            body(status="on", expires_on="never"),
            [
                "status: Input should be 'active', 'disabled' or 'expired'.",
                "expires_on must be a date and a time.",
            ],
        ),
    ],
)
def test_a_body_that_is_refused(send: Send, asked: dict[str, Any], said: list[str]) -> None:
    """Every problem at once, and nothing is made."""
    status, envelope = send("POST", "/user/tokens", asked, token=MAKER)
    assert (status, [error["message"] for error in envelope["errors"]]) == (400, said)
    assert set(codes(envelope)) == {1001}
    assert send("GET", "/user/tokens", token=MAKER)[1]["result"] == []
