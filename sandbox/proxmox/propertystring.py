"""Property strings: how Proxmox VE writes an object in one parameter, `virtio=MAC,bridge=vmbr0,tag=20`.

Owns reading them against their sub-schema and writing them in Proxmox VE's canonical order. Sub-schemas
come with the description; for those formats it only names, one is derived from the parameter's syntax
line (`typetext`), so that no key list is kept here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Mapping[str, Any]]

_SYNTAX = re.compile(
    r"(?P<open>\[{0,2}),?(?P<key>[A-Za-z][\w-]*)=(?P<default>\])?(?:<(?P<value>[^>]*)>|(?P<digits>\\d\+))"
)


class PropertyStringError(Exception):
    """A property string is malformed; the text says how."""


def schema_of(parameter: Mapping[str, Any]) -> Schema | None:
    """The sub-schema of a parameter that is a property string, or None for any other parameter."""
    inline = parameter.get("format")
    if isinstance(inline, dict):
        return inline
    if isinstance(inline, str) and "=" in parameter.get("typetext", ""):
        return _from_syntax(parameter["typetext"]) or None
    return None


def _from_syntax(syntax: str) -> Schema:
    found: dict[str, dict[str, Any]] = {}
    for match in _SYNTAX.finditer(syntax):
        schema = _value_schema(match)
        # `[key=]<v>` has a bracket of its own around the key: optional only with a second one outside.
        needed = 2 if match["default"] else 1
        schema["optional"] = int(len(match["open"]) >= needed)
        if match["default"]:
            schema["default_key"] = 1
        found[match["key"]] = schema
    return found


def _value_schema(match: re.Match[str]) -> dict[str, Any]:
    if match["digits"]:
        return {"type": "integer", "minimum": 0}
    value = match["value"]
    if value == "1|0":
        return {"type": "boolean"}
    if value == "integer":
        return {"type": "integer"}
    options = value.split("|")
    # `<8-64|host>` mixes a range with words: no closed list of values.
    if len(options) > 1 and not any(re.fullmatch(r"\d+-\d+", option) for option in options):
        return {"type": "string", "enum": options}
    return {"type": "string"}


def parse(text: str, schema: Schema) -> dict[str, str]:
    """The keys and values of a property string, aliases resolved; values stay text.

    Raises:
        PropertyStringError: unknown or repeated key, or a bare value where none is allowed.
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        # An official client ends drives with a comma, which Proxmox VE tolerates.
        if not part.strip():
            continue
        key, separator, value = part.partition("=")
        if not separator or (key not in schema and default_key(schema) is not None):
            key, value = _default(schema, part), part
        rule = schema.get(key)
        if rule is None:
            raise PropertyStringError(f"invalid key in comma-separated list property string: {key}")
        if "keyAlias" in rule:
            _add(found, rule["keyAlias"], key)
        _add(found, rule.get("alias", key), value)
    return found


def _default(schema: Schema, part: str) -> str:
    key = default_key(schema)
    if key is None:
        raise PropertyStringError(f"value without key, but schema does not define a default key: {part}")
    name, separator, _ = part.partition("=")
    if separator and name.replace("-", "").isidentifier():
        raise PropertyStringError(f"invalid key in comma-separated list property string: {name}")
    return key


def _add(found: dict[str, str], key: str, value: str) -> None:
    if key in found:
        raise PropertyStringError(f"duplicate key in comma-separated list property string: {key}")
    found[key] = value


def default_key(schema: Schema) -> str | None:
    """The key whose value may stand alone, such as `file` of a drive."""
    return next((key for key, rule in schema.items() if rule.get("default_key")), None)


def write(values: Mapping[str, str], schema: Schema) -> str:
    """A property string in canonical form: the default key first and bare, the rest by name.

    A network device is written `virtio=MAC` where both model and address are known, because its
    model is a key of its own in the schema.
    """
    rest = dict(values)
    parts = []
    first = default_key(schema)
    if first is not None and first in rest:
        head = rest.pop(first)
        alias = schema.get(head)
        if alias is not None and alias.get("keyAlias") == first and alias.get("alias") in rest:
            head = f"{head}={rest.pop(alias['alias'])}"
        parts.append(head)
    parts += [f"{key}={rest[key]}" for key in sorted(rest)]
    return ",".join(parts)
