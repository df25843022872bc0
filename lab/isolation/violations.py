"""Violations for a person: paths that exist for one reason are told as one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lab.errors import Issue
from lab.flows import Endpoint, Port, Target
from lab.isolation.proof import OpenPath
from lab.isolation.verdict import Answer

_NAMED = 4
"""How many endpoints of a group a sentence names."""


@dataclass(frozen=True)
class ViolationGroup:
    """Paths that nobody declared and that exist for the same reason: each source, to each target, at each port."""

    reason: str
    sources: tuple[Endpoint, ...]
    targets: tuple[Endpoint, ...]
    ports: tuple[Port | None, ...]
    paths: int

    @property
    def sentence(self) -> str:
        """Who reaches whom, in short."""
        ports = ", ".join(str(port) if port else "every other port" for port in self.ports[:_NAMED])
        more = f" and {len(self.ports) - _NAMED} more ports" if len(self.ports) > _NAMED else ""
        count = f" ({self.paths} paths)" if self.paths > 1 else ""
        return f"{named(self.sources)} can reach {named(self.targets)} at {ports}{more}{count}"

    @property
    def acceptance(self) -> str:
        """What a person may paste into the lab file to put up with it, once the reason is filled in.

        It covers this group, and of a segment in it whoever else is there without a firewall; without a reason the
        lab file is refused.
        """
        every = None in self.ports
        aims = [Target(t, port) for t in self.targets for port in ([None] if every else self.ports)]
        sources, targets = (", ".join(f'"{end}"' for end in ends) for ends in (self.sources, aims))
        return f'{{from: [{sources}], to: [{targets}], because: ""}}'


def violation_groups(violations: Iterable[OpenPath]) -> tuple[ViolationGroup, ...]:
    """Violations by their reason, the largest group first; a group holds every path from its sources to its aims."""
    who: dict[tuple[str, Endpoint, Port | None], list[Answer]] = {}
    for path in violations:
        answer = path.answer
        who.setdefault((reason_in_words(answer), answer.target, answer.port), []).append(answer)
    at: dict[tuple[str, Endpoint, frozenset[Endpoint]], list[Answer]] = {}
    for (words, target, _), answers in who.items():
        at.setdefault((words, target, frozenset(a.source for a in answers)), []).extend(answers)
    groups: dict[tuple[str, frozenset[Endpoint], frozenset[Port | None]], list[Answer]] = {}
    for (words, _, sources), answers in at.items():
        groups.setdefault((words, sources, frozenset(a.port for a in answers)), []).extend(answers)
    found = [_group(words, answers) for (words, _, _), answers in groups.items()]
    return tuple(sorted(found, key=lambda group: (-group.paths, group.sentence)))


def _group(words: str, answers: list[Answer]) -> ViolationGroup:
    reasons = {answer.reason for answer in answers}
    return ViolationGroup(
        reason=reasons.pop() if len(reasons) == 1 else words,
        sources=tuple(dict.fromkeys(answer.source for answer in answers)),
        targets=tuple(dict.fromkeys(answer.target for answer in answers)),
        ports=tuple(sorted({answer.port for answer in answers}, key=lambda p: (p is None, p or Port(1)))),
        paths=len(answers),
    )


def reason_in_words(answer: Answer) -> str:
    """An answer's reason without the names of its own two ends, so that like ones can be told together."""
    reason = answer.reason
    for end, word in ((answer.target, "the target"), (answer.source, "the source")):
        if end.name and end.kind != "vlan":
            own = "|".join(re.escape(name) for name in (str(end), f"{end.kind} {end.name}"))
            reason = re.sub(rf"({own})(?![\w/-])", word, reason)
    return reason


def violation_issues(violations: Iterable[OpenPath]) -> tuple[Issue, ...]:
    """Violations as problems of a lab file."""
    return tuple(
        Issue(
            path="isolation",
            problem=f"{group.sentence}, and nobody declared it: {group.reason}",
            repair=f"close it, declare it under flows, or put up with it under accept: {group.acceptance}",
        )
        for group in violation_groups(violations)
    )


def named(endpoints: tuple[Endpoint, ...]) -> str:
    """The first few of several endpoints, and how many more there are."""
    shown = ", ".join(map(str, endpoints[:_NAMED]))
    more = len(endpoints) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown
