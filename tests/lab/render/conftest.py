"""The proof of the dev lab, made once for all tests of what is told of it."""

from pathlib import Path

import pytest

from lab.isolation import Proof, prove
from tests.support.plans import plan_of


@pytest.fixture(scope="session")
def dev() -> Proof:
    """The proof of the dev lab."""
    return prove(plan_of(Path(__file__).resolve().parents[3] / "Pulumi.dev.yaml"))
