"""Asks the same questions again and again while something else happens, in whatever containers there are just then."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.flows import Port
from sandbox.fabric.kernel import FabricError
from tests.evidence.conformance.aims import HOST, NEIGHBOUR, Aim
from tests.evidence.conformance.lane import Lane
from tests.evidence.conformance.prober import Ear, Question, ask, listening
from tests.evidence.conformance.topology import Container, Machine, Topology

_QUIET = 0.12
"""Seconds: short, because a gap in the rules may be."""


@dataclass(frozen=True)
class Moment:
    """One round of questions."""

    phase: str
    asked: int
    reached: frozenset[Aim]


@dataclass
class Watch:
    """Asks until it is closed.

    Attributes:
        lane: where.
        topology: what stands there, or will.
        aims: the questions; those of containers that do not run are left out.
        phase: what happens just now, for the record.
        moments: what was seen.
    """

    lane: Lane
    topology: Topology
    aims: Sequence[Aim]
    phase: str = "before"
    moments: list[Moment] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def rounds(self, phase: str) -> int:
        """How many rounds of a phase asked something."""
        return sum(moment.asked > 0 for moment in self.moments if moment.phase == phase)

    def reached(self, phase: str) -> set[Aim]:
        """All that got through in a phase."""
        return {aim for moment in self.moments if moment.phase == phase for aim in moment.reached}

    def wait_for(self, phase: str, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Enter a phase, and stay in it until something is so."""
        self.phase = phase
        deadline = time.monotonic() + seconds
        while not condition():
            assert not self.failures, self.failures
            assert time.monotonic() < deadline, f"{phase}: not within {seconds:.0f} s"
            time.sleep(0.02)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.moments.append(self._round())
            except (FileNotFoundError, FabricError):
                # A container ended between the look at it and the question.
                continue
            except BaseException as error:
                self.failures.append(error)
                return

    def _round(self) -> Moment:
        began = self.phase
        places = {HOST: self.lane.host, NEIGHBOUR: self.lane.neighbour, **running(self.lane)}
        asked = [aim for aim in self.aims if aim.source in places]
        questions = [Question(namespace=places[aim.source], aim=aim, scope="") for aim in asked]
        with listening(self._ears(places)) as ears:
            answers = ask(questions, ears, _QUIET)
        got = frozenset(aim for aim, name in zip(asked, answers, strict=True) if name)
        # A round belongs to a phase only if all of it does.
        ended = self.phase
        return Moment(began if began == ended else f"{began} to {ended}", len(asked), got)

    def _ears(self, places: Mapping[str, Path]) -> Iterator[Ear]:
        listeners: dict[str, Machine | Container] = {c.name: c for c in self.topology.containers}
        listeners |= {HOST: self.lane.at.host, NEIGHBOUR: self.lane.at.neighbour}
        for name, machine in listeners.items():
            ports = (*machine.listens, *machine.canaries)
            if name in places:
                yield Ear(name=machine.name, namespace=places[name], ports=_udp(ports))


def running(lane: Lane) -> dict[str, Path]:
    """The network namespace of each container of a lane that runs just now, found without its engine."""
    found = {}
    for pid in lane.place.group.processes():
        process = Path(f"/proc/{pid}")
        try:
            pairs = process.joinpath("environ").read_bytes().split(b"\0")
        except OSError:
            continue
        name = next((pair.partition(b"=")[2] for pair in pairs if pair.startswith(b"HOMELAB_NAME=")), None)
        if name:
            found[name.decode()] = process / "ns" / "net"
    return found


def _udp(ports: tuple[Port, ...]) -> tuple[Port, ...]:
    return tuple(port for port in ports if port.protocol == "udp")
