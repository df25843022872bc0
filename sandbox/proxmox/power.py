"""Starting, stopping and destroying guests, for VMs and containers alike.

Owns the order of things: the request checks, a worker thread asks the host, and the record changes when
the host has done it. Two tasks of one guest never run at once. The host keeps its own books, so a kill can come
between the two: the next daemon takes the host's word for what runs, and ends what was begun and cannot be taken
back.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sandbox.proxmox import drives, network, records
from sandbox.proxmox.call import Call
from sandbox.proxmox.errors import failed
from sandbox.proxmox.guests import GuestError, GuestHost
from sandbox.proxmox.tasks import Tasks
from sandbox.store import Store, Transaction

# What was begun on a guest and has to be ended: `destroy`, or the `start` of a reboot. Keys are VM ids.
UNFINISHED = "pve/unfinished"

Forget = Callable[[Transaction, records.Record], None]


class Power:
    """Changes whether guests run; one per application, because it holds a lock per guest."""

    def __init__(self, store: Store, host: GuestHost, forget: Forget) -> None:
        """Act on the guests of this store through this host.

        Args:
            store: with the records of the guests.
            host: runs them.
            forget: takes out what others keep of a guest that is destroyed, in the transaction that ends it.
        """
        self._store = store
        self._host = host
        self._forget = forget
        self._locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def _lock(self, vmid: int) -> threading.Lock:
        with self._guard:
            return self._locks[vmid]

    def start(self, vmid: int) -> None:
        """Start a guest and wait for it. Raises GuestError; one that runs is fine."""
        with self._lock(vmid):
            with self._store.transaction() as t:
                record = records.find(t, vmid)
                if record is None:
                    raise GuestError(f"guest {vmid} is gone")
                _require_bridges(t, record)
            if not records.is_running(record, self._host):
                self._host.start(records.spec(record))
            self._mark(vmid, True)

    def stop(self, vmid: int) -> None:
        """Stop a guest and wait for it."""
        with self._lock(vmid):
            self._host.stop(vmid)
            self._mark(vmid, False)

    def reboot(self, vmid: int) -> None:
        """Stop a guest and start it again. Raises GuestError where it does not start."""
        self._begin(vmid, "start")
        self.stop(vmid)
        try:
            self.start(vmid)
        finally:
            with self._store.transaction() as t:
                t.delete(UNFINISHED, str(vmid))

    def destroy(self, vmid: int) -> None:
        """Remove a guest, then its record and what others keep of it, in one transaction."""
        with self._lock(vmid):
            self._begin(vmid, "destroy")
            self._host.destroy(vmid)
            with self._store.transaction() as t:
                t.delete(UNFINISHED, str(vmid))
                record = records.find(t, vmid)
                if record is not None:
                    self._forget(t, record)
                    drives.destroy(t, record)
                    t.delete(records.COLLECTION, str(vmid))

    def take_over(self, tasks: Tasks, user: str) -> None:
        """Go on where an earlier daemon ended, however it did; called before any request.

        Args:
            tasks: in which the second half of a reboot runs.
            user: whose tasks they are.
        """
        with self._store.transaction() as t:
            for record in records.every(t):
                wanted = self._host.wanted(int(record["vmid"]))
                if record["running"] != wanted:
                    records.save(t, record | {"running": wanted})
            unfinished = [(int(key), action) for key, action in t.list(UNFINISHED)]
        for vmid, action in unfinished:
            if action == "destroy":
                self.destroy(vmid)
            else:
                self._start_again(vmid, tasks, user)

    def _start_again(self, vmid: int, tasks: Tasks, user: str) -> None:
        with self._store.transaction() as t:
            t.delete(UNFINISHED, str(vmid))
            record = records.find(t, vmid)
            if record is None:
                return
            kind, node = _task(record["kind"], "start"), record["node"]
            _, run = tasks.worker(t, node, kind, str(vmid), user, lambda log: self.start(vmid))
        run()

    def _begin(self, vmid: int, action: str) -> None:
        with self._store.transaction() as t:
            t.put(UNFINISHED, str(vmid), action)

    def _mark(self, vmid: int, running: bool) -> None:
        with self._store.transaction() as t:
            record = records.find(t, vmid)
            if record is not None:
                records.save(t, record | {"running": running, "since": int(time.time())})


def _require_bridges(t: Transaction, record: records.Record) -> None:
    for nic in records.spec(record).nics:
        if not network.has_bridge(t, record["node"], nic.bridge):
            raise GuestError(f"bridge '{nic.bridge}' does not exist")


def word(kind: str) -> str:
    """What texts call a guest."""
    return "VM" if kind == "qemu" else "CT"


def _task(kind: str, action: str) -> str:
    return ("qm" if kind == "qemu" else "vz") + action


def start(call: Call, kind: str) -> Any:
    """The `status/start` call."""
    vmid = int(call.values["vmid"])
    record = records.load(call.t, kind, call.node, vmid)
    if records.is_running(record, call.guests):
        raise failed(f"{word(kind)} {vmid} already running")
    return call.worker(_task(kind, "start"), str(vmid), lambda log: call.power.start(vmid))


def stop(call: Call, kind: str) -> Any:
    """The `status/stop` call; stopping a container that is not running is refused."""
    vmid = int(call.values["vmid"])
    record = records.load(call.t, kind, call.node, vmid)
    if kind == "lxc" and not records.is_running(record, call.guests):
        raise failed(f"CT {vmid} not running")
    return call.worker(_task(kind, "stop"), str(vmid), lambda log: call.power.stop(vmid))


def shutdown(call: Call, kind: str) -> Any:
    """The `status/shutdown` call."""
    vmid = _running(call, kind)
    return call.worker(_task(kind, "shutdown"), str(vmid), lambda log: call.power.stop(vmid))


def reboot(call: Call, kind: str) -> Any:
    """The `status/reboot` call."""
    vmid = _running(call, kind)
    return call.worker(_task(kind, "reboot"), str(vmid), lambda log: call.power.reboot(vmid))


def _running(call: Call, kind: str) -> int:
    """The VM id of a guest that must run for this call."""
    vmid = int(call.values["vmid"])
    record = records.load(call.t, kind, call.node, vmid)
    if not records.is_running(record, call.guests):
        raise failed(f"{word(kind)} {vmid} not running")
    return vmid


def destroy(call: Call, kind: str) -> Any:
    """The `DELETE` call of a guest; refused while it runs (unless forced) or is protected."""
    vmid = int(call.values["vmid"])
    record = records.load(call.t, kind, call.node, vmid)
    if record["config"].get("protection"):
        raise failed(f"can't remove {word(kind)} {vmid} - protection mode enabled")
    if records.is_running(record, call.guests) and not call.values.get("force"):
        if kind == "qemu":
            raise failed(f"VM {vmid} is running - destroy failed")
        raise failed(f"unable to destroy CT {vmid} - container is running")

    def work(log: list[str]) -> None:
        call.power.destroy(vmid)

    return call.worker(_task(kind, "destroy"), str(vmid), work)


def current(call: Call, kind: str) -> dict[str, Any]:
    """What the `status/current` call answers for both kinds."""
    record = records.load(call.t, kind, call.node, int(call.values["vmid"]))
    return status(record, call.guests) | {"ha": {"managed": 0}}


def status(record: records.Record, host: GuestHost) -> dict[str, Any]:
    """A guest as lists of guests show it."""
    running = records.is_running(record, host)
    config = record["config"]
    cores = int(config.get("cores", 1)) * int(config.get("sockets", 1))
    found: dict[str, Any] = {
        "vmid": record["vmid"],
        "name": records.name_of(record),
        "status": "running" if running else "stopped",
        "cpus": cores,
        "cpu": 0,
        "mem": 0,
        "maxmem": int(str(config.get("memory", 512)).split("=")[-1]) * 2**20,
        "uptime": max(1, int(time.time()) - int(record.get("since", 0))) if running else 0,
    }
    if config.get("tags"):
        found["tags"] = config["tags"]
    return found
