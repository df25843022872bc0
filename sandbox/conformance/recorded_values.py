"""Property values as recordings write them (`$secret`, `$unknown`), to and from the wire."""

from __future__ import annotations

from typing import Any

from google.protobuf.struct_pb2 import Struct

from sandbox.plugins import wire
from sandbox.plugins.values import UNKNOWN, Secret, Unknown, Value, Values


def value_of(recorded: Any) -> Value:
    """A recorded value as the plugins' framework holds it; whole floats become integers."""
    if isinstance(recorded, dict):
        if "$unknown" in recorded:
            return UNKNOWN
        if "$secret" in recorded:
            return Secret(value_of(recorded["$secret"]))
        return {key: value_of(item) for key, item in recorded.items()}
    if isinstance(recorded, list):
        return [value_of(item) for item in recorded]
    if isinstance(recorded, float) and recorded.is_integer():
        return int(recorded)
    scalar: Value = recorded
    return scalar


def values_of(recorded: Any) -> Values:
    """A recorded object; null counts as empty."""
    found = value_of(recorded or {})
    assert isinstance(found, dict)
    return found


def recorded_of(value: Value) -> Any:
    """A value in the notation of recordings."""
    match value:
        case Unknown():
            return {"$unknown": True}
        case Secret():
            return {"$secret": recorded_of(value.value)}
        case list():
            return [recorded_of(item) for item in value]
        case dict():
            return {key: recorded_of(item) for key, item in value.items()}
        case _:
            return value


def to_struct(recorded: Any) -> Struct:
    """A recorded object on the wire."""
    return wire.encode(values_of(recorded))


def from_struct(struct: Struct) -> Any:
    """An object from the wire in the notation of recordings."""
    return recorded_of(wire.decode(struct))
