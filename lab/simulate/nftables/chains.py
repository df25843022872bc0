"""Chains: where the kernel hooks a base chain in, and the order of the rules of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from lab.simulate.nftables.comparisons import Sets
from lab.simulate.nftables.conditions import Lookup
from lab.simulate.nftables.fields import Hook
from lab.simulate.nftables.rules import Rule, read_rule
from lab.simulate.nftables.tokens import Tokens, unreadable
from lab.simulate.nftables.verdicts import Verdict

Policy = Literal["accept", "drop"]

HOOKS: dict[str, Hook] = {hook: hook for hook in get_args(Hook)}
CONNTRACK, DESTINATION_NAT = -200, -100
"""Priorities in prerouting and output where conntrack sees a packet, and where its destination is translated."""
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": DESTINATION_NAT, "filter": 0, "security": 50}


@dataclass(frozen=True)
class BasePoint:
    """Where a base chain is hooked in, and what becomes of packets at its end."""

    hook: Hook
    priority: int
    policy: Policy
    line: int
    """Of the policy, or of the hook where none is written."""

    @property
    def tracked(self) -> bool:
        """Whether conntrack has seen the packet."""
        return self.hook not in ("prerouting", "output") or self.priority > CONNTRACK

    @property
    def after_nat(self) -> bool:
        """Whether the destination is translated."""
        return self.hook not in ("prerouting", "output") or self.priority > DESTINATION_NAT


@dataclass(frozen=True)
class Chain:
    """A chain with its rules in order; without a base point it is entered by jump or goto only."""

    name: str
    line: int
    base: BasePoint | None
    rules: tuple[Rule, ...]

    def jumps(self) -> Iterator[Verdict]:
        """Every verdict that enters another chain."""
        for rule in self.rules:
            verdicts = [rule.outcome]
            if isinstance(rule.outcome, Lookup):
                verdicts = [element.verdict for element in rule.outcome.elements]
            yield from (found for found in verdicts if isinstance(found, Verdict) and found.target)


def read_chain(tokens: Tokens, sets: Sets) -> Chain:
    """Read `NAME { … }`.

    Raises:
        UnreadableRules: with the construct that is not known.
    """
    line = tokens.peek().line
    name = tokens.take_kind("word", "the name of a chain").text
    tokens.expect("{", "a chain is declared in braces")
    base: BasePoint | None = None
    rules: list[Rule] = []
    tokens.skip_ends()
    while not tokens.accept("}"):
        if tokens.is_next("type"):
            base = _read_base(tokens)
        elif tokens.is_next("policy"):
            base = _read_policy(tokens, base)
        elif tokens.accept("comment"):
            tokens.take_kind("string", "a quoted comment")
        else:
            rules.append(read_rule(tokens, sets))
        if not tokens.at_end():
            raise tokens.refuse(
                f"{tokens.peek()} is too much here", "end the statement with a line break or `;`"
            )
        tokens.skip_ends()
    return Chain(name, line, base, tuple(rules))


def _read_base(tokens: Tokens) -> BasePoint:
    line = tokens.take().line
    tokens.expect("filter", "translation and routing are not evaluated, only chains of type filter")
    tokens.expect("hook", "a base chain has a hook")
    word = tokens.peek().text
    if word not in HOOKS:
        raise tokens.refuse(f"the hook {tokens.peek()} is not evaluated", f"write one of: {', '.join(HOOKS)}")
    tokens.take()
    hook = HOOKS[word]
    tokens.expect("priority", "a base chain has a priority")
    priority = _read_priority(tokens, hook)
    if hook in ("prerouting", "output") and priority in (CONNTRACK, DESTINATION_NAT):
        raise unreadable(
            line,
            f"at priority {priority} of {hook}, whether this chain or the kernel's own part comes first "
            "depends on who was there first",
            f"write {priority - 1} or {priority + 1}",
        )
    return BasePoint(hook, priority, "accept", line)


def _read_priority(tokens: Tokens, hook: Hook) -> int:
    token = tokens.peek()
    if tokens.accept("-"):
        return -tokens.take_integer("a priority")
    if token.kind == "literal":
        return tokens.take_integer("a priority")
    if token.text not in _PRIORITIES or (token.text == "dstnat" and hook != "prerouting"):
        raise tokens.refuse(f"the priority {token} is not known in {hook}", "write a number, or filter")
    tokens.take()
    if tokens.accept("-"):
        return _PRIORITIES[token.text] - tokens.take_integer("a number")
    if tokens.accept("+"):
        return _PRIORITIES[token.text] + tokens.take_integer("a number")
    return _PRIORITIES[token.text]


def _read_policy(tokens: Tokens, base: BasePoint | None) -> BasePoint:
    line = tokens.take().line
    if base is None:
        raise unreadable(line, "a policy without a hook", "write `type filter hook …` before it")
    policies: dict[str, Policy] = {"accept": "accept", "drop": "drop"}
    policy = policies.get(tokens.peek().text)
    if policy is None:
        raise tokens.refuse(f"the policy {tokens.peek()} is not known", "write accept or drop")
    tokens.take()
    return BasePoint(base.hook, base.priority, policy, line)
