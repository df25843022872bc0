"""Comparisons as they are written: fields, an operator, and a value, a set or a verdict map."""

from collections.abc import Mapping, Sequence

from lab.simulate.nftables.conditions import Bits, Condition, Lookup, Match
from lab.simulate.nftables.elements import Elements, Form, one_value, read_elements
from lab.simulate.nftables.fields import Field, read_field
from lab.simulate.nftables.sets import NamedSet
from lab.simulate.nftables.tokens import Tokens, unreadable
from lab.simulate.nftables.values import CT_STATE, CT_STATUS, Kind, read_single, read_span

Sets = Mapping[str, NamedSet]


def read_comparison(tokens: Tokens, sets: Sets) -> Condition | Lookup:
    """Read a condition, or a lookup in a verdict map.

    Args:
        tokens: stand at its first field.
        sets: the named sets and maps of the table.

    Raises:
        UnreadableRules: with the construct that is not known.
    """
    line = tokens.peek().line
    fields = [read_field(tokens)]
    while tokens.accept("."):
        fields.append(read_field(tokens))
    if tokens.accept("vmap"):
        return Lookup(tuple(fields), _read_group(tokens, fields, sets, maps=True), line)
    negated = tokens.accept("!=")
    if not negated:
        tokens.accept("==")
    if tokens.is_next("{") or tokens.is_next("@"):
        return Match(Lookup(tuple(fields), _read_group(tokens, fields, sets, maps=False), line), negated)
    if len(fields) > 1:
        raise tokens.refuse(
            "nft compares a concatenation with sets and maps only", "put the value in braces: { A . B }"
        )
    return _read_value(tokens, fields[0], negated)


def _read_group(tokens: Tokens, fields: Sequence[Field], sets: Sets, *, maps: bool) -> Elements:
    """The elements of `{ … }` or `@name`."""
    for field in fields:
        if field.kind is CT_STATUS:
            raise tokens.refuse(
                "a set is compared with all bits of ct status at once",
                "write `ct status dnat` without braces",
            )
    kinds = tuple(field.kind for field in fields)
    if not tokens.accept("@"):
        return read_elements(tokens, Form(kinds, maps, spans=True, merges=True))
    token = tokens.take_kind("word", "the name of a set")
    found = sets.get(token.text)
    if found is None:
        raise unreadable(
            token.line,
            f"there is no set or map {token.text} in this table",
            f"declare it, or write one of: {', '.join(sorted(sets)) or 'none is declared'}",
        )
    if found.form.maps != maps:
        wanted, given = ("verdict map", "set") if maps else ("set", "verdict map")
        raise unreadable(
            token.line, f"{token.text} is a {given}, and a {wanted} is asked for", "refer to another"
        )
    if found.form.kinds != kinds:
        raise unreadable(
            token.line,
            f"{token.text} holds {_names(found.form.kinds)}, and the rule asks for {_names(kinds)}",
            "make the type of the set fit the rule",
        )
    return found.elements


def _read_value(tokens: Tokens, field: Field, negated: bool) -> Condition:
    first = tokens.peek()
    if field.kind in (CT_STATE, CT_STATUS):
        return _read_bits(tokens, field, negated)
    span = read_span(tokens, field.kind)
    return Match(Lookup((field,), one_value(span), first.line), negated)


def _read_bits(tokens: Tokens, field: Field, negated: bool) -> Condition:
    first = tokens.peek()
    spans = [read_single(tokens, field.kind)]
    while tokens.accept(","):
        spans.append(read_single(tokens, field.kind))
    mask = 0
    for span in spans:
        mask |= span.first
    if not negated:
        return Bits(field, mask)
    # nft compares all bits at once here, which is never equal for several states, nor for a status.
    if field.kind is CT_STATUS or len(spans) > 1:
        raise unreadable(
            first.line,
            f"nft takes `{field.words} != {tokens.source(first)}` for a comparison of all bits, which always holds",
            f"write `{field.words} != {{ A, B }}`"
            if field.kind is CT_STATE
            else "write the rule the other way round",
        )
    return Match(Lookup((field,), one_value(spans[0]), first.line), True)


def _names(kinds: Sequence[Kind]) -> str:
    return " . ".join(kind.name for kind in kinds)
