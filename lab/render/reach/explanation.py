"""The verb `explain`: one source, target and port, with every way that was considered, leg by leg."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lab.flows import Endpoint, Port
from lab.isolation import Path, Proof, Verdict
from lab.isolation.compromise import Chain, Compromises
from lab.isolation.proof import OpenPath
from lab.isolation.published import Behind, containers_behind
from lab.isolation.queries import Queries
from lab.isolation.relays import Relay, relays
from lab.isolation.verdict import any_of
from lab.plan.records import LabPlan
from lab.render.reach.page import Block, Lines, Page, Point, Points, Title
from lab.render.reach.words import MARKS, ends_data, path_data, permission_text, port_text, way_data


@dataclass(frozen=True)
class Explanation:
    """Why one path is as it is."""

    path: OpenPath
    known: bool
    """Whether the lab file speaks of the port."""
    relays: tuple[Relay, ...]
    pivot: Chain | None
    leads_to: tuple[tuple[Endpoint, Port], ...]
    """The containers that publish this port of a Docker host: what answers there is them."""


def explanations(
    proof: Proof, asked: Iterable[tuple[Endpoint, Endpoint, Port | None]]
) -> tuple[Explanation, ...]:
    """Everything about some single paths."""
    compromises, behind = Compromises(proof.reach, proof.openings), containers_behind(proof.reach)
    return tuple(_explained(proof, compromises, behind, *one) for one in asked)


def _explained(
    proof: Proof,
    compromises: Compromises,
    behind: Behind,
    source: Endpoint,
    target: Endpoint,
    port: Port | None,
) -> Explanation:
    answer = proof.answer(source, target, port)
    machine = proof.reach.machine
    passed = [r for r in relays(proof, [source]) if machine(r.target) == target and r.port == port]
    return Explanation(
        path=proof.judged(answer),
        known=Queries(proof).is_known(target, port) or (target, port) in behind,
        relays=tuple(passed),
        pivot=compromises.pivot(source, target) if answer.verdict is not Verdict.yes else None,
        leads_to=behind.get((target, port), ()) if port else (),
    )


def explain_data(plan: LabPlan, found: Iterable[Explanation]) -> dict[str, Any]:
    """The answer for a program."""
    return {"version": 1, "lab": plan.environment, "paths": [_data(one) for one in found]}


def _data(one: Explanation) -> dict[str, Any]:
    return {
        **path_data(one.path),
        "declared_port": one.known,
        "ways": [way_data(way) for way in one.path.answer.paths],
        "by_the_ingress": [
            {"host": relay.route.host, "asks_for": relay.route.auth, **way_data(relay.path)}
            for relay in one.relays
        ],
        "by_pivots": None
        if one.pivot is None
        else {
            "taking": [str(step) for step in one.pivot.steps],
            "last_step": ends_data(one.pivot.answer),
        },
        "leads_to": [f"{endpoint}:{port}" for endpoint, port in one.leads_to],
    }


def explain_page(found: Iterable[Explanation]) -> Page:
    """The answer for a person."""
    return [block for one in found for block in _blocks(one)]


def _blocks(one: Explanation) -> Iterator[Block]:
    answer = one.path.answer
    passed = f"; by the ingress: {any_of(relay.path.verdict for relay in one.relays)}" if one.relays else ""
    yield Title(f"{answer.source} → {answer.target}:{port_text(answer.port)}: {answer.verdict}{passed}", 1)
    yield Lines(tuple(_said(one)))
    yield Title("Ways that were considered", 2)
    yield Points(tuple(_way(number, way) for number, way in enumerate(answer.paths, 1)))
    if one.relays:
        yield Title("Passed on by the ingress (requests, not packets)", 2)
        yield Points(tuple(_way_of_relay(relay) for relay in one.relays))
    if answer.verdict is not Verdict.yes:
        yield Title("Only by taking others first (pivots)", 2)
        yield Lines((_pivot(one.pivot),))


def _said(one: Explanation) -> Iterator[str]:
    answer, permission = one.path.answer, one.path.permission
    if permission is None:
        said = "nobody declared it, so it is a violation" if one.path.violates else "nobody declared it"
        yield said
    elif permission.flow is not None:
        yield f"permitted by the flow {permission.flow} ({permission.flow.origin}): {permission.because}"
    else:
        yield permission_text(permission)
    if answer.port is None:
        yield "other: every port that nobody declared"
    elif not one.known:
        yield f"nobody declared {answer.port}, so it is answered like every port that nobody declared"
    for endpoint, port in one.leads_to:
        yield f"who answers there is {endpoint}:{port}, for which {answer.target} publishes this port"


def _way(number: int, way: Path) -> Point:
    return Point(
        f"way {number}: {way.verdict}", tuple(f"{MARKS[leg.verdict]} {leg.reason}" for leg in way.legs)
    )


def _way_of_relay(relay: Relay) -> Point:
    legs = tuple(f"{MARKS[leg.verdict]} {leg.reason}" for leg in relay.path.legs)
    return Point(f"https://{relay.route.host}{relay.route.path or ''}: {relay.path.verdict}", legs)


def _pivot(chain: Chain | None) -> str:
    if chain is None:
        return "no, whoever is taken on the way"
    last = chain.answer
    if not chain.steps:
        return f"whoever takes {last.source} has it, too: {last.reason}"
    return f"by taking {' → '.join(map(str, chain.steps))}; then {last.reason}"
