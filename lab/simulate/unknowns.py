"""Facts about engines that nobody declared: a question is asked for every value that they may have.

A walk asks for a fact when it needs it. Where nobody knows, the question starts again once
for each value, so that only those facts count on which the way really hangs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from lab.simulate.answers import Answer, Verdict

FactName = Literal["recent", "userland_proxy", "bridge_netfilter"]
"""`recent` is an engine of version 28 or newer, where internal networks lost their default route."""
_WORDS: Mapping[FactName, str] = {
    "recent": "engine 28 or newer",
    "userland_proxy": "the userland proxy",
    "bridge_netfilter": "net.bridge.bridge-nf-call-iptables",
}
Fact = tuple[str, FactName]
"""A Docker host and what is asked about it."""


class UnknownFact(Exception):
    """A walk hangs on a fact that nobody declared."""

    def __init__(self, fact: Fact) -> None:
        super().__init__(f"{_WORDS[fact[1]]} of {fact[0]}")
        self.fact = fact


@dataclass(frozen=True)
class Facts:
    """What is known or assumed."""

    values: Mapping[Fact, bool]

    def ask(self, host: str, name: FactName) -> bool:
        """One fact.

        Raises:
            UnknownFact: nobody declared it, and nothing is assumed.
        """
        try:
            return self.values[host, name]
        except KeyError:
            raise UnknownFact((host, name)) from None

    def assuming(self, fact: Fact, value: bool) -> "Facts":
        """These and one more."""
        return Facts({**self.values, fact: value})


def under_all(facts: Facts, question: Callable[[Facts], Answer]) -> Answer:
    """The answer, if it is the same whatever the unknown facts are; else that nobody can tell."""
    try:
        return question(facts)
    except UnknownFact as unknown:
        fact, about = unknown.fact, str(unknown)
    on, off = (under_all(facts.assuming(fact, value), question) for value in (True, False))
    if on.verdict is off.verdict:
        return on
    opened = on if on.verdict is Verdict.yes else off
    return Answer(Verdict.unknown, opened.trace, depends_on=about)
