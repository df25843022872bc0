"""Whether an answer is what Proxmox's description of its API says under `returns`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.proxmox.parameters import fits

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


def problems(schema: Mapping[str, Any], value: Any, where: str = "") -> Iterator[str]:
    """Every place that is not as described, as a sentence that starts with the place."""
    kind = schema.get("type", "any")
    if kind == "boolean":
        if value not in (0, 1):
            yield f"{where}: {value!r} is no boolean"
        return
    if kind != "any" and not isinstance(value, _TYPES[kind]):
        yield f"{where}: is of type {type(value).__name__} instead of {kind}"
        return
    yield from _bounds(schema, value, where)
    if isinstance(value, list):
        for item in value:
            yield from problems(schema.get("items") or {}, item, f"{where}[]")
    if isinstance(value, dict):
        yield from _properties(schema, value, where)


def _bounds(schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str):
        if len(value) > int(schema.get("maxLength", len(value))):
            yield f"{where}: is longer than {schema['maxLength']}"
        if "pattern" in schema and not fits(schema["pattern"], value):
            yield f"{where}: {value!r} does not match {schema['pattern']}"
    if isinstance(value, (int, float)):
        if value < float(schema.get("minimum", value)):
            yield f"{where}: {value} is below {schema['minimum']}"
        if value > float(schema.get("maximum", value)):
            yield f"{where}: {value} is above {schema['maximum']}"


def _properties(schema: Mapping[str, Any], value: dict[str, Any], where: str) -> Iterator[str]:
    known: Mapping[str, Any] = schema.get("properties") or {}
    numbered = {name.removesuffix("[n]"): rule for name, rule in known.items() if name.endswith("[n]")}
    for name, item in value.items():
        rule = known.get(name) or numbered.get(name.rstrip("0123456789"))
        if rule is not None:
            yield from problems(rule, item, f"{where}.{name}")
        elif schema.get("additionalProperties", 1) in (0, False):
            yield f"{where}.{name}: is not described"
    for name, rule in known.items():
        if not rule.get("optional") and name not in value and not name.endswith("[n]"):
            yield f"{where}.{name}: is missing"
