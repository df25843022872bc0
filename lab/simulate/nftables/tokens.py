"""The words of an nftables text, each with its line, and the errors that name them."""

import re
from dataclasses import dataclass
from typing import Literal

from lab.errors import Issue, LabError

TokenKind = Literal["word", "literal", "string", "sign", "end"]

# The order counts: an IPv6 address holds colons, which elsewhere are signs of their own.
_PATTERN = re.compile(
    r"""
      (?P<blank>[ \t\r]+ | \\\r?\n | \#[^\n]*)
    | (?P<end>[\n;])
    | "(?P<string>[^"\n]*)"
    | (?P<address>(?:[0-9A-Fa-f]{0,4}:){2,}[0-9A-Fa-f.]*(?:/[0-9]+)?)
    | (?P<number>[0-9][\w.]*(?:/[0-9]+)?)
    | (?P<word>[A-Za-z_][\w/.\-]*\*?)
    | (?P<sign>!=|==|[{}@,:.=*/+\-])
    """,
    re.VERBOSE,
)


class UnreadableRules(LabError):
    """The text holds something that nft would refuse, or that the evaluator does not know."""

    headline = "the nftables text has"


class UndecidedPacket(LabError):
    """The verdict for this packet depends on what a packet does not say."""

    headline = "the nftables text leaves a packet undecided: it has"


def unreadable(line: int, problem: str, repair: str) -> UnreadableRules:
    """The error for something in a line that cannot be read."""
    return UnreadableRules([Issue(path=f"line {line}", problem=problem, repair=repair)])


def undecided(line: int, problem: str, repair: str) -> UndecidedPacket:
    """The error for a rule in a line that cannot be answered for a packet."""
    return UndecidedPacket([Issue(path=f"line {line}", problem=problem, repair=repair)])


@dataclass(frozen=True)
class Token:
    """One word, literal, quoted string or sign; a line break and `;` both end a statement."""

    kind: TokenKind
    text: str
    line: int
    start: int
    stop: int
    """Where it ends in the source, exclusive."""

    def __str__(self) -> str:
        if self.kind == "end":
            return "the end of the statement"
        return f'"{self.text}"' if self.kind == "string" else f"`{self.text}`"


class Tokens:
    """A position in the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _split(text)
        self.position = 0

    def peek(self, ahead: int = 0) -> Token:
        """A token from here on, without taking it; behind the last one, ends without end."""
        index = min(self.position + ahead, len(self._tokens) - 1)
        return self._tokens[index]

    def take(self) -> Token:
        """The next token."""
        token = self.peek()
        self.position += 1
        return token

    @property
    def finished(self) -> bool:
        """Whether every token is taken."""
        return self.position >= len(self._tokens)

    def is_next(self, *texts: str) -> bool:
        """Whether the next tokens are these unquoted words or signs."""
        return all(
            self.peek(ahead).text == text and self.peek(ahead).kind in ("word", "sign")
            for ahead, text in enumerate(texts)
        )

    def accept(self, *texts: str) -> bool:
        """Take these words or signs if they come next."""
        if not self.is_next(*texts):
            return False
        self.position += len(texts)
        return True

    def expect(self, text: str, why: str) -> Token:
        """Take this word or sign.

        Raises:
            UnreadableRules: something else comes next.
        """
        if not self.is_next(text):
            raise self.refuse(f"{self.peek()} is not known here; {why}", f"write `{text}` before it")
        return self.take()

    def take_kind(self, kind: TokenKind, what: str) -> Token:
        """Take a token of one kind.

        Args:
            kind: the kind.
            what: what it means here, for the error.

        Raises:
            UnreadableRules: something else comes next.
        """
        if self.peek().kind != kind:
            raise self.refuse(f"{self.peek()} is not {what}", f"write {what} here")
        return self.take()

    def take_integer(self, what: str) -> int:
        """Take a decimal number.

        Raises:
            UnreadableRules: something else comes next.
        """
        token = self.take_kind("literal", what)
        if not token.text.isdecimal():
            raise unreadable(token.line, f"{token} is not {what}", "write a whole number")
        return int(token.text)

    def at_end(self) -> bool:
        """Whether a statement ends here: line break, `;`, or the brace that closes its block."""
        return self.peek().kind == "end" or self.is_next("}")

    def skip_ends(self) -> None:
        """Go on to the next token that is no end of a statement."""
        while not self.finished and self.peek().kind == "end":
            self.position += 1

    def source(self, first: Token) -> str:
        """The text from a token to the last one taken, on one line."""
        return " ".join(self._text[first.start : self._tokens[self.position - 1].stop].split())

    def refuse(self, problem: str, repair: str) -> UnreadableRules:
        """The error for the next token."""
        return unreadable(self.peek().line, problem, repair)


def _split(text: str) -> tuple[Token, ...]:
    found: list[Token] = []
    position, line = 0, 1
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            character = text[position]
            if character == '"':
                raise unreadable(line, "a quoted string is not closed", 'close it with " on its line')
            raise unreadable(
                line,
                f"`{character}` is not known to the evaluator",
                "write the rule without it; masks, variables and shifts are not supported",
            )
        group = match.lastgroup or ""
        if group != "blank":
            kind = _KINDS[group]
            found.append(Token(kind, match[group], line, match.start(), match.end()))
        line += match[0].count("\n")
        position = match.end()
    found.append(Token("end", "\n", line, len(text), len(text)))
    return tuple(found)


_KINDS: dict[str, TokenKind] = {
    "end": "end",
    "string": "string",
    "address": "literal",
    "number": "literal",
    "word": "word",
    "sign": "sign",
}
