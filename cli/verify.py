"""The verb `verify`: probe a running lab and print expected beside observed."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.connections import engine_of
from lab.plan.records import LabPlan
from lab.render.table import table
from probe.containers import EngineUnreachable, Running, running_containers
from probe.expected import pairs
from probe.matrix import Matrix, Result, observe
from probe.routes import RouteResult, check_routes

FINE, DIFFERENT, BAD_INPUT = 0, 1, 2


def verify_lab(plan: LabPlan, *, as_json: bool, every: bool) -> int:
    """Probe every pair and every route, print what was seen, and answer with an exit code."""
    sandbox = sandbox_status()
    try:
        running = [c for host in plan.docker_hosts for c in running_containers(host.name, engine_of(host))]
    except EngineUnreachable as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    matrix = observe(pairs(plan), running, sandbox.namespaces)
    routes = _routes(plan, running, sandbox)
    missing = _missing(plan, running)
    if as_json:
        print(json.dumps(_data(matrix, routes, missing), indent=2))
    else:
        print("\n".join(_text(matrix, routes, missing, running, every)))
    wrong = bool(matrix.disagreements or missing or any(not route.ok for route in routes))
    return DIFFERENT if wrong else FINE


@dataclass(frozen=True)
class SandboxStatus:
    """What `python -m sandbox status` says that probes need; all empty where no sandbox runs."""

    forwards: Mapping[int, tuple[str, int]]
    """Where a published port of the ingress is reached from here."""
    namespaces: Mapping[str, str]
    """The network namespaces of guests."""
    simulated: str | None
    """Why the network and the engines are simulated; None where they are real."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "SandboxStatus":
        """Read the answer of the sandbox."""
        listens = {int(f["port"]): str(f["listen"]).rpartition(":") for f in data.get("forwards", [])}
        return cls(
            forwards={port: (address, int(local)) for port, (address, _, local) in listens.items()},
            namespaces={
                str(g["name"]): str(g["namespace"]) for g in data.get("guests", []) if g.get("namespace")
            },
            simulated=data.get("simulated"),
        )


def sandbox_status() -> SandboxStatus:
    """Ask the sandbox of this checkout, which knows its forwarders and namespaces.

    The sandbox is a program beside this one and not a library of it: it stands in for
    the outside world, so it is asked like the outside world.
    """
    if not Path(".sandbox").is_dir():
        return SandboxStatus.of({})
    command = [sys.executable, "-m", "sandbox", "status", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return SandboxStatus.of(json.loads(done.stdout) if done.returncode == 0 else {})


def _routes(plan: LabPlan, running: Sequence[Running], sandbox: SandboxStatus) -> tuple[RouteResult, ...]:
    if plan.ingress is None or not any(container.pid for container in running):
        return ()
    stand_ins = frozenset(container.endpoint for container in running if container.stand_in)
    return check_routes(plan.ingress, sandbox.forwards, stand_ins)


def _missing(plan: LabPlan, running: Sequence[Running]) -> list[str]:
    there = {container.endpoint for container in running}
    wanted = {str(s.endpoint) for stack in plan.stacks if stack.managed for s in stack.services}
    wanted |= {str(router.service.endpoint) for router in plan.subnet_routers if router.managed}
    if plan.ingress is not None and plan.ingress.managed:
        wanted.add("ingress")
    return sorted(wanted - there)


def _text(
    matrix: Matrix, routes: Sequence[RouteResult], missing: list[str], running: Sequence[Running], every: bool
) -> list[str]:
    lines = [*_pairs_text(matrix, every), *_routes_text(routes)]
    if missing:
        lines += ["", "Not running, and so not probed: " + ", ".join(missing)]
    stand_ins = [container.endpoint for container in running if container.stand_in]
    if stand_ins:
        lines += [
            "",
            f"{len(stand_ins)} services are stand-ins that listen where the image would and say their name:",
        ]
        lines += [f"  {', '.join(stand_ins)}"]
    lines += ["", _summary(matrix, routes, missing)]
    return lines


def _pairs_text(matrix: Matrix, every: bool) -> list[str]:
    probed = [result for result in matrix.results if result.observed != "not probed"]
    if not probed and not every:
        return []
    shown = [r for r in matrix.results if every or r.pair.expected != "none" or r.observed != "no"]
    hidden = len(matrix.results) - len(shown)
    lines = ["From container to container (TCP)"]
    lines += table(
        [_row(result) for result in shown], head=("", "from", "to", "expected", "observed", "ms", "because")
    )
    if hidden:
        lines.append(
            f"  and {hidden} pairs where no connection was expected and none was possible (--all lists them)"
        )
    reached = sum(1 for result in matrix.host_rows if result.observed == "yes")
    if any(result.observed != "not probed" for result in matrix.host_rows):
        lines += ["", "From the Docker host itself (printed, not asserted: a host reaches its containers)"]
        lines += [f"  {reached} of {len(matrix.host_rows)} ports answer"]
        if every:
            lines += table([_row(result) for result in matrix.host_rows])
    return lines


def _row(result: Result) -> tuple[str, ...]:
    mark = "ok" if result.agrees else "WRONG"
    if result.observed == "not probed":
        mark = "-"
    pair = result.pair
    return (
        mark,
        str(pair.source),
        str(pair.target),
        "no" if pair.expected == "none" else f"yes ({pair.expected})",
        result.observed,
        f"{result.milliseconds:.0f}",
        pair.because,
    )


def _routes_text(routes: Sequence[RouteResult]) -> list[str]:
    if not routes:
        return []
    rows = [
        (
            "ok" if route.ok else "WRONG",
            route.url,
            route.audience,
            route.expected,
            str(route.status) if route.status else "no answer",
            f"{route.milliseconds:.0f}",
        )
        for route in routes
    ]
    lines = [
        "",
        "Through the ingress (HTTPS)",
        *table(rows, head=("", "url", "audience", "service", "status", "ms")),
    ]
    if any(route.issuer == "itself" for route in routes):
        lines.append("  Traefik shows a certificate that it signed itself; no authority is asked yet")
    return lines


def _summary(matrix: Matrix, routes: Sequence[RouteResult], missing: list[str]) -> str:
    probed = [result for result in matrix.results if result.observed != "not probed"]
    if not probed:
        return "Nothing was probed: network and engine are simulated here, so there is nothing to observe."
    wrong = len(matrix.disagreements) + sum(not route.ok for route in routes) + len(missing)
    same = sum(1 for result in probed if result.pair.expected == "same network")
    verdict = "everything is as expected" if not wrong else f"{wrong} DISAGREE with the plan"
    return (
        f"{len(probed)} pairs and {len(routes)} routes probed in {matrix.seconds:.1f} s: {verdict}. "
        f"{same} pairs meet only because they share a network."
    )


def _data(matrix: Matrix, routes: Sequence[RouteResult], missing: list[str]) -> dict[str, object]:
    return {
        "version": 1,
        "ok": not (matrix.disagreements or missing or any(not route.ok for route in routes)),
        "seconds": round(matrix.seconds, 3),
        "missing": missing,
        "pairs": [_pair_data(result) for result in matrix.results],
        "host": [_pair_data(result) for result in matrix.host_rows],
        "routes": [
            {
                "url": route.url,
                "audience": route.audience,
                "expected": route.expected,
                "status": route.status,
                "ok": route.ok,
                "certificate": route.issuer,
            }
            for route in routes
        ],
    }


def _pair_data(result: Result) -> dict[str, object]:
    return {
        "from": str(result.pair.source),
        "to": str(result.pair.target),
        "expected": result.pair.expected,
        "observed": result.observed,
        "agrees": result.agrees,
        "milliseconds": round(result.milliseconds, 1),
        "because": result.pair.because,
    }
