"""What a program says about reachability before it creates anything.

A path that exists and that nobody declared stops preview and up, before the first
resource. What an update opens and closes is told beside its resources: it is compared
with what the stack itself recorded about what is deployed.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.deployed import VERSION
from lab.errors import LabError
from lab.isolation import Proof
from lab.isolation.difference import Change, Difference, difference, open_paths, read
from lab.isolation.violations import violation_issues

_LISTED = 40
"""How many changes a preview lists; `lab diff --deployed` lists all."""


def refuse_violations(proof: Proof) -> None:
    """Stop where a path exists that nobody declared or accepted.

    Raises:
        LabError: with every such path, those of one reason as one.
    """
    if proof.violations:
        raise LabError(violation_issues(proof.violations))


def tell_difference(proof: Proof) -> None:
    """Say which paths this update opens and closes, as soon as the engine knows what is deployed."""
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    # A stack may read its own outputs: they are those of the last update.
    deployed = pulumi.StackReference("deployed", stack_name=name).get_output("lab")
    deployed.apply(lambda lab: pulumi.log.info(difference_text(lab, proof)))


def difference_text(lab: Any, proof: Proof) -> str:
    """The difference between a deployed lab and a declared one, as a person reads it.

    Args:
        lab: the stack's output `lab`, None where nothing is deployed.
        proof: of the declared lab.
    """
    after = open_paths(proof)
    if not isinstance(lab, Mapping):
        return (
            f"Reachability: nothing is deployed yet; this lab opens {len(after)} paths, all of them declared."
        )
    if lab.get("version") != VERSION:
        return "Reachability: what is deployed was recorded by another version, so it is not compared."
    found = difference(read(lab["reach"]), after)
    return "\n".join(_lines(found))


def _lines(found: Difference) -> list[str]:
    if not found:
        return ["Reachability: no path opens, none closes."]
    parts = (("opens", found.opened), ("closes", found.closed), ("may open or close", found.changed))
    lines = ["Reachability: this update"]
    for verb, changes in parts:
        lines += [f"  {verb} {_said(change)}" for change in changes[:_LISTED]]
        if len(changes) > _LISTED:
            lines.append(f"  {verb} {len(changes) - _LISTED} more: `lab diff --deployed` lists all")
    return lines


def _said(change: Change) -> str:
    reason = f" ({change.reason})" if change.reason else ""
    return f"{change.source} -> {change.target} {change.port}{reason}"
