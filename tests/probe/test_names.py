"""Questions for names: what is sent, which answers are one, and when a name counts as answered from outside."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from lab.isolation import Path, Verdict
from lab.isolation.verdict import no, unknown, yes
from probe.inside_names import ask, code, question
from probe.names import NameResult, observe_names
from tests.probe.asked import SOURCE, TARGET, Scripted


@contextmanager
def name_server(answers: Callable[[bytes], list[bytes]]) -> Iterator[tuple[int, list[bytes]]]:
    """A socket on loopback that answers each packet as a test wants; what it got is kept."""
    got: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                packet, sender = server.recvfrom(512)
                if packet == b"end":
                    return
                got.append(packet)
                for answer in answers(packet):
                    server.sendto(answer, sender)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], got
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"end", server.getsockname())
            thread.join()


def answer(packet: bytes, number: int) -> bytes:
    """The head of an answer with this code, and the question again."""
    return packet[:2] + bytes([0x81, 0x80 | number]) + packet[4:]


def test_a_question_is_written_as_the_standard_says() -> None:
    """RFC 1035, 4.1: identity, recursion desired, one question, the labels with their lengths, A, IN."""
    assert question(0x1234, "a.lab.example") == (
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x03lab\x07example\x00\x00\x01\x00\x01"
    )


@pytest.mark.parametrize(
    ("number", "said"), [(0, "NOERROR"), (2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED"), (9, "code 9")]
)
def test_the_code_of_an_answer_is_read(number: int, said: str) -> None:
    """The last four bits of the second pair."""
    assert code(7, answer(question(7, "a.example"), number)) == said


@pytest.mark.parametrize(
    "packet",
    [answer(question(8, "a.example"), 0), question(7, "a.example"), b"\x00\x07\x81"],
    ids=["another one's", "a question", "too short"],
)
def test_what_is_no_answer_to_this_question_is_none(packet: bytes) -> None:
    """Somebody else's answer, an echo and rubbish say nothing."""
    assert code(7, packet) is None


def test_a_real_answer_is_waited_for_past_rubbish() -> None:
    """Over a real socket: another's answer comes first, the right one counts."""
    with name_server(lambda packet: [b"rubbish", answer(packet, 3)]) as (port, got):
        assert ask("127.0.0.1", port, "nobody.lab.example", 5.0) == "NXDOMAIN"
    assert len(got) == 1


def test_a_lost_question_is_asked_again() -> None:
    """One packet may get lost; two are silence."""
    answers: Iterator[list[bytes] | None] = iter([[], None])

    def second(packet: bytes) -> list[bytes]:
        return [] if next(answers) == [] else [answer(packet, 0)]

    with name_server(second) as (port, got):
        assert ask("127.0.0.1", port, "nobody.lab.example", 1.0) == "NOERROR"
    assert len(got) == 2
    with name_server(lambda packet: []) as (port, got):
        assert ask("127.0.0.1", port, "nobody.lab.example", 0.2) is None
    assert len(got) == 2


@dataclass
class Engine(Scripted):
    """A space whose engine answers names as a test wrote."""

    codes: list[str] = field(default_factory=list)
    names: list[tuple[str, float]] = field(default_factory=list)

    def name(self, name: str, deadline: float) -> str:
        """Answer as written, the last code for all others."""
        self.names.append((name, deadline))
        return self.codes[min(len(self.names), len(self.codes)) - 1]


def seen(way: Path, *codes: str) -> tuple[NameResult, Engine]:
    """What one container saw."""
    engine = Engine([], codes=list(codes))
    [result] = observe_names({SOURCE: way, TARGET: way}, {SOURCE: engine}, "lab.example")
    return result, engine


ASKS, SILENT, OPEN = Path((yes("it may"),)), Path((no("it may not"),)), Path((unknown("who knows"),))


@pytest.mark.parametrize(
    ("way", "said", "observed", "agrees"),
    [
        (ASKS, "NXDOMAIN", "yes", True),
        (ASKS, "NOERROR", "yes", True),
        (ASKS, "SERVFAIL", "no", False),
        (ASKS, "", "no", False),
        (SILENT, "", "no", True),
        (SILENT, "SERVFAIL", "no", True),
        (SILENT, "REFUSED", "no", True),
        (SILENT, "NXDOMAIN", "yes", False),
        (OPEN, "NXDOMAIN", "yes", True),
        (OPEN, "", "no", True),
    ],
)
def test_only_somebody_outside_knows_that_there_is_no_such_name(
    way: Path, said: str, observed: str, agrees: bool
) -> None:
    """What the engine says by itself is no answer from outside; a leak is one that was not expected."""
    result, _ = seen(way, said)
    assert (result.observed, result.agrees, result.expected) == (observed, agrees, way.verdict)


def test_what_disagrees_is_asked_again_under_another_name() -> None:
    """A name server remembers what it said, so doubt asks for a new name, with more patience."""
    result, engine = seen(ASKS, "", "NXDOMAIN")
    assert result.agrees
    [(first, early), (second, late)] = engine.names
    assert second == f"again-{first}"
    assert late > early
    assert first.endswith(".lab.example")


def test_each_run_asks_for_names_that_nobody_asked_for_before() -> None:
    """Two runs have no name in common."""
    assert seen(ASKS, "NXDOMAIN")[0].name != seen(ASKS, "NXDOMAIN")[0].name


def test_who_cannot_be_probed_is_not_told() -> None:
    """Only containers whose namespace is here are asked from."""
    result, _ = seen(ASKS, "NXDOMAIN")
    assert result.source == SOURCE
    assert result.expected is Verdict.yes
