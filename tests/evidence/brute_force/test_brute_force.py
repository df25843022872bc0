"""The proof gives the verdicts of a second formulation that follows single packets, and misses no open path."""

from hypothesis import HealthCheck, given, settings

from lab.isolation import Verdict, prove
from lab.plan.records import LabPlan
from tests.evidence.brute_force.asking import left_out, questions, text
from tests.evidence.brute_force.random_labs import small_plans
from tests.evidence.brute_force.random_mistakes import NOBODYS_PORT, mistaken_plans
from tests.evidence.brute_force.verdicts import BruteForce

SOME = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def assert_agreement(plan: LabPlan) -> None:
    """Fail unless every answer has the verdict of brute force, and the openings are the answers that are not "no"."""
    proof, oracle = prove(plan), BruteForce(plan)
    found = {(a.source, a.target, a.port): a.verdict for a in proof.openings.all()}
    near = {source: set(proof.openings.neighbours(source)) for source in proof.openings.sources}
    assert near == {source: left_out(oracle.atlas, source) for source in near}
    asked = set()
    for question in questions(proof):
        source, target, port = question
        answer, expected = proof.answer(*question), oracle.verdict(*question)
        assert answer.verdict is expected, f"{text(question)}: {expected}, but {answer.reason}"
        asked.add(question)
        if target in near[source]:
            assert question not in found, (
                f"{text(question)} needs no asking: it follows from where both were put"
            )
        elif expected is Verdict.no:
            assert question not in found, f"{text(question)} is closed"
        elif port != NOBODYS_PORT or (source, target, None) not in found:
            assert found.get(question) is expected, f"{text(question)} is missed"
    beyond = {question: verdict for question, verdict in found.items() if question not in asked}
    for question, verdict in beyond.items():
        assert oracle.verdict(*question) is verdict, f"{text(question)}, of which a rule speaks"


@SOME
@given(small_plans())
def test_declared_labs_get_the_verdicts_of_brute_force(plan: LabPlan) -> None:
    """In labs as a person may declare them, trying every packet gives every verdict, and no open path is missed."""
    assert_agreement(plan)


@SOME
@given(mistaken_plans())
def test_mistaken_plans_get_the_verdicts_of_brute_force(plan: LabPlan) -> None:
    """The same where a planner made mistakes that no lab file can express."""
    assert_agreement(plan)


@SOME
@given(small_plans())
def test_whoever_shares_a_network_is_its_machine(plan: LabPlan) -> None:
    """A service in the network of its host reaches, and is reached, as the host is."""
    proof = prove(plan)
    for endpoint, container in proof.reach.directory.containers.items():
        if container.service.host_network:
            host = proof.reach.grounds.host_endpoint(container.host)
            for other in proof.openings.targets:
                assert proof.answer(endpoint, other, None) == proof.answer(host, other, None)
                assert proof.answer(other, endpoint, None) == proof.answer(other, host, None)
