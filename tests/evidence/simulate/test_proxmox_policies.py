"""What the closing policies of the Proxmox firewall spare, and what a REJECT does not answer."""

from typing import Any

import pytest

from lab.simulate.proxmox import Decision
from tests.evidence.simulate.proxmox_node import ask, guest


@pytest.mark.parametrize("policy", ["DROP", "REJECT"])
@pytest.mark.parametrize(
    ("kind", "action"), [("3/4", "ACCEPT"), ("11", "ACCEPT"), ("3/1", "DROP"), ("8", "DROP"), ("", "DROP")]
)
def test_policies_spare_critical_icmp(policy: str, kind: str, action: str) -> None:
    """Path MTU and time exceeded pass a closing policy, and no other ICMP is answered."""
    firewall = guest(options=f"policy_in: {policy}")
    assert ask(firewall, protocol="icmp", icmp_type=kind).action == action
    closed = guest("IN DROP", options=f"policy_in: {policy}")
    assert ask(closed, protocol="icmp", icmp_type=kind).action == "DROP"


def test_a_drop_says_nothing_of_answers() -> None:
    """The reason of a DROP is the policy itself."""
    found = ask(guest(), protocol="icmp", icmp_type="8")
    assert found == Decision("DROP", "policy_in DROP of guest 100")


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({}, "REJECT"),
        ({"protocol": "icmp", "icmp_type": "8"}, "DROP"),
        ({"destination_type": "BROADCAST"}, "DROP"),
        ({"destination": "255.255.255.255"}, "DROP"),
    ],
)
def test_a_reject_is_not_always_answered(changes: dict[str, Any], action: str) -> None:
    """REJECT of ICMP or of a broadcast is silent, by rule and by policy."""
    assert ask(guest("IN REJECT"), **changes).action == action
    assert ask(guest(options="policy_in: REJECT"), **changes).action == action


def test_a_multicast_source_is_not_answered() -> None:
    """Nobody is there to be answered, whoever claims it."""
    assert ask(guest("OUT REJECT"), "vm100", "outside", source="224.0.0.5").action == "DROP"


@pytest.mark.parametrize(
    ("port", "source_port", "action"),
    [
        (1900, 5000, "DROP"),
        (99, 53, "DROP"),
        (137, 53, "REJECT"),
        (1900, 137, "REJECT"),
        (99, 5000, "REJECT"),
    ],
)
def test_a_rejecting_policy_drops_noise(port: int, source_port: int, action: str) -> None:
    """Discovery and stray DNS answers get no answer from a policy of REJECT; NetBIOS does."""
    firewall = guest(options="policy_in: REJECT")
    found = ask(firewall, port=port, source_port=source_port, protocol="udp")
    assert found.action == action
    assert ask(firewall, port=port, source_port=source_port, protocol="tcp").action == "REJECT"
    dropped = ask(guest(), port=port, source_port=source_port, protocol="udp")
    assert dropped == Decision("DROP", "policy_in DROP of guest 100")


def test_multicast_is_dropped_under_a_closing_policy() -> None:
    """Not answered, and not let in for being critical either."""
    firewall = guest(options="policy_in: REJECT")
    assert ask(firewall, destination="224.0.0.251", protocol="udp").action == "DROP"
    assert ask(firewall, destination="239.1.1.1", destination_type="UNICAST").action == "DROP"
    critical: dict[str, Any] = {"destination": "224.0.0.1", "protocol": "icmp", "icmp_type": "11"}
    assert ask(firewall, **critical).action == "DROP"
