"""Tasks of Proxmox VE: long work with a UPID, a status and a log.

Owns the records of all tasks and the threads that run them. Work inside a request is a task that is
already over; work that blocks (starting a guest) runs in a worker thread. A task that the daemon's end
interrupted is reported as Proxmox VE reports a worker that vanished.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sandbox.proxmox.errors import ApiError, failed
from sandbox.proxmox.guests import GuestError
from sandbox.store import Store, Transaction

COLLECTION = "pve/tasks"
KEPT = 1000
_LOST = "unexpected status"

Work = Callable[[list[str]], None]


class Tasks:
    """All tasks of the API; one per application."""

    def __init__(self, store: Store) -> None:
        """Take over the records of an earlier run: whatever ran then was lost."""
        self._store = store
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="pve-task")
        with store.transaction() as t:
            for upid, record in t.list(COLLECTION):
                if record["status"] == "running":
                    _end(t, upid, record, _LOST)

    def close(self) -> None:
        """Wait for the running tasks and end the threads."""
        self._pool.shutdown(wait=True)

    def finished(
        self, t: Transaction, node: str, kind: str, ident: str, user: str, work: Work | None = None
    ) -> str:
        """Do work inside the transaction and record it as a task; what failed work wrote is undone."""
        upid, record = _begin(t, node, kind, ident, user)
        status = "OK"
        try:
            if work is not None:
                with t.part():
                    work(record["log"])
        except ApiError as problem:
            status = problem.text
        _end(t, upid, record, status)
        return upid

    def worker(
        self, t: Transaction, node: str, kind: str, ident: str, user: str, work: Work
    ) -> tuple[str, Callable[[], None]]:
        """Record a running task; the second value starts it and must be called after the commit."""
        upid, record = _begin(t, node, kind, ident, user)

        def start() -> None:
            self._pool.submit(self._run, upid, record, work)

        return upid, start

    def _run(self, upid: str, record: dict[str, Any], work: Work) -> None:
        status = _LOST
        try:
            work(record["log"])
            status = "OK"
        except GuestError as problem:
            status = " ".join(str(problem).split()) or "failed"
        except ApiError as problem:
            status = problem.text
        finally:
            # A defect in the work ends the task too: a client would wait for it for ever.
            with self._store.transaction() as t:
                _end(t, upid, record, status)


def _begin(t: Transaction, node: str, kind: str, ident: str, user: str) -> tuple[str, dict[str, Any]]:
    number, now = t.next_number(COLLECTION), int(time.time())
    upid = f"UPID:{node}:{number:08X}:{number:08X}:{now:08X}:{kind}:{ident}:{user}:"
    record = {
        "node": node, "pid": number, "pstart": number, "starttime": now, "type": kind, "id": ident,
        "user": user, "status": "running", "log": [],
    }  # fmt: skip
    t.put(COLLECTION, upid, record)
    return upid, record


def _end(t: Transaction, upid: str, record: dict[str, Any], status: str) -> None:
    record |= {"status": "stopped", "exitstatus": status, "endtime": int(time.time())}
    record["log"].append("TASK OK" if status == "OK" else f"TASK ERROR: {status}")
    t.put(COLLECTION, upid, record)
    if record["pid"] % 100:
        return
    done = sorted((task["pid"], key) for key, task in t.list(COLLECTION) if task["status"] == "stopped")
    for _, old in done[:-KEPT]:
        t.delete(COLLECTION, old)


def find(t: Transaction, node: str, upid: str) -> dict[str, Any]:
    """The record of a task of a node. Raises ApiError where there is none."""
    record: dict[str, Any] | None = t.get(COLLECTION, upid)
    if record is None or record["node"] != node:
        raise failed(f"unable to find task '{upid}': no such task")
    return record
