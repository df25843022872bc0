"""How fast a large lab is proven: who reaches whom, and why."""

import gc
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from benchmarks.measure import Figure, timed
from lab.flows import Endpoint, Flow, Port, Target
from lab.isolation import prove
from lab.plan.directory import Directory
from lab.plan.guard import plan_guards
from lab.plan.records import (
    MANAGEMENT_PORTS,
    AttachmentPlan,
    DiskPlan,
    DockerHostPlan,
    EngineFacts,
    GuestPlan,
    LabPlan,
    NetworkPlan,
    NicPlan,
    NodePlan,
    RouterPlan,
    ServicePlan,
    StackPlan,
    VlanPlan,
)
from lab.plan.rules import guest_rules

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
RULES = 1_000
_HOSTS = 20
_PAIR = 2
"""Services in a stack: a front and a database."""
_FACTS = EngineFacts(version=20, userland_proxy=True, bridge_netfilter=True, firewall="iptables")


def proving_figures() -> Iterator[Figure | str]:
    """The proof with reasons at several sizes, one pair explained, and the memory of the largest."""
    curve = []
    for size in SIZES:
        lab = large_lab(size, RULES)
        gc.disable()
        seconds = timed(partial(_prove, lab), 3 if size > 10_000 else 5)
        gc.enable()
        goal = {10_000: "under 0.5 s", 100_000: "under 3 s"}.get(size, "")
        yield Figure(f"proof with reasons of {size:,} services and {RULES:,} flows", seconds, goal)
        curve.append(f"{size:,}: {sorted(seconds)[len(seconds) // 2]:.2f} s")
    proof = prove(large_lab(10_000, RULES))
    front, database = Endpoint("service", "s00007/front"), Endpoint("service", "s00007/db")
    yield Figure(
        "one pair explained, of 10,000 services",
        timed(lambda: prove(proof.plan).answer(front, database, Port(5432)), 5),
        "under 50 ms",
    )
    yield f"How the proof grows with the number of services: {', '.join(curve)}."
    held = f"{_memory(SIZES[-1])} MB (goal: under 1 GB)"
    yield f"Memory of a process that holds and proves {SIZES[-1]:,} services: {held}."


def _prove(lab: LabPlan) -> int:
    proof = prove(lab)
    assert not proof.violations
    return sum(len(path.answer.reason) for path in proof.paths)


def _memory(size: int) -> int:
    """Megabytes at most, in a process of its own."""
    script = f"from benchmarks import proving; proving.hold({size})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return int(done.stdout)


def hold(size: int) -> None:
    """Prove a lab of this size and print the memory that it took, in megabytes."""
    _prove(large_lab(size, RULES))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def large_lab(services: int, rules: int) -> LabPlan:
    """A lab with this many services in stacks of two on guarded hosts, and this many flows within them."""
    stacks = [_stack(number) for number in range(services // _PAIR)]
    hosts = [f"docker-{number:02d}" for number in range(_HOSTS)]
    plan = LabPlan(
        environment="bench",
        domain="bench.example",
        owns=("cluster-firewall",),
        operator_vlan="services",
        operator_address="10.10.0.2",
        nodes=(NodePlan(name="pve", address="10.10.0.3", vlan="services"),),
        vlans=(VlanPlan(name="services", subnet="10.10.0.0/16", tag=20, gateway="10.10.0.1"),),
        router=RouterPlan(kind="none"),
        guests=tuple(_guest(number, name) for number, name in enumerate(hosts)),
        docker_hosts=tuple(
            DockerHostPlan(name=name, address=_host_address(n), connection="", guest=name, engine=_FACTS)
            for n, name in enumerate(hosts)
        ),
        stacks=tuple(stacks),
        flows=(
            *_management(),
            *(_flow(number % len(stacks), number // len(stacks)) for number in range(rules)),
        ),
    )
    directory = Directory(plan)
    return replace(
        plan,
        guards=plan_guards(directory),
        guests=tuple(replace(guest, rules=guest_rules(directory, guest.name)) for guest in plan.guests),
    )


def _host_address(number: int) -> str:
    return f"10.10.1.{number + 1}"


def _guest(number: int, name: str) -> GuestPlan:
    return GuestPlan(
        name=name,
        kind="vm",
        node="pve",
        vm_id=200 + number,
        nics=(NicPlan(vlan="services", bridge="vmbr0", mac="", tag=20, address=_host_address(number)),),
        system_disk=DiskPlan(name="os", size_gib=10, storage="local"),
        runs_docker=True,
    )


def _stack(number: int) -> StackPlan:
    name, network = f"s{number:05d}", f"vnet-s{number:05d}"
    first = number * 16
    base = f"10.{128 + (first >> 16)}.{first >> 8 & 255}."
    place = first & 255
    parts = (("front", 80, place + 2), ("db", 5432, place + 3))
    return StackPlan(
        name=name,
        host=f"docker-{number % _HOSTS:02d}",
        networks=(
            NetworkPlan(
                name=network,
                subnet=f"{base}{place}/28",
                gateway=f"{base}{place + 1}",
                interface=f"br-{number:08x}",
            ),
        ),
        services=tuple(
            ServicePlan(
                name=part,
                image="",
                endpoint=Endpoint("service", f"{name}/{part}"),
                listens=(Port(port),),
                attachments=(AttachmentPlan(network=network, address=f"{base}{last}"),),
            )
            for part, port, last in parts
        ),
    )


def _management() -> Iterator[Flow]:
    """What the planner derives from the segment of a node."""
    for port in MANAGEMENT_PORTS:
        target = Target(Endpoint("node", "pve"), port)
        yield Flow(Endpoint("vlan", "services"), target, "Proxmox opens its own ports", "derived")


def _flow(stack: int, turn: int) -> Flow:
    name = f"s{stack:05d}"
    ends = (f"{name}/front", f"{name}/db") if turn % 2 == 0 else (f"{name}/db", f"{name}/front")
    port = Port(5432 if turn % 2 == 0 else 80)
    return Flow(
        Endpoint("service", ends[0]), Target(Endpoint("service", ends[1]), port), "it needs it", "needs"
    )
