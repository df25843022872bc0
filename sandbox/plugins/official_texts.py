"""What official texts need: where a value stands, how scalars are converted, and the sentences that do not
change.

The wording is the official plugins' (plugin-recordings README, surprises 2 and 4), so that a program meets
the same
messages in the sandbox and with the real service.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.plugins.properties import Kind, Property
from sandbox.plugins.resource import CallError
from sandbox.plugins.values import Value


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a value stands: the path in official texts (it ends at the first set) and upstream's path."""

    shown: str
    upstream: str
    frozen: bool = False

    def field(self, item: Property) -> Place:
        """The place of a property of this object."""
        shown = self.shown if self.frozen else f"{self.shown}.{item.name}"
        prefix = f"{self.upstream}." if self.upstream else ""
        return Place(shown=shown, upstream=f"{prefix}{item.upstream}", frozen=self.frozen)

    def element(self, index: int, *, in_set: bool) -> Place:
        """The place of an element of this collection."""
        if self.frozen or in_set:
            return Place(shown=self.shown, upstream=f"{self.upstream}.{index}", frozen=True)
        return Place(shown=f"{self.shown}[{index}]", upstream=f"{self.upstream}.{index}")

    def single(self) -> Place:
        """The place of an object that upstream writes as a list of one."""
        return Place(shown=self.shown, upstream=f"{self.upstream}.0", frozen=self.frozen)


READ_ONLY = (
    "Invalid Configuration for Read-Only Attribute. Cannot set value for this attribute as the"
    " provider has marked it"
    " as read-only. Remove the configuration line setting the value.\n\nRefer to the provider"
    " documentation or contact"
    " the provider developers for additional information about configurable and read-only attributes that are"
    " supported.."
)


def not_an_integer(value: int | float) -> str:
    """The plugin framework's sentence for a fraction where a whole number belongs."""
    return (
        "Configuration Read Error. An unexpected error was encountered trying to convert an"
        " attribute value from the"
        " configuration. This is always an error in the provider. Please report the following to the provider"
        f" developer:\n\nError: Value %!s(*big.Float={value}) is not an integer."
    )


def broken_rules(item: Property, value: Value) -> Iterator[str]:
    """The reasons of the property's rules against a value."""
    for rule in item.rules:
        reason = rule(value)
        if reason is not None:
            yield reason.replace("{name}", item.upstream)


def to_text(value: Value) -> str:
    """A scalar as Terraform writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def to_number(item: Property, value: Value, upstream: str) -> Value:
    """A number, also from text.

    Raises:
        CallError: with the official text, when the text is no number.
    """
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        try:
            return int(value) if item.kind is Kind.INTEGER else float(value)
        except ValueError:
            function = "ParseInt" if item.kind is Kind.INTEGER else "ParseFloat"
            raise CallError(f'{upstream}: strconv.{function}: parsing "{value}": invalid syntax') from None
    if isinstance(value, float) and item.kind is Kind.INTEGER:
        return int(value)
    return value


def go_type(value: Value) -> str:
    """What official texts call the type of a value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "int"
    return "list" if isinstance(value, list) else "string"
