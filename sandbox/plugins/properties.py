"""The language in which a resource type describes its properties.

A `Property` says what the official plugin's schema says: its name in Pulumi and upstream, kind, whether it is
required, its default, whether a change updates or replaces, whether it is computed or secret, and which
values are
accepted. Properties that the official type has and the sandbox does not are named as well (`unsupported`), so
that
their use is refused by name and never ignored. Sources: the plugin recordings, and the SDKs of each package.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TypedDict, Unpack

from sandbox.plugins.values import Value

Rule = Callable[[Value], str | None]
"""Gives the reason why a known value is refused, in the official plugin's words, or None."""


class Kind(Enum):
    """What a property holds. `SET` differs from `LIST` in that the order of its elements is no change."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    SET = "set"
    MAP = "map"
    OBJECT = "object"


class Change(Enum):
    """What the official plugin does when a property changes."""

    UPDATE = "update"
    REPLACE = "replace"


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of a resource type, an object or a provider's configuration.

    Attributes:
        name: camelCase, as on Pulumi's wire.
        upstream: snake_case, as the Terraform provider names it (it appears in official error texts).
        element: what a list, set or map holds; its name is not used.
        fields: what an object holds.
        required: absence is an error.
        default: what Check fills in when the program gives nothing; None means no default.
        change: what a change of this property (for objects in a collection: adding or removing one) leads to.
        computed: the service chooses a value when the program gives none, so that removing it is no change.
        output: never an input; filled by the service.
        secret: marked secret in every answer.
        named: filled with a name made from the resource's name when the program gives none.
        whole: a set whose changes the official plugin reports for the property, not per element.
        rules: checks of a known value.
        description: the official description (the plugin-framework's "missing" text quotes it).
        planned_default: what the official provider plans when the program gives none and Check fills nothing
        in
            (SDKv2: a default that is the kind's zero value).
        bare: upstream gives a field of an object no default, so that a plan without it shows nothing.
        filled: the service always gives a value, so that a null in the state (after a failed create) is a
        change.
    """

    name: str
    kind: Kind
    upstream: str
    element: Property | None = None
    fields: tuple[Property, ...] = ()
    unsupported: frozenset[str] = frozenset()
    required: bool = False
    default: Value = None
    change: Change = Change.UPDATE
    computed: bool = False
    output: bool = False
    secret: bool = False
    named: bool = False
    whole: bool = False
    rules: tuple[Rule, ...] = ()
    description: str = ""
    planned_default: Value = None
    bare: bool = False
    filled: bool = False


def snake(name: str) -> str:
    """`networkMode` → `network_mode`: upstream's name where it is not given."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def names(words: str) -> frozenset[str]:
    """The set of names in a text of words."""
    return frozenset(words.split())


class Traits(TypedDict, total=False):
    """What a constructor takes beside name and kind; each is described at `Property`."""

    upstream: str
    required: bool
    default: Value
    replace: bool
    computed: bool
    output: bool
    secret: bool
    named: bool
    whole: bool
    rules: tuple[Rule, ...]
    description: str
    planned_default: Value
    bare: bool
    filled: bool
    unsupported: str


@dataclass(frozen=True)
class _Shape:
    kind: Kind
    element: Property | None = None
    fields: tuple[Property, ...] = ()


def _property(name: str, shape: _Shape, traits: Traits) -> Property:
    output = traits.get("output", False)
    return Property(
        name=name,
        kind=shape.kind,
        upstream=traits.get("upstream") or snake(name),
        element=shape.element,
        fields=shape.fields,
        unsupported=names(traits.get("unsupported", "")),
        required=traits.get("required", False),
        default=traits.get("default"),
        change=Change.REPLACE if traits.get("replace", False) else Change.UPDATE,
        computed=traits.get("computed", False) or output,
        output=output,
        secret=traits.get("secret", False),
        named=traits.get("named", False),
        whole=traits.get("whole", False),
        rules=traits.get("rules", ()),
        description=traits.get("description", ""),
        planned_default=traits.get("planned_default"),
        bare=traits.get("bare", False),
        filled=traits.get("filled", False),
    )


def string(name: str, **traits: Unpack[Traits]) -> Property:
    """A text."""
    return _property(name, _Shape(Kind.STRING), traits)


def integer(name: str, **traits: Unpack[Traits]) -> Property:
    """A whole number."""
    return _property(name, _Shape(Kind.INTEGER), traits)


def number(name: str, **traits: Unpack[Traits]) -> Property:
    """A number."""
    return _property(name, _Shape(Kind.NUMBER), traits)


def boolean(name: str, **traits: Unpack[Traits]) -> Property:
    """True or false."""
    return _property(name, _Shape(Kind.BOOLEAN), traits)


def _scalar(kind: Kind) -> Property:
    return Property(name="", kind=kind, upstream="")


def string_list(name: str, **traits: Unpack[Traits]) -> Property:
    """Texts in an order that matters."""
    return _property(name, _Shape(Kind.LIST, _scalar(Kind.STRING)), traits)


def string_set(name: str, **traits: Unpack[Traits]) -> Property:
    """Texts in any order."""
    return _property(name, _Shape(Kind.SET, _scalar(Kind.STRING)), traits)


def integer_list(name: str, **traits: Unpack[Traits]) -> Property:
    """Whole numbers in an order that matters."""
    return _property(name, _Shape(Kind.LIST, _scalar(Kind.INTEGER)), traits)


def string_map(name: str, **traits: Unpack[Traits]) -> Property:
    """Texts by name."""
    return _property(name, _Shape(Kind.MAP, _scalar(Kind.STRING)), traits)


def block(name: str, fields: Iterable[Property], **traits: Unpack[Traits]) -> Property:
    """One object; `unsupported` names the fields that the official object has and the sandbox does not."""
    return _property(name, _Shape(Kind.OBJECT, None, tuple(fields)), traits)


def block_list(name: str, fields: Iterable[Property], **traits: Unpack[Traits]) -> Property:
    """Objects in an order that matters; `unsupported` names fields of the objects."""
    return _blocks(name, Kind.LIST, tuple(fields), traits)


def block_set(name: str, fields: Iterable[Property], **traits: Unpack[Traits]) -> Property:
    """Objects in any order; `unsupported` names fields of the objects."""
    return _blocks(name, Kind.SET, tuple(fields), traits)


def _blocks(name: str, kind: Kind, fields: tuple[Property, ...], traits: Traits) -> Property:
    element = Property(
        name=name,
        kind=Kind.OBJECT,
        upstream=traits.get("upstream") or snake(name),
        fields=fields,
        unsupported=names(traits.get("unsupported", "")),
    )
    return _property(name, _Shape(kind, element), traits)


def one_of(*allowed: str) -> Rule:
    """The rule of the plugin framework for a closed set of texts; the official sentence lists them all."""

    def rule(value: Value) -> str | None:
        if value in allowed:
            return None
        listed = " ".join(f'"{item}"' for item in allowed)
        sentence = f'Attribute {{name}} value must be one of: [{listed}], got: "{value}"'
        return f"Invalid Attribute Value Match. {sentence}"

    return rule


def matches(pattern: str) -> Rule:
    """The docker provider's rule for a text that must match a pattern (it says its sentence twice)."""
    compiled = re.compile(pattern)

    def rule(value: Value) -> str | None:
        if not isinstance(value, str) or compiled.search(value):
            return None
        sentence = f"'{value}' doesn't match the pattern '{pattern}'"
        return f"{sentence}. {sentence}"

    return rule


def at_least(lowest: int) -> Rule:
    """The docker provider's rule for a lower bound (it says its sentence twice)."""

    def rule(value: Value) -> str | None:
        if not isinstance(value, int | float) or value >= lowest:
            return None
        sentence = f"'{value}' cannot be lower than {lowest}"
        return f"{sentence}. {sentence}"

    return rule


def between(lowest: int, highest: int) -> Rule:
    """The rule of Terraform's SDK for a whole number within bounds; `{name}` is the upstream name."""

    def rule(value: Value) -> str | None:
        if not isinstance(value, int | float) or lowest <= value <= highest:
            return None
        return f"expected {{name}} to be in the range ({lowest} - {highest}), got {value}"

    return rule


def expected_one_of(*allowed: str) -> Rule:
    """The rule of Terraform's SDK for a closed set of texts."""

    def rule(value: Value) -> str | None:
        if value in allowed:
            return None
        listed = " ".join(f'"{item}"' for item in allowed)
        return f"expected {{name}} to be one of [{listed}], got {value}"

    return rule
