"""The neutral structure of an answer of the proof: blocks that text and Markdown both write in their own way."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Title:
    """What the whole page, or one part of it, is about."""

    text: str
    level: int = 2
    """1 for the page itself, 2 for its parts, 3 for parts of a part, which follow each other closely."""


@dataclass(frozen=True)
class Lines:
    """Sentences, one on each line."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """A table."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    quiet: bool = False
    """Whether a terminal needs no head, because what is in the columns can be seen."""


@dataclass(frozen=True)
class Point:
    """One item of a list, and what belongs to it."""

    text: str
    parts: tuple[str, ...] = ()
    snippet: str = ""
    """YAML that a person may paste."""


@dataclass(frozen=True)
class Points:
    """A list."""

    points: tuple[Point, ...]


Block = Title | Lines | Rows | Points
Page = Sequence[Block]
