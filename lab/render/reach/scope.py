"""What every answer of the proof ends with: what it claims, what it rests on, and what it does not model."""

from typing import Any

from lab.isolation.limits import CLAIM, NOT_MODELLED, limits_of
from lab.plan.records import LabPlan
from lab.render.reach.page import Block, Lines, Page, Point, Points, Title

THREAT_MODEL = "docs/threat-model.md"


def scope_page(plan: LabPlan, *, whole: bool) -> Page:
    """The claim with its limits.

    Args:
        plan: the lab; what its proof rests on is its own.
        whole: whether everything that is not modelled is listed, or only counted.
    """
    page: list[Block] = [Title("What this proves"), Lines((CLAIM,))]
    if rests := limits_of(plan):
        page += [Lines(("it rests on, or leaves open, in this lab:",)), Points(tuple(map(Point, rests)))]
    if whole:
        listed = Points(tuple(map(Point, NOT_MODELLED)))
        return [*page, Lines((f"not modelled ({THREAT_MODEL} says why):",)), listed]
    said = f"not modelled: {len(NOT_MODELLED)} things, which --limits lists; {THREAT_MODEL} says why"
    return [*page, Lines((said,))]


def scope_data(plan: LabPlan) -> dict[str, Any]:
    """The same for a program, always whole."""
    return {"claim": CLAIM, "rests_on": list(limits_of(plan)), "not_modelled": list(NOT_MODELLED)}
