"""The words of the proof: a verdict, the legs of a path, and the answer to one question."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from lab.flows import Endpoint, Port


class Verdict(StrEnum):
    """Whether a connection can be opened."""

    yes = "yes"
    no = "no"
    unknown = "cannot tell"
    """Something decides that is not ours to know, and nobody has said how."""


@dataclass(frozen=True)
class Leg:
    """One step of a path, and what decides it."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class Path:
    """One way from a source to a target; every leg has to let the connection through."""

    legs: tuple[Leg, ...]
    through: tuple[Endpoint, ...] = ()
    """Whoever has to pass it on by itself: the ingress, or a service that is taken first."""

    @property
    def verdict(self) -> Verdict:
        """The weakest of its legs."""
        return all_of(leg.verdict for leg in self.legs)

    @property
    def reason(self) -> str:
        """What decides it: the first leg that closes it, else the first that is unknown, else all of them."""
        decided = next((leg for leg in self.legs if leg.verdict is Verdict.no), None)
        decided = decided or next((leg for leg in self.legs if leg.verdict is Verdict.unknown), None)
        return decided.reason if decided else "; ".join(leg.reason for leg in self.legs)


@dataclass(frozen=True)
class Answer:
    """What the proof says of one source, one target and one port."""

    source: Endpoint
    target: Endpoint
    port: Port | None
    """None: a port that nobody declared."""
    paths: tuple[Path, ...]
    """Every way that was considered, the best first; none where source and target have nothing in common."""

    @property
    def verdict(self) -> Verdict:
        """The best of its paths."""
        return any_of(path.verdict for path in self.paths)

    @property
    def best(self) -> Path:
        """The path that decides."""
        return self.paths[0]

    @property
    def reason(self) -> str:
        """Why."""
        return self.best.reason


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of legs that follow each other."""
    found = Verdict.yes
    for verdict in verdicts:
        if verdict is Verdict.no:
            return Verdict.no
        if verdict is Verdict.unknown:
            found = Verdict.unknown
    return found


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of paths beside each other."""
    found = Verdict.no
    for verdict in verdicts:
        if verdict is Verdict.yes:
            return Verdict.yes
        if verdict is Verdict.unknown:
            found = Verdict.unknown
    return found


_RANK = {Verdict.yes: 0, Verdict.unknown: 1, Verdict.no: 2}


def best_first(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Paths by what they let through; among closed ones, the one that comes furthest first."""
    return tuple(sorted(paths, key=lambda path: (_RANK[path.verdict], -_open_legs(path))))


def _open_legs(path: Path) -> int:
    return next((n for n, leg in enumerate(path.legs) if leg.verdict is Verdict.no), len(path.legs))


def yes(reason: str) -> Leg:
    """A leg that lets through."""
    return Leg(Verdict.yes, reason)


def no(reason: str) -> Leg:
    """A leg that closes."""
    return Leg(Verdict.no, reason)


def unknown(reason: str) -> Leg:
    """A leg of which nobody knows."""
    return Leg(Verdict.unknown, reason)
