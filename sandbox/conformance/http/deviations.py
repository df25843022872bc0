"""Declared deviations of the APIs: the conversations that they answer otherwise, with the reason."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("deviations.toml")


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """One reason, and the ids of the cases that it is about."""

    package: str
    cases: tuple[str, ...]
    reason: str


def deviations(package: str) -> list[Deviation]:
    """The deviations of one package, in the order of the file."""
    found = tomllib.loads(FILE.read_text(encoding="utf-8"))["deviation"]
    return [
        Deviation(package=package, cases=tuple(one["cases"]), reason=one["reason"])
        for one in found
        if one["package"] == package
    ]
