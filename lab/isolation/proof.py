"""The proof of a whole lab: its open paths, each with the permission that it has or lacks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from lab.docker_api import root_calls
from lab.flows import Endpoint, Flow, Port
from lab.isolation.acceptances import Acceptances
from lab.isolation.declared import Declared, Permission
from lab.isolation.expectations import Outcome, outcomes
from lab.isolation.names import Names
from lab.isolation.openings import Openings
from lab.isolation.reach import Reach
from lab.isolation.verdict import Answer, Path, Verdict
from lab.plan.records import LabPlan


@dataclass(frozen=True)
class OpenPath:
    """A path that is not closed."""

    answer: Answer
    permission: Permission | None
    """None where nobody said that it may be there."""

    @property
    def violates(self) -> bool:
        """Whether it exists although nobody said so."""
        return self.permission is None and self.answer.verdict is Verdict.yes


@dataclass(frozen=True)
class FlowVerdict:
    """A flow for one of its pairs, and whether the lab lets it through."""

    flow: Flow
    answer: Answer


class Proof:
    """What is so in one lab."""

    def __init__(self, plan: LabPlan) -> None:
        self.plan = plan
        self.reach = Reach(plan)
        self.declared = Declared(self.reach)
        self.openings = Openings(self.reach, self.declared)
        self._acceptances = Acceptances(self.reach, plan.accepted)

    @cached_property
    def paths(self) -> tuple[OpenPath, ...]:
        """Every path that is open or of which nobody can tell."""
        return tuple(self._paths())

    def _paths(self) -> Iterator[OpenPath]:
        return (self.judged(answer) for answer in self.openings.all())

    def judged(self, answer: Answer) -> OpenPath:
        """An answer with the permission that it has, or that the lab file puts up with it."""
        permission = self.declared.permission(answer.source, answer.target, answer.port)
        if permission is None and answer.verdict is Verdict.yes:
            permission = self._acceptances.permission(answer)
        return OpenPath(answer, permission)

    @cached_property
    def violations(self) -> tuple[OpenPath, ...]:
        """The paths that exist and that nobody declared or accepted."""
        return tuple(path for path in self.paths if path.violates)

    @cached_property
    def accepted(self) -> tuple[OpenPath, ...]:
        """The paths that exist, that no flow permits, and that the lab file puts up with."""
        return tuple(p for p in self.paths if p.permission is not None and p.permission.kind == "accepted")

    @cached_property
    def uncertain(self) -> tuple[OpenPath, ...]:
        """The paths of which nobody can tell, and that no flow permits."""
        return tuple(
            path for path in self.paths if path.answer.verdict is Verdict.unknown and path.permission is None
        )

    @cached_property
    def flows(self) -> tuple[FlowVerdict, ...]:
        """Every flow, pair by pair, with what the lab makes of it."""
        return tuple(self._flow_verdicts())

    def _flow_verdicts(self) -> Iterator[FlowVerdict]:
        directory, machine = self.reach.directory, self.reach.machine
        for flow in self.plan.flows:
            for source in directory.members(flow.source):
                for target in directory.members(flow.target.endpoint):
                    if machine(source) != machine(target):
                        yield FlowVerdict(flow, self.reach.answer(source, target, flow.target.port))

    @cached_property
    def blocked(self) -> tuple[FlowVerdict, ...]:
        """The flows that something in the lab closes."""
        return tuple(verdict for verdict in self.flows if verdict.answer.verdict is Verdict.no)

    @cached_property
    def expectations(self) -> tuple[Outcome, ...]:
        """What became of each sentence of the lab file."""
        return outcomes(self.reach, self.openings, self.plan.expectations)

    @cached_property
    def idle_acceptances(self) -> Sequence[int]:
        """Which acceptances are about nothing that exists, by their place in the lab file.

        Who is root on its host has that host, whether or not a packet gets there.
        """
        paths = {(p.answer.source, p.answer.target, p.answer.port) for p in self.accepted}
        return self._acceptances.idle(paths | set(self._owners()))

    def _owners(self) -> Iterator[tuple[Endpoint, Endpoint, Port | None]]:
        """Each service that is root on its host by its rights at the Docker API, with that host."""
        for endpoint, container in self.reach.directory.containers.items():
            if root_calls(container.service.docker_rights):
                yield endpoint, self.reach.grounds.host_endpoint(container.host), None

    @cached_property
    def names(self) -> Mapping[Endpoint, Path]:
        """Each container with the best way of its questions for names outside."""
        names = Names(self.reach)
        return {endpoint: names.of(endpoint) for endpoint in self.reach.directory.containers}

    def answer(self, source: Endpoint, target: Endpoint, port: Port | None) -> Answer:
        """See `Reach.answer`."""
        return self.reach.answer(source, target, port)


def prove(plan: LabPlan) -> Proof:
    """Everything that follows from a plan about who reaches whom.

    Args:
        plan: the decided lab.
    """
    return Proof(plan)
