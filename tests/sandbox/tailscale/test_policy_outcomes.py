"""The outcome of a policy's tests: what a rule lets whom do, by names, addresses, ports and protocols.

The captures of the hosted service are the larger part of the evidence (tests/sandbox/conformance).
"""

import json
from typing import Any

import pytest

from sandbox.tailscale.errors import PolicyError
from sandbox.tailscale.policy import check_policy

NAMES = {
    "groups": {"group:a": ["ann@example.com", "bob@example.com"], "group:b": ["bob@example.com"]},
    "tagOwners": {"tag:s": ["autogroup:admin"], "tag:t": ["autogroup:admin"]},
    "hosts": {"db": "10.0.0.5", "lan": "10.0.0.0/24"},
}


def passes(**sections: Any) -> bool:
    """Whether a policy with these rules and tests is accepted."""
    try:
        check_policy(json.dumps(NAMES | sections))
    except PolicyError as problem:
        if problem.message != "test(s) failed":
            raise
        return False
    return True


def opens(src: str, dst: str, ip: str, who: str, aim: str, **test: Any) -> bool:
    """Whether one grant lets somebody do something, asked as `accept` and, the other way, as `deny`."""
    grants = [{"src": [src], "dst": [dst], "ip": [ip]}]
    accepted = passes(grants=grants, tests=[{"src": who, "accept": [aim], **test}])
    denied = passes(grants=grants, tests=[{"src": who, "deny": [aim], **test}])
    assert accepted is not denied
    return accepted


ANN = "ann@example.com"


@pytest.mark.parametrize(
    ("src", "who", "yes"),
    [
        ("*", ANN, True),
        (ANN, ANN, True),
        (ANN, "bob@example.com", False),
        ("group:a", ANN, True),
        ("group:b", ANN, False),
        ("autogroup:member", ANN, True),
        ("autogroup:member", "tag:s", False),
        ("autogroup:tagged", "tag:s", True),
        ("autogroup:tagged", ANN, False),
        ("tag:s", "tag:t", False),
        ("user:*@example.com", ANN, True),
        ("user:*@example.org", ANN, False),
        ("100.64.0.0/10", "100.64.0.9", True),
        ("tag:s", "100.64.0.9", False),
    ],
)
def test_sources(src: str, who: str, yes: bool) -> None:
    """A user is in groups and autogroups, a machine in its tag, an address in its network."""
    assert opens(src, "db", "22", who, "db:22") is yes


@pytest.mark.parametrize(
    ("dst", "aim", "yes"),
    [
        ("*", "db:22", True),
        ("lan", "db:22", True),
        ("10.0.0.0/24", "10.0.0.255:22", True),
        ("10.0.0.0/24", "10.0.1.0:22", False),
        ("10.0.0.4-10.0.0.6", "db:22", True),
        ("10.0.0.6-10.0.0.9", "db:22", False),
        ("tag:s", "tag:s:22", True),
        ("tag:s", "tag:t:22", False),
        ("db", "tag:s:22", False),
        ("fd7a::/64", "db:22", False),
    ],
)
def test_destinations(dst: str, aim: str, yes: bool) -> None:
    """Names of hosts stand for addresses, and networks hold them."""
    assert opens(ANN, dst, "22", ANN, aim) is yes


@pytest.mark.parametrize(
    ("ip", "port", "proto", "yes"),
    [
        ("*", "9", None, True),
        ("20-30", "22", None, True),
        ("20-30", "31", None, False),
        ("tcp:22", "22", None, True),
        ("udp:22", "22", None, True),
        ("tcp:22", "22", "udp", False),
        ("22", "22", "udp", True),
        ("6:22", "22", "tcp", True),
        ("icmp:*", "22", None, False),
        ("icmp:*", "0", "icmp", True),
        ("tcp:*", "0", "icmp", False),
    ],
)
def test_ports_and_protocols(ip: str, port: str, proto: str | None, yes: bool) -> None:
    """Without a protocol a test asks for TCP or UDP; a grant without one is for all."""
    test = {"proto": proto} if proto else {}
    assert opens(ANN, "db", ip, ANN, f"db:{port}", **test) is yes


def test_grants_add_up() -> None:
    """Several rules together hold a range, and none takes away from another."""
    grants = [{"src": [ANN], "dst": ["db"], "ip": [ip]} for ip in ("20-24", "25-30")]
    assert passes(grants=grants, tests=[{"src": ANN, "accept": ["db:20-30"]}])
    assert not passes(grants=grants[:1], tests=[{"src": ANN, "accept": ["db:20-30"]}])


def test_a_group_is_every_one_of_its_members() -> None:
    """A group is accepted where all of it is, and denied where nobody of it is let in."""
    grants = [{"src": ["group:b"], "dst": ["db"], "ip": ["22"]}]
    assert not passes(grants=grants, tests=[{"src": "group:a", "accept": ["db:22"]}])
    assert not passes(grants=grants, tests=[{"src": "group:a", "deny": ["db:22"]}])
    assert passes(grants=grants, tests=[{"src": "group:b", "accept": ["db:22"]}])


@pytest.mark.parametrize(
    ("users", "login", "yes"),
    [
        (["root"], "root", True),
        (["root"], "ops", False),
        (["autogroup:nonroot"], "ops", True),
        (["autogroup:nonroot"], "root", False),
    ],
)
@pytest.mark.parametrize("action", ["check", "accept"])
def test_shells(action: str, users: list[str], login: str, yes: bool) -> None:
    """A login is let in by a rule of the same kind, and denied where there is none."""
    ssh = [{"action": action, "src": ["group:a"], "dst": ["tag:s"], "users": users}]

    def asked(verdict: str, dst: str = "tag:s", src: str = ANN) -> bool:
        return passes(ssh=ssh, sshTests=[{"src": src, "dst": [dst], verdict: [login]}])

    other = {"check": "accept", "accept": "check"}[action]
    assert (asked(action), asked("deny"), asked(other)) == (yes, not yes, False)
    assert asked("deny", dst="tag:t")
    assert asked("deny", src="tag:t")
