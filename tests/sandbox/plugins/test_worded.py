"""What the bridge adds for types of Terraform's SDKv2: the words of errors, planned fields, secret fields."""

from typing import Any

import pytest

from sandbox.plugins.docker.network import TYPE as NETWORK
from sandbox.plugins.failures import worded
from sandbox.plugins.marking import marked_fields
from sandbox.plugins.plan import plan_create, plan_update
from sandbox.plugins.proxmoxve.container import TYPE as CONTAINER
from sandbox.plugins.proxmoxve.ipset import TYPE as IPSET
from sandbox.plugins.resource import CallError, PartialFailure
from sandbox.plugins.tailscale.acl import TYPE as ACL
from sandbox.plugins.values import UNKNOWN, Secret, Values

URN = "urn:pulumi:dev::lab::x::one"


def failing(kind: Any, verb: str, error: Exception, **more: Any) -> Exception:
    """The error as it leaves the block."""
    with pytest.raises((CallError, PartialFailure)) as caught, worded(kind, verb, URN, **more):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("verb", "text", "expected"),
    [
        ("creating", "no", "1 error occurred:\n\t* no\n\n"),
        ("deleting", "no", f"deleting {URN}: 1 error occurred:\n\t* no\n\n"),
        (
            "deleting",
            "deleting VM: 1 error occurred:\n\t* no\n\n",
            f"deleting {URN}: 1 error occurred:\n\t* no\n\n",
        ),
        (
            "creating",
            "diffing: 1 error occurred:\n\t* no\n\n",
            f"diffing {URN}: 1 error occurred:\n\t* no\n\n",
        ),
    ],
)
def test_an_error_is_a_list_of_one_with_what_it_interrupted(verb: str, text: str, expected: str) -> None:
    """The verb and the URN stand before the list, but for a create that made nothing."""
    assert str(failing(NETWORK, verb, CallError(text))) == expected


def test_a_failed_update_keeps_what_was_planned() -> None:
    """Its error carries id, planned outputs and the worded reason, so that the engine keeps the resource."""
    kept = failing(NETWORK, "updating", CallError("no"), planned=lambda: ("1", {"a": 1}))
    assert isinstance(kept, PartialFailure)
    reason = f"updating {URN}: 1 error occurred:\n\t* no\n\n"
    assert (kept.id, kept.state, kept.reasons) == ("1", {"a": 1}, (reason,))


def test_the_plugin_frameworks_errors_stay_as_they_are() -> None:
    """Types of the plugin framework say their own sentence."""
    assert str(failing(ACL, "deleting", CallError("no"))) == "no"


def test_fields_that_were_not_given_are_planned() -> None:
    """Flags have their zero value; in an update, texts of an object that exists are empty, not absent."""
    inputs: Values = {"name": "a", "cidrs": [{"name": "10.0.0.0/8"}]}
    created = plan_create(IPSET, inputs)
    assert created["id"] is UNKNOWN
    assert created["cidrs"] == [{"name": "10.0.0.0/8", "nomatch": False, "comment": None}]
    state: Values = {"name": "a", "cidrs": [{"name": "10.0.0.0/8", "comment": "old"}]}
    updated = plan_update(IPSET, state, inputs, ("cidrs",))
    assert updated["cidrs"] == [{"name": "10.0.0.0/8", "nomatch": False, "comment": ""}]


def test_secret_fields_are_marked_where_they_are_even_without_a_value() -> None:
    """A password inside an object is marked, also a null one; its neighbours are not."""
    account: Values = {"username": "ops", "password": None}
    found = marked_fields(CONTAINER, {"initialization": {"userAccount": account}, "vmId": 1})
    assert found["vmId"] == 1
    assert found["initialization"] == {"userAccount": {"username": "ops", "password": Secret(None)}}
