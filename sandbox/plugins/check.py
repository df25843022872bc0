"""Check: are the inputs of a resource acceptable, and what are they once coerced and filled with defaults?

Reasons are worded as the official plugins word them (plugin-recordings README, surprises 2 to 5): with the
resource's name and the path in the text. Properties that exist officially but not here are refused with a
sentence
of our own. Unknown values pass; their rules run when they are known.

A default follows the bridge's rule: an old value is kept where the old inputs say it was a default, or say
nothing
about defaults (after a refresh); so removing a property can have another effect after a refresh.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.plugins.official_texts import (
    READ_ONLY,
    Place,
    broken_rules,
    go_type,
    not_an_integer,
    to_number,
    to_text,
)
from sandbox.plugins.properties import Kind, Property
from sandbox.plugins.resource import CallError, Dialect, ResourceType
from sandbox.plugins.values import UNKNOWN, Unknown, Value, Values

DEFAULTS = "__defaults"
TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Inputs as they are stored, and the reasons against them (empty means accepted)."""

    inputs: Values
    reasons: tuple[str, ...]


@dataclass(kw_only=True)
class _Checker:
    what: str
    dialect: Dialect
    package: str
    generated_name: str = ""
    reasons: list[str] = field(default_factory=list)

    def refuse(self, place: Place, reason: str) -> None:
        self.reasons.append(f"{reason}. Examine values at '{place.shown}'.")

    def object(
        self,
        given: Values,
        olds: Values,
        properties: tuple[Property, ...],
        unsupported: frozenset[str],
        place: Place,
    ) -> Values:
        self._refuse_names(given, properties, unsupported, place)
        by_name = {item.name: item for item in properties}
        result: Values = {}
        for name, value in given.items():
            item = by_name.get(name)
            if item is None or item.output or value is None:
                continue
            result[name] = self.value(item, value, olds.get(name), place.field(item))
        if self.dialect is Dialect.SDK2:
            self._fill_defaults(result, olds, properties)
        for item in properties:
            if item.required and result.get(item.name) is None:
                self._refuse_missing(item, place)
        return result

    def value(self, item: Property, value: Value, old: Value, place: Place) -> Value:
        if isinstance(value, Unknown):
            return UNKNOWN
        match item.kind:
            case Kind.OBJECT:
                checked = self._object_value(item, value, old, place)
            case Kind.LIST | Kind.SET:
                checked = self._elements(item, value, old, place)
            case Kind.MAP:
                checked = self._map(item, value, place)
            case _:
                checked = self._scalar(item, value, place)
        if checked is not None:
            for reason in broken_rules(item, checked):
                self.refuse(place, reason)
        return checked

    def _object_value(self, item: Property, value: Value, old: Value, place: Place) -> Value:
        if not isinstance(value, dict):
            self.refuse(place, f"Expected Object Type. Expected object, got {go_type(value)}")
            return None
        inner = place.single() if self.dialect is Dialect.SDK2 and not place.upstream.endswith("]") else place
        before = old if isinstance(old, dict) else {}
        return self.object(value, before, item.fields, item.unsupported, inner)

    def _elements(self, item: Property, value: Value, old: Value, place: Place) -> Value:
        element = item.element
        assert element is not None
        if isinstance(value, dict) and self.dialect is Dialect.SDK2:
            if element.kind is not Kind.OBJECT:
                self.refuse(place, "Attribute must be a single value, not a map")
                return None
            value = [value]
        if not isinstance(value, list):
            if self.dialect is Dialect.FRAMEWORK:
                kind = "set" if item.kind is Kind.SET else "list"
                raise CallError(
                    "cannot encode resource inputs to call ValidateResourceConfig: objectEncoder"
                    " failed on property"
                    f' "{item.upstream}": {kind} encoder failed: expected an Array PropertyValue, got a'
                    " resource.PropertyValue"
                )
            value = [value]
        olds = old if isinstance(old, list) else []
        result: list[Value] = []
        for index, one in enumerate(value):
            before = olds[index] if index < len(olds) else None
            inner = place.element(index, in_set=item.kind is Kind.SET)
            result.append(self._element(element, one, before, inner))
        if self.dialect is Dialect.FRAMEWORK and item.kind is Kind.SET:
            self._refuse_duplicates(result, place)
        return result

    def _element(self, element: Property, value: Value, old: Value, place: Place) -> Value:
        if element.kind is not Kind.OBJECT or isinstance(value, Unknown):
            return self.value(element, value, old, place)
        if not isinstance(value, dict):
            self.refuse(place, f"Expected Object Type. Expected object, got {go_type(value)}")
            return None
        before = old if isinstance(old, dict) else {}
        return self.object(value, before, element.fields, element.unsupported, place)

    def _refuse_duplicates(self, elements: list[Value], place: Place) -> None:
        seen: list[Value] = []
        for element in elements:
            if element in seen and isinstance(element, str):
                text = f'This attribute contains duplicate values of: tftypes.String<"{element}">'
                self.refuse(place, f"Duplicate Set Element. {text}")
            seen.append(element)

    def _map(self, item: Property, value: Value, place: Place) -> Value:
        element = item.element
        assert element is not None
        if not isinstance(value, dict):
            self.refuse(place, f"Expected Object Type. Expected object, got {go_type(value)}")
            return None
        return {key: self.value(element, one, None, place) for key, one in value.items()}

    def _scalar(self, item: Property, value: Value, place: Place) -> Value:
        if isinstance(value, list | dict):
            self.refuse(
                place,
                f"Attribute must be a single value, not a {'list' if isinstance(value, list) else 'map'}",
            )
            return None
        if self.dialect is Dialect.FRAMEWORK:
            return self._strict_scalar(item, value, place)
        match item.kind:
            case Kind.STRING:
                return to_text(value)
            case Kind.BOOLEAN:
                return self._to_boolean(value, place)
            case _:
                return to_number(item, value, place.upstream)

    def _strict_scalar(self, item: Property, value: Value, place: Place) -> Value:
        start = (
            "cannot encode resource inputs to call ValidateResourceConfig: objectEncoder failed on property"
        )
        match item.kind:
            case Kind.STRING:
                return value  # kept as given; the plugin framework converts it later
            case Kind.BOOLEAN:
                if isinstance(value, bool):
                    return value
                raise CallError(f'{start} "{item.upstream}": Expected a Boolean')
            case _:
                if isinstance(value, bool) or not isinstance(value, int | float):
                    raise CallError(f'{start} "{item.upstream}": Expected a Number')
                if item.kind is Kind.INTEGER and not float(value).is_integer():
                    self.refuse(place, not_an_integer(value))
                return value

    def _to_boolean(self, value: Value, place: Place) -> Value:
        if isinstance(value, bool):
            return value
        word = to_text(value)
        if word in TRUE or word in FALSE:
            return word in TRUE
        self.refuse(place, f"cannot parse '' as bool: strconv.ParseBool: parsing \"{word}\": invalid syntax")
        return None

    def _refuse_names(
        self, given: Values, properties: tuple[Property, ...], unsupported: frozenset[str], place: Place
    ) -> None:
        known = {item.name: item for item in properties}
        for name in sorted(given):
            if name == DEFAULTS or name.startswith("__") or given[name] is None:
                continue
            where = place.shown if place.frozen else f"{place.shown}.{name}"
            if name in unsupported:
                self.reasons.append(self._unsupported(name, where))
            elif name not in known:
                self.reasons.append(f"Invalid or unknown key. Examine values at '{where}'.")
            elif known[name].output:
                self.reasons.append(f"{READ_ONLY} Examine values at '{where}'.")

    def _unsupported(self, name: str, where: str) -> str:
        return (
            f"The property {name} of {self.what} is not supported by the sandbox's stand-in for the"
            f" {self.package} plugin. Remove it, or use the official plugin. Examine values at '{where}'."
        )

    def _refuse_missing(self, item: Property, place: Place) -> None:
        if self.dialect is Dialect.FRAMEWORK:
            nested = not place.shown or "." in place.shown or "[" in place.shown
            name = f"{place.shown.partition('.')[2]}.{item.name}" if nested else item.name
            self.reasons.append(f"Missing required property '{name}': {item.description or item.upstream}")
            return
        inner = place.field(item)
        text = f'The argument "{inner.upstream}" is required, but no definition was found.'
        self.reasons.append(f"Missing required argument. {text}. Examine values at '{inner.shown}'.")

    def _fill_defaults(self, result: Values, olds: Values, properties: tuple[Property, ...]) -> None:
        filled: list[str] = []
        marked = olds.get(DEFAULTS)
        for item in properties:
            if item.output or item.name in result:
                continue
            default = self.generated_name if item.named else item.default
            if default is None or (default == "" and item.named):
                continue
            keeps_old = not isinstance(marked, list) or item.name in marked
            old = olds.get(item.name)
            result[item.name] = old if old is not None and keeps_old else default
            filled.append(item.name)
        result[DEFAULTS] = [*sorted(filled)]


def check_properties(
    what: str,
    dialect: Dialect,
    properties: tuple[Property, ...],
    unsupported: frozenset[str],
    given: Values,
    *,
    olds: Values | None = None,
    name: str,
    generated_name: str = "",
) -> Checked:
    """Check a set of properties.

    Args:
        what: the token that our own sentences name, such as `docker:index/network:Network`.
        given: the inputs of the program, without secret markers.
        olds: the inputs of the last deployment.
        name: the resource's name, as official texts show it.
        generated_name: what a property that is `named` gets when the program sets none.
    """
    package = what.partition(":")[0]
    checker = _Checker(what=what, dialect=dialect, package=package, generated_name=generated_name)
    inputs = checker.object(given, olds or {}, properties, unsupported, Place(shown=name, upstream=""))
    return Checked(inputs=inputs, reasons=tuple(sorted(checker.reasons)))


def check_resource(
    kind: ResourceType[Any], given: Values, *, olds: Values, name: str, generated_name: str
) -> Checked:
    """Check the inputs of a resource, its type's own checks included."""
    checked = check_properties(
        kind.token,
        kind.dialect,
        kind.properties,
        kind.unsupported,
        given,
        olds=olds,
        name=name,
        generated_name=generated_name,
    )
    own = tuple(kind.check(name, checked.inputs))
    return Checked(inputs=checked.inputs, reasons=tuple(sorted((*checked.reasons, *own))))
