"""Names, which are a verdict of their own: whose questions for a name outside reach a name server."""

from collections.abc import Iterator, Mapping
from typing import Any

from lab.flows import Endpoint
from lab.isolation import Path, Verdict
from lab.plan.records import LabPlan
from lab.render.reach.page import Block, Page, Point, Points, Title
from lab.render.reach.words import MARKS, counted, named, way_data

_ORDER = (Verdict.yes, Verdict.unknown, Verdict.no)
_TITLE = "Names (who may ask a name server for a name outside)"


def names_blocks(names: Mapping[Endpoint, Path]) -> Iterator[Block]:
    """The part of an answer about several endpoints: what is open or cannot be told by its reason, the rest counted."""
    if not names:
        return
    groups: dict[tuple[Verdict, str], list[Endpoint]] = {}
    for endpoint, path in names.items():
        reason = "" if path.verdict is Verdict.no else f": {path.reason}"
        groups.setdefault((path.verdict, reason), []).append(endpoint)
    ordered = sorted(groups.items(), key=lambda group: (_ORDER.index(group[0][0]), group[0][1]))
    yield Title(_TITLE)
    yield Points(
        tuple(
            Point(f"{verdict}, {counted(len(who), 'container')}{reason}", (named(who),))
            for (verdict, reason), who in ordered
        )
    )


def names_data(names: Mapping[Endpoint, Path]) -> list[dict[str, Any]]:
    """The same for a program."""
    return [
        {"from": str(endpoint), "reason": path.reason, **way_data(path)} for endpoint, path in names.items()
    ]


def explained_names(plan: LabPlan, names: Mapping[Endpoint, Path]) -> tuple[Page, dict[str, Any]]:
    """Why each of some containers may ask, or may not, leg by leg: for a person, and for a program."""
    page: list[Block] = []
    for endpoint, path in names.items():
        legs = tuple(f"{MARKS[leg.verdict]} {leg.reason}" for leg in path.legs)
        page += [Title(f"{endpoint}: names: {path.verdict}", 1), Points((Point("the best way", legs),))]
    return page, {"version": 1, "lab": plan.environment, "names": names_data(names)}
