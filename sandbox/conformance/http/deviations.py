"""Declared deviations: where an API of the sandbox answers otherwise than recorded, each with its reason."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.conformance.errors import ConformanceError
from sandbox.conformance.http.replay import Answered

FILE: Final = Path(__file__).with_name("deviations.toml")


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """One declared deviation; its fields are explained at the top of the file."""

    package: str
    reason: str
    endpoint: str = ".*"
    kind: str = ".*"
    case: str = ""

    def covers(self, outcome: Answered, kind: str) -> bool:
        """Whether a difference of this kind is what is declared."""
        return (
            self.package == outcome.case.package
            and re.fullmatch(self.endpoint, outcome.endpoint) is not None
            and re.fullmatch(self.kind, kind) is not None
            and re.search(self.case, outcome.case.id) is not None
        )


def declared_deviations(file: Path = FILE) -> tuple[Deviation, ...]:
    """Everything that is declared.

    Raises:
        ConformanceError: the file is not of this form.
    """
    try:
        return tuple(Deviation(**one) for one in tomllib.loads(file.read_text())["deviation"])
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ConformanceError(
            f"{file}: is no list of deviations ({error}); see the top of the file."
        ) from None
