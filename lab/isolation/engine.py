"""What a Docker Engine does depends on facts about it; what nobody said about them is not guessed.

A rule about packets is a function of known facts. Where some are unknown it is asked for
every possibility: if all agree, that is the answer, else the answer is "cannot tell" and
names the fact that decides.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from lab.isolation.verdict import Leg, Verdict, no, unknown, yes
from lab.plan.records import EngineFacts

INTERNAL_CLOSES_MORE = 28
"""The first version whose internal networks have no default route (measured on 20.10.24 and 28.5.2)."""

NFTABLES_SINCE = 29
"""The first version that can keep its own rules in nftables (Docker's release notes)."""


@dataclass(frozen=True)
class Known:
    """Facts without a gap."""

    recent: bool
    """Whether the engine is 28 or newer."""
    userland_proxy: bool
    bridge_netfilter: bool


Rule = Callable[[Known], tuple[bool, str]]
"""Whether a packet passes, and why."""

_NAMES = {
    "recent": "the engine's version",
    "userland_proxy": "whether its userland proxy is on",
    "bridge_netfilter": "whether net.bridge.bridge-nf-call-iptables is on",
}


def decide(facts: EngineFacts, rule: Rule) -> Leg:
    """The leg that a rule makes of what is known about an engine."""
    possible = _possible(facts)
    passes, reason = rule(possible[0])
    if len(possible) == 1:
        return yes(reason) if passes else no(reason)
    answers = {known: rule(known) for known in possible}
    if all(answer[0] is passes for answer in answers.values()):
        return yes(reason) if passes else no(reason)
    open_reason = next(reason for opens, reason in answers.values() if opens)
    return unknown(f"it depends on {' and '.join(_deciding(answers))}, which nobody declared: {open_reason}")


def by_docker(facts: EngineFacts, rule: Rule) -> Leg:
    """The same for a rule that Docker's own firewall keeps: where that may be nftables, a "no" was not measured."""
    leg = decide(facts, rule)
    if leg.verdict is Verdict.no and may_use_nftables(facts):
        return unknown(
            f"{leg.reason}; that was measured of Docker's iptables rules, and this engine's may be nftables"
        )
    return leg


def may_use_nftables(facts: EngineFacts) -> bool:
    """Whether an engine may keep its own rules in nftables, where nobody measured what they close."""
    if facts.firewall is not None:
        return facts.firewall == "nftables"
    return facts.version is None or facts.version >= NFTABLES_SINCE


@cache
def _possible(facts: EngineFacts) -> tuple[Known, ...]:
    both = (False, True)
    recent = both if facts.version is None else (facts.version >= INTERNAL_CLOSES_MORE,)
    proxy = both if facts.userland_proxy is None else (facts.userland_proxy,)
    netfilter = both if facts.bridge_netfilter is None else (facts.bridge_netfilter,)
    return tuple(Known(*values) for values in itertools.product(recent, proxy, netfilter))


def _deciding(answers: dict[Known, tuple[bool, str]]) -> list[str]:
    """The facts of which a change alone changes the answer."""
    return [
        text
        for name, text in _NAMES.items()
        if any(
            answers[one][0] != answers[other][0]
            for one in answers
            for other in answers
            if _differ_only_in(one, other, name)
        )
    ]


def _differ_only_in(one: Known, other: Known, name: str) -> bool:
    return all((getattr(one, n) == getattr(other, n)) != (n == name) for n in _NAMES)
