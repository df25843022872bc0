"""Figures of a conversation: what is counted, and in which order it is told."""

from sandbox.conformance.difference import Difference
from sandbox.conformance.figures import figures_of
from sandbox.conformance.recording import Case
from sandbox.conformance.replay import Outcome, Verdict

KINDS = ("other body", "other address", "other error", "missing request", "extra request", "other state")


def test_kinds_that_are_as_frequent_stand_as_they_were_met() -> None:
    """Two runs then print the same report; a set would have the order of its hashes."""
    case = Case(id="a/b/c", package="p", type="t", note="", died=False, steps=(), file="f")
    found = tuple(Difference(kind=kind, field="", theirs=1, ours=2) for kind in (*KINDS, KINDS[-1]))
    outcome = Outcome(case=case, step=0, verdict=Verdict.DIFFERS, differences=found)

    assert figures_of([outcome])["t"].kinds.most_common() == [(kind, 1) for kind in KINDS]
