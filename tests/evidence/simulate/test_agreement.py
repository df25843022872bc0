"""The proof and the rendered artefacts say the same of every pair of every lab.

Independence is what makes this evidence: the simulator reads texts, and knows neither the
plan nor the proof. That it would notice is in test_agreement_mutants.py.
"""

import functools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from lab.errors import LabError
from lab.isolation import Proof, prove
from lab.plan.directory import INGRESS
from lab.plan.records import LabPlan
from lab.render.artefacts import artefacts
from lab.simulate.world import World
from tests.evidence.brute_force.random_labs import small_plans
from tests.evidence.leaks.harmless import HARMLESS
from tests.evidence.leaks.test_leaks import LEAKS
from tests.evidence.simulate.agreement import (
    SEED,
    disagreements,
    no_flow_names_the_undeclared_port,
    questions,
    some,
)
from tests.labs.reading import CASES, lab_file
from tests.support.plans import plan_of

ROOT = Path(__file__).resolve().parents[3]
FILES = {"dev": ROOT / "Pulumi.dev.yaml", "full": ROOT / "tests" / "support" / "full_lab.yaml"}
FILES |= {case: lab_file(case) for case in CASES}
NO_ARTEFACT = {
    "a way out is for an address with the prefix of its segment": "has host bits set",
    "an interface lost its tag, and its bridge is VLAN-aware": "is on no segment that holds",
}
"""Leaks that are planted in records and that no rendered lab can have, with what the simulator says of them."""
PLANTED = [part for part in (*LEAKS, *HARMLESS) if part.name not in NO_ARTEFACT]

every_lab = pytest.mark.parametrize("name", FILES)


@functools.cache
def proven(name: str) -> Proof:
    """The proof of a lab."""
    return prove(plan_of(FILES[name]))


@functools.cache
def simulated(name: str) -> World:
    """The lab as its artefacts make it."""
    return World(artefacts(proven(name).plan))


def told(found: list[Any]) -> str:
    """The first disagreements, as a failure shows them."""
    return f"{len(found)} disagreements (seed {SEED}):\n" + "\n\n".join(str(part) for part in found[:3])


@every_lab
def test_both_speak_of_the_same_endpoints(name: str) -> None:
    """Every source of the proof is one of the simulator, and the other way round: no pair is left out."""
    proof, world = proven(name), simulated(name)
    assert sorted(map(str, proof.openings.sources)) == sorted(world.endpoints)
    for endpoint in (*proof.reach.directory.containers, INGRESS):
        assert world.machine(str(endpoint)) == str(proof.reach.machine(endpoint))


@every_lab
def test_every_pair_is_answered_alike(name: str) -> None:
    """Yes, no or cannot tell: for every ordered pair, every port of the target and one that nobody declared."""
    proof = proven(name)
    assert no_flow_names_the_undeclared_port(proof.plan)
    found = list(disagreements(proof, simulated(name), questions(proof)))
    assert found == [], told(found)


@every_lab
def test_traefik_s_files_pass_on_what_the_proof_says(name: str) -> None:
    """Layer 7: who reaches a routed service by Traefik, by its static and dynamic files."""
    proof, world, plan = proven(name), simulated(name), proven(name).plan
    if plan.ingress is None or plan.ingress.service is None:
        assert all(world.relay("internet", str(r.target), r.port) is None for r in _routes(plan))
        return
    for source in proof.openings.sources:
        for route in _routes(plan):
            if source == route.target:
                continue
            paths = proof.reach.relayed(source, route.target, route.port)
            answer = world.relay(str(source), str(route.target), route.port)
            said = None if answer is None else str(answer.verdict)
            assert said == (str(paths[0].verdict) if paths else None), f"{source} by {route.name}\n{answer}"


def _routes(plan: LabPlan) -> tuple[Any, ...]:
    return plan.ingress.routes if plan.ingress else ()


@pytest.mark.parametrize("part", PLANTED, ids=lambda part: part.name)
def test_planted_leaks_are_in_the_artefacts(part: Any) -> None:
    """Each lab of tests/evidence/leaks: every open path of the proof is open in the texts, and others are as closed."""
    proof = prove(part.planted())
    world = World(artefacts(proof.plan))
    found = list(disagreements(proof, world, some(proof, part.name, 40)))
    assert found == [], told(found)


@pytest.mark.parametrize(
    "part", [part for part in LEAKS if part.name in NO_ARTEFACT], ids=lambda part: part.name
)
def test_what_cannot_be_rendered_is_refused(part: Any) -> None:
    """The leaks that are left out above are refused as artefacts, each with its reason."""
    plan = part.planted()
    with pytest.raises(LabError, match=NO_ARTEFACT[part.name]):
        list(disagreements(prove(plan), World(artefacts(plan)), some(prove(plan), part.name, 40)))


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(small_plans())
def test_random_labs_are_answered_alike(plan: LabPlan) -> None:
    """Labs that nobody wrote: engines, routers, trunks, observed stacks and unknown facts in any combination."""
    proof = prove(plan)
    found = list(disagreements(proof, World(artefacts(plan)), some(proof, "random", 40)))
    assert found == [], told(found)
