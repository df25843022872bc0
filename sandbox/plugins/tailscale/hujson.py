"""HuJSON (JSON with comments and trailing commas): is a text well formed, and do two texts format alike?

Only what the official provider does with a policy is here: its check parses, and its diff compares the two
texts
after formatting, which keeps comments, order and line breaks between elements and normalises everything else.
Error texts follow the HuJSON library's form `hujson: line L, column C: …`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")
    |(?P<mark>[{}\[\],:])
    |(?P<word>[^\s{}\[\],:"/]+)""",
    re.VERBOSE | re.DOTALL,
)
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$")
CLOSING = {"{": "}", "[": "]"}


class HuJsonError(ValueError):
    """The text is not HuJSON; the message names line and column."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """One piece of the text; `start` is its offset."""

    kind: str
    text: str
    start: int


def _error(text: str, offset: int, what: str) -> HuJsonError:
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return HuJsonError(f"hujson: line {line}, column {column}: {what}")


def tokens(text: str) -> Iterator[Token]:
    """All pieces of the text, white space and comments included.

    Raises:
        HuJsonError: a character starts nothing, such as an unfinished string or comment.
    """
    offset = 0
    while offset < len(text):
        match = TOKEN.match(text, offset)
        if match is None:
            rest = text[offset]
            raise _error(text, offset, f"invalid character {json.dumps(rest)} at start of value")
        kind = str(match.lastgroup)
        yield Token(kind=kind, text=match.group(), start=offset)
        offset = match.end()


class _Parser:
    """Recursive descent over the pieces that matter; only the errors are of interest."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [token for token in tokens(text) if token.kind not in ("space", "comment")]
        self._next = 0

    def parse(self) -> None:
        self._value()
        if self._next < len(self._tokens):
            token = self._tokens[self._next]
            raise self._wrong(token, "after top-level value")

    def _peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self, what: str) -> Token:
        token = self._peek()
        if token is None:
            raise _error(self._text, len(self._text), f"parsing {what}: unexpected EOF")
        self._next += 1
        return token

    def _wrong(self, token: Token, where: str) -> HuJsonError:
        return _error(self._text, token.start, f"invalid character {json.dumps(token.text[0])} {where}")

    def _value(self) -> None:
        token = self._take("value")
        if token.kind == "string":
            return
        if token.kind == "word":
            if token.text not in ("true", "false", "null") and not NUMBER.match(token.text):
                raise _error(self._text, token.start, f"invalid literal: {token.text}")
            return
        if token.text not in CLOSING:
            raise self._wrong(token, "at start of value")
        self._members(token.text)

    def _members(self, opening: str) -> None:
        what = "object" if opening == "{" else "array"
        while True:
            token = self._peek()
            if token is not None and token.text == CLOSING[opening] and token.kind == "mark":
                self._next += 1
                return
            if opening == "{":
                self._name()
            self._value()
            after = self._take(what)
            if after.text == CLOSING[opening] and after.kind == "mark":
                return
            if after.text != ",":
                raise self._wrong(after, f"after {what} {'value' if opening == '{' else 'element'}")

    def _name(self) -> None:
        token = self._take("object")
        if token.kind == "word":
            raise _error(self._text, token.start, f"invalid literal: {token.text}")
        if token.kind != "string":
            raise self._wrong(token, "at start of object name")
        colon = self._take("object")
        if colon.text != ":":
            raise self._wrong(colon, "after object name")


def check(text: str) -> None:
    """Raise `HuJsonError` when the text is not HuJSON.

    Raises:
        HuJsonError: with line and column of the first mistake.
    """
    _Parser(text).parse()


def formatted(text: str) -> tuple[str, ...]:
    """What formatting keeps of a text: its pieces, and one mark for each line break between two of them.

    Raises:
        HuJsonError: the text is not HuJSON.
    """
    check(text)
    pieces: list[str] = []
    for token in tokens(text):
        if token.kind == "space":
            if "\n" in token.text and pieces and pieces[-1] != "\n":
                pieces.append("\n")
            continue
        if token.text in ("}", "]") and token.kind == "mark":
            _drop_trailing_comma(pieces)
        pieces.append(token.text.rstrip() if token.kind == "comment" else token.text)
    while pieces and pieces[-1] == "\n":
        pieces.pop()
    return tuple(pieces)


def minimised(text: str) -> str:
    """The same value as JSON, without comments, white space and trailing commas.

    Raises:
        HuJsonError: the text is not HuJSON.
    """
    return "".join(piece for piece in formatted(text) if piece != "\n" and not piece.startswith(("//", "/*")))


def _drop_trailing_comma(pieces: list[str]) -> None:
    last = len(pieces) - 1
    if last >= 0 and pieces[last] == "\n":
        last -= 1
    if last >= 0 and pieces[last] == ",":
        del pieces[last]


def same_when_formatted(old: str, new: str) -> bool:
    """Whether the official provider sees no change between the two texts."""
    try:
        return formatted(old) == formatted(new)
    except HuJsonError:
        return old == new
