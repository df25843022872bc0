"""The tailnet's policy: grants only, each with its own test, and golden for the labs."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.plan.records import GrantPlan, TailnetPlan
from lab.render.tailnet import policy
from tests.labs.reading import CASES, LABS, lab_file
from tests.support.golden import assert_golden
from tests.support.plans import plan_of

ROOT = Path(__file__).resolve().parents[1]
FILES = {"dev": ROOT / "Pulumi.dev.yaml", "full": ROOT / "tests" / "support" / "full_lab.yaml"}
FILES |= {case: lab_file(case) for case in CASES}
WITH_TAILNET = ("dev", "full", "flat-subnet", "four-vlans-dmz")

GROUPS = {"admins": ("a@example.com", "b@example.com"), "empty": ()}


def document(*grants: GrantPlan, **changes: Any) -> Any:
    """The policy of a tailnet, as its reader sees it."""
    return json.loads(policy(TailnetPlan(groups=GROUPS, grants=grants, **changes)))


def test_every_lab_with_a_tailnet_is_golden() -> None:
    """The labs below are all those that declare a tailnet."""
    assert {name for name, path in FILES.items() if plan_of(path).tailnet is not None} == set(WITH_TAILNET)


@pytest.mark.parametrize("name", WITH_TAILNET)
def test_the_policy_is_golden(name: str, update_golden: bool) -> None:
    """The policy of each lab is exactly as it was when somebody last read it."""
    tailnet = plan_of(FILES[name]).tailnet
    assert tailnet is not None
    assert_golden(LABS / name / "expected" / "tailnet.json", policy(tailnet), update=update_golden)


def test_a_route_is_approved_for_the_tag() -> None:
    """What a subnet router of ours advertises is approved on arrival, and an admin owns the tag."""
    found = document(routes=("10.10.20.11/32",))
    assert found["autoApprovers"] == {"routes": {"10.10.20.11/32": ["tag:subnet-router"]}}
    assert found["tagOwners"] == {"tag:subnet-router": ["autogroup:admin"]}


def test_a_grant_carries_its_test() -> None:
    """The first user of each group must reach what the grant says, or Tailscale refuses the policy."""
    found = document(GrantPlan(sources=("group:admins",), destination="10.10.20.11/32", ports=("tcp:8443",)))
    assert found["grants"] == [{"src": ["group:admins"], "dst": ["10.10.20.11/32"], "ip": ["tcp:8443"]}]
    assert found["tests"] == [{"src": "a@example.com", "accept": ["10.10.20.11:8443"]}]


@pytest.mark.parametrize(
    ("sources", "ports"),
    [(("autogroup:member",), ("tcp:8443",)), (("group:empty",), ("tcp:8443",)), (("group:admins",), ("*",))],
)
def test_what_cannot_be_tested_is_not(sources: tuple[str, ...], ports: tuple[str, ...]) -> None:
    """A grant without a user to speak of, or for every port, has no test."""
    assert document(GrantPlan(sources=sources, destination="10.10.20.0/24", ports=ports))["tests"] == []


def test_a_range_is_tested_at_its_first_port() -> None:
    """A test names one port, so of a range it is the first."""
    found = document(
        GrantPlan(sources=("group:admins",), destination="10.10.30.0/24", ports=("tcp:8000-8010",))
    )
    assert found["tests"] == [{"src": "a@example.com", "accept": ["10.10.30.0:8000"]}]


def test_there_are_no_acls() -> None:
    """The older form is not used, and nothing is granted to everybody."""
    found = document()
    assert "acls" not in found
    assert found["grants"] == []
