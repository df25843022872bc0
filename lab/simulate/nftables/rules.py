"""Rules: conditions from left to right, then a verdict, a lookup in a verdict map, or nothing."""

from dataclasses import dataclass

from lab.simulate.nftables.comparisons import Sets, read_comparison
from lab.simulate.nftables.conditions import Condition, Lookup
from lab.simulate.nftables.elements import Element
from lab.simulate.nftables.fields import View
from lab.simulate.nftables.statements import read_limit, read_reject, skip_counter, skip_log
from lab.simulate.nftables.tokens import Tokens
from lab.simulate.nftables.verdicts import Verdict, is_verdict, read_verdict

Outcome = Verdict | Lookup


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        line: where it starts.
        text: as it is written, on one line.
        comment: empty when it has none.
        conditions: from left to right.
        outcome: a verdict, or a lookup in a verdict map; None for a rule that only counts or logs.
    """

    line: int
    text: str
    comment: str
    conditions: tuple[Condition, ...]
    outcome: Outcome | None

    def apply(self, view: View) -> tuple[Verdict | None, Element | None]:
        """What the rule does with a packet, and the last element that the packet was found in.

        Raises:
            UndecidedPacket: it depends on bytes of the packet that are not modelled.
        """
        last: Element | None = None
        for condition in self.conditions:
            met = condition.meets(view)
            if not met:
                return None, None
            last = met if isinstance(met, Element) and met.text else last
        if not isinstance(self.outcome, Lookup):
            return self.outcome, last
        found = self.outcome.find(view)
        return (found.verdict, found) if isinstance(found, Element) else (None, None)


def read_rule(tokens: Tokens, sets: Sets) -> Rule:
    """Read one rule, up to the end of its statement.

    Args:
        tokens: stand at its first word.
        sets: the named sets and maps of the table.

    Raises:
        UnreadableRules: with the construct that is not known.
    """
    first = tokens.peek()
    conditions: list[Condition] = []
    outcome: Outcome | None = None
    comment = ""
    while not tokens.at_end():
        if tokens.accept("comment"):
            comment = tokens.take_kind("string", "a quoted comment").text
            break
        if outcome is not None:
            raise tokens.refuse(f"{tokens.peek()} follows what ends the rule", "put it before the verdict")
        outcome = _read_part(tokens, sets, conditions)
    if not tokens.at_end():
        raise tokens.refuse(f"{tokens.peek()} follows the comment", "put the comment at the end of the rule")
    return Rule(first.line, tokens.source(first), comment, tuple(conditions), outcome)


def _read_part(tokens: Tokens, sets: Sets, conditions: list[Condition]) -> Outcome | None:
    """Read one part of a rule: add its conditions, or give the outcome that it is."""
    token = tokens.peek()
    if tokens.accept("counter"):
        skip_counter(tokens)
    elif tokens.accept("log"):
        skip_log(tokens)
    elif tokens.accept("limit"):
        conditions += read_limit(tokens)
    elif tokens.accept("reject"):
        conditions += read_reject(tokens)
        return Verdict("reject", line=token.line)
    elif token.kind == "word" and is_verdict(token.text):
        return read_verdict(tokens)
    else:
        part = read_comparison(tokens, sets)
        if isinstance(part, Lookup):
            return part
        conditions.append(part)
    return None
