"""The values that properties hold on their way between the engine and a resource type.

A value is plain JSON data, or `UNKNOWN` (not known before another resource is created), or a `Secret` around
a
value. Resource types see secrets only where they come from a provider's configuration; see `wire.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias


class Unknown(Enum):
    """The only value of this type is `UNKNOWN`."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        """A short name for messages of failing tests."""
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True)
class Secret:
    """A value that must not be shown; its representation hides it."""

    value: Value

    def __repr__(self) -> str:
        """The marker without the value, so that no message can leak it."""
        return "Secret(…)"


Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | Unknown | Secret | None"
Values: TypeAlias = dict[str, Value]


def contains_unknown(value: Value) -> bool:
    """Whether the value is unknown or holds an unknown at any depth."""
    match value:
        case Unknown():
            return True
        case Secret():
            return contains_unknown(value.value)
        case list():
            return any(contains_unknown(item) for item in value)
        case dict():
            return any(contains_unknown(item) for item in value.values())
        case _:
            return False


def reveal(value: Value) -> Value:
    """The same value without secret markers, at every depth."""
    match value:
        case Secret():
            return reveal(value.value)
        case list():
            return [reveal(item) for item in value]
        case dict():
            return {key: reveal(item) for key, item in value.items()}
        case _:
            return value


def text(values: Values, name: str) -> str:
    """The string at `name`, or "" where it is absent, null or unknown."""
    value = reveal(values.get(name))
    return value if isinstance(value, str) else ""


def flag(values: Values, name: str) -> bool:
    """Whether the boolean at `name` is set to true."""
    return reveal(values.get(name)) is True


def integer(values: Values, name: str) -> int:
    """The whole number at `name`, or 0 where it is absent, null or unknown."""
    value = reveal(values.get(name))
    return int(value) if isinstance(value, int | float) else 0


def items(values: Values, name: str) -> list[Value]:
    """The list at `name`, or an empty one."""
    value = reveal(values.get(name))
    return value if isinstance(value, list) else []


def strings(values: Values, name: str) -> list[str]:
    """The strings of the list at `name`, or an empty list."""
    return [item for item in items(values, name) if isinstance(item, str)]


def blocks(values: Values, name: str) -> list[Values]:
    """The objects of the list at `name`, or an empty list."""
    return [item for item in items(values, name) if isinstance(item, dict)]


def block(values: Values, name: str) -> Values:
    """The object at `name`, or an empty one."""
    value = reveal(values.get(name))
    return value if isinstance(value, dict) else {}
