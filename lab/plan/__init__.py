"""The plan: everything about a lab, decided, as plain frozen values.

`records` are the values, `read` and `build` make them, and the other modules are the
steps of `build`, one subject each.
"""

from lab.plan.build import build_plan, plan_with_ledger
from lab.plan.read import load_plan, load_plan_and_ledger, plan_with, pruned_ledger

__all__ = [
    "build_plan",
    "load_plan",
    "load_plan_and_ledger",
    "plan_with",
    "plan_with_ledger",
    "pruned_ledger",
]
