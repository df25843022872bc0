"""Sentences of the lab file that must hold: who reaches whom, and who does not."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lab.flows import Endpoint, Port, Target
from lab.isolation.guards import port_covers
from lab.isolation.openings import Openings
from lab.isolation.reach import Reach
from lab.isolation.verdict import Answer, Verdict, best_first
from lab.plan.records import Expectation


@dataclass(frozen=True)
class Outcome:
    """What became of one sentence."""

    place: int
    """Its place in the lab file's list, from 0."""
    expectation: Expectation
    verdict: Verdict
    """Whether it holds: yes, no, or that nobody can tell."""
    against: Answer | None = None
    """The first answer that speaks against it, or that leaves it open; what the ingress passes on is among its
    paths."""


def outcomes(reach: Reach, openings: Openings, expectations: tuple[Expectation, ...]) -> tuple[Outcome, ...]:
    """What became of every sentence."""
    return tuple(_outcome(reach, openings, place, part) for place, part in enumerate(expectations))


def _outcome(reach: Reach, openings: Openings, place: int, expectation: Expectation) -> Outcome:
    wanted = Verdict.yes if expectation.reach else Verdict.no
    open_one: Answer | None = None
    for answer in _answers(reach, openings, expectation):
        if answer.verdict is Verdict.unknown:
            open_one = open_one or answer
        elif answer.verdict is not wanted:
            return Outcome(place, expectation, Verdict.no, answer)
    if open_one is not None:
        return Outcome(place, expectation, Verdict.unknown, open_one)
    return Outcome(place, expectation, Verdict.yes)


def _answers(reach: Reach, openings: Openings, expectation: Expectation) -> Iterator[Answer]:
    """What is so of each question: the ways of packets, and of requests that the ingress passes on."""
    for source, target, port in questions(reach, openings, expectation):
        answer = reach.answer(source, target, port)
        passed = reach.relayed(source, target, port)
        yield replace(answer, paths=best_first((*answer.paths, *passed))) if passed else answer


def questions(
    reach: Reach, openings: Openings, expectation: Expectation
) -> Iterator[tuple[Endpoint, Endpoint, Port | None]]:
    """The single questions that a sentence stands for.

    A segment stands for somebody unnamed on it, every machine on it and, as a target, what those publish; as in
    flows. A Docker host is not held against its own containers unless the sentence names it.
    """
    named = {m for endpoint in expectation.sources for m in reach.directory.members(endpoint)}
    sources = dict.fromkeys(m for endpoint in expectation.sources for m in _meant(reach, endpoint))
    aims = dict.fromkeys(
        aim for target in expectation.targets for aim in _aims(reach, openings, target, expectation)
    )
    for source in sources:
        for member, port in aims:
            if reach.machine(source) == reach.machine(member):
                continue
            if source in named or not _hosts(reach, source, member):
                yield source, member, port


def _aims(
    reach: Reach, openings: Openings, target: Target, expectation: Expectation
) -> Iterator[tuple[Endpoint, Port | None]]:
    for member in _meant(reach, target.endpoint):
        every = openings.ports(reach.machine(member))
        yield from (
            (member, port) for port in ((target.port,) if target.port or expectation.reach else every)
        )
    on_segments = {m for member in reach.directory.members(target.endpoint) for m in _on(reach, member)}
    for container, part in reach.directory.containers.items():
        if expectation.reach or reach.grounds.host_endpoint(part.host) not in on_segments:
            continue
        for published in part.service.published:
            external = Port(published.external, published.protocol)
            if target.port is None or port_covers(target.port, external):
                yield container, Port(published.internal, published.protocol)


def _meant(reach: Reach, endpoint: Endpoint) -> Iterator[Endpoint]:
    for member in reach.directory.members(endpoint):
        yield member
        yield from _on(reach, member)


def _on(reach: Reach, segment: Endpoint) -> Iterator[Endpoint]:
    """The machines on a segment; nothing for anything else."""
    if segment.kind == "vlan":
        for machine, spots in reach.segments.spots.items():
            if machine != segment and any(spot.vlan == segment.name for spot in spots):
                yield machine


def _hosts(reach: Reach, machine: Endpoint, member: Endpoint) -> bool:
    container = reach.directory.containers.get(member)
    return container is not None and reach.grounds.host_endpoint(container.host) == machine
