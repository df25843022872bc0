"""A plan as plain data, for programs."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from lab.errors import Issue
from lab.flows import Endpoint, Flow, Port, Target
from lab.plan.records import LabPlan, SecretRef

PLAN_VERSION = 1


def plan_data(plan: LabPlan) -> dict[str, Any]:
    """Everything that a plan says, with a version of its own shape."""
    return {"version": PLAN_VERSION, **_plain(plan)}


def _plain(value: Any) -> Any:
    if isinstance(value, Endpoint | Port | Target):
        return str(value)
    if isinstance(value, SecretRef):
        return value.name
    if isinstance(value, Flow):
        return {
            "from": str(value.source),
            "to": str(value.target),
            "because": value.because,
            "origin": value.origin,
        }
    if isinstance(value, Issue):
        return {"path": value.path, "problem": value.problem, "repair": value.repair}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [_plain(part) for part in value]
    return value
