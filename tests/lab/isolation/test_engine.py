"""What is known about an engine decides; what nobody said is not guessed."""

import pytest

from lab.isolation.engine import Known, by_docker, decide
from lab.isolation.verdict import Verdict
from lab.plan.records import EngineFacts

KNOWN = EngineFacts(version=20, userland_proxy=True, bridge_netfilter=True, firewall="iptables")


def with_proxy(known: Known) -> tuple[bool, str]:
    """A rule that one fact decides."""
    return (True, "the proxy accepts it") if known.userland_proxy else (False, "nobody accepts it")


def without_both(known: Known) -> tuple[bool, str]:
    """A rule that two facts decide together."""
    return known.recent or known.bridge_netfilter, "either is enough"


def closed(known: Known) -> tuple[bool, str]:
    """A rule that no fact decides."""
    return False, "it is closed"


def test_a_known_fact_decides() -> None:
    """The rule is asked for what is known, and its reason is the answer's."""
    leg = decide(KNOWN, with_proxy)
    assert (leg.verdict, leg.reason) == (Verdict.yes, "the proxy accepts it")
    off = EngineFacts(version=20, userland_proxy=False, bridge_netfilter=True, firewall="iptables")
    leg = decide(off, with_proxy)
    assert (leg.verdict, leg.reason) == (Verdict.no, "nobody accepts it")


def test_an_unknown_fact_that_decides_is_named() -> None:
    """The answer is "cannot tell", and says which fact is missing and what it may open."""
    leg = decide(EngineFacts(version=20, bridge_netfilter=True, firewall="iptables"), with_proxy)
    assert leg.verdict is Verdict.unknown
    assert leg.reason == (
        "it depends on whether its userland proxy is on, which nobody declared: the proxy accepts it"
    )


def test_unknown_facts_that_decide_together_are_all_named() -> None:
    """Of three unknown facts the two that matter are named."""
    leg = decide(EngineFacts(), without_both)
    assert leg.verdict is Verdict.unknown
    assert "the engine's version and whether net.bridge.bridge-nf-call-iptables is on" in leg.reason
    assert "userland proxy" not in leg.reason


def test_an_unknown_fact_that_does_not_decide_is_no_doubt() -> None:
    """Where every possibility has the same answer, it is the answer."""
    assert decide(EngineFacts(), closed).verdict is Verdict.no


@pytest.mark.parametrize(("version", "recent"), [(20, False), (27, False), (28, True), (29, True)])
def test_internal_networks_close_more_from_28_on(version: int, recent: bool) -> None:
    """Measured on 20.10.24 and 28.5.2."""
    facts = EngineFacts(version=version, userland_proxy=True, bridge_netfilter=True, firewall="iptables")
    assert decide(facts, lambda known: (known.recent, "")).verdict is (Verdict.yes if recent else Verdict.no)


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (KNOWN, Verdict.no),
        (EngineFacts(version=28), Verdict.no),
        (EngineFacts(version=29), Verdict.unknown),
        (EngineFacts(version=29, firewall="iptables"), Verdict.no),
        (EngineFacts(version=29, firewall="nftables"), Verdict.unknown),
        (EngineFacts(firewall="iptables"), Verdict.no),
        (EngineFacts(), Verdict.unknown),
    ],
)
def test_what_dockers_own_firewall_closes_was_measured_with_iptables(
    facts: EngineFacts, verdict: Verdict
) -> None:
    """Where it may be nftables, which engines have from 29 on, nobody can tell whether it closes the same."""
    leg = by_docker(facts, closed)
    assert leg.verdict is verdict
    assert leg.reason.startswith("it is closed")
    assert ("nftables" in leg.reason) == (verdict is Verdict.unknown)


def test_what_dockers_firewall_lets_through_needs_no_doubt() -> None:
    """A way that is open with iptables is not called closed or doubtful for nftables."""
    facts = EngineFacts(version=29, userland_proxy=True, bridge_netfilter=True, firewall="nftables")
    assert by_docker(facts, lambda known: (True, "open")).verdict is Verdict.yes
