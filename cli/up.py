"""`make up`: from a checkout to a running, probed lab, with every phase on the screen.

Orchestrates programs and is none of them: the toolchain builds, the sandbox stands in
for the outside world, Pulumi creates, `verify` probes. Each is started as a program, so
that what runs here is what a person would type.
"""

import contextlib
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli.locks import living_owners, release_stale_locks
from cli.recover import RecoveryFailed, Stack, recover
from cli.sandbox_status import sandbox_status
from cli.verify import certificate_roots, verify_lab
from lab.errors import LabError
from lab.ledger import ledger_path, write_ledger
from lab.plan import load_plan_and_ledger
from lab.plan.records import LabPlan
from lab.render.bootstrap import docker_host
from lab.render.report import plan_text
from lab.render.table import table
from probe.spaces import CannotEnter

ENVIRONMENT = "dev"
LAB_FILE = Path(f"Pulumi.{ENVIRONMENT}.yaml")
IMAGES_VARIABLE = "IMAGES"
"""`make up IMAGES=stand-ins` runs stand-ins also where a registry would serve the images."""
ENV_FILE = Path(".sandbox/env")
STATE = Path(".sandbox/state")
NODES = Path(".sandbox/nodes")
API_SECRETS = frozenset({"proxmox-token", "cloudflare-token", "cloudflare-token-maker", "tailscale-key"})
"""The sandbox's own credentials; every other secret is one that it generates for the lab."""


class PhaseFailed(Exception):
    """A phase did not succeed; its program has said why."""


@dataclass
class Phases:
    """What is being done, and how long each part took."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Announce a phase and time it."""
        print(f"\n==> {name}", flush=True)
        started = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - started


def main() -> int:
    """Bring the lab up. Answers 0 when every probe is as expected."""
    phases = Phases()
    try:
        with phases.phase("plan"):
            plan = _plan()
        with phases.phase("toolchain"):
            _run([sys.executable, "-m", "toolchain", "build", *_binaries()])
        # First: the sandbox starts at once what ran when it was stopped, and reads the files then.
        place_bootstraps(plan)
        with phases.phase("sandbox"):
            _run([sys.executable, "-m", "sandbox", "start", *_wishes(plan)])
        os.environ.update(read_environment(ENV_FILE))
        with phases.phase("pulumi up"):
            _pulumi(plan)
        with phases.phase("verify"):
            code = verify_lab(plan, as_json=False, every=False)
        print("\n".join(_summary(plan, phases)))
        return code
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    except (PhaseFailed, CannotEnter) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; `make up` goes on from here, `make down` stops what runs", file=sys.stderr)
        return 130


def _plan() -> LabPlan:
    plan, ledger = load_plan_and_ledger(LAB_FILE)
    if plan.unrecorded:
        write_ledger(ledger_path(LAB_FILE), ledger)
        print(f"{len(plan.unrecorded)} new records in {ledger_path(LAB_FILE).name}; commit it")
        plan, _ = load_plan_and_ledger(LAB_FILE)
    print(plan_text(plan, flows=False))
    return plan


def _binaries() -> tuple[str, ...]:
    """What has to be there: without root or Linux no container runs, so Traefik need not be built."""
    engine = ("pulumi-language-python", "pulumi")
    real = sys.platform == "linux" and os.geteuid() == 0
    return (*engine, "standin", "traefik") if real else engine


def _wishes(plan: LabPlan) -> list[str]:
    secrets = [ref.name for ref in plan.secrets if ref.name not in API_SECRETS]
    zones = list(plan.dns.zones)
    stand_ins = ["--stand-ins"] if os.environ.get(IMAGES_VARIABLE) == "stand-ins" else []
    return [
        *stand_ins,
        *(word for name in secrets for word in ("--secret", name)),
        *(word for zone in zones for word in ("--zone", zone)),
    ]


def place_bootstraps(plan: LabPlan, nodes: Path = NODES) -> None:
    """Put on each node the cloud-init file that its guests start with, as `lab bootstrap` prints it.

    On real nodes a person does this by hand: nothing in Proxmox's API can.

    Args:
        plan: its managed guests name the files.
        nodes: the folder that holds a node's storages, `<node>/<storage>/snippets`; made where it is missing.
    """
    text = docker_host()
    for guest in plan.guests:
        if guest.bootstrap is None or not guest.managed:
            continue
        storage, _, volume = guest.bootstrap.partition(":")
        path = nodes / guest.node / storage / volume
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        # Nobody but its owner may enter the sandbox's folder, of which this may be the first file.
        nodes.parent.mkdir(mode=0o700, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(path)


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode != 0:
        raise PhaseFailed(
            f"{shlex.join(command[:4])} did not succeed (exit code {done.returncode}); it says why above"
        )


def read_environment(path: Path) -> dict[str, str]:
    """The environment that a shell has after it sourced a file.

    Args:
        path: the file, such as `.sandbox/env`.
    """
    script = f". {shlex.quote(str(path))} && env -0"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)


def _pulumi(plan: LabPlan) -> None:
    select = ["pulumi", "stack", "select", "--create", ENVIRONMENT, "--non-interactive"]
    done = subprocess.run(select, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PhaseFailed(f"pulumi cannot open the stack {ENVIRONMENT}: {done.stderr.strip()}")
    locks = STATE / ".pulumi" / "locks"
    _wait_for_others(locks)
    if release_stale_locks(locks):
        print("the last run was killed: its lock is released, and what it had begun is looked up first")
    _recover(plan)
    quietly = ["--stack", ENVIRONMENT, "--yes", "--skip-preview", "--non-interactive", "--suppress-outputs"]
    _run(["pulumi", "up", *quietly])


def _wait_for_others(locks: Path) -> None:
    """Let an engine that still works on the stack finish: what `make up` was killed without it."""
    told = False
    while owners := living_owners(locks):
        if not told:
            print(f"pulumi (process {owners[0]}) still works on {ENVIRONMENT}; waiting for it", flush=True)
            told = True
        time.sleep(0.5)


def _recover(plan: LabPlan) -> None:
    """Nothing to say where nothing is pending, which is nearly always."""
    lines: list[str] = []
    try:
        code = recover(plan, Stack(ENVIRONMENT), write=True, tell=lines.append)
    except RecoveryFailed as error:
        raise PhaseFailed(str(error)) from None
    if len(lines) > 1 or code:
        print("\n".join(lines), flush=True)
    if code:
        raise PhaseFailed("what the last run had begun is not clear; the lines above say what to decide")


def _summary(plan: LabPlan, phases: Phases) -> Iterator[str]:
    sandbox = sandbox_status(plan)
    yield "\n==> what runs where"
    yield from table(
        [
            (stack.name, stack.host, ", ".join(service.name for service in stack.services))
            for stack in plan.stacks
        ],
        head=("stack", "host", "services"),
    )
    yield from _urls(plan, sandbox.forwards)
    if sandbox.simulated is not None:
        yield f"\nNot real: network and Docker Engines are simulated ({sandbox.simulated})."
    yield "\n==> how long it took"
    yield from table([(name, f"{seconds:.1f} s") for name, seconds in phases.seconds.items()])
    yield "\nA shell for pulumi: source .sandbox/env. Probe again: make verify. Stop: make down."


def _urls(plan: LabPlan, forwards: Mapping[int, tuple[str, int]]) -> Iterator[str]:
    if plan.ingress is None or not forwards:
        return
    yield "\n==> open"
    roots = certificate_roots(plan)
    trust = f"--cacert {shlex.quote(os.path.relpath(roots))}" if roots else "-k"
    for route in (route for route in plan.ingress.routes if route.protocol == "http"):
        for audience in route.audiences:
            if (listen := forwards.get(plan.ingress.way_in(route, audience).number)) is None:
                continue
            url = f"https://{route.host}:{listen[1]}{route.path or '/'}"
            yield f"  curl {trust} --resolve {route.host}:{listen[1]}:{listen[0]} {url}   ({audience})"
    if roots is None:
        yield "  -k, because Traefik signed its certificate itself: nobody here signs any"


if __name__ == "__main__":
    sys.exit(main())
