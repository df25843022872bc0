"""Expected against observed, for every question about a running lab.

A disagreement is asked again with more patience before it counts, because a busy machine
is slow and not closed. An answer counts only when it comes from whom it was meant for:
stand-ins and canaries name themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from lab.flows import Endpoint
from lab.isolation import Verdict
from probe.questions import Question
from probe.spaces import Space, canary_name

FIRST_DEADLINE, SECOND_DEADLINE = 1.0, 3.0
"""Seconds that an answer may take, at first and when in doubt."""

Observation = Literal["yes", "no", "wrong service", "silent", "not probed"]
"""`silent`: a UDP service need not answer what it does not understand, so silence proves nothing."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One question with what was seen."""

    question: Question
    observed: Observation
    answer: str = ""
    """What the other side said about itself, shortened."""
    milliseconds: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether what was seen is what was expected."""
        if self.observed == "not probed" or self.question.expected is Verdict.unknown:
            return self.observed != "wrong service"
        if self.question.expected is Verdict.no:
            return self.observed in ("no", "silent")
        return self.observed in ("yes", "silent")


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """All questions of one run."""

    results: tuple[Result, ...]

    @property
    def disagreements(self) -> tuple[Result, ...]:
        """The questions whose answer is not as expected."""
        return tuple(result for result in self.results if not result.agrees)


def observe(
    questions: Sequence[Question], spaces: Mapping[Endpoint, Space], stand_ins: Iterable[Endpoint]
) -> Matrix:
    """Ask every question.

    Args:
        questions: what to ask.
        spaces: where each source can be probed from.
        stand_ins: the endpoints whose services answer with their own name.
    """
    named = frozenset(stand_ins)
    sources: dict[Endpoint, list[Question]] = {}
    for question in questions:
        sources.setdefault(question.source, []).append(question)
    with ThreadPoolExecutor(max_workers=8) as pool:
        jobs = [
            pool.submit(_from_source, spaces.get(source), asked, named) for source, asked in sources.items()
        ]
        results = [result for job in jobs for result in job.result()]
    return Matrix(results=tuple(results))


def _from_source(space: Space | None, asked: list[Question], named: frozenset[Endpoint]) -> list[Result]:
    if space is None:
        silent = "the source does not run here"
        return [Result(question=question, observed="not probed", answer=silent) for question in asked]
    results = _asked(space, asked, named, FIRST_DEADLINE)
    doubtful = [result.question for result in results if not result.agrees or result.observed == "silent"]
    if not doubtful:
        return results
    again = {result.question: result for result in _asked(space, doubtful, named, SECOND_DEADLINE)}
    return [again.get(result.question, result) for result in results]


def _asked(space: Space, asked: list[Question], named: frozenset[Endpoint], deadline: float) -> list[Result]:
    aims = [(question, address, number) for question in asked for address, number in question.aims]
    answers = space.ask([(address, number, q.protocol) for q, address, number in aims], deadline)
    seen: dict[Question, Result] = {}
    for (question, _, _), (answered, text, milliseconds) in zip(aims, answers, strict=True):
        observed = _observed(question, answered, text, named)
        if question.protocol == "udp" and not space.udp:
            observed = "not probed"
        result = Result(
            question=question, observed=observed, answer=text[:60].strip(), milliseconds=milliseconds
        )
        if question not in seen or _RANK[observed] > _RANK[seen[question].observed]:
            seen[question] = result
    return [seen[question] for question in asked]


_RANK: Mapping[Observation, int] = {"not probed": 0, "no": 1, "silent": 2, "yes": 3, "wrong service": 4}
"""What counts where a target was asked at several addresses: an answer of somebody else before all."""


def _observed(question: Question, answered: bool, text: str, named: frozenset[Endpoint]) -> Observation:
    if not answered:
        speaks = question.port is None or question.target in named or question.protocol == "tcp"
        return "no" if speaks else "silent"
    if question.port is None:
        return "yes" if canary_name(question.target) in text else "wrong service"
    if question.target in named and str(question.target) not in text:
        return "wrong service"
    return "yes"
