"""The shape of a planted leak, and a lab file with some other values in it."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from lab.config.load import parse
from lab.isolation import Verdict
from lab.ledger import Ledger
from lab.plan import plan_with_ledger
from lab.plan.records import LabPlan
from tests.support.builders import Raw

Plant = Callable[[LabPlan], LabPlan]
"""A change to a plan. One that finds nothing to change is an error, so that no leak is "found" that was never there."""


@dataclass(frozen=True, kw_only=True)
class Leak:
    """One mistake in a lab that has no other, and what the proof has to say about it."""

    name: str
    lab: Callable[[], Raw]
    put: Mapping[str, Any] = field(default_factory=dict)
    """Values of the lab file by the path of their key."""
    plant: Plant | None = None
    """What is changed in the plan afterwards."""
    path: str
    """The connection that is possible, as `service:a/b -> guest:c:443/tcp`; `*` for a port that nobody declared."""
    reason: str
    """A part of the reason that is given for it."""
    verdict: Verdict = Verdict.yes
    bystanders: tuple[str, ...] = ()
    """Endpoints beside those of `path` that are rightly named in other violations."""

    @property
    def concerned(self) -> frozenset[str]:
        """Everybody who may rightly be named."""
        source, _, rest = self.path.partition(" -> ")
        return frozenset((source, rest.rpartition(":")[0], *self.bystanders))

    def planted(self) -> LabPlan:
        """The plan with the leak."""
        plan = planned(self.lab(), self.put)
        return self.plant(plan) if self.plant else plan


def planned(raw: Raw, put: Mapping[str, Any] | None = None) -> LabPlan:
    """The plan of a lab in which some keys have other values.

    Args:
        raw: the lab as it stands in its file.
        put: values by the path of their key, such as `stacks.wiki.services.db.egress`; None removes the key.
    """
    changed = deepcopy(raw)
    for path, value in (put or {}).items():
        *parents, last = path.split(".")
        part = changed
        for key in parents:
            part = part.setdefault(key, {})
        assert part.get(last) != value, f"{path} has this value already"
        part[last] = value
        if value is None:
            del part[last]
    return plan_with_ledger(parse(changed), Ledger(), environment="test")[0]
