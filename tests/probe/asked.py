"""Questions for tests, and places to ask them from that answer what a test wants."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from lab.flows import Endpoint, Port
from lab.isolation import Verdict
from probe.inside import Aim, Seen
from probe.questions import Question

SOURCE, TARGET = Endpoint("service", "a/a"), Endpoint("service", "b/b")
NOTHING: Seen = (False, "", 1000.0)


def question(
    expected: Verdict = Verdict.yes,
    *aims: tuple[str, int],
    source: Endpoint = SOURCE,
    target: Endpoint = TARGET,
    port: Port | None = Port(8080),
    protocol: str = "tcp",
    kind: str = "",
) -> Question:
    """One question, with one aim where none is given."""
    return Question(
        source=source,
        target=target,
        port=port,
        protocol=protocol,
        aims=aims or (("10.0.0.1", port.number if port else 47001),),
        expected=expected,
        because="a test",
        kind=kind,
    )


def said(text: str) -> Seen:
    """An answer."""
    return True, text, 1.0


@dataclass
class Scripted:
    """A space whose answers a test wrote: one function for each time that it is asked, the last for all others."""

    answers: Sequence[Callable[[Aim], Seen]]
    udp: bool = True
    asked: list[tuple[list[Aim], float]] = field(default_factory=list)

    def ask(self, aims: Sequence[Aim], deadline: float) -> list[Seen]:
        """Answer as written."""
        answer = self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append((list(aims), deadline))
        return [answer(aim) for aim in aims]

    def name(self, name: str, deadline: float) -> str:
        """Nobody answers names."""
        return ""

    @contextlib.contextmanager
    def canary(self, port: int, name: str) -> Iterator[None]:
        """Nothing listens."""
        yield
