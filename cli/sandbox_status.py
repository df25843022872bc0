"""What the sandbox of this checkout knows about a lab that is in it: its ways in, namespaces and segments.

The sandbox is a program beside this one and not a library of it: it stands in for the outside world, so it is asked
like the outside world.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.connections import engine_of
from cli.peers import Peer
from lab.plan.directory import INGRESS
from lab.plan.records import IngressPlan, LabPlan
from probe.containers import Running
from probe.spaces import CannotEnter

SETTLE_SECONDS = 20.0
_PAUSE = 0.2
_ANSWER_SECONDS = 30.0
_SANDBOX = Path(".sandbox")


@dataclass(frozen=True)
class SandboxStatus:
    """What `python -m sandbox status` says that probes need; all empty where the lab is not in the sandbox."""

    here: bool
    """Whether the lab's engines are the sandbox's, so that its addresses lead nowhere on this machine."""
    forwards: Mapping[int, tuple[str, int]]
    """Where a published port of the ingress is reached from here."""
    namespaces: Mapping[str, str]
    """The network namespaces of guests."""
    segments: Mapping[str, str]
    """The segments of guests, by the address that a guest has there."""
    peers: Mapping[str, Peer]
    """Who is on a segment beside its guests."""
    simulated: str | None
    """Why the network and the engines are simulated; None where they are real."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "SandboxStatus":
        """Read the answer of the sandbox; nothing in it means that the lab is elsewhere."""
        listens = {int(f["port"]): str(f["listen"]).rpartition(":") for f in data.get("forwards", [])}
        return cls(
            here=bool(data),
            forwards={port: (address, int(local)) for port, (address, _, local) in listens.items()},
            namespaces={
                str(g["name"]): str(g["namespace"]) for g in data.get("guests", []) if g.get("namespace")
            },
            segments={
                str(nic["address"]).partition("/")[0]: str(nic["segment"])
                for g in data.get("guests", [])
                if g.get("namespace")
                for nic in g["nics"]
                if nic["address"]
            },
            peers={
                str(p["segment"]): Peer(str(p["address"]).partition("/")[0], str(p["namespace"]))
                for p in data.get("peers", [])
            },
            simulated=data.get("simulated"),
        )


def sandbox_status(plan: LabPlan) -> SandboxStatus:
    """Ask the sandbox, if it has the lab's engines: beside a sandbox that runs, another lab may be verified."""
    sockets = f"unix://{_SANDBOX.resolve()}/"
    if not plan.docker_hosts or not all(engine_of(host).startswith(sockets) for host in plan.docker_hosts):
        return SandboxStatus.of({})
    command = [sys.executable, "-m", "sandbox", "status", "--format", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise CannotEnter(f"python -m sandbox status does not answer in {_ANSWER_SECONDS:.0f} s") from None
    if done.returncode != 0:
        raise CannotEnter(f"python -m sandbox status did not succeed: {done.stderr.strip()}")
    return SandboxStatus.of(json.loads(done.stdout))


def settled_status(
    plan: LabPlan, running: Sequence[Running], seconds: float = SETTLE_SECONDS
) -> SandboxStatus:
    """The same, once it has what follows from the containers that run.

    Args:
        plan: the lab.
        running: its containers.
        seconds: the longest that is waited.

    Raises:
        CannotEnter: something is not there in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _settled(plan, running, seconds)
        except CannotEnter:
            if time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE)


def _settled(plan: LabPlan, running: Sequence[Running], seconds: float) -> SandboxStatus:
    status = sandbox_status(plan)
    if lacking := list(_lacking(plan, running, status)):
        raise CannotEnter(
            f"the sandbox has {' and '.join(lacking)}, {seconds:.0f} s after the engines answered; "
            "`python -m sandbox status` shows what it has, and .sandbox/logs why"
        )
    return status


def _lacking(plan: LabPlan, running: Sequence[Running], status: SandboxStatus) -> Iterator[str]:
    if not status.here or status.simulated is not None:
        return
    for host in plan.docker_hosts:
        if host.name not in status.namespaces:
            yield f"no namespace of {host.name}"
    if plan.ingress is not None and any(container.endpoint == str(INGRESS) for container in running):
        for port in sorted(_probed(plan.ingress) - set(status.forwards)):
            yield f"no way to port {port} of the ingress"


def _probed(ingress: IngressPlan) -> set[int]:
    """The ports at which probes ask."""
    published = [entry for entry in ingress.entry_points if entry.published]
    return {port for entry in published for port in (entry.port, entry.redirect) if port is not None}
