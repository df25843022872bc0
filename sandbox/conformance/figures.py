"""Outcomes counted by type, with one example of each kind of difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.conformance.difference import Difference
from sandbox.conformance.replay import Outcome, Verdict


@dataclass(frozen=True, kw_only=True)
class Example:
    """Where a kind of difference was seen first."""

    file: str
    case: str
    step: int
    difference: Difference


@dataclass(kw_only=True)
class Figures:
    """The figures of one type or endpoint. `kinds` counts the steps in which each kind of difference occurs."""

    steps: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Example] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """Steps that agree or differ."""
        return self.verdicts[Verdict.AGREES] + self.verdicts[Verdict.DIFFERS]

    @property
    def share(self) -> str:
        """Agreement among the compared steps, as a percentage rounded down to one digit, or a dash."""
        if not self.compared:
            return "-"
        tenths = self.verdicts[Verdict.AGREES] * 1000 // self.compared
        return f"{tenths // 10}.{tenths % 10} %"


def figures_of(outcomes: Iterable[Outcome]) -> dict[str, Figures]:
    """The figures by what the outcomes are about, sorted."""
    found: dict[str, Figures] = {}
    for outcome in outcomes:
        one = found.setdefault(outcome.subject, Figures())
        one.steps += 1
        one.verdicts[outcome.verdict] += 1
        for kind in dict.fromkeys(difference.kind for difference in outcome.differences):
            one.kinds[kind] += 1
        for difference in outcome.differences:
            one.examples.setdefault(
                difference.kind,
                Example(
                    file=outcome.case.file,
                    case=outcome.case.id,
                    step=outcome.step,
                    difference=difference,
                ),
            )
    return dict(sorted(found.items()))


def total(figures: Iterable[Figures]) -> Figures:
    """All types together, without kinds."""
    found = Figures()
    for one in figures:
        found.steps += one.steps
        found.verdicts.update(one.verdicts)
    return found
