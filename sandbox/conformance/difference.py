"""One difference between a recorded answer and a given one, and where two documents part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
_ABSENT = object()


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What differs: a kind that is counted, the field, and both sides."""

    kind: str
    field: str
    theirs: Any
    ours: Any


def parted(theirs: Any, ours: Any, path: Path = ()) -> list[tuple[Path, Any, Any]]:
    """Every place where two documents differ; a side that has nothing there gives `ABSENT`."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        found = []
        for name in sorted(theirs.keys() | ours.keys()):
            found += parted(theirs.get(name, _ABSENT), ours.get(name, _ABSENT), (*path, name))
        return found
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        return [
            one
            for index, (their, our) in enumerate(zip(theirs, ours, strict=True))
            for one in parted(their, our, (*path, index))
        ]
    same = theirs == ours and (isinstance(theirs, bool) == isinstance(ours, bool))
    return [] if same else [(path, theirs, ours)]


def written(path: Path) -> str:
    """A path as people write it: `disks[0].size`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def shown(value: Any) -> Any:
    """A value for a report."""
    return "(absent)" if value is _ABSENT else value


def is_absent(value: Any) -> bool:
    """Whether a side has nothing at that place."""
    return value is _ABSENT


def documents(
    kind: str, theirs: Any, ours: Any, left_out: Callable[[Path, Any], bool] = lambda path, value: False
) -> list[Difference]:
    """The differences of two documents as one counted kind.

    Args:
        left_out: whether a place that only theirs has does not count.
    """
    return [
        Difference(kind=kind, field=written(path), theirs=shown(their), ours=shown(our))
        for path, their, our in parted(theirs, ours)
        if not (is_absent(our) and left_out(path, their))
    ]
