"""The tailnet's policy: grants only, each tested both ways, golden for the labs, and with tests that have teeth."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from lab.plan.records import GrantPlan, SshRulePlan, TailnetPlan
from lab.render.emit import json_text
from lab.render.tailnet import policy
from sandbox.tailscale.errors import PolicyError
from sandbox.tailscale.hujson import parse
from sandbox.tailscale.policy import check_policy
from tests.labs.reading import CASES, LABS, lab_file
from tests.support.golden import assert_golden
from tests.support.plans import plan_of

ROOT = Path(__file__).resolve().parents[3]
FILES = {"dev": ROOT / "Pulumi.dev.yaml", "full": ROOT / "tests" / "support" / "full_lab.yaml"}
FILES |= {case: lab_file(case) for case in CASES}
WITH_TAILNET = ("dev", "full", "flat-subnet", "four-vlans-dmz")

GROUPS = {"admins": ("a@example.com", "b@example.com"), "family": ("c@example.com",), "empty": ()}
DOOR = GrantPlan(sources=("group:admins",), destination="10.10.20.11/32", ports=("tcp:8443",))


def document(*grants: GrantPlan, **changes: Any) -> Any:
    """The policy of a tailnet, as its reader sees it."""
    return parse(policy(TailnetPlan(groups=GROUPS, grants=grants, **changes)))


def aims_of(found: Any, subject: str, protocol: str, verdict: str) -> list[str]:
    """What the tests of a policy say of a subject."""
    return [
        aim
        for test in found["tests"]
        if (test["src"], test["proto"]) == (subject, protocol)
        for aim in test.get(verdict, [])
    ]


def test_every_lab_with_a_tailnet_is_golden() -> None:
    """The labs below are all those that declare a tailnet."""
    assert {name for name, path in FILES.items() if plan_of(path).tailnet is not None} == set(WITH_TAILNET)


@pytest.mark.parametrize("name", WITH_TAILNET)
def test_the_policy_is_golden(name: str, update_golden: bool) -> None:
    """The policy of each lab is exactly as it was when somebody last read it."""
    tailnet = plan_of(FILES[name]).tailnet
    assert tailnet is not None
    assert_golden(LABS / name / "expected" / "tailnet.json", policy(tailnet), update=update_golden)


def test_a_route_is_approved_for_the_tag_of_its_router() -> None:
    """What a subnet router advertises is approved on arrival, for it alone, and an admin owns its tag."""
    tags = ("tag:stack-a-dev", "tag:stack-b-dev")
    found = document(tags=tags, routes=dict(zip(("10.10.20.11/32", "10.10.30.0/24"), tags, strict=True)))
    assert found["autoApprovers"] == {
        "routes": {"10.10.20.11/32": ["tag:stack-a-dev"], "10.10.30.0/24": ["tag:stack-b-dev"]}
    }
    assert found["tagOwners"] == {tag: ["autogroup:admin"] for tag in tags}


def test_a_grant_is_tested_both_ways() -> None:
    """Who may, and what lies beside it; who may not; a machine that belongs to nobody; the other protocol."""
    found = document(DOOR, tags=("tag:stack-a-dev",))
    assert found["grants"] == [{"src": ["group:admins"], "dst": ["10.10.20.11/32"], "ip": ["tcp:8443"]}]
    beside = ["10.10.20.10:8443", "10.10.20.11:8442", "10.10.20.11:8444", "10.10.20.12:8443"]
    assert aims_of(found, "a@example.com", "tcp", "accept") == ["10.10.20.11:8443"]
    assert aims_of(found, "a@example.com", "tcp", "deny") == beside
    assert aims_of(found, "a@example.com", "udp", "deny") == ["10.10.20.11:8443"]
    for stranger in ("c@example.com", "tag:stack-a-dev"):
        assert aims_of(found, stranger, "tcp", "accept") == []
        assert aims_of(found, stranger, "tcp", "deny") == sorted([*beside, "10.10.20.11:8443"])


def test_a_group_is_spoken_for_by_who_is_in_the_fewest() -> None:
    """Somebody who is in two groups would hide that one of them may not."""
    groups = {"admins": ("a@example.com",), "family": ("a@example.com", "c@example.com")}
    found = parse(policy(TailnetPlan(groups=groups, grants=(DOOR,))))
    assert {test["src"] for test in found["tests"]} == {"a@example.com", "c@example.com"}


def test_a_segment_is_tested_at_its_first_and_last_address_and_port() -> None:
    """The ends of a range, and not only its beginning: a narrower one is noticed as well as a wider one."""
    wide = GrantPlan(sources=("group:admins",), destination="10.10.30.0/24", ports=("udp:8000-8010",))
    accepted = aims_of(document(wide), "a@example.com", "udp", "accept")
    assert accepted == ["10.10.30.1:8000", "10.10.30.1:8010", "10.10.30.254:8000", "10.10.30.254:8010"]


def test_every_port_is_tested_at_two() -> None:
    """A grant of every port is tried at one port of each protocol, since a test names one."""
    found = document(GrantPlan(sources=("group:family",), destination="10.10.20.11/32", ports=("*",)))
    assert aims_of(found, "c@example.com", "tcp", "accept") == ["10.10.20.11:53", "10.10.20.11:443"]
    assert aims_of(found, "c@example.com", "udp", "accept") == ["10.10.20.11:53", "10.10.20.11:443"]


SHELL = SshRulePlan(sources=("group:admins",), tags=("tag:guest-a-dev",), users=("ops",))


def test_a_shell_needs_the_network_and_the_rule() -> None:
    """A rule of SSH comes with the grant without which it leads nowhere, and both are tested."""
    found = document(ssh=(SHELL,), tags=("tag:guest-a-dev",))
    machine = ["tag:guest-a-dev"]
    assert found["ssh"] == [{"action": "check", "src": ["group:admins"], "dst": machine, "users": ["ops"]}]
    assert found["grants"] == [{"src": ["group:admins"], "dst": machine, "ip": ["tcp:22"]}]
    assert aims_of(found, "a@example.com", "tcp", "accept") == ["tag:guest-a-dev:22"]
    assert found["sshTests"] == [
        {"src": "a@example.com", "dst": machine, "check": ["ops"], "deny": ["root", "somebody"]},
        {"src": "c@example.com", "dst": machine, "deny": ["ops", "root", "somebody"]},
    ]


def test_there_are_no_acls() -> None:
    """The older form is not used, and nothing is granted to everybody."""
    found = document()
    assert "acls" not in found
    assert found["grants"] == []


MANY = TailnetPlan(
    groups=GROUPS,
    tags=("tag:guest-a-dev", "tag:guest-b-dev"),
    grants=(
        DOOR,
        GrantPlan(sources=("group:family",), destination="10.10.30.0/24", ports=("udp:53", "tcp:8000-8010")),
        GrantPlan(sources=("group:admins",), destination="10.10.40.7/32", ports=("*",)),
    ),
    ssh=(
        SHELL,
        SshRulePlan(
            sources=("group:family",),
            tags=("tag:guest-b-dev",),
            users=("autogroup:nonroot",),
            action="accept",
        ),
    ),
)


@pytest.mark.parametrize("name", WITH_TAILNET)
def test_tailscale_accepts_the_policy(name: str) -> None:
    """The policy of each lab passes the service's checks, its own tests among them."""
    tailnet = plan_of(FILES[name]).tailnet
    assert tailnet is not None
    check_policy(policy(tailnet))


def _changed(rule: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**rule, **changes}


def mutants(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every small change of a rule that lets somebody do more or less, with its name."""
    for section in ("grants", "ssh"):
        rules = document[section]
        for index, rule in enumerate(rules):
            others = [*rules[:index], *rules[index + 1 :]]
            yield f"{section}[{index}] is gone", {**document, section: others}
            for what, changed in _mutated(section, rule):
                yield f"{section}[{index}] {what}", {**document, section: [*others, changed]}


def _mutated(section: str, rule: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "is for everybody", _changed(rule, src=["*"])
    yield "is for members", _changed(rule, src=["autogroup:member"])
    other = {"group:admins": "group:family", "group:family": "group:admins"}
    yield "is for the other group", _changed(rule, src=[other[rule["src"][0]]])
    if section == "ssh":
        yield "asks otherwise", _changed(rule, action={"check": "accept", "accept": "check"}[rule["action"]])
        yield "is for root", _changed(rule, users=["root"])
        yield "is for everyone there", _changed(rule, users=["root", "autogroup:nonroot"])
        yield "is about another machine", _changed(rule, dst=["tag:guest-a-dev", "tag:guest-b-dev"])
        return
    yield "leads everywhere", _changed(rule, dst=["*"])
    if not rule["dst"][0].startswith("tag:"):
        network = IPv4Network(rule["dst"][0])
        yield "leads to a wider network", _changed(rule, dst=[str(network.supernet())])
        yield "leads beside it", _changed(rule, dst=[f"{network[-1] + 1}/32"])
        if network.prefixlen < 32:
            yield "leads to half of it", _changed(rule, dst=[str(next(network.subnets()))])
    for index, text in enumerate(rule["ip"]):
        rest = [*rule["ip"][:index], *rule["ip"][index + 1 :]]
        protocol, _, span = text.rpartition(":")
        if not protocol:
            yield "is for TCP", _changed(rule, ip=["tcp:*"])
            continue
        first, _, last = span.partition("-")
        end = int(last or first)
        yield f"is for every port, not {text}", _changed(rule, ip=[*rest, f"{protocol}:*"])
        yield f"is for every protocol, not {text}", _changed(rule, ip=[*rest, span])
        yield f"is for more ports than {text}", _changed(rule, ip=[*rest, f"{protocol}:{first}-{end + 1}"])
        yield f"begins before {text}", _changed(rule, ip=[*rest, f"{protocol}:{int(first) - 1}-{end}"])
        yield f"is for the port after {text}", _changed(rule, ip=[*rest, f"{protocol}:{end + 1}"])


MUTANTS = dict(mutants(parse(policy(MANY))))


@pytest.mark.parametrize("what", MUTANTS)
def test_the_tests_have_teeth(what: str) -> None:
    """Whatever a grant or a rule of SSH lets somebody do more or less, the policy's own tests notice."""
    check_policy(policy(MANY))
    with pytest.raises(PolicyError) as refused:
        check_policy(json_text(MUTANTS[what]))
    assert refused.value.message == "test(s) failed"
    assert refused.value.data
