"""What the model says beside what happened, for every question, and for each source and target over all addresses."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lab.isolation.verdict import Verdict
from tests.evidence.conformance.aims import HOST, NEIGHBOUR, Aim
from tests.evidence.conformance.expectation import Expectation
from tests.evidence.conformance.topology import Setting, Topology


@dataclass(frozen=True, kw_only=True)
class Case:
    """A topology under a setting."""

    topology: Topology
    aims: tuple[Aim, ...]
    setting: Setting

    @property
    def tags(self) -> frozenset[str]:
        """What is special about the setting."""
        engine = self.setting.engine
        return frozenset(
            (
                "guard off" if self.setting.rules is None else "guard on",
                *(() if engine.userland_proxy else ("proxy off",)),
                *(() if engine.bridge_netfilter else ("bridge netfilter off",)),
            )
        )

    @cached_property
    def names(self) -> Mapping[str, str]:
        """With what name each target answers."""
        machines = {HOST: self.topology.host.name, NEIGHBOUR: self.topology.neighbour.name}
        return machines | {container.name: container.name for container in self.topology.containers}


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """Where the model was wrong."""

    case: Case
    aim: Aim
    expected: Verdict
    reason: str
    reached: str
    """Whom the question reached; empty for nobody."""
    whole: bool = False
    """Whether it is about all of the target's addresses together."""

    def __str__(self) -> str:
        aim, case = self.aim, self.case
        where = "any address" if self.whole else aim.address
        setting = ", ".join(sorted(case.tags))
        return (
            f"topology {case.topology.seed} ({setting}): {aim.source} -> {aim.target} at {where} port {aim.port}"
            f"{'' if aim.declared else ' (undeclared)'}: expected {self.expected}, because {self.reason}; "
            f"observed {'no answer' if not self.reached else f'an answer of {self.reached}'}"
        )


@dataclass
class Tally:
    """How many questions of a kind were asked."""

    asked: int = 0
    reached: int = 0
    disagreed: int = 0

    def add(self, reached: bool, disagreed: bool) -> None:
        """Count one more."""
        self.asked += 1
        self.reached += reached
        self.disagreed += disagreed


@dataclass
class Figures:
    """All that was counted, by feature."""

    by_tag: dict[str, Tally] = field(default_factory=dict)
    total: Tally = field(default_factory=Tally)
    cases: int = 0
    topologies: set[str] = field(default_factory=set)

    def add(self, case: Case, reached: Sequence[str], wrong: Iterable[Disagreement]) -> None:
        """Count the questions of one case."""
        self.cases += 1
        self.topologies.add(case.topology.seed)
        disagreed = {found.aim for found in wrong}
        for aim, name in zip(case.aims, reached, strict=True):
            for tally in (self.total, *map(self._of, (*case.tags, *tags_of(case.topology, aim)))):
                tally.add(bool(name), aim in disagreed)

    def _of(self, tag: str) -> Tally:
        return self.by_tag.setdefault(tag, Tally())

    def lines(self) -> Iterator[str]:
        """A table of all of it."""
        yield f"{'feature':24}{'probes':>9}{'reached':>9}{'disagreed':>11}"
        for tag, tally in [*sorted(self.by_tag.items()), ("all", self.total)]:
            yield f"{tag:24}{tally.asked:9}{tally.reached:9}{tally.disagreed:11}"


def disagreements(
    case: Case, reached: Sequence[str], expectation: Expectation | None = None
) -> Iterator[Disagreement]:
    """Where the model is wrong about a case.

    Args:
        case: the topology and its setting.
        reached: whom each of its aims reached, in their order.
        expectation: what a changed model says; None for the real one.
    """
    model = expectation or Expectation(case.topology, case.setting)
    together: dict[tuple[object, ...], list[tuple[Aim, str]]] = {}
    for aim, name in zip(case.aims, reached, strict=True):
        path = model.of(aim)
        if not _agrees(path.verdict, name, case.names[aim.target]):
            yield Disagreement(case=case, aim=aim, expected=path.verdict, reason=path.reason, reached=name)
        key = (aim.kind, aim.source, aim.target, aim.asked, aim.published)
        together.setdefault(key, []).append((aim, name))
    for group in together.values():
        yield from _together(case, model, group)


def _together(case: Case, model: Expectation, group: list[tuple[Aim, str]]) -> Iterator[Disagreement]:
    aim = group[0][0]
    said = model.of_all(aim)
    if said is None:
        return
    reached = next((name for _, name in group if name), "")
    if not _agrees(said[0], reached, case.names[aim.target]):
        yield Disagreement(case=case, aim=aim, expected=said[0], reason=said[1], reached=reached, whole=True)


def _agrees(verdict: Verdict, reached: str, meant: str) -> bool:
    """Nobody else may answer, and with all facts given there is nothing that the model cannot tell."""
    return verdict is not Verdict.unknown and reached == (meant if verdict is Verdict.yes else "")


def tags_of(topology: Topology, aim: Aim) -> Iterator[str]:
    """The features that a question is about."""
    members: Mapping[str, Mapping[str, str]] = {c.name: c.addresses for c in topology.containers}
    networks = [topology.network(name) for end in (aim.source, aim.target) for name in members.get(end, ())]
    shown = {
        "internal": any(network.internal for network in networks),
        "icc off": any(not network.icc for network in networks),
        "inhibited": any(network.isolated for network in networks),
        "multi-homed": any(len(members.get(end, ())) > 1 for end in (aim.source, aim.target)),
        "host network": any(c.name == aim.target and c.host_network for c in topology.containers),
        "published": aim.kind == "published",
        "udp": aim.port.protocol == "udp",
        "ipv6": aim.ipv6,
        "canary": not aim.declared,
        "from the host": aim.source == HOST,
        "from the segment": aim.source == NEIGHBOUR,
        "to the segment": aim.kind == "neighbour",
    }
    yield from (tag for tag, holds in shown.items() if holds)
