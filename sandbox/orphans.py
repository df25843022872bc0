"""Processes that outlived the Pulumi engine that had started them, and may still be creating things.

A killed engine ends nobody: its language host, the program and the plugins stay, and a plugin finishes the
call that it is in. Ours are known by this checkout's `PULUMI_HOME` in their environment, or by `--checkout`
with its root; orphaned, by having no engine among their ancestors and none listening at the address that
they were given. A user's shell has the same environment and is none of them, because only the programs that
an engine starts count. Reads `/proc`; where there is none, it finds nothing.
"""

import contextlib
import os
import re
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.checkout import Checkout

PROC = Path("/proc")
GRACE_SECONDS = 2.0
_ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)$")
_STARTED_BY_ENGINES = ("pulumi-language-", "pulumi-resource-")
_PLUGIN = "sandbox.plugins"


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process, as the kernel describes it.

    Attributes:
        pid: its number.
        parent: its parent's; 1, or a process that adopts, once the parent is gone.
        arguments: its command line.
        home: `PULUMI_HOME` of its environment; empty where it has none.
    """

    pid: int
    parent: int
    arguments: tuple[str, ...]
    home: str = ""

    @property
    def program(self) -> str:
        """The file name of what it runs."""
        return self.arguments[0].rpartition("/")[2] if self.arguments else ""


def end_orphans(checkout: Checkout) -> int:
    """End what engines of this checkout left behind; answers how many processes.

    Args:
        checkout: whose; those of another one, and of an engine that lives, are never touched.
    """
    left = {process.pid for process in orphans(checkout, processes())}
    count = len(left)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + GRACE_SECONDS
        while left and time.monotonic() < deadline:
            time.sleep(0.02)
            left = {pid for pid in left if _read(PROC / str(pid)) is not None}
    return count


def orphans(checkout: Checkout, running: Sequence[Process]) -> list[Process]:
    """The processes of this checkout whose engine is gone.

    Args:
        checkout: whose.
        running: every process of the machine.
    """
    by_pid = {process.pid: process for process in running}
    return [p for p in running if _is_ours(checkout, p) and not _has_engine(p, by_pid) and not _answered(p)]


def processes() -> list[Process]:
    """Every process that may be read."""
    if not PROC.is_dir():
        return []
    found = (_read(entry) for entry in PROC.iterdir() if entry.name.isdigit())
    return [process for process in found if process is not None]


def _is_ours(checkout: Checkout, process: Process) -> bool:
    words = process.arguments
    files = [word.rpartition("/")[2] for word in words[:3]]
    if _PLUGIN in words:
        root = words[words.index("--checkout") + 1 :][:1] if "--checkout" in words else ()
        return tuple(root) == (str(checkout.root),)
    started = any(file.startswith(_STARTED_BY_ENGINES) for file in files)
    return started and process.home == str(checkout.pulumi_home)


def _has_engine(process: Process, by_pid: Mapping[int, Process]) -> bool:
    seen: set[int] = set()
    parent = by_pid.get(process.parent)
    while parent is not None and parent.pid not in seen:
        if parent.program == "pulumi":
            return True
        seen.add(parent.pid)
        parent = by_pid.get(parent.parent)
    return False


def _answered(process: Process) -> bool:
    """Whether an engine listens where this process was told; without an address, whether its parent lives."""
    ports = {int(match[1]) for word in process.arguments if (match := _ADDRESS.search(word))}
    return any(_listens(port) for port in ports) if ports else process.parent != 1


def _listens(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _read(entry: Path) -> Process | None:
    """A process; None when it is over or its environment is not ours to read."""
    try:
        state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        if state == "Z":
            return None
        arguments = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        environment = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None
    home = next((word.partition("=")[2] for word in environment if word.startswith("PULUMI_HOME=")), "")
    return Process(pid=int(entry.name), parent=int(parent), arguments=tuple(arguments), home=home)
