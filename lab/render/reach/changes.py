"""The verb `diff`: which paths open and which close, as a page and as data."""

from collections.abc import Iterable
from typing import Any

from lab.isolation.difference import Change, Difference
from lab.render.reach.page import Block, Lines, Page, Rows, Title
from lab.render.reach.words import counted

_PARTS = (("opens", "Opens"), ("closes", "Closes"), ("may_change", "Nobody can tell any more, or again"))


def diff_data(before: str, after: str, found: Difference) -> dict[str, Any]:
    """The answer for a program."""
    parts = {key: [_data(change) for change in changes] for (key, _), changes in _listed(found)}
    return {"version": 1, "before": before, "after": after, **parts}


def _listed(found: Difference) -> Iterable[tuple[tuple[str, str], tuple[Change, ...]]]:
    return zip(_PARTS, (found.opened, found.closed, found.changed), strict=True)


def _data(change: Change) -> dict[str, str]:
    return {
        "from": change.source,
        "to": change.target,
        "port": change.port,
        "before": change.before,
        "after": change.after,
        "because": change.reason,
    }


def diff_page(before: str, after: str, found: Difference) -> Page:
    """The answer for a person.

    Args:
        before: what it was, in words.
        after: what it is.
        found: the changes.
    """
    page: list[Block] = [Title(f"From {before} to {after}", 1)]
    if not found:
        return [*page, Lines(("no path opens, none closes",))]
    for (_, title), changes in _listed(found):
        if changes:
            page += [Title(f"{title}: {counted(len(changes), 'path')}"), _rows(changes)]
    return page


def _rows(changes: Iterable[Change]) -> Rows:
    """The ports of two ends that change alike are told together."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for change in changes:
        key = change.source, change.target, change.before, change.after, change.reason
        groups.setdefault(key, []).append(change.port)
    rows = [
        (source, target, ", ".join(ports), was, now, why)
        for (source, target, was, now, why), ports in groups.items()
    ]
    return Rows(("from", "to", "port", "was", "is", "because"), tuple(rows))
