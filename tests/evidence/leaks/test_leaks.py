"""Every planted leak is found with its reason, and nobody else is accused."""

from collections.abc import Callable
from functools import cache

import pytest

from lab.flows import Endpoint, Port
from lab.isolation import Verdict, prove
from lab.isolation.findings import findings
from lab.isolation.proof import OpenPath, Proof
from tests.evidence.leaks.docker_leaks import DOCKER_LEAKS
from tests.evidence.leaks.explained import CLOSED, PERMITTED, Explained
from tests.evidence.leaks.finding_leaks import UNWELCOME, Unwelcome
from tests.evidence.leaks.guard_leaks import GUARD_LEAKS
from tests.evidence.leaks.harmless import HARMLESS, Harmless
from tests.evidence.leaks.leak import Leak, planned
from tests.evidence.leaks.segment_leaks import SEGMENT_LEAKS
from tests.evidence.leaks.tailnet_leaks import TAILNET_LEAKS
from tests.support.builders import Raw

LEAKS = (*GUARD_LEAKS, *DOCKER_LEAKS, *SEGMENT_LEAKS, *TAILNET_LEAKS)
BASES = tuple(dict.fromkeys(part.lab for part in (*LEAKS, *HARMLESS, *UNWELCOME)))


def text(path: OpenPath) -> str:
    """A path as it is written in the tables."""
    answer = path.answer
    return f"{answer.source} -> {answer.target}:{answer.port or '*'}"


def found(proof: Proof, leak: Leak) -> dict[str, str]:
    """The paths that the proof complains of, in the way that is expected of this leak, with their reasons."""
    paths = proof.violations if leak.verdict is Verdict.yes else proof.uncertain
    return {text(path): path.answer.reason for path in paths}


@cache
def before(lab: Callable[[], Raw]) -> Proof:
    """The proof of a lab before anything is planted in it."""
    return prove(planned(lab()))


@cache
def after(name: str) -> Proof:
    """The proof of the lab with the leak of this name."""
    return prove(next(leak for leak in LEAKS if leak.name == name).planted())


def test_there_are_enough_leaks() -> None:
    """At least 50 labs have one leak each, and no two are called the same."""
    names = [leak.name for leak in LEAKS]
    assert len(names) >= 50
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("lab", BASES, ids=lambda lab: lab.__name__)
def test_labs_are_clean_before(lab: Callable[[], Raw]) -> None:
    """A lab in which leaks are planted has no path beforehand that nobody declared."""
    assert [text(path) for path in before(lab).violations] == []


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.name)
def test_leak_is_found(leak: Leak) -> None:
    """The proof names source, target, port and reason of a planted leak, which the lab without it does not have."""
    assert leak.path not in found(before(leak.lab), leak)
    paths = found(after(leak.name), leak)
    assert leak.path in paths, "\n".join(paths)
    assert leak.reason in paths[leak.path]


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.name)
def test_nobody_else_is_accused(leak: Leak) -> None:
    """Each violation that a planted leak causes is about those whom it is about."""
    violations = after(leak.name).violations
    others = [
        text(v) for v in violations if not {str(v.answer.source), str(v.answer.target)} <= leak.concerned
    ]
    assert others == []


@pytest.mark.parametrize("unwelcome", UNWELCOME, ids=lambda unwelcome: unwelcome.name)
def test_finding_is_made(unwelcome: Unwelcome) -> None:
    """A mistake that is a finding is told with its kind and place, and not in the lab without it."""

    def told(proof: Proof) -> list[str]:
        place = unwelcome.kind, unwelcome.where
        return [found.problem for found in findings(proof) if (found.kind, found.where) == place]

    assert not any(unwelcome.problem in problem for problem in told(before(unwelcome.lab)))
    problems = told(prove(unwelcome.planted()))
    assert any(unwelcome.problem in problem for problem in problems), problems


def test_there_are_enough_harmless_labs() -> None:
    """At least 50 labs have no leak, and no two are called the same."""
    names = [change.name for change in HARMLESS]
    assert len(names) >= 50
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("change", HARMLESS, ids=lambda change: change.name)
def test_nobody_is_accused_without_a_leak(change: Harmless) -> None:
    """After a change that opens nothing that nobody declared, the proof has nothing to complain of."""
    plan = change.planted()
    assert plan != before(change.lab).plan
    assert [text(path) for path in prove(plan).violations] == []


def question(path: str) -> tuple[Endpoint, Endpoint, Port | None]:
    """A path of the tables as a question."""
    source, _, rest = path.partition(" -> ")
    target, _, port = rest.rpartition(":")
    return Endpoint.parse(source), Endpoint.parse(target), None if port == "*" else Port.parse(port)


@pytest.mark.parametrize("part", CLOSED, ids=lambda part: part.path)
def test_closed_paths_are_explained(part: Explained) -> None:
    """A path that is closed is closed for the right reason."""
    answer = prove(part.planned()).answer(*question(part.path))
    assert answer.verdict is Verdict.no
    assert part.says in answer.reason


@pytest.mark.parametrize("part", PERMITTED, ids=lambda part: part.path)
def test_permitted_paths_are_explained(part: Explained) -> None:
    """A path that is open has the permission that somebody gave it, and no other."""
    proof = prove(part.planned())
    answer = proof.answer(*question(part.path))
    permission = proof.judged(answer).permission
    assert answer.verdict is Verdict.yes, answer.reason
    assert permission is not None
    assert part.says in f"{permission.kind}: {permission.because}; {answer.reason}"
