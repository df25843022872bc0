"""Names of a running lab: each container asks its engine for a name that nobody has.

The engine passes such a question on or it does not. What comes back tells which: that there
is no such name (or one, where the zone has a wildcard) only somebody outside can say. An engine that passes nothing on
answers `SERVFAIL` or `REFUSED` by itself, or not at all; a name server that is asked and fails is taken for that, too.
"""

import secrets
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from lab.flows import Endpoint
from lab.isolation import Path, Verdict
from probe.matrix import FIRST_DEADLINE, SECOND_DEADLINE
from probe.spaces import Space

FROM_OUTSIDE = frozenset({"NOERROR", "NXDOMAIN"})
"""What only a name server can say of a name that nobody has."""


@dataclass(frozen=True, kw_only=True)
class NameResult:
    """One container, and whether its question got out."""

    source: Endpoint
    expected: Verdict
    because: str
    observed: Literal["yes", "no"]
    answer: str
    """The code of the answer; empty where none came."""
    name: str
    """What was asked for: it is in the name server's log, if the question got there."""
    milliseconds: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether what was seen is what was expected."""
        return self.expected is Verdict.unknown or self.observed == self.expected


def observe_names(
    names: Mapping[Endpoint, Path], spaces: Mapping[Endpoint, Space], domain: str
) -> tuple[NameResult, ...]:
    """Ask from every container that can be probed here.

    Args:
        names: the containers with what the proof says of their questions.
        spaces: where each of them can be probed from.
        domain: the lab's own; the names that are asked for are below it.
    """
    token = secrets.token_hex(6)
    asked = [(endpoint, path, spaces[endpoint]) for endpoint, path in names.items() if endpoint in spaces]
    with ThreadPoolExecutor(max_workers=8) as pool:
        jobs = [
            # A name server remembers that there is no such name, so each container has one of its own.
            pool.submit(_observed, endpoint, path, space, f"probe-{token}-{number}.{domain}")
            for number, (endpoint, path, space) in enumerate(asked)
        ]
        return tuple(job.result() for job in jobs)


def _observed(endpoint: Endpoint, path: Path, space: Space, name: str) -> NameResult:
    result = _asked(endpoint, path, space, name, FIRST_DEADLINE)
    return result if result.agrees else _asked(endpoint, path, space, f"again-{name}", SECOND_DEADLINE)


def _asked(endpoint: Endpoint, path: Path, space: Space, name: str, deadline: float) -> NameResult:
    started = time.monotonic()
    answer = space.name(name, deadline)
    return NameResult(
        source=endpoint,
        expected=path.verdict,
        because=path.reason,
        observed="yes" if answer in FROM_OUTSIDE else "no",
        answer=answer,
        name=name,
        milliseconds=(time.monotonic() - started) * 1000,
    )
