"""What has to notice that the model is wrong, prepared so that one mutant costs little.

Everything that the model has no part in is done once, before any mutant: plans, verdicts of
brute force and of the simulator, recorded probes. What remains is to ask a model. It is
imported anew by each question, because a mutant is another one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from lab.flows import Endpoint
from lab.plan.records import LabPlan
from tests.evidence.brute_force.asking import Question, left_out, questions, text
from tests.evidence.brute_force.random_labs import small_plans
from tests.evidence.brute_force.random_mistakes import NOBODYS_PORT, mistaken_plans
from tests.evidence.brute_force.verdicts import BruteForce

MISTAKEN, DECLARED = 80, 40
"""How many random labs there are of each kind."""


@dataclass(frozen=True)
class Check:
    """One piece of evidence."""

    name: str
    notices: Callable[[], str]
    """What is wrong with the model that is there now; empty where nothing is seen."""


def checks() -> tuple[Check, ...]:
    """All evidence, the cheapest and sharpest first."""
    return (*leaks(), *recorded(), *brute_force(), *agreement())


def model() -> Any:
    """The model that is there now."""
    return import_module("lab.isolation")


def leaks() -> Iterator[Check]:
    """Planted leaks are found with their reasons, and nobody else is accused; harmless labs have no violation."""
    tables = import_module("tests.evidence.leaks.test_leaks")
    for leak in tables.LEAKS:
        yield Check(f"leak: {leak.name}", _leak(leak, leak.planted()))
    for change in tables.HARMLESS:
        yield Check(f"harmless: {change.name}", _harmless(change.planted()))
    for part in tables.CLOSED:
        yield Check(f"closed: {part.path}", _explained(part, tables.question(part.path), part.planned()))
    for part in tables.PERMITTED:
        yield Check(f"permitted: {part.path}", _permitted(part, tables.question(part.path), part.planned()))


def _text(path: Any) -> str:
    answer = path.answer
    return f"{answer.source} -> {answer.target}:{answer.port or '*'}"


def _leak(leak: Any, plan: LabPlan) -> Callable[[], str]:
    uncertain = str(leak.verdict) == "cannot tell"

    def notices() -> str:
        proof = model().prove(plan)
        paths = proof.uncertain if uncertain else proof.violations
        found = {_text(path): path.answer.reason for path in paths}
        if leak.reason not in found.get(leak.path, ""):
            return f"{leak.path} is not found because {leak.reason}"
        others = [
            _text(path)
            for path in proof.violations
            if not {str(path.answer.source), str(path.answer.target)} <= leak.concerned
        ]
        return f"{others[0]} is accused" if others else ""

    return notices


def _harmless(plan: LabPlan) -> Callable[[], str]:
    def notices() -> str:
        violations = model().prove(plan).violations
        return f"{_text(violations[0])} is accused" if violations else ""

    return notices


def _explained(part: Any, question: Question, plan: LabPlan) -> Callable[[], str]:
    def notices() -> str:
        answer = model().prove(plan).answer(*question)
        right = str(answer.verdict) == "no" and part.says in answer.reason
        return "" if right else f"{answer.verdict}, because {answer.reason}"

    return notices


def _permitted(part: Any, question: Question, plan: LabPlan) -> Callable[[], str]:
    def notices() -> str:
        proof = model().prove(plan)
        answer = proof.answer(*question)
        permission = proof.judged(answer).permission
        said = (
            f"{permission.kind}: {permission.because}; {answer.reason}" if permission else "nobody permits it"
        )
        return "" if part.says in said else said

    return notices


def brute_force() -> Iterator[Check]:
    """The verdicts of brute force on small random labs, and that exactly their open paths are found."""
    plans = [*_drawn(mistaken_plans(), MISTAKEN), *_drawn(small_plans(), DECLARED)]
    for number, plan in enumerate(plans):
        oracle, proof = BruteForce(plan), model().prove(plan)
        expected = {question: str(oracle.verdict(*question)) for question in questions(proof)}
        near = {source: left_out(oracle.atlas, source) for source in proof.openings.sources}
        yield Check(f"brute force: lab {number}", _answers(plan, expected))
        yield Check(f"open paths: lab {number}", _openings(plan, expected, near))


def _drawn(strategy: SearchStrategy[LabPlan], count: int) -> list[LabPlan]:
    """Some plans, always the same."""
    found: list[LabPlan] = []

    @seed(20261125)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(plan: LabPlan) -> None:
        found.append(plan)

    draw()
    return found


def _answers(plan: LabPlan, expected: dict[Question, str]) -> Callable[[], str]:
    def notices() -> str:
        reach = model().Reach(plan)
        for question, verdict in expected.items():
            found = str(reach.answer(*question).verdict)
            if found != verdict:
                return f"{text(question)}: {found} in place of {verdict}"
        return ""

    return notices


def _openings(
    plan: LabPlan, expected: dict[Question, str], near: dict[Endpoint, set[Endpoint]]
) -> Callable[[], str]:
    def notices() -> str:
        openings = model().prove(plan).openings
        found = {(a.source, a.target, a.port): str(a.verdict) for a in openings.all()}
        if any(set(openings.neighbours(source)) != others for source, others in near.items()):
            return "others are said to be neighbours"
        for question, verdict in expected.items():
            source, target, port = question
            closed = verdict == "no" or target in near[source]
            if closed and question in found:
                return f"{text(question)} is said to be open"
            covered = port == NOBODYS_PORT and (source, target, None) in found
            if not closed and not covered and found.get(question) != verdict:
                return f"{text(question)} is missed"
        return ""

    return notices


def agreement() -> Iterator[Check]:
    """The verdicts of the simulator of rendered artefacts on the labs of `tests/labs`."""
    tables = import_module("tests.evidence.simulate.test_agreement")
    compared = import_module("tests.evidence.simulate.agreement")
    for name in tables.FILES:
        proof, world = tables.proven(name), tables.simulated(name)
        expected: dict[Question, str] = {}
        for question in compared.some(proof, name, 400):
            source, target, port = question
            said = {str(world.ask(str(source), str(target), n).verdict) for n in compared.numbers(port)}
            assert len(said) == 1, text(question)
            expected[question] = said.pop()
        yield Check(f"artefacts: {name}", _answers(proof.plan, expected))
        yield Check(f"artefacts of Traefik: {name}", _relays(proof.plan, _relayed(proof, world)))


def _relayed(proof: Any, world: Any) -> dict[Question, str]:
    """What Traefik's files pass on, by who asks and for whom."""
    ingress = proof.plan.ingress
    if ingress is None or ingress.service is None:
        return {}
    found: dict[Question, str] = {}
    for source in proof.openings.sources:
        for route in ingress.routes:
            if source != route.target:
                answer = world.relay(str(source), str(route.target), route.port)
                found[source, route.target, route.port] = str(answer.verdict) if answer else ""
    return found


def _relays(plan: LabPlan, expected: dict[Question, str]) -> Callable[[], str]:
    def notices() -> str:
        reach = model().Reach(plan)
        for question, verdict in expected.items():
            paths = reach.relayed(*question)
            if (str(paths[0].verdict) if paths else "") != verdict:
                return f"{text(question)} by Traefik: not {verdict}"
        return ""

    return notices


def recorded() -> Iterator[Check]:
    """Probes of real Docker networks."""
    kept = import_module("tests.evidence.conformance.recorded")
    seen = kept.recorded()
    assert seen, "no probes are recorded in tests/evidence/conformance/recorded"

    def notices() -> str:
        fresh: Any = import_module("tests.evidence.conformance.recorded")
        fresh.recorded = lambda: seen
        found = fresh.replay(import_module("lab.isolation.docker"), limit=1)
        return str(found[0]) if found else ""

    yield Check("recorded probes", notices)
