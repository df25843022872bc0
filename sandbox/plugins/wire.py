"""Pulumi's wire form of property values: a protobuf `Struct` with marker strings, to and from Python values.

The engine writes an unknown as one fixed string and a secret as an object with a signature key (constants of
the
Pulumi protocol, sdk/go/common/resource/plugin). Assets, archives and resource references have signatures too;
no
type here takes them, so they are refused with the property's path instead of being passed on as odd objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from google.protobuf.struct_pb2 import NULL_VALUE, ListValue, Struct
from google.protobuf.struct_pb2 import Value as WireValue

from sandbox.plugins.values import UNKNOWN, Secret, Unknown, Value, Values, reveal

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN_STRINGS = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # string
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)
UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
REFUSED_SIGNATURES = {
    "c44067f5952c0a294b673a41bacd8c17": "an asset",
    "0def7320c3a5731c473e5ecbe6d01bc7": "an archive",
    "5cf8f73096256a8f31e491e813e4eb8e": "a resource reference",
    "d0e6a833031e9bbcd3f4e8bde6ca49a4": "an output value",
}


class WireError(Exception):
    """A property holds a kind of value that no type here takes; the text names its path."""


def decode(struct: Struct) -> Values:
    """The properties of a struct; secrets stay wrapped in `Secret`, whole floats become integers."""
    return {key: _decode(item, key) for key, item in struct.fields.items()}


def decode_plain(struct: Struct) -> tuple[Values, frozenset[str]]:
    """The properties without secret markers, and the names of those that held a secret at any depth."""
    values = decode(struct)
    secret = frozenset(name for name, value in values.items() if _holds_secret(value))
    return {name: reveal(value) for name, value in values.items()}, secret


def encode(values: Mapping[str, Value], secret: Iterable[str] = ()) -> Struct:
    """The struct of the properties; those named in `secret` are marked as secrets, where present."""
    marked = frozenset(secret)
    struct = Struct()
    for name, value in values.items():
        wrap = name in marked and value is not None and not isinstance(value, Secret | Unknown)
        _encode(Secret(value) if wrap else value, struct.fields[name])
    return struct


def _holds_secret(value: Value) -> bool:
    if isinstance(value, Secret):
        return True
    if isinstance(value, list):
        return any(_holds_secret(item) for item in value)
    if isinstance(value, dict):
        return any(_holds_secret(item) for item in value.values())
    return False


def _decode(value: WireValue, path: str) -> Value:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in UNKNOWN_STRINGS else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else float(number)
    if kind == "bool_value":
        return bool(value.bool_value)
    if kind == "list_value":
        return [_decode(item, f"{path}[{index}]") for index, item in enumerate(value.list_value.values)]
    if kind == "struct_value":
        return _decode_object(value.struct_value, path)
    return None


def _decode_object(struct: Struct, path: str) -> Value:
    fields = struct.fields
    if SIGNATURE not in fields:
        return {key: _decode(item, f"{path}.{key}") for key, item in fields.items()}
    signature = fields[SIGNATURE].string_value
    if signature == SECRET:
        return Secret(_decode(fields["value"], path))
    what = REFUSED_SIGNATURES.get(signature, "a value of an unknown kind")
    raise WireError(
        f"the property {path} holds {what}, which the sandbox's stand-in plugins do not take; pass text"
    )


def _encode(value: Value, target: WireValue) -> None:
    match value:
        case None:
            target.null_value = NULL_VALUE
        case Unknown():
            target.string_value = UNKNOWN_STRING
        case bool():
            target.bool_value = value
        case int() | float():
            target.number_value = value
        case str():
            target.string_value = value
        case list():
            target.list_value.CopyFrom(ListValue())
            for item in value:
                _encode(item, target.list_value.values.add())
        case dict():
            target.struct_value.CopyFrom(Struct())
            for key, item in value.items():
                _encode(item, target.struct_value.fields[key])
        case Secret():
            target.struct_value.fields[SIGNATURE].string_value = SECRET
            _encode(value.value, target.struct_value.fields["value"])
