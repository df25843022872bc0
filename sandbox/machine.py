"""Guests on this machine: what the Proxmox API starts and stops becomes namespaces and Docker Engines here.

What shall run is written down before it is made so, and made so again when the sandbox starts: a guest that
was running when the sandbox was stopped or killed runs again, with its containers and volumes. Where engines
cannot run for real, a guest is only its (simulated) engine. Engines survive a killed daemon: the next one
adopts them.
"""

import asyncio
import json
import logging
import re
import shutil
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from sandbox.boot import Boot
from sandbox.checkout import Checkout, write_atomically
from sandbox.docker.engine import ping
from sandbox.docker.front import Front
from sandbox.docker.provision import Provision
from sandbox.errors import SandboxError
from sandbox.fabric.segments import port_name, segment_name
from sandbox.proxmox.guests import GuestError, GuestSpec, NicSpec
from sandbox.snippets import Snippets

_LOG = logging.getLogger(__name__)
ENGINE_BOOTSTRAP = "homelab-docker.yaml"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_STEP_SECONDS = 60.0


class Ground(Protocol):
    """What guests stand on: real namespaces and engines, or simulated ones. Every method may block."""

    def is_up(self, guest: GuestSpec) -> bool:
        """Whether the guest runs as declared."""

    def up(self, guest: GuestSpec, boot: Callable[[], Boot]) -> None:
        """Make it run; SandboxError says why it cannot. `boot` is asked unless it runs and is adopted."""

    def down(self, guest: GuestSpec) -> None:
        """End it, keeping what it stored."""

    def forget(self, guest: GuestSpec) -> None:
        """Remove what it stored; it is down."""

    def provision(self, guest: GuestSpec) -> Provision | None:
        """What makes images for its engine; None where the engine needs none."""

    def namespace(self, guest: GuestSpec) -> Path | None:
        """The file of its network namespace; None where it has none."""


@dataclass(frozen=True, kw_only=True)
class _Record:
    spec: GuestSpec
    running: bool


def runs_engine(guest: GuestSpec) -> bool:
    """Whether the guest's bootstrap file asks for a Docker Engine."""
    return guest.bootstrap is not None and guest.bootstrap.rpartition("/")[2] == ENGINE_BOOTSTRAP


class Machine:
    """The guests of one checkout; implements `GuestHost` of the Proxmox API.

    Args:
        checkout: where records and sockets are kept.
        ground: what makes guests run.
        loop: the event loop that serves front sockets; methods are called from other threads.
    """

    def __init__(self, checkout: Checkout, ground: Ground, loop: asyncio.AbstractEventLoop) -> None:
        self._checkout = checkout
        self._ground = ground
        self._loop = loop
        self._lock = threading.RLock()
        self._snippets = Snippets(checkout)
        self._records = _read_records(checkout.guests_file)
        self._fronts: dict[str, Front] = {}
        self._up: set[int] = set()

    def start(self, guest: GuestSpec) -> None:
        """Start a guest; returns when its engine, if it has one, answers."""
        if not _NAME.fullmatch(guest.name):
            raise GuestError(
                f"guest {guest.vmid} has the name {guest.name!r}; the sandbox takes 1 to 32 lower-case "
                "letters, digits and inner hyphens; rename the guest"
            )
        try:
            self._checkout.require_short_path(guest.name)
        except SandboxError as error:
            raise GuestError(str(error)) from None
        with self._lock:
            other = next((r.spec for r in self._records.values() if r.spec.name == guest.name), guest)
            if other.vmid != guest.vmid:
                raise GuestError(
                    f"guests {other.vmid} and {guest.vmid} are both named {guest.name}; the sandbox tells "
                    "guests apart by name; rename one of them"
                )
            self._record(guest, running=True)
        try:
            self._raise(guest)
        except SandboxError as error:
            with self._lock:
                self._record(guest, running=False)
            raise GuestError(str(error)) from None

    def stop(self, vmid: int) -> None:
        """Stop a guest; its containers and volumes are kept."""
        record = self._records.get(vmid)
        if record is None:
            return
        with self._lock:
            self._record(record.spec, running=False)
        self._lower(record.spec)

    def destroy(self, vmid: int) -> None:
        """Remove a guest with everything that it stored."""
        record = self._records.get(vmid)
        if record is None:
            return
        self.stop(vmid)
        self._ground.forget(record.spec)
        if front := self._fronts.pop(record.spec.name, None):
            self._wait(front.close())
        with self._lock:
            del self._records[vmid]
            self._write()

    def running(self, vmid: int) -> bool:
        """Whether a guest runs now."""
        return vmid in self._up

    def wanted(self, vmid: int) -> bool:
        """Whether a guest shall run, whatever it does now."""
        record = self._records.get(vmid)
        return record is not None and record.running

    def resume(self) -> None:
        """Make run again what shall run; one guest that fails does not keep others from starting."""
        for record in list(self._records.values()):
            if runs_engine(record.spec):
                self._front(record.spec).reason = "it was stopped"
        wanted = [record.spec for record in self._records.values() if record.running]
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(self._resume_one, wanted))

    def lower_all(self) -> None:
        """End all guests and close their front sockets, keeping the record of what shall run."""
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(self._lower, [record.spec for record in self._records.values()]))
        for front in self._fronts.values():
            self._wait(front.close())
        self._fronts.clear()

    def listing(self) -> list[dict[str, Any]]:
        """The guests, as `status --format json` shows them."""
        return [
            {
                "vmid": record.spec.vmid,
                "name": record.spec.name,
                "kind": record.spec.kind,
                "node": record.spec.node,
                "addresses": _addresses(record.spec),
                "nics": [
                    {
                        "segment": segment_name(nic.bridge, nic.tag),
                        "address": nic.address,
                        "port": port_name(record.spec, number),
                    }
                    for number, nic in enumerate(record.spec.nics)
                ],
                "state": self._state(record),
                "namespace": str(namespace) if (namespace := self._namespace(record.spec)) else None,
                "docker": str(self._checkout.front_socket(record.spec.name))
                if runs_engine(record.spec)
                else None,
            }
            for record in sorted(self._records.values(), key=lambda record: record.spec.vmid)
        ]

    def engines(self) -> list[GuestSpec]:
        """The running guests that run an engine."""
        return [
            r.spec for r in list(self._records.values()) if r.spec.vmid in self._up and runs_engine(r.spec)
        ]

    def _namespace(self, guest: GuestSpec) -> Path | None:
        return self._ground.namespace(guest) if guest.vmid in self._up else None

    def _state(self, record: _Record) -> str:
        if record.spec.vmid not in self._up:
            return "starting or failed" if record.running else "stopped"
        engine = self._checkout.engine_socket(record.spec.name)
        if runs_engine(record.spec) and not ping(engine, seconds=2.0):
            return "engine does not answer"
        return "running"

    def _resume_one(self, guest: GuestSpec) -> None:
        try:
            self._raise(guest)
        except SandboxError as error:
            _LOG.error("guest %s: %s", guest.name, error)

    def _raise(self, guest: GuestSpec) -> None:
        front = self._front(guest) if runs_engine(guest) else None
        if front:
            front.reason = "it is starting"
        try:
            if not self._ground.is_up(guest):
                self._ground.up(guest, partial(self._snippets.boot, guest))
        except SandboxError as error:
            if front:
                front.reason = str(error)
            raise
        if front:
            front.reason = f"its engine has ended; see {self._checkout.logs_dir / f'engine-{guest.name}.log'}"
        self._up.add(guest.vmid)

    def _lower(self, guest: GuestSpec) -> None:
        self._up.discard(guest.vmid)
        if front := self._fronts.get(guest.name):
            front.reason = "it was stopped"
        self._ground.down(guest)

    def _front(self, guest: GuestSpec) -> Front:
        with self._lock:
            front = self._fronts.get(guest.name)
            if front is None:
                engine = self._checkout.engine_socket(guest.name)
                path = self._checkout.front_socket(guest.name)
                front = Front(guest.name, path, engine, self._ground.provision(guest))
                self._wait(front.listen())
                self._fronts[guest.name] = front
            return front

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_STEP_SECONDS)

    def _record(self, guest: GuestSpec, *, running: bool) -> None:
        self._records[guest.vmid] = _Record(spec=guest, running=running)
        self._write()

    def _write(self) -> None:
        document = {str(vmid): asdict(record) for vmid, record in self._records.items()}
        write_atomically(self._checkout.guests_file, json.dumps(document, indent=2, sort_keys=True) + "\n")


def _addresses(guest: GuestSpec) -> list[str]:
    return [nic.address.partition("/")[0] for nic in guest.nics if nic.address]


def _read_records(path: Path) -> dict[int, _Record]:
    if not path.exists():
        return {}
    try:
        return {int(vmid): _read_record(entry) for vmid, entry in json.loads(path.read_text()).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise SandboxError(
            f"{path} is broken, or was written by another version of the sandbox ({problem!r}); start it with that "
            "version, or start from nothing with `make clean`"
        ) from None


def _read_record(entry: dict[str, Any]) -> _Record:
    spec = {
        **entry["spec"],
        "nics": tuple(NicSpec(**nic) for nic in entry["spec"]["nics"]),
        "name_servers": tuple(entry["spec"].get("name_servers", ())),
    }
    return _Record(spec=GuestSpec(**spec), running=entry["running"])


def remove_engine_folder(folder: Path) -> None:
    """Delete all that an engine stored, such that a kill leaves all of it or nothing in its place.

    Its mounts ended with its processes.
    """
    going = folder.with_name(f".{folder.name}.going")
    if going.exists():
        shutil.rmtree(going)
    if folder.exists():
        folder.rename(going)
        shutil.rmtree(going)
