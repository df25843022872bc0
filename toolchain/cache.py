"""The cache of built and downloaded tools: one folder per user, outside every checkout.

An entry is a folder ``<name>-<12 hex>`` whose name says what went into it. It
appears by one rename when it is complete, so a process killed half-way leaves
a temporary folder and never a broken entry. A lock per name makes a second
process wait and then find the entry. Entries are never changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from toolchain.progress import Progress

RETRY = 0.2
"""Seconds between two attempts to get a lock."""

TEMPORARY = ".tmp-"
"""Part of the name of a folder that is being filled."""


def cache_root() -> Path:
    """Return ``$HOMELAB_CACHE``, else ``homelab`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    own = os.environ.get("HOMELAB_CACHE")
    if own:
        return Path(own).expanduser().absolute()
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache").absolute() / "homelab"


def toolchain_root() -> Path:
    """Return the folder of all entries."""
    return cache_root() / "toolchain"


def entry(name: str, key: str) -> Path:
    """Return the folder of one entry, whether it exists or not."""
    return toolchain_root() / f"{name}-{key}"


def key_of(*parts: bytes | str) -> str:
    """Return 12 hex digits that change with every part and with where one ends and the next begins."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:12]


def files_digest(folder: Path) -> bytes:
    """Return the sha256 over names and contents of a folder's files; hidden ones do not count."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if not path.is_file() or any(part.startswith(".") for part in name.parts):
            continue
        data = path.read_bytes()
        for part in (name.as_posix().encode(), data):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.digest()


@contextmanager
def exclusive(name: str, progress: Progress) -> Iterator[None]:
    """Hold the lock of ``name``; show ``progress`` while another process has it.

    The kernel drops the lock with the process that holds it, however that ends.
    """
    root = toolchain_root()
    root.mkdir(parents=True, exist_ok=True)
    with (root / f".{name}.lock").open("w") as file:
        if not _locked(file):
            progress.note("another process is at it, waiting")
            while not _locked(file):
                progress.tick("waiting")
                time.sleep(RETRY)
        yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def filling(target: Path) -> Iterator[Path]:
    """Give an empty folder that becomes ``target`` if the block ends well, and is removed if it does not.

    The caller holds the lock of the entry's name; remains of a killed process are removed first.
    """
    name, _, key = target.name.rpartition("-")
    for remains in target.parent.glob(f".{name}-{'[0-9a-f]' * len(key)}{TEMPORARY}*"):
        shutil.rmtree(remains, ignore_errors=True)
    temporary = target.parent / f".{target.name}{TEMPORARY}{os.getpid()}"
    temporary.mkdir(parents=True)
    try:
        yield temporary
        temporary.rename(target)
    finally:
        # After the rename nothing is left to remove.
        shutil.rmtree(temporary, ignore_errors=True)
