"""All tables together: a packet in a hook, and the verdict with the rule that decided."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from lab.simulate.nftables.chains import BasePoint, Chain
from lab.simulate.nftables.elements import Element
from lab.simulate.nftables.fields import Hook, View
from lab.simulate.nftables.packet import Packet
from lab.simulate.nftables.rules import Rule
from lab.simulate.nftables.tables import Table

Action = Literal["accept", "drop", "reject"]

_LOOPBACK = "lo"

NOT_MODELLED = (
    "rates: every packet is under the rate of a limit, so `limit rate` holds and `limit rate over` does not",
    "fragments and IPv6 extension headers: a packet is whole, and its transport header is the first",
    "source translation: the packet has the addresses that it has in the hook that is asked",
    "offloaded flows, which pass no hook",
    "the packets that a reject sends, which pass the output hook themselves",
    "rules of other programs on the host: only the tables of the text count",
)
"""What no verdict takes into account; whoever relies on one says so."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What becomes of a packet in one hook, and why.

    Attributes:
        action: `reject` is a drop that the sender hears of.
        hook: where.
        table: family and name of the table; empty where no base chain is hooked in.
        chain: in which the deciding rule stands; for a policy, the base chain.
        line: of that rule or policy; 0 where there is none.
        rule: its text.
        comment: of the rule.
        element: the last element of a set or map in which the rule found the packet, with its comment.
        passed: the decisions of the base chains before this one, all of which accepted.
    """

    action: Action
    hook: Hook
    table: str = ""
    chain: str = ""
    line: int = 0
    rule: str
    comment: str = ""
    element: str = ""
    passed: tuple["Decision", ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the packet goes on."""
        return self.action == "accept"

    def __str__(self) -> str:
        where = f" (table {self.table}, chain {self.chain}, line {self.line})" if self.table else ""
        element = f", by {self.element}" if self.element else ""
        return f"{self.action} in {self.hook}: {self.rule}{element}{where}"


@dataclass(frozen=True)
class _End:
    """Where the walk through a chain ended."""

    action: Action
    chain: Chain
    rule: Rule
    element: Element | None


class Ruleset:
    """What the kernel holds after a text was loaded into an empty one.

    Args:
        tables: in the order in which they were made.
    """

    def __init__(self, tables: Iterable[Table]) -> None:
        self.tables = tuple(tables)
        hooked = [
            (table, chain, chain.base)
            for table in self.tables
            for chain in table.chains.values()
            if chain.base is not None
        ]
        # The kernel puts a chain before those of its priority that are there already.
        hooked.reverse()
        self._bases = sorted(hooked, key=lambda entry: entry[2].priority)

    def verdict(self, hook: Hook, packet: Packet) -> Decision:
        """Take a packet through all base chains of a hook, in order of priority.

        A drop or reject is final; an accept ends only its base chain.

        Raises:
            UndecidedPacket: a rule compares bytes of the packet that are not modelled.
        """
        passed: list[Decision] = []
        for table, chain, base in self._bases:
            if base.hook != hook or table.family not in ("inet", packet.family):
                continue
            decision = replace(_decide(table, chain, base, packet), passed=tuple(passed))
            if not decision.accepted:
                return decision
            passed.append(replace(decision, passed=()))
        if not passed:
            return Decision(action="accept", hook=hook, rule=f"no base chain is hooked into {hook}")
        return replace(passed[-1], passed=tuple(passed[:-1]))


def _decide(table: Table, chain: Chain, base: BasePoint, packet: Packet) -> Decision:
    # What the host sends to itself passed output before, where conntrack and translation have seen it.
    looped = base.hook == "prerouting" and packet.in_interface == _LOOPBACK
    view = View(packet, base.hook, tracked=base.tracked or looped, after_nat=base.after_nat or looped)
    end = _walk(table, chain, view)
    if end is None:
        return Decision(
            action=base.policy,
            hook=base.hook,
            table=str(table),
            chain=chain.name,
            line=base.line,
            rule=f"policy {base.policy}",
        )
    return Decision(
        action=end.action,
        hook=base.hook,
        table=str(table),
        chain=end.chain.name,
        line=end.rule.line,
        rule=end.rule.text,
        comment=end.rule.comment,
        element=end.element.text if end.element else "",
    )


def _walk(table: Table, chain: Chain, view: View) -> _End | None:
    """Where a packet ends in a chain and those it jumps to; None: it comes back to the caller."""
    for rule in chain.rules:
        verdict, element = rule.apply(view)
        if verdict is None or verdict.word == "continue":
            continue
        if verdict.word == "return":
            return None
        if verdict.word in ("accept", "drop", "reject"):
            return _End(verdict.word, chain, rule, element)
        end = _walk(table, table.chains[verdict.target], view)
        if end is not None or verdict.word == "goto":
            return end
    return None
