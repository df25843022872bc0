"""Locks that engines of this machine hold, or left, in the file backend of the sandbox."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path


def release_stale_locks(locks: Path) -> int:
    """Delete the locks of engines that were killed on this machine; answers how many.

    A file backend keeps one lock for each running update. Only a lock whose process is gone is deleted:
    one of another machine, or of a process that lives, is left to its owner.

    Args:
        locks: the folder of locks, `.pulumi/locks` below the backend.
    """
    stale = [path for path, pid in _owned_here(locks) if not _lives(pid)]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)


def living_owners(locks: Path) -> tuple[int, ...]:
    """The processes of this machine that hold a lock and live.

    Args:
        locks: the folder of locks, `.pulumi/locks` below the backend.
    """
    return tuple(pid for _, pid in _owned_here(locks) if _lives(pid))


def _owned_here(locks: Path) -> Iterator[tuple[Path, int]]:
    for path in locks.rglob("*.json"):
        try:
            owner = json.loads(path.read_text(encoding="utf-8"))
            pid, host = int(owner["pid"]), str(owner["hostname"])
        except (OSError, ValueError, KeyError):
            continue
        if host == socket.gethostname():
            yield path, pid


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
