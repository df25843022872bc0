"""The plans of lab files that belong to this repository: read once, for a plan never changes."""

from functools import cache
from pathlib import Path

from lab.plan import load_plan
from lab.plan.records import LabPlan


@cache
def plan_of(path: Path) -> LabPlan:
    """The plan of a lab file, as `load_plan` gives it."""
    return load_plan(path)
