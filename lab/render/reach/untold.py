"""Paths of which nobody can tell, by what decides them."""

from collections.abc import Callable, Sequence

from lab.isolation import Answer
from lab.render.reach.page import Point, Points
from lab.render.reach.words import counted, named, ports_text


def untold(answers: Sequence[Answer], note: Callable[[Sequence[Answer]], str] = lambda _: "") -> Points:
    """What decides, and about which paths, the most first.

    Args:
        answers: those that are "cannot tell".
        note: what else is said of the paths that one thing decides.
    """
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        groups.setdefault(answer.reason, []).append(answer)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return Points(
        tuple(
            Point(f"{counted(len(group), 'path')}{note(group)}: {reason}", (_ends(group),))
            for reason, group in ordered
        )
    )


def _ends(answers: Sequence[Answer]) -> str:
    sources, targets = named([a.source for a in answers]), named([a.target for a in answers])
    return f"{sources} → {targets}: {ports_text(answer.port for answer in answers)}"
