"""Diff: what would change, in place or by replacement, as the official plugins report it.

The declared properties decide: a changed property that replaces, replaces; a property that the service
computes when
the program gives none is silent when it is removed; for collections of objects, adding or removing an element
follows
the collection's own setting and a changed field follows the field's. SDKv2 types report a detailed path per
change,
plugin-framework types only names (plugin-recordings README, surprises 3, 5, 19, 20 and 27).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sandbox.plugins.check import DEFAULTS
from sandbox.plugins.properties import Change, Kind, Property
from sandbox.plugins.resource import DeleteFirst, Dialect, ResourceType
from sandbox.plugins.values import UNKNOWN, Value, Values, contains_unknown

SIMPLE_KEY = re.compile(r"^[A-Za-z_$][A-Za-z0-9_$]*$")
ZERO: dict[Kind, Value] = {Kind.STRING: "", Kind.INTEGER: 0, Kind.NUMBER: 0, Kind.BOOLEAN: False}


class Action(Enum):
    """What happens at a path."""

    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One change at one path, such as `labels[0].value`."""

    path: str
    property: str
    action: Action
    replaces: bool


@dataclass(frozen=True, kw_only=True)
class Diff:
    """The answer: changed names, those that replace, the paths (SDKv2 only), and the order to replace in."""

    changed: tuple[str, ...]
    replaces: tuple[str, ...]
    details: tuple[Difference, ...]
    delete_before_replace: bool


def diff_resource(
    kind: ResourceType[Any], state: Values, inputs: Values, ignored: Sequence[str] = ()
) -> Diff:
    """Compare the last outputs with the checked inputs.

    Args:
        ignored: paths of `ignoreChanges`; a difference at or below one of them is left out.
    """
    found = [
        difference
        for item in kind.properties
        for difference in _compare(item, state, inputs)
        if not _is_ignored(difference.path, ignored)
    ]
    changed = frozenset(difference.property for difference in found)
    names = kind.diff(state, inputs, changed)
    found = [difference for difference in found if difference.property in names]
    replaces = tuple(difference.property for difference in found if difference.replaces)
    if "id" in names:
        replaces = (*replaces, "id")
    first = bool(replaces) and _deletes_first(kind, inputs)
    return Diff(
        changed=tuple(sorted(names)),
        replaces=replaces if kind.dialect is Dialect.SDK2 else tuple(dict.fromkeys(replaces)),
        details=tuple(found) if kind.dialect is Dialect.SDK2 else (),
        delete_before_replace=first,
    )


def diff_configuration(properties: tuple[Property, ...], old: Values, new: Values) -> tuple[Difference, ...]:
    """Compare two provider configurations; nothing ever replaces."""
    return tuple(
        Difference(
            path=item.name,
            property=item.name,
            action=_action(old.get(item.name), new.get(item.name)),
            replaces=False,
        )
        for item in properties
        if old.get(item.name) != new.get(item.name)
    )


def _deletes_first(kind: ResourceType[Any], inputs: Values) -> bool:
    if kind.delete_first is DeleteFirst.NAMED:
        defaults = inputs.get(DEFAULTS)
        return inputs.get("name") is not None and not (isinstance(defaults, list) and "name" in defaults)
    return kind.delete_first is DeleteFirst.ALWAYS


def _is_ignored(path: str, ignored: Sequence[str]) -> bool:
    return any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in ignored)


def _action(old: Value, new: Value) -> Action:
    if old is None:
        return Action.ADD
    return Action.DELETE if new is None else Action.UPDATE


def _compare(item: Property, state: Values, inputs: Values) -> Iterator[Difference]:
    old = state.get(item.name)
    new = None if item.output else inputs.get(item.name, item.planned_default)
    if item.computed and (new is None or new in ([], {})):
        if item.filled and old is None and item.name in state:
            yield _one(item, item.name, item.name, Action.ADD)
        return
    yield from _at(item, item.name, item.name, old, new)


def _one(item: Property, name: str, path: str, action: Action) -> Difference:
    return Difference(path=path, property=name, action=action, replaces=item.change is Change.REPLACE)


def _at(item: Property, name: str, path: str, old: Value, new: Value) -> Iterator[Difference]:
    """The differences of a property below one path; `name` is the top-level property."""
    if new is UNKNOWN:
        yield _one(item, name, path, _action(None if _is_empty(old) else old, UNKNOWN))
        return
    match item.kind:
        case Kind.OBJECT:
            yield from _object(item, name, path, old, new)
        case Kind.SET:
            yield from _set(item, name, path, old, new)
        case Kind.LIST:
            yield from _list(item, name, path, old, new)
        case Kind.MAP:
            yield from _map(item, name, path, old, new)
        case _:
            yield from _scalar(item, name, path, old, new)


def _is_empty(value: Value) -> bool:
    return value is None or value == [] or value == {}


def _scalar(item: Property, name: str, path: str, old: Value, new: Value) -> Iterator[Difference]:
    if (old == new and type(old) is type(new)) or _same_number(old, new):
        return
    zero = ZERO[item.kind]
    if (old is None or old == zero) and (new is None or new == zero):
        return
    yield _one(item, name, path, _action(old, new))


def _same_number(old: Value, new: Value) -> bool:
    both = isinstance(old, int | float) and isinstance(new, int | float)
    return both and isinstance(old, bool) == isinstance(new, bool) and old == new


def _object(item: Property, name: str, path: str, old: Value, new: Value) -> Iterator[Difference]:
    if old is None or new is None:
        if old is not None or new is not None:
            yield _one(item, name, path, _action(old, new))
        return
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _fields(item, name, path, old, new)


def _fields(item: Property, name: str, path: str, old: Values, new: Values) -> Iterator[Difference]:
    for one in item.fields:
        before, after = old.get(one.name), new.get(one.name, one.planned_default)
        if one.output or (after is None and one.computed):
            continue
        yield from _at(one, name, f"{path}.{one.name}", before, after)


def _lists(old: Value, new: Value) -> tuple[list[Value], list[Value]]:
    return (old if isinstance(old, list) else []), (new if isinstance(new, list) else [])


def _ends(
    item: Property, name: str, path: str, old: Sequence[Value], new: Sequence[Value]
) -> Difference | None:
    """The one difference of a collection that appears or disappears as a whole."""
    if not old and new:
        return _one(item, name, path, Action.ADD)
    if old and not new:
        return _one(item, name, path, Action.DELETE)
    return None


def _list(item: Property, name: str, path: str, old: Value, new: Value) -> Iterator[Difference]:
    before, after = _lists(old, new)
    whole = _ends(item, name, path, before, after)
    if whole is not None:
        yield whole
        return
    if _scalars(item) and contains_unknown(after):
        yield _one(item, name, path, Action.UPDATE)
        return
    yield from _elements(item, name, path, dict(enumerate(before)), dict(enumerate(after)))


def _scalars(item: Property) -> bool:
    return item.element is not None and item.element.kind is not Kind.OBJECT


def _elements(
    item: Property, name: str, path: str, before: dict[int, Value], after: dict[int, Value]
) -> Iterator[Difference]:
    element = item.element
    assert element is not None
    for index in sorted(before.keys() | after.keys()):
        here = f"{path}[{index}]"
        if index not in before:
            yield _one(item, name, here, Action.ADD)
        elif index not in after:
            yield _one(item, name, here, Action.DELETE)
        elif element.kind is Kind.OBJECT:
            yield from _object(element, name, here, before[index], after[index])
        elif before[index] != after[index]:
            yield _one(item, name, here, Action.UPDATE)


def _set(item: Property, name: str, path: str, old: Value, new: Value) -> Iterator[Difference]:
    before, after = _lists(old, new)
    whole = _ends(item, name, path, before, after)
    if whole is not None:
        yield whole
        return
    rest_before, rest_after = _unmatched(item, before, after)
    if not rest_before and not rest_after:
        return
    if item.whole or (_scalars(item) and contains_unknown(after)):
        yield _one(item, name, path, Action.UPDATE)
        return
    yield from _elements(item, name, path, rest_before, rest_after)


def _unmatched(
    item: Property, before: list[Value], after: list[Value]
) -> tuple[dict[int, Value], dict[int, Value]]:
    """The elements, by position, that have no equal in the other list."""
    rest_before = dict(enumerate(before))
    rest_after: dict[int, Value] = {}
    for index, value in enumerate(after):
        twin = next((at for at, one in rest_before.items() if _equal(item.element, one, value)), None)
        if twin is None:
            rest_after[index] = value
        else:
            del rest_before[twin]
    return rest_before, rest_after


def _equal(element: Property | None, old: Value, new: Value) -> bool:
    assert element is not None
    if contains_unknown(new):
        return False
    return not any(_at(element, "", "", old, new))


def _map(item: Property, name: str, path: str, old: Value, new: Value) -> Iterator[Difference]:
    before = old if isinstance(old, dict) else {}
    after = new if isinstance(new, dict) else {}
    if old is None and after:
        yield _one(item, name, path, Action.ADD)
        return
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) == after.get(key):
            continue
        here = f"{path}.{key}" if SIMPLE_KEY.match(key) else f'{path}["{key}"]'
        yield _one(item, name, here, _action(before.get(key), after.get(key)))
