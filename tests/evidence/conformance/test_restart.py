"""Nothing undeclared gets through at any moment while an engine restarts, or while its host boots."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from lab.isolation.verdict import Verdict
from lab.plan.records import EngineFacts, GuardRule
from lab.render.bootstrap import docker_host
from lab.render.guard import guard_text
from sandbox.boot import plan_boot
from sandbox.cloudinit import read_cloud_config
from tests.evidence.conformance import daemon
from tests.evidence.conformance.aims import HOST, Aim, aims
from tests.evidence.conformance.allowed import random_rules
from tests.evidence.conformance.building import Building, raise_all, raze_all
from tests.evidence.conformance.expectation import Expectation, guard_plan
from tests.evidence.conformance.generator import block, site
from tests.evidence.conformance.lane import Lane, plugged
from tests.evidence.conformance.lanes import chosen_seed
from tests.evidence.conformance.topology import Setting, Topology
from tests.evidence.conformance.watching import Watch, running
from tests.sandbox.engine_ground import real_checkout

pytestmark = pytest.mark.engine


@pytest.fixture
def lane() -> Iterator[Lane]:
    """A Docker host whose engine is not started yet."""
    with real_checkout() as checkout, plugged(checkout, site(0)) as own:
        yield own


def _topology(seed: int) -> Topology:
    """A random one without IPv6, which a Docker host of a lab has switched off."""
    found = block(seed, 0, site(0), 0)[0]
    networks = tuple(replace(network, subnet6="", gateway6="") for network in found.networks)
    containers = tuple(replace(container, addresses6={}) for container in found.containers)
    return replace(found, networks=networks, containers=containers)


def _facts(lane: Lane) -> EngineFacts:
    version = lane.programs.version[0]
    return EngineFacts(version=version, userland_proxy=True, bridge_netfilter=True, firewall="iptables")


def _split(lane: Lane, topology: Topology, rules: tuple[GuardRule, ...]) -> tuple[list[Aim], list[Aim]]:
    """The questions about containers that the guard answers with no, and those that it answers with yes."""
    model = Expectation(topology, Setting(engine=_facts(lane), rules=rules))
    found: dict[Verdict, list[Aim]] = {Verdict.no: [], Verdict.yes: []}
    for aim in aims(topology):
        # The host reaches its own containers whatever a guard says, and each container itself.
        if (
            aim.source != HOST
            and aim.kind != "itself"
            and not aim.link_local
            and _about_containers(topology, aim)
        ):
            found[model.of(aim).verdict].append(aim)
    return found[Verdict.no], found[Verdict.yes]


def _about_containers(topology: Topology, aim: Aim) -> bool:
    return any(c.name in (aim.source, aim.target) and not c.host_network for c in topology.containers)


def _guard(topology: Topology, rules: tuple[GuardRule, ...]) -> str:
    bridges = {network.interface: network.name for network in topology.networks}
    return guard_text(guard_plan(topology.host.name, bridges, rules))


@contextmanager
def _standing(lane: Lane, topology: Topology, restart: str = "no") -> Iterator[list[Building]]:
    with lane.client() as client:
        buildings = raise_all(client, [topology], restart)
    try:
        yield buildings
    finally:
        lane.unload()
        with lane.client() as client:
            for building in buildings:
                building.client = client
            raze_all(buildings)


def _said(asked: Iterable[Aim]) -> list[str]:
    return sorted(f"{aim.source} -> {aim.target} at {aim.address} port {aim.port}" for aim in asked)


def test_the_guard_holds_while_the_engine_restarts(lane: Lane) -> None:
    """With containers that go on running, no undeclared probe succeeds before, while and after the daemon is
    gone and sets its rules anew; what neighbours may ask each other is answered also while it is gone."""
    topology = _topology(seed := chosen_seed())
    rules = random_rules(topology)
    lane.start({"live-restore": True})
    with _standing(lane, topology):
        closed, opened = _split(lane, topology, rules)
        with Watch(lane, topology, closed) as unguarded:
            unguarded.wait_for("before", lambda: unguarded.rounds("before") > 2)
        lane.load(_guard(topology, rules))
        with Watch(lane, topology, [*closed, *opened]) as watch:
            watch.wait_for("before", lambda: watch.rounds("before") > 2)
            ended = daemon.end(lane)
            watch.wait_for("gone", lambda: watch.rounds("gone") > 2)
            watch.phase = "starting"
            daemon.start(lane, ended)
            daemon.wait_until_it_answers(lane)
            watch.wait_for("after", lambda: watch.rounds("after") > 5)
    assert unguarded.reached("before"), "without a guard some of it is open, else this would show nothing"
    _show(seed, watch)
    leaked = {phase: _said(watch.reached(phase) & set(closed)) for phase in _phases(watch)}
    assert leaked == {phase: [] for phase in leaked}, f"seed {seed}"
    assert {"before", "gone", "starting", "after"} <= set(leaked)
    neighbours = {aim for aim in opened if aim.kind == "container" and aim.source in running_names(topology)}
    assert neighbours <= watch.reached("gone")


def test_nothing_passes_from_the_boot_until_the_guard_is_loaded(lane: Lane) -> None:
    """A host boots with its closed table, its containers come up again by themselves and nothing of theirs
    passes, not even what is declared; then the guard is loaded, and exactly that passes."""
    topology = _topology(seed := chosen_seed())
    rules = random_rules(topology)
    boot = plan_boot(read_cloud_config(docker_host(), "the file of a Docker host"))
    assert not lane.fabric.apply_settings(lane.at.host.name, boot.settings)
    lane.start({}, boot)
    with _standing(lane, topology, restart="always"):
        closed, opened = _split(lane, topology, rules)
        lane.load(_guard(topology, rules))
        names = running_names(topology)
        with Watch(lane, topology, [*closed, *opened]) as watch:
            watch.wait_for("guarded", lambda: watch.rounds("guarded") > 2)
            watch.phase = "ending"
            lane.engine.stop()
            watch.phase = "starting"
            lane.engine.start(boot)
            watch.wait_for("starting", lambda: names <= running(lane).keys())
            watch.wait_for("booted", lambda: watch.rounds("booted") > 5)
            watch.phase = "loading"
            lane.load(_guard(topology, rules))
            watch.wait_for("guarded again", lambda: watch.rounds("guarded again") > 5)
    _show(seed, watch)
    passed = {phase: watch.reached(phase) for phase in _phases(watch)}
    assert {phase: _said(aims_ & set(closed)) for phase, aims_ in passed.items() if aims_ & set(closed)} == {}
    assert _said(passed["starting"] | passed["booted"]) == []
    expected = {aim for aim in opened if not aim.ipv6}
    assert _said(expected - passed["guarded"]) == []
    assert _said(expected - passed["guarded again"]) == []


def running_names(topology: Topology) -> set[str]:
    """The containers that have networks of their own."""
    return {container.name for container in topology.containers if not container.host_network}


def _phases(watch: Watch) -> list[str]:
    return list(dict.fromkeys(moment.phase for moment in watch.moments if moment.asked))


def _show(seed: int, watch: Watch) -> None:
    counts = ", ".join(f"{watch.rounds(phase)} {phase}" for phase in _phases(watch))
    print(f"seed {seed}: {len(watch.aims)} questions each round; rounds: {counts}")
