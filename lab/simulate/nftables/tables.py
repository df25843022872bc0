"""Tables: the sets and chains of one, and what the kernel refuses about their jumps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from lab.simulate.nftables.chains import Chain, read_chain
from lab.simulate.nftables.sets import NamedSet, read_named_set
from lab.simulate.nftables.tokens import Token, Tokens, unreadable

Family = Literal["inet", "ip", "ip6"]

# NFT_JUMP_STACK_SIZE of the kernel's nf_tables.h.
_DEEPEST = 16


@dataclass(frozen=True)
class Table:
    """A table as the kernel would hold it."""

    family: Family
    name: str
    sets: Mapping[str, NamedSet] = field(default_factory=dict)
    chains: Mapping[str, Chain] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.family} {self.name}"

    def flushed(self) -> "Table":
        """The table after `flush table`: no rules, and everything else as it was."""
        return replace(self, chains={name: replace(chain, rules=()) for name, chain in self.chains.items()})


def read_table_block(tokens: Tokens, table: Table) -> Table:
    """Read what is in the braces of a table, which stand before the tokens, and add it.

    Raises:
        UnreadableRules: with the construct that is not known, or with a name that is there already.
    """
    sets = dict(table.sets)
    # A rule may use a set that is declared below it, so the sets come first.
    chains_at = list(_read_sets(tokens, sets))
    after = tokens.position
    chains = dict(table.chains)
    for position in chains_at:
        tokens.position = position
        chain = read_chain(tokens, sets)
        if chain.name in chains:
            raise _twice(chain.line, "chain", chain.name, chains[chain.name].line)
        chains[chain.name] = chain
    tokens.position = after
    return replace(table, sets=sets, chains=chains)


def _read_sets(tokens: Tokens, sets: dict[str, NamedSet]) -> Iterator[int]:
    """Read the sets of a block up to its closing brace, and give the places of its chains' names."""
    opened = tokens.peek(-1)
    tokens.skip_ends()
    while not tokens.accept("}"):
        if tokens.finished:
            raise _never_closes(opened)
        if tokens.accept("chain"):
            yield tokens.position
            tokens.take_kind("word", "the name of a chain")
            _skip_block(tokens, tokens.expect("{", "a chain is declared in braces"))
        elif tokens.is_next("set") or tokens.is_next("map"):
            found = read_named_set(tokens, maps=tokens.take().text == "map")
            if found.name in sets:
                raise _twice(found.line, "set or map", found.name, sets[found.name].line)
            sets[found.name] = found
        elif tokens.accept("comment"):
            tokens.take_kind("string", "a quoted comment")
        else:
            raise tokens.refuse(
                f"{tokens.peek()} is not known in a table", "write chain, set, map or comment"
            )
        if not tokens.at_end():
            raise tokens.refuse(f"{tokens.peek()} is too much here", "end the block with a line break or `;`")
        tokens.skip_ends()


def _skip_block(tokens: Tokens, opened: Token) -> None:
    depth = 1
    while depth:
        if tokens.finished:
            raise _never_closes(opened)
        token = tokens.take()
        if token.kind == "sign":
            depth += {"{": 1, "}": -1}.get(token.text, 0)


def _never_closes(opened: Token) -> Exception:
    return unreadable(opened.line, "the block that opens here never closes", "add its `}`")


def _twice(line: int, what: str, name: str, before: int) -> Exception:
    return unreadable(
        line,
        f"the {what} {name} is there already, since line {before}; nft would add to it",
        "declare it once, and delete the table before it is declared anew",
    )


def check_jumps(table: Table) -> None:
    """Refuse what the kernel refuses when it commits: jumps to nowhere, to base chains, in circles, too deep.

    Raises:
        UnreadableRules: with the jump.
    """
    for chain in table.chains.values():
        for jump in chain.jumps():
            target = table.chains.get(jump.target)
            if target is None:
                known = ", ".join(name for name, part in table.chains.items() if part.base is None)
                raise unreadable(
                    jump.line,
                    f"{jump.word} {jump.target}: there is no such chain in table {table}",
                    f"write one of: {known}" if known else "declare it",
                )
            if target.base is not None:
                raise unreadable(
                    jump.line,
                    f"{jump.word} {jump.target}: the kernel enters a base chain by its hook only",
                    "move its rules to a chain without a hook",
                )
    depths: dict[str, int] = {}
    for chain in table.chains.values():
        if _depth(table, chain, (), depths) > _DEEPEST:
            raise unreadable(
                chain.line,
                f"from chain {chain.name}, jumps go deeper than the kernel's {_DEEPEST} levels",
                "call chains from fewer others",
            )


def _depth(table: Table, chain: Chain, path: tuple[str, ...], depths: dict[str, int]) -> int:
    """How many chains deep the jumps of a chain go, itself included."""
    if chain.name in depths:
        return depths[chain.name]
    deepest = 0
    for jump in chain.jumps():
        if jump.target == chain.name or jump.target in path:
            raise unreadable(
                jump.line,
                f"{jump.word} {jump.target} comes back to where it started",
                "break the circle of jumps",
            )
        deepest = max(deepest, _depth(table, table.chains[jump.target], (*path, chain.name), depths))
    depths[chain.name] = deepest + 1
    return deepest + 1
