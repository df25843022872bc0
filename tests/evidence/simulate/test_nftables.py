"""Verdicts of the nftables evaluator: rules, maps, chains, priorities and policies, and the rule that decided.

tests/evidence/simulate/test_nftables_kernel.py asks the kernel the same questions.
"""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from lab.simulate.nftables import NOT_MODELLED, Packet, read_ruleset
from tests.evidence.simulate.nftables_packets import PING, SIX, WEB, action
from tests.evidence.simulate.nftables_refusals import HEAD, rule, table

SETS = table(
    "chain forward {",
    "type filter hook forward priority filter; policy drop;",
    'ip saddr . ip daddr . meta l4proto . th dport @needs accept comment "declared"',
    "iifname . tcp dport vmap @published",
    "}",
    "set needs {",
    "type ipv4_addr . ipv4_addr . inet_proto . inet_service",
    "flags interval",
    'elements = { 10.0.0.2 . 10.0.1.3 . tcp . 80 comment "web", 10.0.0.0/24 . 10.0.1.4 . udp . 53-54,',
    "}",
    "}",
    "map published {",
    "typeof iifname . tcp dport : verdict; flags interval",
    'elements = { "br-*" . 443 comment "why" : accept, "eth*" . 1-65535 : goto refuse }',
    "}",
    "chain refuse {",
    "reject with tcp reset",
    "}",
)


def test_named_sets_and_maps_may_stand_below_the_rules() -> None:
    """A rule finds a set of its table wherever it is declared, and the decision names the element."""
    found = read_ruleset(SETS).verdict("forward", WEB)
    assert (found.action, found.chain, found.line, found.comment) == ("accept", "forward", 4, "declared")
    assert found.table == "inet homelab"
    assert found.rule == 'ip saddr . ip daddr . meta l4proto . th dport @needs accept comment "declared"'
    assert found.element == '10.0.0.2 . 10.0.1.3 . tcp . 80 comment "web"'
    assert str(found) == (
        f"accept in forward: {found.rule}, by {found.element} (table inet homelab, chain forward, line 4)"
    )


def test_a_decision_names_the_last_element() -> None:
    """Of several sets of a rule the last counts, and a comparison with one value takes nothing away from it."""
    text = rule('ip saddr { 10.0.0.0/8 } ip daddr { 10.0.1.0/24 comment "here" } tcp dport 80 drop')
    assert read_ruleset(text).verdict("input", WEB).element == '10.0.1.0/24 comment "here"'


def test_a_verdict_map_decides_by_key() -> None:
    """A map accepts, goes to a chain, or leaves a packet that it does not hold to the next rule."""
    rules = read_ruleset(SETS)
    secure = replace(WEB, destination_port=443)
    assert rules.verdict("forward", secure).element == '"br-*" . 443 comment "why" : accept'
    rejected = rules.verdict("forward", replace(secure, in_interface="eth1"))
    assert (rejected.action, rejected.chain, rejected.line) == ("reject", "refuse", 18)
    dropped = rules.verdict("forward", replace(secure, in_interface="wlan0"))
    assert (dropped.action, dropped.rule, dropped.chain, dropped.line) == (
        "drop",
        "policy drop",
        "forward",
        3,
    )


def test_the_rest_of_a_map_is_for_other_keys() -> None:
    """`*` in a map holds every key that no other element holds, and none that the packet does not have."""
    text = rule(
        "ip saddr vmap { 10.0.0.2 : continue, 10.0.0.0/31 : accept, * : drop }", "ip saddr 10.0.0.2 reject"
    )
    assert action(text, WEB) == "reject"
    assert action(text, replace(WEB, source=ip_address("10.0.0.1"))) == "accept"
    assert action(text, replace(WEB, source=ip_address("10.0.0.9"))) == "drop"
    assert action(text, SIX) == "accept"


@pytest.mark.parametrize(
    ("enter", "inner", "expected"),
    [
        ("jump sub", "accept", "accept"),
        ("jump sub", "counter", "drop"),
        ("jump sub", "return", "drop"),
        ("goto sub", "counter", "reject"),
        ("goto sub", "return", "reject"),
        ("meta l4proto vmap { tcp : jump sub }", "return", "drop"),
        ("meta l4proto vmap { tcp : goto sub }", "return", "reject"),
        ("meta l4proto vmap { tcp : return }", "accept", "reject"),
        ("meta l4proto vmap { tcp : continue }", "accept", "drop"),
        ("continue", "accept", "drop"),
    ],
)
def test_jump_comes_back_and_goto_does_not(enter: str, inner: str, expected: str) -> None:
    """After a jump the next rule follows, after a goto whatever follows the caller."""
    text = table(
        "chain input {", HEAD, "jump caller", "reject", "}",
        "chain caller {", enter, "drop", "}",
        "chain sub {", inner, "}",
    )  # fmt: skip
    assert action(text, WEB) == expected


def test_a_return_in_a_base_chain_is_its_policy() -> None:
    """Where a base chain ends early, its policy decides."""
    text = table("chain c {", "type filter hook input priority 0; policy drop;", "return", "accept", "}")
    found = read_ruleset(text).verdict("input", WEB)
    assert (found.action, found.rule, found.line) == ("drop", "policy drop", 3)


def bases(*chains: tuple[str, str]) -> str:
    """A table with chains of the hook input, each with a priority and a rule."""
    lines = (
        line
        for number, (priority, only) in enumerate(chains)
        for line in (f"chain c{number} {{", f"type filter hook input priority {priority};", only, "}")
    )
    return table(*lines)


@pytest.mark.parametrize(
    ("chains", "decides", "passed"),
    [
        ([("0", "accept"), ("10", "drop")], "c1", ["c0"]),
        ([("-3", "accept"), ("filter - 5", "drop")], "c1", []),
        ([("-3", "accept"), ("filter + 5", "drop")], "c1", ["c0"]),
        ([("security", "drop"), ("filter", "reject")], "c1", []),
        ([("-1", "accept"), ("raw", "accept"), ("mangle + 1", "accept")], "c0", ["c1", "c2"]),
        ([("0", "drop"), ("0", "reject")], "c1", []),
    ],
)
def test_base_chains_follow_their_priority(
    chains: list[tuple[str, str]], decides: str, passed: list[str]
) -> None:
    """Lower priorities come first, of equal ones the later; a drop is final, an accept only for its chain."""
    found = read_ruleset(bases(*chains)).verdict("input", WEB)
    assert (found.chain, [before.chain for before in found.passed]) == (decides, passed)


def test_a_hook_without_chains_accepts() -> None:
    """Where nothing is hooked in, every packet passes, and the decision says so."""
    found = read_ruleset(rule("drop")).verdict("forward", WEB)
    assert (found.action, found.table, found.line) == ("accept", "", 0)
    assert found.rule == "no base chain is hooked into forward"


def test_tables_of_one_family_see_its_packets_only() -> None:
    """A table of family ip decides nothing about IPv6, and the other way round."""
    text = rule("drop")
    assert action(text.replace("inet", "ip"), WEB) == "drop"
    assert action(text.replace("inet", "ip"), SIX) == "accept"
    assert action(text.replace("inet", "ip6"), SIX) == "drop"


@pytest.mark.parametrize(
    ("reject", "packet", "expected"),
    [
        ("reject", WEB, "reject"),
        ("reject with icmpx type admin-prohibited", SIX, "reject"),
        ("reject with icmp port-unreachable", WEB, "reject"),
        ("reject with icmp port-unreachable", SIX, "accept"),
        ("reject with icmpv6 type no-route", WEB, "accept"),
        ("reject with tcp reset", WEB, "reject"),
        ("reject with tcp reset", PING, "accept"),
    ],
)
def test_a_reject_is_for_packets_that_it_can_answer(reject: str, packet: Packet, expected: str) -> None:
    """nft adds the protocol to a rejection by itself: a reset rejects TCP and leaves the rest alone."""
    assert action(rule(reject), packet) == expected


def test_what_is_not_modelled_is_said() -> None:
    """Rates hold for every packet, and that is in the list that a proof prints."""
    assert any(text.startswith("rates:") for text in NOT_MODELLED)
