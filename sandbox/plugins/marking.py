"""Which values of a resource are marked secret on their way to the engine.

Whole properties are marked by name, fields of objects where their description says so, also when they are null: the
official plugins mark the place and not the value.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.struct_pb2 import Struct

from sandbox.plugins import wire
from sandbox.plugins.properties import Property
from sandbox.plugins.resource import ResourceType
from sandbox.plugins.values import Secret, Value, Values


def encoded(kind: ResourceType[Any], values: Values, secret: frozenset[str]) -> Struct:
    """Outputs or inputs for the wire; `secret` names the whole properties."""
    apart = {name: value for name, value in values.items() if name in secret}
    rest = {name: value for name, value in values.items() if name not in secret}
    marked = marked_fields(kind, rest)
    return wire.encode({name: apart.get(name, marked.get(name)) for name in values}, secret)


def marked_fields(kind: ResourceType[Any], values: Values) -> Values:
    """The values with the secret fields of objects marked."""
    by_name = {item.name: item for item in kind.properties}
    return {
        name: _marked(by_name[name], value) if name in by_name else value for name, value in values.items()
    }


def _marked(item: Property, value: Value) -> Value:
    if isinstance(value, list) and item.element is not None:
        return [_marked(item.element, one) for one in value]
    if not isinstance(value, dict) or not item.fields:
        return value
    by_name = {field.name: field for field in item.fields}
    return {name: _marked_field(by_name.get(name), one) for name, one in value.items()}


def _marked_field(field: Property | None, value: Value) -> Value:
    if field is None:
        return value
    return Secret(value) if field.secret else _marked(field, value)
