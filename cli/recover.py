"""The verb `recover`: what a killed engine left under way, looked up at the outside and put into the state.

The engine's own way, `pulumi refresh --import-pending-creates`, forgets what it is given (see
docs/decisions/0006), and `--clear-pending-creates` forgets what exists. So the exported state is repaired
and imported, then the plugins read what it now names. Without `write` nothing is changed anywhere, and
with it nothing but the state is. What a person has to decide stops everything, so that nothing is lost.
"""

import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.recovery.cloudflare import CloudflareZones
from cli.recovery.docker import DockerEngines
from cli.recovery.findings import Finding, Outcome, Outside, Unanswered, repeated, undecided
from cli.recovery.proxmox import ProxmoxCluster
from cli.recovery.state import CREATING, Adoption, Operation, marked, pending, repaired
from cli.recovery.tailscale import Tailnet
from lab.names import environment_variable
from lab.plan.records import LabPlan
from lab.render.table import table

FINE, UNDECIDED = 0, 1
_NEXT_LINE = " \\\n    --target "
_EMPTY_SIDECAR = "failed to load checkpoint: EOF"
_REPAIR_SIDECAR = (
    "A killed engine left an empty file of attributes beside the checkpoint of a file backend. Delete the files "
    "of size 0 that end in .attrs below its folder .pulumi/stacks (nothing reads them), and append ?metadata=skip "
    "to the URL of the backend, so that none is written again"
)
_QUIET = ("--yes", "--skip-preview", "--non-interactive", "--suppress-outputs", "--skip-pending-creates")


class RecoveryFailed(Exception):
    """The state could not be read, looked up or written; the text says why and what to do."""


@dataclass(frozen=True)
class Stack:
    """A Pulumi stack of this project, through the command `pulumi` of this shell."""

    name: str

    def export(self) -> dict[str, Any]:
        """Its state; secrets are ciphertext."""
        document: dict[str, Any] = json.loads(self._run("stack", "export"))
        return document

    def write(self, document: Mapping[str, Any]) -> None:
        """Put a repaired state in its place; the backend keeps the one before."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "state.json")
            path.touch(mode=0o600)
            path.write_text(json.dumps(document), encoding="utf-8")
            self._run("stack", "import", "--file", str(path))

    def refresh(self, urns: Sequence[str]) -> None:
        """Let the plugins read some resources."""
        self._run("refresh", *_QUIET, *_targets(urns))

    def setting(self, key: str) -> str:
        """A value of its configuration, decrypted; empty where there is none."""
        done = self._start("config", "get", key)
        return done.stdout.rstrip("\n") if done.returncode == 0 else ""

    def _run(self, *words: str) -> str:
        done = self._start(*words)
        if done.returncode != 0:
            shown = shlex.join(["pulumi", *words[:2], "--stack", self.name])
            said = (done.stderr.strip() or done.stdout.strip())[-4000:]
            repair = f"\n{_REPAIR_SIDECAR}" if _EMPTY_SIDECAR in said else ""
            raise RecoveryFailed(f"`{shown}` did not succeed (exit code {done.returncode}): {said}{repair}")
        return done.stdout

    def _start(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["pulumi", *words, "--stack", self.name]
        try:
            return subprocess.run(
                command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
            )
        except FileNotFoundError:
            raise RecoveryFailed(
                "pulumi is not on PATH; source .sandbox/env (after `make up`), or install Pulumi for a lab of your own"
            ) from None


def recover(
    plan: LabPlan,
    stack: Stack,
    *,
    write: bool,
    outsides: Mapping[str, Callable[[], Outside]] | None = None,
    tell: Callable[[str], None] = print,
) -> int:
    """Look up what is pending, say what was found, and repair the state if asked to.

    Args:
        plan: where the outsides are reached.
        stack: whose state.
        write: whether to change the state.
        outsides: how each package's API is opened; None opens those of the plan.
        tell: shows a line.

    Returns:
        0 when nothing is left to decide, 1 when a person has to.

    Raises:
        RecoveryFailed: the state cannot be read or written.
    """
    document = stack.export()
    operations, waiting = pending(document), marked(document)
    if not operations and not waiting:
        tell(f"nothing is pending in {stack.name}")
        return FINE
    findings = _look_up(operations, _asked(plan, stack, tell) if outsides is None else outsides)
    interrupted = [o for o in operations if o.kind != CREATING and o.outside]
    for line in report(findings, interrupted, waiting):
        tell(line)
    if any(finding.outcome is Outcome.undecided for finding in findings):
        tell("\nNothing was changed. Decide what is marked so above, then run `lab recover` again.")
        return UNDECIDED
    new = repaired(document, adoptions(findings), interrupted)
    if not write:
        tell(f"\nNothing was changed. {_commands(stack.name, marked(new))}")
        return FINE
    if operations:
        stack.write(new)
    if urns := marked(new):
        stack.refresh(urns)
    tell(f"{stack.name} is repaired: nothing is pending any more; the next up goes on")
    return FINE


def adoptions(findings: Sequence[Finding]) -> list[Adoption]:
    """What goes into the state."""
    return [
        Adoption(operation=f.operation, id=f.id, replace=f.outcome is Outcome.incomplete)
        for f in findings
        if f.outcome in (Outcome.exists, Outcome.incomplete)
    ]


def report(
    findings: Sequence[Finding], interrupted: Sequence[Operation], waiting: Sequence[str]
) -> list[str]:
    """What was found, as lines; no input of any resource is in it."""
    lines = []
    if findings:
        lines.append(f"{len(findings)} creates were under way:")
        rows = [
            (f.operation.name, _short(f.operation.type), str(f.outcome), f.id[:24], f.note) for f in findings
        ]
        lines += table(rows, head=("resource", "type", "found", "id", "what follows"))
    if interrupted:
        lines.append(
            f"{len(interrupted)} other operations were under way; a refresh reads what is there now:"
        )
        lines += table([(o.name, _short(o.type), o.kind) for o in interrupted])
    if waiting:
        lines.append(f"{len(waiting)} resources of an earlier recovery still have to be read")
    return lines


def _short(type_: str) -> str:
    return f"{type_.partition(':')[0]} {type_.rpartition(':')[2]}"


def _targets(urns: Sequence[str]) -> list[str]:
    return [word for urn in urns for word in ("--target", urn)]


def _commands(name: str, urns: Sequence[str]) -> str:
    lines = ["`lab recover --yes` writes this into the state (`pulumi stack import`)"]
    if urns:
        refresh = shlex.join(["pulumi", "refresh", "--stack", name, *_QUIET, *_targets(urns)])
        lines.append(f"and then runs\n  {refresh.replace(' --target ', _NEXT_LINE)}")
    return " ".join(lines)


def _look_up(operations: Sequence[Operation], outsides: Mapping[str, Callable[[], Outside]]) -> list[Finding]:
    opened: dict[str, Outside] = {}
    findings = []
    for operation in operations:
        if operation.kind != CREATING:
            continue
        if not operation.outside:
            findings.append(repeated(operation, "it exists in the state alone"))
            continue
        package = operation.package
        if package not in outsides:
            findings.append(undecided(operation, f"`lab recover` cannot ask {package}; see `pulumi refresh`"))
            continue
        try:
            if package not in opened:
                opened[package] = outsides[package]()
            findings.append(opened[package].find(operation))
        except Unanswered as error:
            findings.append(undecided(operation, str(error)))
    return findings


def _asked(plan: LabPlan, stack: Stack, tell: Callable[[str], None]) -> dict[str, Callable[[], Outside]]:
    """How each API is opened: where the plan or the environment says, with the secrets that the program has."""

    def address(name: str) -> str:
        return os.environ.get(environment_variable("LAB_CONNECTION", name)) or plan.connections[name]

    def secret(name: str) -> str:
        variable = environment_variable("LAB_SECRET", name)
        value = stack.setting(name) or os.environ.get(variable, "")
        if not value:
            raise Unanswered(
                f"{name} has no value: run `pulumi config set --secret {name}`, or set {variable}"
            )
        return value

    def maker() -> str:
        minted = plan.certificate.mint if plan.certificate is not None else None
        if minted is None:
            raise Unanswered(
                "the lab mints no token any more: write certificate.mint-token again, or revoke the one that was being "
                "made in Cloudflare's dashboard and run `pulumi refresh --clear-pending-creates`"
            )
        return secret(minted.maker.name)

    return {
        "cloudflare": lambda: CloudflareZones(address("cloudflare"), secret("cloudflare-token"), maker),
        "docker": lambda: DockerEngines(plan),
        "proxmoxve": lambda: ProxmoxCluster(address("proxmox"), secret("proxmox-token"), tell=tell),
        "tailscale": lambda: Tailnet(address("tailscale"), secret("tailscale-key")),
    }
