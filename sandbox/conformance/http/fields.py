"""The fields of two answers: what theirs has, ours must have too, with the same value.

What ours has in addition is no difference: a plugin reads fields by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sandbox.conformance.difference import Difference, Path, written


def field_differences(theirs: Any, ours: Any, unread: Collection[str] = ()) -> list[Difference]:
    """Where a field of theirs is missing in ours, is of another type, or has another value.

    Args:
        unread: names of fields, at any depth, that the plugin does not read or whose value differs in each run.
    """
    return list(_parted(theirs, ours, (), unread))


def _parted(theirs: Any, ours: Any, path: Path, unread: Collection[str]) -> Iterator[Difference]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name, value in theirs.items():
            if name in unread:
                continue
            if name not in ours:
                yield _difference("missing", (*path, name), value, "(absent)")
            else:
                yield from _parted(value, ours[name], (*path, name), unread)
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, (their, our) in enumerate(zip(theirs, ours, strict=True)):
            yield from _parted(their, our, (*path, index), unread)
    elif type(theirs) is not type(ours):
        yield _difference("of another type", path, theirs, ours)
    elif isinstance(theirs, list):
        yield _difference("has another number of entries", path, theirs, ours)
    elif theirs != ours:
        yield _difference("has another value", path, theirs, ours)


def _difference(how: str, path: Path, theirs: Any, ours: Any) -> Difference:
    # Without its numbers a field of a list is one kind of difference, however many entries there are.
    name = ".".join(step for step in path if isinstance(step, str)) or "answer"
    return Difference(kind=f"{name} {how}", field=written(path), theirs=theirs, ours=ours)
