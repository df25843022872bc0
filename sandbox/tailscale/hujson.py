"""A small reader of HuJSON: JSON with comments and trailing commas.

Comments and trailing commas are blanked out where they stand, so that line and column of a mistake are
those of the original text; the rest is read by the strict JSON parser. Refuses names that occur twice in
one object: one of the two values would be lost.
"""

import json
import re
from typing import Any

_TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\.)*"'
    r"|//[^\n]*"
    r"|/\*.*?\*/",
    re.DOTALL,
)
_TRAILING = re.compile(r'("(?:[^"\\\n]|\\.)*")|,(?=\s*[\]}])')


class HuJsonError(ValueError):
    """The text is not HuJSON; says line and column, counted from 1."""


def _blank(match: re.Match[str]) -> str:
    text = match.group()
    return text if text.startswith('"') else re.sub(r"[^\n]", " ", text)


def _drop_trailing(match: re.Match[str]) -> str:
    if match.group(1):
        return match.group(1)
    before = match.start() - 1
    while before >= 0 and match.string[before].isspace():
        before -= 1
    # A comma with no value before it is a mistake, which the JSON parser shall report.
    return " " if before >= 0 and match.string[before] not in "[{,:" else ","


def standardise(text: str) -> str:
    """The same document as plain JSON, of equal length, every character in its place."""
    without_comments = _TOKEN.sub(_blank, text)
    return _TRAILING.sub(_drop_trailing, without_comments)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise HuJsonError(f"duplicate object member name {json.dumps(name, ensure_ascii=False)}")
        found[name] = value
    return found


def _constant(name: str) -> Any:
    raise HuJsonError(f"invalid literal {name}")


def parse(text: str) -> Any:
    """The value that a HuJSON text describes.

    Raises:
        HuJsonError: with line and column of the mistake.
    """
    try:
        return json.loads(standardise(text), object_pairs_hook=_unique, parse_constant=_constant)
    except json.JSONDecodeError as problem:
        raise HuJsonError(f"line {problem.lineno}, column {problem.colno}: {problem.msg}") from None
    except RecursionError:
        raise HuJsonError("nested too deeply") from None
