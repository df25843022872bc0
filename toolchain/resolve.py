"""Decide which program is used for each name, and get it if it is missing.

Engine: from PATH when it is new enough, else the official release, else built.
Its language host is the one that came with it; only an engine without one gets
the built one. Everything else is built. What lies in the cache never counts as
"from PATH", so a shell that has the cache on its PATH decides the same.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from toolchain import build, cache, release
from toolchain.binaries import BINARIES, ENGINE, ENGINE_VERSION, LANGUAGE_HOST, MINIMUM_ENGINE, Binary
from toolchain.errors import ToolchainError
from toolchain.progress import say

VERSION_TIMEOUT = 20.0


def named(name: str) -> Binary:
    """Return the record of a binary; ToolchainError, with the known names, for an unknown one."""
    for binary in BINARIES:
        if binary.name == name:
            return binary
    raise ToolchainError(
        f"{name} is not a binary of this toolchain",
        where="toolchain/binaries.py",
        why="it is not in the list",
        repair="use one of " + ", ".join(binary.name for binary in BINARIES),
    )


def find(name: str) -> Path | None:
    """Return the absolute path of a binary that is there already, else None."""
    binary = named(name)
    if binary in (ENGINE, LANGUAGE_HOST):
        ready = _engine_on_path()[0] or release.find_release()
        if ready and (program := ready if binary is ENGINE else _host_of(ready)):
            return program
    return build.find_built(binary)


def locate(name: str) -> Path:
    """Return the absolute path of a binary; ToolchainError if it must be built first."""
    program = find(name)
    if program is not None:
        return program
    raise ToolchainError(
        f"{name} is not there yet",
        where=str(cache.toolchain_root()),
        why="it was not built for this state of its Go module",
        repair=f"run `python3 -m toolchain build {name}` (typically {named(name).typical})",
    )


def obtain(names: list[str]) -> dict[str, Path]:
    """Return the absolute path of each named binary, of all if none is named; get what is missing.

    The answer is in the order in which they are got: what is quick comes first.
    Raises ToolchainError for the first that cannot be had.
    """
    wanted = {named(name).name for name in names} or {binary.name for binary in BINARIES}
    ordered = [binary for binary in BINARIES if binary.name in wanted]
    if any(find(binary.name) is None for binary in ordered if binary in (ENGINE, LANGUAGE_HOST)):
        _try_release()
    programs = {binary.name: find(binary.name) or build.build(binary) for binary in ordered}
    _put_host_beside_engine()
    return programs


def _put_host_beside_engine() -> None:
    """Link the built language host into the built engine's folder.

    The engine takes a host that lies beside it for its own, and warns at every run about one that it finds
    on PATH only.
    """
    engine, host = build.find_built(ENGINE), build.find_built(LANGUAGE_HOST)
    if engine is None or host is None:
        return
    link = engine.with_name(host.name)
    if link.is_symlink() and link.readlink() == host:
        return
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.symlink_to(host)
    fresh.replace(link)


def _try_release() -> None:
    """Fetch the official release, once, where no engine is on PATH or built."""
    engine, refusal = _engine_on_path()
    if refusal:
        say(f"pulumi: {refusal}, so version {ENGINE_VERSION} is fetched or built")
    if engine is None and build.find_built(ENGINE) is None:
        release.fetch_release()


def search_path() -> tuple[Path, ...]:
    """Return the folders in the cache that belong first in PATH; what is not built is left out."""
    # The engine's folder first: the language host that lies beside it is the one it expects.
    programs = [find(binary.name) for binary in sorted(BINARIES, key=lambda binary: binary is not ENGINE)]
    folders = [program.parent for program in programs if program and _is_cached(program)]
    return tuple(dict.fromkeys(folders))


def _is_cached(program: Path) -> bool:
    return program.is_relative_to(cache.toolchain_root())


def _on_path(name: str) -> Path | None:
    """Return the first program of this name on PATH that does not lie in the cache."""
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    outside = [folder for folder in folders if not _is_cached(Path(folder))]
    found = shutil.which(name, path=os.pathsep.join(outside)) if outside else None
    return Path(found).absolute() if found else None


def _engine_on_path() -> tuple[Path | None, str]:
    """Return the engine on PATH, or None and, if there is one, why it is not used."""
    program = _on_path(ENGINE.name)
    if program is None:
        return None, ""
    said = _version_of(program)
    match = re.match(r"v?(\d+)\.(\d+)\.", said)
    if not match:
        return None, f"{program} does not say its version"
    if (int(match[1]), int(match[2])) < MINIMUM_ENGINE:
        return None, f"{program} is {said}, older than {'.'.join(map(str, MINIMUM_ENGINE))}"
    return program, ""


def _version_of(program: Path) -> str:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [program, "version"],
            capture_output=True,
            text=True,
            timeout=VERSION_TIMEOUT,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _host_of(engine: Path) -> Path | None:
    """Return the language host that came with an engine: beside it, beside what it links to, or on PATH."""
    for folder in (engine.parent, engine.resolve().parent):
        if (host := folder / LANGUAGE_HOST.name).is_file():
            return host
    return None if _is_cached(engine) else _on_path(LANGUAGE_HOST.name)
