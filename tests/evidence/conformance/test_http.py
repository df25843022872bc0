"""The recorded HTTP requests, sent to the sandbox's own APIs: how many are answered alike, and why the rest is not."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from sandbox.conformance.document import HTTP_BEGIN, part_of, write_part
from sandbox.conformance.http.deviations import declared_deviations
from sandbox.conformance.http.replay import Answered
from sandbox.conformance.http.run import APIS, http_outcomes, package_figures
from sandbox.conformance.recording import read_cases
from sandbox.conformance.replay import Verdict
from sandbox.conformance.report import HTTP_HEADINGS, table
from tests.support.shared import shared_path

REACHED = {
    "cloudflare": {Verdict.AGREES: 195, Verdict.REFUSED: 73, Verdict.UNPLAYABLE: 5},
    "docker": {Verdict.AGREES: 899, Verdict.DIFFERS: 7, Verdict.UNPLAYABLE: 22},
    "proxmoxve": {Verdict.AGREES: 7845, Verdict.DIFFERS: 120, Verdict.UNPLAYABLE: 425},
    "tailscale": {Verdict.AGREES: 373, Verdict.DIFFERS: 7, Verdict.REFUSED: 1, Verdict.UNPLAYABLE: 8},
}
"""Refused are tunnels and zone settings of Cloudflare, and OAuth of Tailscale, which no lab uses."""
PACKAGES = sorted(APIS)
PAGE = Path(__file__).resolve().parents[3] / "docs" / "sandbox.md"


@cache
def _outcomes(package: str) -> list[Answered]:
    return http_outcomes(read_cases([shared_path(f"schemas/plugin-recordings/{package}.jsonl.gz")]))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_answer_is_lost(package: str) -> None:
    """These many requests are answered as recorded, and none is dropped from the count."""
    assert Counter(outcome.verdict for outcome in _outcomes(package)) == REACHED[package]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_deviation_is_declared(package: str) -> None:
    """Nothing is answered differently without a reason, and no reason outlives what it explains."""
    declared = [one for one in declared_deviations() if one.package == package]
    unexplained, used = [], set()
    for outcome in _outcomes(package):
        for difference in outcome.differences:
            covering = {one for one in declared if one.covers(outcome, difference.kind)}
            used |= covering
            if not covering:
                unexplained.append((outcome.case.id, outcome.endpoint, difference.kind, difference.field))
    assert unexplained == []
    assert [one.reason for one in declared if one not in used] == []


def test_the_table_of_packages_is_current(update_golden: bool) -> None:
    """Every figure of the committed table is that of a replay; `make golden` writes it anew."""
    outcomes = [outcome for package in PACKAGES for outcome in _outcomes(package)]
    found = table(package_figures(outcomes), HTTP_HEADINGS)
    if update_golden:
        write_part(PAGE, found, HTTP_BEGIN)
    assert part_of(PAGE.read_text(), PAGE.name, HTTP_BEGIN) == found
