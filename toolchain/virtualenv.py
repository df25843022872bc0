"""Keep ``.venv`` equal to a lock, and say so in one line.

A stamp in the environment names the locks it was filled from, so a second call
costs nothing. The environment is filled by ``uv``, itself pinned by hash in
``uv.txt``, because pip alone takes three times as long; where the user told
pip to use another package index, pip does it, since only pip knows how. An
environment that this module made is made anew when its lock changes; one that
it did not make is never deleted, only added to.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from toolchain import processes
from toolchain.binaries import MODULES
from toolchain.errors import ToolchainError
from toolchain.progress import Progress

ROOT = MODULES.parent
UV_LOCK = MODULES / "uv.txt"
INDEX_SETTINGS = ("index-url", "extra-index-url", "no-index")
"""The settings of pip after which only pip fetches packages."""

RECORD = "homelab.json"
"""The stamp inside the environment: Python's version, and the sha256 of each lock that it holds."""

MADE = "made by toolchain"
"""The key that a stamp has only in an environment that this module made, and may therefore renew."""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A lock file and the locks that it includes."""

    name: str
    includes: tuple[str, ...] = ()


PROGRAM = Lock(name="requirements.txt")
DEVELOPMENT = Lock(name="requirements-dev.txt", includes=("requirements.txt",))


def wanted_stamp(root: Path, lock: Lock) -> dict[str, str]:
    """Return the stamp of an environment filled from ``lock`` by this Python."""
    stamp = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in (*lock.includes, lock.name):
        stamp[name] = hashlib.sha256((root / name).read_bytes()).hexdigest()
    return stamp


def step(stamp: dict[str, str] | None, wanted: dict[str, str], lock: Lock) -> str:
    """Return what to do with an existing environment: nothing (``ready``), ``add`` to it, or ``renew`` it.

    ``stamp`` is None for an environment that this module did not make; ``wanted`` comes from ``lock``.
    """
    if stamp is None:
        return "add"
    if all(stamp.get(name) == value for name, value in wanted.items()):
        return "ready"
    # Added to a finished environment of the same Python and the same included locks, the result is the same.
    base = ("python", *lock.includes)
    unchanged = bool(lock.includes) and all(stamp.get(name) == wanted[name] for name in base)
    return "add" if unchanged or MADE not in stamp else "renew"


def ensure(lock: Lock, root: Path = ROOT) -> Path:
    """Return the Python of an environment that holds ``lock``, making or filling it first if needed."""
    folder = root / ".venv"
    python = folder / "bin" / "python"
    wanted = wanted_stamp(root, lock)
    # The lock file itself is what two processes agree on; nothing is written to it.
    with (root / PROGRAM.name).open() as mutex:
        fcntl.flock(mutex, fcntl.LOCK_EX)
        stamp = _read_stamp(folder)
        next_step = step(stamp, wanted, lock) if python.exists() else "renew"
        if next_step == "ready":
            _write_command(root, python)
            return python
        progress = Progress(".venv")
        progress.note(f"installing {lock.name}, typically 10 to 30 s")
        _fill(folder, root / lock.name, renew=next_step == "renew", progress=progress)
        made = {MADE: "yes"} if next_step == "renew" or MADE in (stamp or {}) else {}
        (folder / RECORD).write_text(json.dumps({**made, **wanted}))
        _write_command(root, python)
        progress.note(f"ready after {progress.seconds:.0f} s")
    return python


def _write_command(root: Path, python: Path) -> None:
    """Put the command `lab` beside Python; the messages of the program name it."""
    script = f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(root))} exec {shlex.quote(str(python))} -m cli "$@"\n'
    command = python.with_name("lab")
    if not command.exists() or command.read_text() != script:
        command.write_text(script)
        command.chmod(0o755)


def _read_stamp(folder: Path) -> dict[str, str] | None:
    """Return the stamp of an environment, None if it has none."""
    try:
        stamp = json.loads((folder / RECORD).read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        # Half written: the environment is begun and not finished.
        return {MADE: "yes"}
    return {str(name): str(value) for name, value in stamp.items()} if isinstance(stamp, dict) else {}


def _fill(folder: Path, lock: Path, *, renew: bool, progress: Progress) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise ToolchainError(
            "the virtual environment cannot be made",
            where=str(folder),
            why=f"{sys.executable} lacks the module ensurepip",
            repair="on Debian and Ubuntu: apt-get install python3-venv",
        )
    python = str(folder / "bin" / "python")
    if renew:
        make = [sys.executable, "-m", "venv", "--clear", str(folder)]
        _run(make, progress, "the environment cannot be made")
        # From here on a killed run leaves an environment that is known to be unfinished.
        (folder / RECORD).write_text(json.dumps({MADE: "yes"}))
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    if _pip_has_index(python):
        _run([*pip, "--requirement", str(lock)], progress, f"pip cannot install {lock.name}")
        return
    _run([*pip, "--requirement", str(UV_LOCK)], progress, "pip cannot install uv")
    uv = [str(folder / "bin" / "uv"), "pip", "install", "--quiet", "--python", python, "--require-hashes"]
    # A configuration of the user's own could point uv anywhere.
    uv.append("--no-config")
    # Where PYTHONDONTWRITEBYTECODE is set, what is not compiled now is compiled at every single run.
    uv.append("--compile-bytecode")
    _run([*uv, "--requirement", str(lock)], progress, f"uv cannot install {lock.name}")


def _pip_has_index(python: str) -> bool:
    """Tell whether the user configured pip, by file or environment, to use another index."""
    answer = subprocess.run(
        [python, "-m", "pip", "config", "list"], capture_output=True, text=True, timeout=60, check=False
    )
    settings = {line.split("=", 1)[0].rpartition(".")[2] for line in answer.stdout.splitlines()}
    return any(name in settings for name in INDEX_SETTINGS)


def _run(command: list[str], progress: Progress, what: str) -> None:
    # A PYTHONPATH or PYTHONHOME of the caller would reach into the new environment.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    code, lines = processes.run(command, progress=progress, environment=environment, folder=ROOT)
    if code != 0:
        raise ToolchainError(
            what,
            where=".venv",
            why=f"it ended with code {code}:\n  " + "\n  ".join(lines[-15:]) + "\n",
            repair="check that this machine reaches its package index and has space left, then run it again",
        )
