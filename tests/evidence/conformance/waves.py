"""Blocks side by side on a lane: made, probed under each setting, moved, probed again, removed."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.flows import Port
from lab.plan.records import EngineFacts, GuardRule
from lab.render.guard import guard_text
from sandbox.fabric.kernel import inside
from tests.evidence.conformance.aims import HOST, NEIGHBOUR, Aim, aims
from tests.evidence.conformance.allowed import random_rules
from tests.evidence.conformance.building import Building, raise_all, raze_all
from tests.evidence.conformance.comparison import Case, Disagreement, disagreements
from tests.evidence.conformance.expectation import guard_plan
from tests.evidence.conformance.generator import block
from tests.evidence.conformance.lane import Lane
from tests.evidence.conformance.prober import Ear, Question, ask, listening
from tests.evidence.conformance.recorded import Seen
from tests.evidence.conformance.topology import Setting, Topology

QUIET = (0.6, 2.0, 2.0, 2.0)
"""Seconds after the last answer until a round ends. What disagrees is asked again, because a busy machine is slow and
not closed, and with it everything that was silent: in a round that lacks an expected answer, silence says nothing."""
_SIDE_BY_SIDE = 5
_MOVES = 3
_TENTATIVE = 0x40
"""IFA_F_TENTATIVE of linux/if_addr.h: nobody else has the address, as far as the kernel knows yet."""
_SETTLED_SECONDS = 8.0


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was seen of one case, and where the model was wrong about it."""

    seen: Seen
    wrong: tuple[Disagreement, ...]
    rounds: int


def run(lane: Lane, seed: int, blocks: int, *, userland_proxy: bool) -> Iterator[Result]:
    """Everything that a lane has to do, on an engine that runs."""
    for first in range(0, blocks, _SIDE_BY_SIDE):
        numbers = range(first, min(first + _SIDE_BY_SIDE, blocks))
        yield from _wave(lane, [block(seed, n, lane.at, _MOVES) for n in numbers], userland_proxy)


def _wave(lane: Lane, blocks: Sequence[Sequence[Topology]], userland_proxy: bool) -> Iterator[Result]:
    with lane.client() as client:
        buildings = raise_all(client, [topologies[0] for topologies in blocks])
        try:
            for move in range(_MOVES + 1):
                for building, topologies in zip(buildings, blocks, strict=True):
                    building.move_to(topologies[move])
                _settle(lane, buildings)
                # Without bridge netfilter the engine's own rules and the guard's see less: once in each wave.
                for netfilter in (True, False) if move == 0 else (True,):
                    for guarded in (False, True):
                        facts = EngineFacts(
                            version=lane.programs.version[0],
                            userland_proxy=userland_proxy,
                            bridge_netfilter=netfilter,
                            firewall="iptables",
                        )
                        yield from _probed(lane, buildings, facts, guarded)
        finally:
            lane.unload()
            raze_all(buildings)


def _probed(lane: Lane, buildings: Sequence[Building], facts: EngineFacts, guarded: bool) -> Iterator[Result]:
    topologies = [building.topology for building in buildings]
    lane.set_bridge_netfilter(bool(facts.bridge_netfilter))
    lane.unload()
    rules: list[tuple[GuardRule, ...] | None] = [None] * len(topologies)
    if guarded:
        own = [random_rules(topology) for topology in topologies]
        bridges = {n.interface: n.name for topology in topologies for n in topology.networks}
        lane.load(guard_text(guard_plan(lane.at.host.name, bridges, tuple(r for rs in own for r in rs))))
        # One guard for the host: a rule for every published port is about those of the other blocks too.
        wide = tuple(rule for rs in own for rule in rs if rule.way == "in" and rule.port is None)
        rules = [tuple(dict.fromkeys((*rs, *wide))) for rs in own]
    cases = [
        Case(topology=topology, aims=aims(topology), setting=Setting(engine=facts, rules=allowed))
        for topology, allowed in zip(topologies, rules, strict=True)
    ]
    yield from _observed(lane, cases, buildings)


def _observed(lane: Lane, cases: Sequence[Case], buildings: Sequence[Building]) -> Iterator[Result]:
    questions = [
        (number, place, _question(lane, building, case, aim))
        for number, (case, building) in enumerate(zip(cases, buildings, strict=True))
        for place, aim in enumerate(case.aims)
    ]
    reached = [[""] * len(case.aims) for case in cases]
    wrong: list[tuple[Disagreement, ...]] = []
    rounds = 0
    with listening(_ears(lane, buildings)) as ears:
        for quiet in QUIET:
            rounds += 1
            for (number, place, _), name in zip(
                questions, ask([q for _, _, q in questions], ears, quiet), strict=True
            ):
                reached[number][place] = name
            wrong = [tuple(disagreements(case, got)) for case, got in zip(cases, reached, strict=True)]
            if not any(wrong):
                break
            doubted = [{found.aim for found in one} for one in wrong]
            questions = [
                (number, place, question)
                for number, place, question in questions
                if not reached[number][place] or question.aim in doubted[number]
            ]
    for case, got, found in zip(cases, reached, wrong, strict=True):
        yield Result(seen=Seen(case=case, reached=tuple(got)), wrong=found, rounds=rounds)


def _question(lane: Lane, building: Building, case: Case, aim: Aim) -> Question:
    namespace = _namespace(lane, building, aim.source)
    scope = ""
    if aim.link_local:
        source = next((c for c in case.topology.containers if c.name == aim.source), None)
        network = case.topology.network(aim.network)
        scope = source.addresses[aim.network] if source else network.interface
    return Question(namespace=namespace, aim=aim, scope=scope)


def _namespace(lane: Lane, building: Building, name: str) -> Path:
    machines = {HOST: lane.host, NEIGHBOUR: lane.neighbour}
    return machines[name] if name in machines else building.namespaces[name]


def _ears(lane: Lane, buildings: Sequence[Building]) -> Iterator[Ear]:
    for machine, namespace in ((lane.at.host, lane.host), (lane.at.neighbour, lane.neighbour)):
        yield Ear(name=machine.name, namespace=namespace, ports=_udp((*machine.listens, *machine.canaries)))
    for building in buildings:
        for container in building.topology.containers:
            yield Ear(
                name=container.name,
                namespace=building.namespaces[container.name],
                ports=_udp((*container.listens, *container.canaries)),
            )


def _udp(ports: tuple[Port, ...]) -> tuple[Port, ...]:
    return tuple(port for port in ports if port.protocol == "udp")


def _settle(lane: Lane, buildings: Sequence[Building]) -> None:
    """Wait until the IPv6 addresses that somebody will ask for can be used; what never can be is seen when asked."""
    used = {
        building.topology.network(name).interface
        for building in buildings
        for container in building.topology.containers
        for name in container.addresses6
    }
    namespaces = {n for building in buildings for n in building.namespaces.values() if used}
    end = time.monotonic() + _SETTLED_SECONDS
    while time.monotonic() < end:
        tentative = [name for name in inside(lane.host, _tentative) if name in used]
        if not tentative and not any(inside(namespace, _tentative) for namespace in namespaces):
            return
        time.sleep(0.1)


def _tentative() -> list[str]:
    """The interfaces of the present namespace with an IPv6 address that is not yet usable."""
    table = Path("/proc/thread-self/net/if_inet6")
    entries = [line.split() for line in table.read_text().splitlines()] if table.exists() else []
    return [name for _, _, _, _, flags, name in entries if int(flags, 16) & _TENTATIVE]
