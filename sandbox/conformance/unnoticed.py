"""Declared differences: what no server, engine or program could notice, read from `unnoticed.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from sandbox.conformance.errors import ConformanceError

FILE: Final = Path(__file__).with_name("unnoticed.toml")
_FIELDS: Final = {
    "value": {"without", "pattern", "becomes"},
    "path": {"pattern", "becomes"},
    "body": {"method", "path", "without"},
    "list": {"method", "path"},
    "query": {"method", "path", "without"},
    "extra": {"method", "path"},
    "missing": {"method", "path"},
}
_WORDS: Final[dict[str, tuple[Any, ...]]] = {
    "null": (None,),
    "false": (False,),
    "zero": (0,),
    "empty": ("", [], {}),
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One declared difference; its fields are explained at the top of the file."""

    about: str
    reason: str
    package: str = ""
    method: str = ".*"
    path: str = ".*"
    without: tuple[str, ...] = ()
    pattern: str = ""
    becomes: str = ""

    def meets(self, method: str, path: str) -> bool:
        """Whether it is about such a request."""
        return bool(re.fullmatch(self.method, method) and re.search(self.path, path))


class Unnoticed:
    """The rules of one package."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        """Take the rules that hold."""
        self._rules = {about: [rule for rule in rules if rule.about == about] for about in _FIELDS}
        self._dropped = frozenset(name for rule in self._rules["value"] for name in rule.without)
        self._rewrites = [
            (re.compile(rule.pattern), rule.becomes) for rule in self._rules["value"] if rule.pattern
        ]

    def value(self, value: Any) -> Any:
        """A result without what is declared."""
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            kept = {name: item for name, item in value.items() if not _named(name, item, self._dropped)}
            return {name: self.value(item) for name, item in kept.items()}
        if isinstance(value, str):
            for pattern, becomes in self._rewrites:
                value = pattern.sub(becomes, value)
        return value

    def path(self, path: str) -> str:
        """The path as it counts."""
        for rule in self._rules["path"]:
            path = re.sub(rule.pattern, rule.becomes, path)
        return path

    def part(self, part: str, method: str, path: str, value: Any) -> Any:
        """A request's `body` or `query` as it counts."""
        without = frozenset(
            name for rule in self._rules[part] if rule.meets(method, path) for name in rule.without
        )
        less = self.value(_without(value, without))
        return _unordered(less) if part == "body" and self.may("list", method, path) else less

    def may(self, what: str, method: str, path: str) -> bool:
        """Whether a request meets a rule: `extra` or `missing` requests that may be, and bodies with lists."""
        return any(rule.meets(method, path) for rule in self._rules[what])


def _named(name: str, value: Any, without: frozenset[str]) -> bool:
    if name in without:
        return True
    return any(
        any(value == one and type(value) is type(one) for one in _WORDS[word])
        for word in without & _WORDS.keys()
    )


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    if not isinstance(value, dict) or not names:
        return value
    inner = {name: _without(item, names) for name, item in value.items()}
    return {name: item for name, item in inner.items() if not _named(name, item, names)}


def _unordered(value: Any) -> Any:
    """The body with the parts of every text in one order."""
    if isinstance(value, dict):
        return {name: _unordered(item) for name, item in value.items()}
    if isinstance(value, str) and "," in value:
        return ",".join(sorted(filter(None, value.split(","))))
    return value


@cache
def read_rules(file: Path = FILE) -> tuple[Rule, ...]:
    """All rules of a file.

    Raises:
        ConformanceError: it is not TOML, a rule has no reason, or a field that it cannot have.
    """
    try:
        found = tomllib.loads(file.read_text())["rule"]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise ConformanceError(
            f"{file.name}: cannot be read: {error!r}. It holds `[[rule]]` tables in TOML."
        ) from None
    return tuple(_rule(one, f"{file.name}, rule {number}") for number, one in enumerate(found, 1))


def _rule(found: dict[str, Any], place: str) -> Rule:
    about = found.get("about")
    if about not in _FIELDS:
        raise ConformanceError(f"{place}: about = {about!r}; it is one of {', '.join(_FIELDS)}.")
    if not found.get("reason"):
        raise ConformanceError(f"{place}: has no reason. Say why nobody could notice this difference.")
    unknown = found.keys() - _FIELDS[about] - {"about", "reason", "package"}
    if unknown:
        raise ConformanceError(f"{place}: {about} has no {', '.join(sorted(unknown))}.")
    return Rule(**{**found, "without": tuple(found.get("without", ()))})


def unnoticed_of(package: str, file: Path = FILE) -> Unnoticed:
    """The rules that hold for a package."""
    return Unnoticed(tuple(rule for rule in read_rules(file) if rule.package in ("", package)))
