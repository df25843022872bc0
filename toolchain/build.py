"""Build one binary with Go into the cache.

The key of an entry covers the files of the binary's Go module, the Go that
builds it and the flags, so a change of any of them gives another entry and an
unchanged one is built once per user. Go's own caches stay where Go puts them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from toolchain import cache, processes
from toolchain.binaries import MODULES, Binary, Companion
from toolchain.errors import ToolchainError
from toolchain.go import Go, existing_go, obtain_go
from toolchain.progress import Progress

FLAGS = ("-trimpath", "-buildvcs=false")
SETTINGS = {
    # The user's own flags could change what is built without changing the key.
    "GOFLAGS": "-mod=readonly",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
    # Without cgo no C compiler is needed, and the result runs in any container.
    "CGO_ENABLED": "0",
}
OVERRIDDEN = ("GOOS", "GOARCH")
RECORD = "inputs"
"""The file of an entry that holds the digest of its inputs without the Go that built it."""

SHOWN_LINES = 15


def inputs_digest(binary: Binary) -> str:
    """Return the hex digest of everything that goes into a binary except the Go that builds it."""
    parts: list[bytes | str] = [cache.files_digest(binary.module), *FLAGS, *binary.ldflags, binary.package]
    parts += [f"{name}={value}" for name, value in sorted(SETTINGS.items())]
    if binary.companion:
        parts += [binary.companion.module, binary.companion.path]
        parts += [(MODULES / binary.companion.pinned_by / name).read_bytes() for name in ("go.mod", "go.sum")]
    return cache.key_of(*parts)


def entry_of(binary: Binary, go: Go) -> Path:
    """Return the folder in the cache where ``go`` puts ``binary``."""
    return cache.entry(binary.name, cache.key_of(inputs_digest(binary), go.version))


def find_built(binary: Binary) -> Path | None:
    """Return the built binary if the cache has it; without Go, any entry from the same inputs serves."""
    if not binary.module.is_dir():
        return None
    go, _ = existing_go()
    if go is not None:
        built = entry_of(binary, go) / binary.name
        return built if built.is_file() else None
    inputs = inputs_digest(binary)
    for record in sorted(cache.toolchain_root().glob(f"{binary.name}-{'[0-9a-f]' * 12}/{RECORD}")):
        if record.read_text() == inputs and (built := record.parent / binary.name).is_file():
            return built
    return None


def build(binary: Binary) -> Path:
    """Return the built binary, building it first if the cache lacks it; ToolchainError if it cannot."""
    if not binary.module.is_dir():
        raise ToolchainError(
            f"{binary.name} cannot be built",
            where=str(binary.module),
            why="there is no such folder",
            repair="restore it from the repository",
        )
    if (built := find_built(binary)) is not None:
        return built
    progress = Progress(binary.name)
    with cache.exclusive(binary.name, progress):
        if (built := find_built(binary)) is not None:
            return built
        go = obtain_go()
        progress.note(f"building with {go.version}, typically {binary.typical} on two cores")
        target = entry_of(binary, go)
        with cache.filling(target) as folder:
            compiled = _compile(binary, go, folder, progress)
            if binary.companion:
                _add_companion(binary.companion, go, folder)
            (folder / RECORD).write_text(inputs_digest(binary))
        progress.note(f"built in {progress.seconds:.0f} s, {compiled} packages compiled")
    return target / binary.name


def _environment(go: Go, scratch: Path) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in OVERRIDDEN}
    environment.update(SETTINGS, GOTMPDIR=str(scratch))
    # A GOROOT meant for another Go would mix two standard libraries.
    environment.pop("GOROOT", None)
    return environment


def _compile(binary: Binary, go: Go, folder: Path, progress: Progress) -> int:
    """Build into ``folder``; return the number of packages that were not in Go's own cache."""
    scratch = folder / "scratch"
    scratch.mkdir()
    flags = [*FLAGS, "-v", "-ldflags", " ".join(binary.ldflags), "-o", str(folder / binary.name)]
    code, lines = processes.run(
        [str(go.program), "build", *flags, binary.package],
        progress=progress,
        environment=_environment(go, scratch),
        folder=binary.module,
        describe=_state,
    )
    shutil.rmtree(scratch, ignore_errors=True)
    if code != 0:
        told = [line for line in lines if _is_message(line)][-SHOWN_LINES:]
        raise ToolchainError(
            f"{binary.name} does not build",
            where=str(binary.module),
            why=f"go build ended with code {code}:\n  " + "\n  ".join(told) + "\n",
            repair="if modules could not be fetched, check that this machine reaches a Go module proxy "
            "(`go env GOPROXY`); if space ran out, free some in the cache; then run the same command again",
        )
    return sum(_is_package(line) for line in lines)


def _state(lines: list[str]) -> str:
    fetched = sum(line.startswith("go: downloading ") for line in lines)
    compiled = sum(_is_package(line) for line in lines)
    parts = [f"{fetched} modules fetched" if fetched else "", f"{compiled} packages compiled"]
    return ", ".join(part for part in parts if part)


def _is_package(line: str) -> bool:
    """Tell whether a line of ``go build -v`` is the name of a package, which holds no space."""
    return bool(line) and " " not in line and not line.startswith(("#", "go:"))


def _is_message(line: str) -> bool:
    return bool(line) and not _is_package(line) and not line.startswith("go: downloading ")


def _add_companion(companion: Companion, go: Go, folder: Path) -> None:
    """Copy a companion out of Go's module cache, executable, verified by the go.sum that pins it."""
    answer = subprocess.run(
        [go.program, "mod", "download", "-json", companion.module],
        cwd=MODULES / companion.pinned_by,
        env=_environment(go, folder),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    told = json.loads(answer.stdout) if answer.stdout.startswith("{") else {}
    source = Path(told.get("Dir", "")) / companion.path
    if answer.returncode != 0 or not source.is_file():
        raise ToolchainError(
            f"{companion.file} cannot be had",
            where=companion.module,
            why=str(told.get("Error") or answer.stderr.strip() or f"the module holds no {companion.path}"),
            repair="check that this machine reaches a Go module proxy (`go env GOPROXY`), then run it again",
        )
    shutil.copyfile(source, folder / companion.file)
    (folder / companion.file).chmod(0o755)
