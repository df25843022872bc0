"""What an answer about several pairs shows: the paths that were asked for, and a count of what is left out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lab.flows import Endpoint, Port
from lab.isolation import Path, Proof, Verdict
from lab.isolation.compromise import Chain, Compromises
from lab.isolation.proof import OpenPath
from lab.isolation.published import containers_behind
from lab.isolation.relays import Relay, relays


@dataclass(frozen=True)
class Pivot:
    """A target that a source gets to only by taking others first."""

    source: Endpoint
    chain: Chain


@dataclass(frozen=True)
class Selection:
    """The paths that an answer is about."""

    paths: tuple[OpenPath, ...]
    """Source by source."""
    relays: tuple[Relay, ...] = ()
    pivots: tuple[Pivot, ...] | None = None
    """None where nobody asked."""
    names: Mapping[Endpoint, Path] = field(default_factory=dict)
    """The containers that the answer is about, each with the way of its questions for names."""
    closed: int = 0
    """How many more there are that are closed and not among the paths."""
    placed: int = 0
    """How many more follow from placement alone and are not among the paths."""
    published: int = 0
    """How many more are ports of a Docker host at which a container answers, which is among the paths."""

    def having(self, *, permitted: bool, verdict: Verdict) -> tuple[OpenPath, ...]:
        """The paths with this verdict, with or without a permission."""
        return tuple(
            path
            for path in self.paths
            if (path.permission is not None) == permitted and path.answer.verdict is verdict
        )


def whole_lab(proof: Proof, *, every: bool) -> Selection:
    """Every source to every target.

    Args:
        proof: the proven lab.
        every: whether to list what is closed, and what follows from placement, as well.
    """
    sources = proof.openings.sources
    found = tuple(relays(proof, sources))
    if every:
        return Selection(tuple(_each(proof, sources)), found, names=proof.names)
    return replace(_folded(proof, sources, proof.paths, found), names=proof.names)


def from_sources(proof: Proof, sources: Sequence[Endpoint], *, every: bool) -> Selection:
    """Some sources to every target, with what follows if they are taken."""
    compromises = Compromises(proof.reach, proof.openings)
    pivots = tuple(Pivot(source, chain) for source in sources for chain in compromises.of(source).chains)
    found = tuple(relays(proof, sources))
    names = {source: proof.names[source] for source in sources if source in proof.names}
    if every:
        return Selection(tuple(_each(proof, sources)), found, pivots, names)
    paths = [proof.judged(answer) for source in sources for answer in proof.openings.of(source)]
    return replace(_folded(proof, sources, paths, found, pivots), names=names)


def between(proof: Proof, asked: Sequence[tuple[Endpoint, Endpoint, Port | None]]) -> Selection:
    """Some single sources, targets and ports, whatever the verdict."""
    paths = tuple(proof.judged(proof.answer(*one)) for one in asked)
    sources = dict.fromkeys(source for source, _, _ in asked)
    machine, meant = proof.reach.machine, set(asked)
    passed = [r for r in relays(proof, sources) if (r.source, machine(r.target), r.port) in meant]
    direct = {(p.answer.source, p.answer.target) for p in paths if p.answer.verdict is Verdict.yes}
    compromises = Compromises(proof.reach, proof.openings)
    pivots = tuple(
        Pivot(source, chain)
        for source, target in dict.fromkeys((source, target) for source, target, _ in asked)
        if (source, target) not in direct and (chain := compromises.pivot(source, target)) is not None
    )
    return Selection(paths, tuple(passed), pivots)


def _each(proof: Proof, sources: Iterable[Endpoint]) -> Iterator[OpenPath]:
    """Everything about some sources, also what is open at a port of which nobody speaks for its target itself."""
    for source in sources:
        asked = dict.fromkeys(
            (target, port)
            for target in proof.openings.targets
            if source != target
            for port in proof.openings.ports(target)
        )
        asked |= dict.fromkeys((answer.target, answer.port) for answer in proof.openings.of(source))
        yield from (proof.judged(proof.answer(source, target, port)) for target, port in asked)


def _folded(
    proof: Proof,
    sources: Sequence[Endpoint],
    paths: Iterable[OpenPath],
    passed: tuple[Relay, ...],
    pivots: tuple[Pivot, ...] | None = None,
) -> Selection:
    shown, known, published = [], 0, 0
    behind = containers_behind(proof.reach)
    ports = {target: set(proof.openings.ports(target)) for target in proof.openings.targets}
    for path in paths:
        port = path.answer.port
        known += _is_among(path, ports)
        if port and (path.answer.target, port) in behind:
            published += 1
        else:
            shown.append(path)
    near = sum(
        len(ports[target])
        for source in sources
        for target in proof.openings.neighbours(source)
        if proof.answer(source, target, None).verdict is not Verdict.no
    )
    asked = len(sources) * sum(map(len, ports.values())) - sum(len(ports.get(s, ())) for s in sources)
    return Selection(
        tuple(shown), passed, pivots, closed=asked - known - near, placed=near, published=published
    )


def _is_among(path: OpenPath, ports: dict[Endpoint, set[Port | None]]) -> bool:
    return path.answer.port in ports.get(path.answer.target, ())
