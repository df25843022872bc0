"""Agreement is no accident: each mistake in what is rendered makes the simulator contradict the proof."""

import functools

import pytest

from lab.flows import Endpoint, Target
from lab.isolation import Proof, prove
from lab.plan import load_plan
from lab.render.artefacts import artefacts
from lab.simulate.world import World
from tests.evidence.simulate.agreement import Question, disagreements, questions, some
from tests.evidence.simulate.mutants import MUTANTS, Mutant
from tests.evidence.simulate.test_agreement import FILES


@functools.cache
def proven(name: str) -> Proof:
    """The proof of a lab, which knows nothing of the mistake."""
    return prove(load_plan(FILES[name]))


def extra(mutant: Mutant) -> list[Question]:
    """The question that only this mutant is about."""
    if not mutant.asked:
        return []
    source, _, target = mutant.asked.partition(" -> ")
    found = Target.parse(target)
    return [(Endpoint.parse(source), found.endpoint, found.port)]


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.asked], ids=lambda mutant: mutant.name)
def test_what_is_asked_of_one_mutant_is_no_disagreement_before(mutant: Mutant) -> None:
    """Without the mistake both answer it alike, as they do all that is asked in test_agreement.py."""
    proof = proven(mutant.lab)
    assert list(disagreements(proof, World(artefacts(proof.plan)), extra(mutant))) == []


def test_no_two_mutants_are_the_same() -> None:
    """Each has a name of its own."""
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_in_an_artefact_is_a_disagreement(mutant: Mutant) -> None:
    """Some pair of the lab is answered in two ways as soon as one rule, flag or line is wrong."""
    proof = proven(mutant.lab)
    world = World(mutant.change(proof.plan))
    likely = [*extra(mutant), *some(proof, mutant.name, 100)]
    found = disagreements(proof, world, [*likely, *questions(proof)])
    before = World(artefacts(proof.plan))
    new = (part for part in found if not list(disagreements(proof, before, [part.question])))
    assert next(new, None) is not None, f"nobody notices that {mutant.name}"
