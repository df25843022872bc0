"""Named sets and maps, as they are declared in a table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lab.simulate.nftables.elements import Elements, Form, read_elements
from lab.simulate.nftables.fields import read_field
from lab.simulate.nftables.tokens import Tokens, unreadable
from lab.simulate.nftables.values import CT_STATUS, KINDS, Kind

_FLAGS = ("interval", "constant")


@dataclass(frozen=True)
class NamedSet:
    """A set, or a verdict map, that rules refer to as `@name`."""

    name: str
    form: Form
    elements: Elements
    line: int


def read_named_set(tokens: Tokens, *, maps: bool) -> NamedSet:
    """Read `NAME { type …; flags …; elements = { … } }`.

    Raises:
        UnreadableRules: with the construct that is not known.
    """
    line = tokens.peek().line
    name = tokens.take_kind("word", "the name of a set").text
    tokens.expect("{", "a set is declared in braces")
    form = Form((), maps)
    elements = Elements(())
    tokens.skip_ends()
    while not tokens.accept("}"):
        if tokens.accept("elements"):
            if not form.kinds:
                raise tokens.refuse(
                    f"the elements of {name} come before their type", "write its type and flags first"
                )
            tokens.expect("=", "`elements` is set with `=`")
            elements = read_elements(tokens, form)
        else:
            form = _read_property(tokens, form)
        if not tokens.at_end():
            raise tokens.refuse(f"{tokens.peek()} is too much here", "end the line before it")
        tokens.skip_ends()
    if not form.kinds:
        raise unreadable(line, f"{name} has no type", "add `type` or `typeof`")
    return NamedSet(name, form, elements, line)


def _read_property(tokens: Tokens, form: Form) -> Form:
    """Read what is not elements, and give the form that it makes of the form so far."""
    if tokens.is_next("type") or tokens.is_next("typeof"):
        return replace(form, kinds=_read_type(tokens, form.maps))
    if tokens.accept("flags"):
        return replace(form, spans="interval" in _read_flags(tokens))
    if not form.maps and tokens.accept("auto-merge"):
        return replace(form, merges=True)
    if tokens.accept("size"):
        tokens.take_integer("a number of elements")
    elif tokens.accept("comment"):
        tokens.take_kind("string", "a quoted comment")
    else:
        raise tokens.refuse(
            f"{tokens.peek()} is not known in a {'map' if form.maps else 'set'}",
            "write type, typeof, flags, size, comment, elements, or in a set auto-merge",
        )
    return form


def _read_type(tokens: Tokens, maps: bool) -> tuple[Kind, ...]:
    of_fields = tokens.take().text == "typeof"
    kinds = [_read_kind(tokens, of_fields)]
    while tokens.accept("."):
        kinds.append(_read_kind(tokens, of_fields))
    if maps:
        tokens.expect(":", "a map says what its elements are")
        tokens.expect("verdict", "only verdict maps are supported")
    return tuple(kinds)


def _read_kind(tokens: Tokens, of_field: bool) -> Kind:
    if of_field:
        field = read_field(tokens)
        if field.kind is CT_STATUS:
            raise tokens.refuse("ct status is a set of bits, not a key", "write `ct status dnat` in the rule")
        return field.kind
    token = tokens.peek()
    if token.kind != "word" or token.text not in KINDS:
        raise tokens.refuse(f"the type {token} is not known", f"write one of: {', '.join(KINDS)}")
    return KINDS[tokens.take().text]


def _read_flags(tokens: Tokens) -> Sequence[str]:
    flags = []
    while True:
        if not any(tokens.is_next(flag) for flag in _FLAGS):
            raise tokens.refuse(
                f"the flag {tokens.peek()} is not known: what changes while packets pass is not modelled",
                f"write one of: {', '.join(_FLAGS)}",
            )
        flags.append(tokens.take().text)
        if not tokens.accept(","):
            return flags
