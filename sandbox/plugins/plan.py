"""What a preview shows of a resource, and which inputs a refresh or an import writes back.

A preview's outputs are the inputs, and unknown for everything that the service will decide. Inputs after a
refresh
are the old inputs with the values that were found (keys that were not set stay unset); after an import they
are all
properties that differ from their defaults.
"""

from __future__ import annotations

from typing import Any

from sandbox.plugins.check import DEFAULTS
from sandbox.plugins.diff import ZERO
from sandbox.plugins.properties import Kind, Property
from sandbox.plugins.resource import Dialect, ResourceType
from sandbox.plugins.values import UNKNOWN, Value, Values, contains_unknown


def without_bookkeeping(value: Value) -> Value:
    """The value without the `__defaults` lists that Check leaves in inputs."""
    if isinstance(value, list):
        return [without_bookkeeping(item) for item in value]
    if isinstance(value, dict):
        return {key: without_bookkeeping(item) for key, item in value.items() if key != DEFAULTS}
    return value


def plan_create(kind: ResourceType[Any], inputs: Values) -> Values:
    """The outputs that a preview shows for a resource that does not exist yet."""
    planned: Values = {"id": UNKNOWN}
    for item in kind.properties:
        given = _given(kind, item, inputs)
        if given is None:
            given = UNKNOWN if item.computed else item.planned_default
        if given is not None or kind.dialect is Dialect.SDK2:
            shown = _completed(item, given, zero=kind.zero_fields) if kind.dialect is Dialect.SDK2 else given
            planned[item.name] = _zero_for_null(kind, item, shown)
    return kind.plan(planned, None)


def plan_update(kind: ResourceType[Any], state: Values, inputs: Values, changed: tuple[str, ...]) -> Values:
    """The outputs that a preview shows for an update.

    They are the old ones, the changed inputs, and unknown where the service decides anew.
    """
    planned: Values = {key: value for key, value in state.items() if not key.startswith("__")}
    for item in kind.properties:
        given = _given(kind, item, inputs)
        if given is not None:
            planned[item.name] = _planned_again(kind, item, given, state)
        elif item.name in changed:
            planned[item.name] = UNKNOWN if item.computed else _removed(kind, item)
    if kind.dialect is Dialect.FRAMEWORK:
        planned = {name: value for name, value in planned.items() if value is not None}
    return kind.plan(planned, state)


def _given(kind: ResourceType[Any], item: Property, inputs: Values) -> Value:
    """The input as an output: a set of texts is sorted (plugin framework), and unknown when one is."""
    given = None if item.output else without_bookkeeping(inputs.get(item.name))
    if item.kind is not Kind.SET or not isinstance(given, list) or (item.element and item.element.fields):
        return given
    if contains_unknown(given):
        return UNKNOWN
    return [*sorted(given, key=str)] if kind.dialect is Dialect.FRAMEWORK else given


def _removed(kind: ResourceType[Any], item: Property) -> Value:
    """What an update plans for a property that is no longer given."""
    if kind.zero_fields and item.planned_default is None:
        return ZERO.get(item.kind)
    return item.planned_default


def _planned_again(kind: ResourceType[Any], item: Property, given: Value, state: Values) -> Value:
    return _completed(item, given, state.get(item.name), zero=True) if kind.dialect is Dialect.SDK2 else given


def _completed(item: Property, value: Value, before: Value = None, *, zero: bool) -> Value:
    """A planned value with what SDKv2 shows for fields of objects that the program did not give.

    Args:
        before: the value in the state, from which an update keeps what the service chose.
        zero: whether a flag or number without a default is shown as zero, or not at all.
    """
    if isinstance(value, list) and item.element is not None and item.element.fields:
        olds = before if isinstance(before, list) else []
        padded = [*olds, *[None] * len(value)]
        return [_completed(item.element, one, padded[index], zero=zero) for index, one in enumerate(value)]
    if not isinstance(value, dict) or not item.fields:
        return value
    result, old = dict(value), before if isinstance(before, dict) else {}
    for field in item.fields:
        if result.get(field.name) is None:
            updated = isinstance(before, dict)
            result[field.name] = _unset_field(field, old.get(field.name), zero=zero, updated=updated)
        else:
            result[field.name] = _completed(field, result[field.name], old.get(field.name), zero=zero)
    return result


def _unset_field(field: Property, before: Value, *, zero: bool, updated: bool) -> Value:
    """What a plan shows of a field that was not given; `updated`: its object is in the state already."""
    if field.computed:
        return UNKNOWN if before is None else before
    if field.bare and not updated:
        return None
    if field.kind in (Kind.LIST, Kind.SET):
        return []
    if field.planned_default is not None or not zero or (field.kind is Kind.STRING and not updated):
        return field.planned_default
    return ZERO.get(field.kind)


def _zero_for_null(kind: ResourceType[Any], item: Property, value: Value) -> Value:
    """SDKv2 has no null collections of objects: they are empty in a plan."""
    is_blocks = item.element is not None and item.element.kind is Kind.OBJECT
    return [] if value is None and is_blocks and kind.dialect is Dialect.SDK2 else value


def refreshed_inputs(kind: ResourceType[Any], inputs: Values, state: Values) -> Values:
    """The inputs to keep after a refresh found `state`."""
    return _refreshed(kind.properties, inputs, state)


def _refreshed(properties: tuple[Property, ...], inputs: Values, state: Values) -> Values:
    by_name = {item.name: item for item in properties}
    result: Values = {}
    for name, old in inputs.items():
        found = state.get(name)
        if name != DEFAULTS and found is not None and name in by_name:
            result[name] = _refreshed_value(by_name[name], old, found)
    defaults = inputs.get(DEFAULTS)
    if isinstance(defaults, list):
        kept: list[Value] = [
            name for name in defaults if isinstance(name, str) and inputs.get(name) == result.get(name)
        ]
        if kept:
            result[DEFAULTS] = kept
    return result


def _refreshed_value(item: Property, old: Value, found: Value) -> Value:
    if item.kind is Kind.OBJECT and isinstance(old, dict) and isinstance(found, dict):
        return _refreshed(item.fields, old, found)
    if isinstance(old, str) and isinstance(found, str) and old == found.rstrip("\n"):
        return old  # a line break at the end, which Proxmox VE adds, was not asked for
    element = item.element
    if element is None or element.kind is not Kind.OBJECT:
        return found
    if not isinstance(old, list) or not isinstance(found, list):
        return _without_empty(item, found)
    return [_refreshed_value(element, _twin(item, old, index, now), now) for index, now in enumerate(found)]


def _twin(item: Property, old: list[Value], index: int, found: Value) -> Value:
    """The old element that became the found one: in a set the one that says the same, else the one at its
    place.
    """
    assert item.element is not None
    if item.kind is Kind.SET:
        for one in old:
            if isinstance(one, dict) and isinstance(found, dict) and _says_the_same(item.element, one, found):
                return one
    return old[index] if index < len(old) else None


def _says_the_same(element: Property, old: Values, found: Values) -> bool:
    return all(old[field.name] == found.get(field.name) for field in element.fields if field.name in old)


def imported_inputs(kind: ResourceType[Any], state: Values) -> Values:
    """The inputs of an object that was found by its id alone: what is not computed and not a default."""
    return _imported(kind.properties, state)


def _imported(properties: tuple[Property, ...], state: Values) -> Values:
    result: Values = {}
    for item in properties:
        found = state.get(item.name)
        if item.output or found is None or found == item.default or found in ([], {}):
            continue
        if found == ZERO.get(item.kind, object()) and not item.required:
            continue
        result[item.name] = _without_empty(item, found)
    return result


def _without_empty(item: Property, found: Value) -> Value:
    if item.kind is Kind.OBJECT and isinstance(found, dict):
        return _imported(item.fields, found)
    element = item.element
    if element is not None and element.kind is Kind.OBJECT and isinstance(found, list):
        return [_without_empty(element, one) for one in found]
    return found
