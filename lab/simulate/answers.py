"""What became of a packet: the hops of its way, who answered, and the verdict over all ways."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address


class Verdict(StrEnum):
    """Whether a connection can be opened; the words are those of the proof, and nothing else of it is here."""

    yes = "yes"
    no = "no"
    unknown = "cannot tell"
    """Something decides that no artefact holds."""


@dataclass(frozen=True)
class Hop:
    """One place that a packet passes, or where it ends."""

    verdict: Verdict
    text: str


@dataclass(frozen=True)
class Arrival:
    """Who answers, and on which of its own ports."""

    endpoint: str
    port: int
    published_at: tuple[str, int] | None = None
    """The host and its port behind which the endpoint answered: who asks for those means whoever is there."""


@dataclass(frozen=True)
class Leaving:
    """A packet that leaves a host, and the address that it carries from there on."""

    source: IPv4Address


Fate = Arrival | Leaving | None
Walk = Generator[Hop, None, Fate]


@dataclass(frozen=True)
class Trace:
    """One way that a packet took."""

    hops: tuple[Hop, ...]
    arrival: Arrival | None = None

    @property
    def verdict(self) -> Verdict:
        """The weakest of its hops."""
        verdicts = {hop.verdict for hop in self.hops}
        if Verdict.no in verdicts:
            return Verdict.no
        return Verdict.unknown if Verdict.unknown in verdicts else Verdict.yes

    def __str__(self) -> str:
        return "\n".join(f"  {hop.verdict}: {hop.text}" for hop in self.hops)


@dataclass(frozen=True)
class Answer:
    """What becomes of every packet that may open a connection."""

    verdict: Verdict
    trace: Trace
    """The way that decides."""
    depends_on: str = ""
    """The fact that nobody declared, where the verdict hangs on one."""

    def __str__(self) -> str:
        condition = f", for {self.depends_on}" if self.depends_on else ""
        return f"{self.verdict}{condition}\n{self.trace}"


def passes(text: str) -> Hop:
    """A hop that lets a packet through."""
    return Hop(Verdict.yes, text)


def ends(text: str) -> Hop:
    """The hop where a packet ends."""
    return Hop(Verdict.no, text)


def nobody_knows(text: str) -> Hop:
    """A hop that no artefact decides."""
    return Hop(Verdict.unknown, text)


def hop(accepted: bool, text: str) -> Hop:
    """A hop that somebody decided."""
    return passes(text) if accepted else ends(text)


def follow(walk: Walk, target: str, port: int) -> Trace:
    """Let a packet walk up to its end; only an answer of the target counts.

    Args:
        walk: its hops; the first that ends it is the last that is asked for.
        target: who is meant to answer.
        port: on which of its ports.
    """
    hops: list[Hop] = []
    fate: Fate = None
    while True:
        try:
            hops.append(next(walk))
        except StopIteration as end:
            fate = end.value
            break
        if hops[-1].verdict is Verdict.no:
            return Trace(tuple(hops))
    if not isinstance(fate, Arrival):
        hops.append(ends("nobody answers"))
        return Trace(tuple(hops))
    if (target, port) not in ((fate.endpoint, fate.port), fate.published_at):
        hops.append(ends(f"{fate.endpoint} answers there"))
    return Trace(tuple(hops), fate)


def best(traces: Iterable[Trace]) -> Trace:
    """The first way that is open; else one of which nobody knows; else the closed one that gets furthest."""
    unknown: Trace | None = None
    closed = Trace(())
    for trace in traces:
        if trace.verdict is Verdict.yes:
            return trace
        if trace.verdict is Verdict.unknown:
            unknown = unknown or trace
        elif len(trace.hops) > len(closed.hops):
            closed = trace
    return unknown or (closed if closed.hops else Trace((ends("nothing leads there"),)))
