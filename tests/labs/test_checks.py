"""Every lab of the repository keeps what it says about itself: its check is fine, and what it puts up with is there."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from lab.isolation import Verdict, prove
from tests.labs.reading import CASES, lab_file, planned
from tests.support.plans import plan_of

DEV = Path(__file__).resolve().parents[2] / "Pulumi.dev.yaml"


@pytest.mark.parametrize("path", [DEV, *map(lab_file, CASES)], ids=lambda path: str(path.parent.name))
def test_its_check_is_fine(path: Path) -> None:
    """`lab check` of the lab is code 0: no violation, no expectation that fails, no acceptance of nothing."""
    result = CliRunner().invoke(app, ["check", "--file", str(path)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert f"\n{path.name} is fine: " in result.stdout


def test_dev_has_nothing_to_put_up_with() -> None:
    """The dev lab has no path that nobody declared, accepts none, and nobody blocks a flow of it."""
    proof = prove(plan_of(DEV))
    assert proof.violations == ()
    assert proof.plan.accepted == ()
    assert list(proof.idle_acceptances) == []
    assert proof.blocked == ()


def test_dev_promises_something() -> None:
    """The dev lab says what must be so; all of it holds, but for what its foreign router decides."""
    proof = prove(plan_of(DEV))
    assert 3 <= len(proof.expectations) <= 8
    for outcome in proof.expectations:
        assert outcome.verdict is not Verdict.no
        if outcome.verdict is Verdict.unknown:
            assert outcome.against is not None
            assert "the router device:gateway decides" in outcome.against.reason


def test_the_flat_subnet_is_order_and_not_isolation() -> None:
    """In the flat lab the node routes everything, which is accepted with reasons and nowhere else needed."""
    proof = prove(planned("flat-subnet"))
    assert {str(path.answer.best.legs[0].reason) for path in proof.accepted} == {
        "the node routes between vlan vms and vlan lan and filters nothing on the way",
        "the node routes between vlan lan and vlan vms and filters nothing on the way",
    }
    assert all(not planned(case).accepted for case in CASES if case != "flat-subnet")
