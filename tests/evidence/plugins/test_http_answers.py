"""What the sandbox's APIs answer to all recorded requests: the figures reached, and every deviation with its reason."""

from collections import Counter

import pytest

from sandbox.conformance.http.deviations import deviations
from sandbox.conformance.http.run import http_outcomes
from sandbox.conformance.recording import read_cases
from sandbox.conformance.replay import Verdict
from tests.support.shared import shared_path

REACHED = {
    "cloudflare": {Verdict.AGREES: 145, Verdict.REFUSED: 123, Verdict.UNPLAYABLE: 5},
    "docker": {Verdict.AGREES: 900, Verdict.DIFFERS: 13, Verdict.UNPLAYABLE: 15},
    "tailscale": {Verdict.AGREES: 373, Verdict.DIFFERS: 11, Verdict.REFUSED: 1, Verdict.UNPLAYABLE: 4},
}
"""Refused are tunnels, API tokens and zone settings of Cloudflare, and OAuth of Tailscale, which no lab uses; not
playable are failures that the recording's server was told to have, and changes that only a real engine can undergo.
"""


@pytest.mark.parametrize("package", REACHED)
def test_answers_are_as_recorded_but_for_the_declared_deviations(package: str) -> None:
    """The counts are these, each difference is declared, and no declared one has gone away."""
    outcomes = http_outcomes(read_cases([shared_path(f"schemas/plugin-recordings/{package}.jsonl.gz")]))
    differing = {outcome.case.id for outcome in outcomes if outcome.verdict is Verdict.DIFFERS}
    declared = [case for deviation in deviations(package) for case in deviation.cases]
    assert differing == set(declared)
    assert len(declared) == len(set(declared))
    assert Counter(outcome.verdict for outcome in outcomes) == REACHED[package]
