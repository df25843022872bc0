"""The same questions to the proof and to the simulator of artefacts, and where they answer differently.

The proof reads the plan's records; the simulator reads the texts that are rendered from
them. A port that nobody declared is asked under a number that no lab names, over TCP and
over UDP.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab.flows import Endpoint, Port
from lab.isolation import Answer, Proof
from lab.isolation.guards import port_covers
from lab.plan.records import LabPlan
from lab.simulate.world import World

SEED = 20261125
UNDECLARED = (Port(61234), Port(61234, "udp"))

Question = tuple[Endpoint, Endpoint, Port | None]


@dataclass(frozen=True)
class Disagreement:
    """One question that is answered in two ways."""

    proof: Answer
    simulated: str
    question: Question

    def __str__(self) -> str:
        answer = self.proof
        head = f"{answer.source} -> {answer.target}:{answer.port or 'undeclared'}"
        return f"{head}\nthe proof says {answer.verdict}: {answer.reason}\nthe artefacts say {self.simulated}"


def questions(proof: Proof) -> Iterator[Question]:
    """Every ordered pair of a lab, with every port of the target and one that nobody declared."""
    openings = proof.openings
    for source in openings.sources:
        for target in openings.targets:
            if source != target:
                yield from ((source, target, port) for port in openings.ports(target))


def some(proof: Proof, name: str, count: int) -> list[Question]:
    """All paths that the proof calls open or unknown, and so many others, always the same for a name.

    Raises:
        AssertionError: a question is about a path that the proof did not find among all of them.
    """
    found = [(answer.source, answer.target, answer.port) for answer in proof.openings.all()]
    others = sorted(set(questions(proof)) - set(found), key=str)
    return found + random.Random(f"{SEED} {name}").sample(others, min(count, len(others)))


def numbers(port: Port | None) -> tuple[Port, ...]:
    """The ports that are asked for one of a question."""
    return UNDECLARED if port is None else (port,)


def no_flow_names_the_undeclared_port(plan: LabPlan) -> bool:
    """Whether the number that stands for undeclared ports is one: flows for every port name none."""
    named = (flow.target.port for flow in plan.flows if flow.target.port is not None)
    return not any(port_covers(port, other) for port in named for other in UNDECLARED)


def disagreements(proof: Proof, world: World, asked: Iterable[Question]) -> Iterator[Disagreement]:
    """Where the two differ."""
    for source, target, port in asked:
        answer = proof.answer(source, target, port)
        for number in numbers(port):
            simulated = world.ask(str(source), str(target), number)
            if str(simulated.verdict) != str(answer.verdict):
                yield Disagreement(answer, f"{simulated}", (source, target, port))
