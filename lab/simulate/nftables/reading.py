"""A whole text: commands in order, applied to tables that start empty."""

from lab.simulate.nftables.ruleset import Ruleset
from lab.simulate.nftables.tables import Family, Table, check_jumps, read_table_block
from lab.simulate.nftables.tokens import Token, Tokens, unreadable

_FAMILIES: dict[str, Family] = {"inet": "inet", "ip": "ip", "ip6": "ip6"}

Tables = dict[tuple[Family, str], Table]


def read_ruleset(text: str) -> Ruleset:
    """Read what `nft -f` would load into a kernel without tables.

    Raises:
        UnreadableRules: with the first construct that nft would refuse or that is not known, and its line.
    """
    tokens = Tokens(text)
    tables: Tables = {}
    tokens.skip_ends()
    while not tokens.finished:
        _read_command(tokens, tables)
        if tokens.peek().kind != "end":
            raise tokens.refuse(
                f"{tokens.peek()} is too much here", "end the command with a line break or `;`"
            )
        tokens.skip_ends()
    for table in tables.values():
        check_jumps(table)
    return Ruleset(tables.values())


def _read_command(tokens: Tokens, tables: Tables) -> None:
    first = tokens.peek()
    if tokens.accept("flush", "ruleset"):
        tables.clear()
    elif tokens.accept("table") or tokens.accept("add", "table"):
        _declare(tokens, tables)
    elif tokens.accept("delete", "table"):
        del tables[_existing(tokens, tables, first)]
    elif tokens.accept("destroy", "table"):
        tables.pop(_read_name(tokens), None)
    elif tokens.accept("flush", "table"):
        key = _existing(tokens, tables, first)
        tables[key] = tables[key].flushed()
    else:
        raise tokens.refuse(
            f"a command that starts with {first} and {tokens.peek(1)} is not known",
            "write table, add table, delete table, destroy table, flush table or flush ruleset",
        )


def _declare(tokens: Tokens, tables: Tables) -> None:
    key = _read_name(tokens)
    table = tables.setdefault(key, Table(*key))
    if tokens.accept("{"):
        tables[key] = read_table_block(tokens, table)


def _read_name(tokens: Tokens) -> tuple[Family, str]:
    word = tokens.take_kind("word", "the family of a table")
    family = _FAMILIES.get(word.text)
    if family is None:
        raise unreadable(
            word.line,
            f"tables of family {word} are not evaluated",
            f"write the family before the name: {', '.join(_FAMILIES)}",
        )
    return family, tokens.take_kind("word", "the name of a table").text


def _existing(tokens: Tokens, tables: Tables, command: Token) -> tuple[Family, str]:
    key = _read_name(tokens)
    if key not in tables:
        raise unreadable(
            command.line,
            f"there is no table {' '.join(key)} at this point, so nft refuses the whole text",
            f"write `table {' '.join(key)}` before it, which adds it where it is missing",
        )
    return key
