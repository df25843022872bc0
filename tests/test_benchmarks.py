"""What is measured is what it says: the large lab of the benchmarks is a lab as the planner makes them."""

from benchmarks.proving import large_lab
from lab.isolation import Verdict, prove


def test_the_lab_that_is_measured_has_its_flows_open_and_nothing_else() -> None:
    """Each flow is a path with its reason, and no path is there that nobody declared."""
    proof = prove(large_lab(200, 40))

    assert proof.violations == ()
    assert {verdict.answer.verdict for verdict in proof.flows} == {Verdict.yes}
    between = [
        path for path in proof.paths if path.answer.source.kind == path.answer.target.kind == "service"
    ]
    assert len(between) == 40
