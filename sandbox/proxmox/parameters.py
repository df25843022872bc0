"""Checking a request's parameters against Proxmox VE's own description of the call.

Owns the verdict and its texts: unknown and missing parameters, types, bounds, lengths, enumerations,
patterns, formats, property strings and dependencies. All problems are reported at once, per parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.proxmox import propertystring
from sandbox.proxmox.description import Operation
from sandbox.proxmox.errors import bad_parameters
from sandbox.proxmox.formats import check_format

_TRUE = frozenset(("1", "on", "yes", "true"))
_FALSE = frozenset(("0", "off", "no", "false"))
_UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
_MISSING = "property is missing and it is not optional"


class _Invalid(Exception):
    """One parameter is wrong; the text is the reason."""


def verify(operation: Operation, given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The parameters with their types: booleans as 0 or 1, integers, numbers, texts, lists of texts.

    Args:
        operation: the call.
        given: every value that the request gave per name, the ones in its path included.

    Raises:
        ApiError: status 400 with a reason per wrong parameter.
    """
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, texts in given.items():
        schema = operation.parameter(name)
        if schema is None:
            if operation.closed:
                errors[name] = _UNKNOWN
            continue
        try:
            values[name] = _value(schema, list(texts))
        except _Invalid as problem:
            errors[name] = str(problem)
    for name, schema in operation.parameters.items():
        if not _optional(schema) and name not in given and "[n]" not in name:
            errors[name] = _MISSING
        needed = schema.get("requires")
        if needed and name in given and needed not in given:
            errors[needed] = f"missing property - '{name}' requires this property"
    if errors:
        raise bad_parameters(errors)
    return values


def _optional(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("optional")) or "default" in schema


def _value(schema: Mapping[str, Any], texts: list[str]) -> Any:
    if schema.get("type") == "array":
        items = schema.get("items") or {}
        return [_value(items, [text]) for text in texts]
    # A repeated parameter of a list format is one list; of any other it is a mistake.
    if len(texts) > 1 and not str(schema.get("format", "")).endswith("-list"):
        raise _Invalid("duplicate parameter")
    text = ",".join(texts)
    return _typed(schema, text)


def _typed(schema: Mapping[str, Any], text: str) -> Any:
    kind = schema.get("type", "string")
    if kind == "boolean":
        return _boolean(text)
    if kind in ("integer", "number"):
        return _number(schema, text, kind)
    # Clients clear an optional text by sending it empty (seen from the official one for firewall rules).
    if text == "" and _optional(schema):
        return ""
    _check_text(schema, text)
    return text


def _boolean(text: str) -> int:
    if text.lower() in _TRUE:
        return 1
    if text.lower() in _FALSE:
        return 0
    raise _Invalid(f"type check ('boolean') failed - got '{text}'")


def _number(schema: Mapping[str, Any], text: str, kind: str) -> int | float:
    if not re.fullmatch(r"-?\d+" if kind == "integer" else r"-?(?:\d+(?:\.\d*)?|\.\d+)", text):
        raise _Invalid(f"type check ('{kind}') failed - got '{text}'")
    value: int | float = int(text) if re.fullmatch(r"-?\d+", text) else float(text)
    if "minimum" in schema and value < float(schema["minimum"]):
        raise _Invalid(f"value must have a minimum value of {schema['minimum']}")
    if "maximum" in schema and value > float(schema["maximum"]):
        raise _Invalid(f"value must have a maximum value of {schema['maximum']}")
    return value


def _check_text(schema: Mapping[str, Any], text: str) -> None:
    if "maxLength" in schema and len(text) > int(schema["maxLength"]):
        raise _Invalid(f"value may only be {schema['maxLength']} characters long")
    if "minLength" in schema and len(text) < int(schema["minLength"]):
        raise _Invalid(f"value must be at least {schema['minLength']} characters long")
    options = schema.get("enum")
    if options and text not in [str(option) for option in options]:
        names = ", ".join(map(str, options))
        raise _Invalid(f"value '{text}' does not have a value in the enumeration '{names}'")
    pattern = schema.get("pattern")
    if pattern and not fits(pattern, text):
        raise _Invalid("value does not match the regex pattern")
    _check_format(schema, text)


def fits(pattern: str, text: str) -> bool:
    """Whether a text has a pattern of the description. Perl writes one that is compiled as `(?^i:...)`."""
    return re.fullmatch(re.sub(r"\(\?\^(?=[imsx]*:)", "(?", pattern), text) is not None


def _check_format(schema: Mapping[str, Any], text: str) -> None:
    name = schema.get("format")
    if isinstance(name, str) and (reason := check_format(name, text)):
        raise _Invalid(f"invalid format - {reason}")
    inner = propertystring.schema_of(schema)
    if inner is None:
        return
    problems = _property_string_problems(inner, text)
    if problems:
        raise _Invalid("invalid format - format error; " + "; ".join(problems))


def _property_string_problems(inner: propertystring.Schema, text: str) -> list[str]:
    try:
        pairs = propertystring.parse(text, inner)
    except propertystring.PropertyStringError as problem:
        return [str(problem)]
    problems = []
    for key, value in pairs.items():
        try:
            _typed(inner[key], value)
        except _Invalid as problem:
            problems.append(f"{key}: {problem}")
    for key, rule in inner.items():
        if "alias" not in rule and not _optional(rule) and key not in pairs:
            problems.append(f"{key}: {_MISSING}")
        needed = rule.get("requires")
        if needed and key in pairs and needed not in pairs:
            problems.append(f"{needed}: missing property - '{key}' requires this property")
    return problems
