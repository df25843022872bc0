"""proxmoxve:index/vmLegacy:VmLegacy: virtual machines.

A VM id that is taken is adopted silently, as officially; `lab doctor` is there for that. A VM that was made
and could not be started is kept in the state with the reason.
"""

from __future__ import annotations

import time
from typing import Any

from sandbox.plugins.proxmoxve import vm_form
from sandbox.plugins.proxmoxve.connection import FIRST_POLL, LAST_POLL, ApiFailure, Client, failed, path
from sandbox.plugins.proxmoxve.guest_requests import make, start, status
from sandbox.plugins.proxmoxve.guest_text import GIB
from sandbox.plugins.proxmoxve.vm_properties import PROPERTIES, TOKEN, UNSUPPORTED
from sandbox.plugins.proxmoxve.vm_state import state_of, volumes
from sandbox.plugins.resource import (
    CallError,
    DeleteFirst,
    Dialect,
    Existing,
    PartialFailure,
    ResourceType,
)
from sandbox.plugins.values import UNKNOWN, Value, Values, block, blocks, flag, integer, text

_ADDRESSES = frozenset(("ipv4Addresses", "ipv6Addresses", "networkInterfaceNames"))
_AGENT_SECONDS = 10
# Settings that are always written together.
_CPU_KEYS = ("cores", "cpu", "numa", "sockets")
_CPU_CHANGES = frozenset((*_CPU_KEYS, "cpulimit", "cpuunits"))
_INIT_KEYS = ("ciuser", "cipassword", "sshkeys", "nameserver", "searchdomain", "cicustom", "ciupgrade")


class VmCalls:
    """The requests of a VM."""

    def create(self, client: Client, inputs: Values) -> Existing:
        """Make the VM, grow imported disks to their size, start it, read it."""
        node, vmid = text(inputs, "nodeName"), integer(inputs, "vmId")
        try:
            vmid = vmid or int(client.get("cluster/nextid"))
            make(client, "qemu", node, vmid, inputs, {**vm_form.settings(inputs), **vm_form.drives(inputs)})
        except ApiFailure as error:
            raise failed("creating VM", error) from None
        try:
            for disk in blocks(inputs, "disks"):
                if text(disk, "importFrom"):
                    self._resize(client, node, vmid, disk)
            if inputs.get("started") is not False:
                self._start(client, node, vmid, inputs)
            return Existing(id=str(vmid), state=self._read(client, node, vmid, inputs))
        except (ApiFailure, CallError) as error:
            state = {**inputs, "vmId": vmid}
            raise PartialFailure(id=str(vmid), state=state, reasons=(str(error),)) from None

    def _resize(self, client: Client, node: str, vmid: int, disk: Values) -> None:
        size = str(integer(disk, "size") * GIB)
        body = {"disk": text(disk, "interface"), "size": size}
        client.wait(client.put(path("nodes", node, "qemu", vmid, "resize"), body))

    def _start(self, client: Client, node: str, vmid: int, inputs: Values) -> None:
        if status(client, "qemu", node, vmid) == "running":
            return
        seconds = integer(inputs, "timeoutStartVm") or 1800
        start(client, "qemu", node, vmid, seconds, {"timeout": seconds})

    def _shutdown(self, client: Client, node: str, vmid: int, inputs: Values) -> None:
        if status(client, "qemu", node, vmid) != "running":
            return
        seconds = integer(inputs, "timeoutShutdownVm") or 1800
        where = path("nodes", node, "qemu", vmid, "status", "shutdown")
        client.wait(client.post(where, {"forceStop": 1, "timeout": seconds}), seconds)

    def _read(self, client: Client, node: str, vmid: int, known: Values) -> Values:
        here = ("nodes", node, "qemu", vmid)
        config = client.get(path(*here, "config"))
        running = status(client, "qemu", node, vmid) == "running"
        formats = {}
        for volume in volumes(config).values():
            where = path("nodes", node, "storage", volume.partition(":")[0], "content", volume)
            formats[volume] = str(client.get(where)["format"])
        state = state_of(node, vmid, config, running=running, formats=formats, known=known)
        return state | self._addresses(client, here, state)

    def _addresses(self, client: Client, here: tuple[str | int, ...], state: Values) -> Values:
        empty: Values = {
            "ipv4Addresses": [],
            "ipv6Addresses": [],
            "networkInterfaceNames": [],
            "macAddresses": [],
        }
        agent = block(state, "agent")
        if (
            not flag(state, "started")
            or not flag(agent, "enabled")
            or flag(block(agent, "waitForIp"), "disabled")
        ):
            macs: list[Value] = [one.get("macAddress") for one in blocks(state, "networkDevices")]
            return empty | {"macAddresses": macs}
        until, pause = time.monotonic() + _AGENT_SECONDS, FIRST_POLL
        while True:
            try:
                return _interfaces(client.get(path(*here, "agent", "network-get-interfaces"))["result"])
            except ApiFailure:
                # The guest is up before its agent; officially this waits for agent.timeout and then goes on.
                if time.monotonic() > until:
                    return empty
            time.sleep(pause)
            pause = min(pause * 2, LAST_POLL)

    def read(self, client: Client, id: str, state: Values) -> Existing | None:
        """The VM on whatever node it is; imported by `node/id`."""
        node, slash, vmid = id.partition("/") if "/" in id else ("", "", id)
        if slash and not vmid.isdigit():
            raise CallError(f'strconv.Atoi: parsing "{vmid}": invalid syntax')
        if (not state and not node) or not vmid.isdigit():
            return None
        try:
            found = next(
                (one for one in client.get("cluster/resources", type="vm") if one["id"] == f"qemu/{vmid}"),
                None,
            )
            if found is None:
                return None
            found_state = self._read(client, found["node"], int(vmid), state)
            return Existing(id=vmid, state={**found_state, "tags": found_state["tags"] or []})
        except ApiFailure as error:
            if error.gone:
                return None
            raise failed("reading VM", error) from None

    def update(self, client: Client, id: str, state: Values, inputs: Values) -> Values:
        """Change the configuration, grow disks, and cycle the power where a change needs it."""
        node, vmid = text(inputs, "nodeName"), int(id)
        try:
            config = client.get(path("nodes", node, "qemu", vmid, "config"))
            self._configure(client, node, vmid, config, state, inputs)
            self._power(client, node, vmid, state, inputs)
            return self._read(client, node, vmid, inputs)
        except (ApiFailure, CallError) as error:
            raise failed("updating VM", error) from None

    def _configure(
        self, client: Client, node: str, vmid: int, config: dict[str, Any], state: Values, inputs: Values
    ) -> None:
        wanted, before = vm_form.settings(inputs), vm_form.settings(_as_inputs(state))
        body = {key: value for key, value in wanted.items() if before.get(key) != value}
        gone = [key for key in before if key not in wanted and key in config]
        body |= _groups(wanted, body.keys() | set(gone))
        if (body.keys() | set(gone)) & _CPU_CHANGES:
            gone += [key for key in ("vcpus", "cpulimit") if key not in wanted and key not in gone]
        body |= _drive_changes(config, state, inputs, gone)
        body["name"] = wanted["name"]
        if gone:
            body["delete"] = ",".join(gone)
        here = ("nodes", node, "qemu", vmid)
        client.put(path(*here, "config"), body)
        if any(key in _INIT_KEYS or key.startswith("ipconfig") for key in (*body, *gone)):
            client.put(path(*here, "cloudinit"), {})
        self._grow(client, node, vmid, state, inputs)

    def _grow(self, client: Client, node: str, vmid: int, state: Values, inputs: Values) -> None:
        sizes = {text(disk, "interface"): integer(disk, "size") for disk in blocks(state, "disks")}
        for disk in blocks(inputs, "disks"):
            old, new = sizes.get(text(disk, "interface")), integer(disk, "size")
            if old is not None and new < old:
                raise CallError(f"cannot shrink disk {text(disk, 'interface')} from {old} to {new} GB")
            if old is not None and new > old:
                self._resize(client, node, vmid, disk)

    def _power(self, client: Client, node: str, vmid: int, state: Values, inputs: Values) -> None:
        wanted = inputs.get("started") is not False
        if not wanted:
            self._shutdown(client, node, vmid, inputs)
        elif not flag(state, "started"):
            self._start(client, node, vmid, inputs)
        elif inputs.get("rebootAfterUpdate") is not False and _needs_power_cycle(state, inputs):
            self._shutdown(client, node, vmid, inputs)
            self._start(client, node, vmid, inputs)

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Stop the VM and destroy it. Officially, one that is gone is an error."""
        node, vmid = text(state, "nodeName"), int(id)
        here = ("nodes", node, "qemu", vmid)
        try:
            if status(client, "qemu", node, vmid) == "running":
                # Officially a guest whose agent is off is not asked to shut down either.
                agent = str(client.get(path(*here, "config")).get("agent", ""))
                if flag(state, "stopOnDestroy") or not agent.startswith(("1", "enabled=1")):
                    client.wait(client.post(path(*here, "status", "stop"), {}))
                else:
                    self._shutdown(client, node, vmid, state)
            options = {
                "destroy-unreferenced-disks": flag(state, "deleteUnreferencedDisksOnDestroy"),
                "purge": flag(state, "purgeOnDestroy"),
            }
            client.wait(client.delete(path(*here), **options))
        except (ApiFailure, CallError) as error:
            raise failed("deleting VM", error) from None


def _groups(wanted: dict[str, Any], changed: set[str]) -> dict[str, Any]:
    """What is written along with what changed: all of the CPU, all of the cloud-init settings."""
    body: dict[str, Any] = {}
    if changed & _CPU_CHANGES:
        body |= {key: wanted[key] for key in _CPU_KEYS if key in wanted}
    if any(key in _INIT_KEYS or key.startswith("ipconfig") for key in changed):
        body |= {key: wanted[key] for key in wanted if key in _INIT_KEYS or key.startswith("ipconfig")}
    return body


def _as_inputs(state: Values) -> Values:
    """A state in the form of inputs: null where nothing was set, so that both make equal requests."""
    found = dict(state)
    initialization = block(state, "initialization")
    if initialization and initialization.get("upgrade") is True:
        found["initialization"] = {**initialization, "upgrade": None}
    return found


def _drive_changes(config: dict[str, Any], state: Values, inputs: Values, gone: list[str]) -> dict[str, str]:
    """The drives to write; `gone` gets those to take out."""
    body: dict[str, str] = {}
    existing = volumes(config)
    fresh = vm_form.drives(inputs)
    disks = {text(disk, "interface"): disk for disk in blocks(inputs, "disks")}
    before = {text(disk, "interface"): disk for disk in blocks(state, "disks")}
    texts = {
        name: vm_form.disk_text(disk, existing[name]) for name, disk in disks.items() if name in existing
    }
    olds = {name: vm_form.disk_text(before[name], existing[name]) for name in texts if name in before}
    # One changed disk writes all of them, officially too.
    if texts != olds or len(texts) < len(disks):
        body |= {name: texts.get(name, fresh[name]) for name in disks}
    gone += [name for name in existing if name not in disks]
    for name, drive in fresh.items():
        if name in disks or (name in config and name in ("efidisk0", vm_form.CLOUD_INIT)):
            continue
        if str(config.get(name, "")).split(",")[0] != drive.split(",")[0].removeprefix("file="):
            body[name] = drive
    gone += [
        name
        for name, value in config.items()
        if "media=cdrom" in str(value) and name not in fresh and name not in existing
    ]
    return body


def _needs_power_cycle(state: Values, inputs: Values) -> bool:
    old, new = vm_form.settings(_as_inputs(state)), vm_form.settings(inputs)
    changed = {key for key in (*old, *new) if old.get(key) != new.get(key)}
    quiet = {"boot", "description", "name", "onboot", "protection", "startup", "tags", "shares"}
    return bool(changed - quiet)


def _interfaces(found: list[dict[str, Any]]) -> Values:
    addresses: dict[str, list[Value]] = {"ipv4": [], "ipv6": []}
    for one in found:
        for family, listed in addresses.items():
            matching: list[Value] = [
                entry["ip-address"]
                for entry in one.get("ip-addresses", [])
                if entry["ip-address-type"] == family
            ]
            listed.append(matching)
    return {
        "ipv4Addresses": addresses["ipv4"],
        "ipv6Addresses": addresses["ipv6"],
        "networkInterfaceNames": [one["name"] for one in found],
        "macAddresses": [one["hardware-address"].upper() for one in found],
    }


def _changes(state: Values, inputs: Values, changed: frozenset[str]) -> frozenset[str]:
    # Officially the addresses are computed anew when a network device or the power changes.
    return changed | _ADDRESSES if changed & {"networkDevices", "started"} else changed


def _plan(planned: Values, state: Values | None) -> Values:
    if planned.get("tags") is UNKNOWN and state is None:
        planned["tags"] = None
    return planned


TYPE: ResourceType[Client] = ResourceType(
    token=TOKEN,
    dialect=Dialect.SDK2,
    zero_fields=True,
    properties=PROPERTIES,
    unsupported=UNSUPPORTED,
    calls=VmCalls(),
    delete_first=DeleteFirst.NAMED,
    diff=_changes,
    plan=_plan,
)
