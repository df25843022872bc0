"""proxmoxve:index/containerLegacy:ContainerLegacy: containers.

A container without `networkInterfaces` is refused in the preview, as officially; an empty list is accepted.
A VM id that is taken is adopted silently, as officially.
"""

from __future__ import annotations

import time
from typing import Any

from sandbox.plugins.proxmoxve import container_form as form
from sandbox.plugins.proxmoxve.connection import FIRST_POLL, LAST_POLL, ApiFailure, Client, failed, path
from sandbox.plugins.proxmoxve.container_properties import PROPERTIES, TOKEN, UNSUPPORTED
from sandbox.plugins.proxmoxve.container_state import as_created, state_of
from sandbox.plugins.proxmoxve.guest_requests import make, start, status
from sandbox.plugins.proxmoxve.guest_text import GIB
from sandbox.plugins.resource import CallError, Dialect, Existing, PartialFailure, ResourceType
from sandbox.plugins.values import Values, block, blocks, flag, integer, strings, text

_START_SECONDS = 300
# Changes that need no restart of a running container; every other one reboots it, as officially.
_QUIET = frozenset(
    (
        "arch",
        "cores",
        "cpulimit",
        "cpuunits",
        "description",
        "features",
        "onboot",
        "protection",
        "startup",
        "tags",
    )
)

# Settings that are always written together.
_TOGETHER = (("arch", "cores", "cpulimit", "cpuunits"), ("cmode", "console", "tty"), ("memory", "swap"))


class ContainerCalls:
    """The requests of a container."""

    def create(self, client: Client, inputs: Values) -> Existing:
        """Make the container, which starts with it, and read it."""
        _refuse_null_interface(inputs)
        node, vmid = text(inputs, "nodeName"), integer(inputs, "vmId")
        try:
            vmid = vmid or int(client.get("cluster/nextid"))
            make(client, "lxc", node, vmid, inputs, {**form.settings(inputs), **form.creation(inputs)})
        except ApiFailure as error:
            raise failed("creating container", error) from None
        try:
            if inputs.get("started") is not False:
                self._await_start(client, node, vmid, inputs)
            return Existing(id=str(vmid), state=as_created(self._read(client, node, vmid, inputs), inputs))
        except (ApiFailure, CallError) as error:
            state = {**inputs, "vmId": vmid}
            raise PartialFailure(id=str(vmid), state=state, reasons=(str(error),)) from None

    def _await_start(self, client: Client, node: str, vmid: int, inputs: Values) -> None:
        """The create starts it in a task of its own; one that has not begun is started here."""
        seconds = integer(inputs, "timeoutStart") or _START_SECONDS
        until, pause = time.monotonic() + LAST_POLL, FIRST_POLL
        while status(client, "lxc", node, vmid) != "running":
            if time.monotonic() > until:
                start(client, "lxc", node, vmid, seconds)
                return
            time.sleep(pause)
            pause = min(pause * 1.5, LAST_POLL)

    def _read(self, client: Client, node: str, vmid: int, known: Values) -> Values:
        config = client.get(path("nodes", node, "lxc", vmid, "config"))
        running = status(client, "lxc", node, vmid) == "running"
        state = state_of(node, vmid, config, running=running, known=known)
        connected = running and "net0" in config
        return state | (self._addresses(client, node, vmid) if connected else {"ipv4": {}, "ipv6": {}})

    def _addresses(self, client: Client, node: str, vmid: int) -> Values:
        addresses: dict[str, Values] = {"ipv4": {}, "ipv6": {}}
        for one in client.get(path("nodes", node, "lxc", vmid, "interfaces")):
            if one["name"] == "lo":
                continue
            for entry in one.get("ip-addresses", []):
                family = "ipv4" if entry["ip-address-type"] == "inet" else "ipv6"
                addresses[family].setdefault(one["name"], entry["ip-address"])
        return dict(addresses)

    def read(self, client: Client, id: str, state: Values) -> Existing | None:
        """The container on its node; imported by `node/id`."""
        node, _, vmid = id.rpartition("/")
        node = text(state, "nodeName") or node
        if not node or not vmid.isdigit():
            return None
        try:
            found = self._read(client, node, int(vmid), state)
            return Existing(id=vmid, state={**found, "tags": found["tags"] or []})
        except ApiFailure as error:
            if error.gone:
                return None
            raise failed("reading container", error) from None

    def update(self, client: Client, id: str, state: Values, inputs: Values) -> Values:
        """Change the configuration, grow the disk, and reboot where a change needs it."""
        node, vmid = text(inputs, "nodeName"), int(id)
        try:
            changed = self._configure(client, node, vmid, state, inputs)
            self._grow(client, node, vmid, state, inputs)
            self._power(client, node, vmid, state, inputs, reboot=bool(changed - _QUIET))
            return self._read(client, node, vmid, inputs)
        except (ApiFailure, CallError) as error:
            raise failed("updating container", error) from None

    def _configure(self, client: Client, node: str, vmid: int, state: Values, inputs: Values) -> set[str]:
        here = path("nodes", node, "lxc", vmid, "config")
        config: dict[str, Any] = client.get(here)
        wanted, before = form.settings(inputs), form.settings(state)
        body = {key: value for key, value in wanted.items() if before.get(key) != value}
        gone = [key for key in before if key not in wanted and key in config]
        for group in _TOGETHER:
            if (body.keys() | set(gone)) & set(group):
                body |= {key: wanted[key] for key in group if key in wanted}
        if "cores" in body and not body.get("cpulimit"):
            body.pop("cpulimit", None)
            gone.append("cpulimit")
        old, new = block(state, "disk"), block(inputs, "disk")
        volume = form.root_volume(config)
        if form.root(old, volume) != form.root(new, volume):
            body["rootfs"] = form.root(new, volume)
        if gone:
            body["delete"] = ",".join(gone)
        if body:
            client.put(here, body)
        return {*body, *gone} - {"delete"}

    def _grow(self, client: Client, node: str, vmid: int, state: Values, inputs: Values) -> None:
        old, new = integer(block(state, "disk"), "size"), integer(block(inputs, "disk"), "size")
        if new < old:
            raise CallError(f"cannot shrink the root file system from {old} to {new} GB")
        if new > old:
            body = {"disk": "rootfs", "size": str(new * GIB)}
            client.wait(client.put(path("nodes", node, "lxc", vmid, "resize"), body))

    def _power(
        self, client: Client, node: str, vmid: int, state: Values, inputs: Values, *, reboot: bool
    ) -> None:
        here = ("nodes", node, "lxc", vmid, "status")
        running = status(client, "lxc", node, vmid) == "running"
        if inputs.get("started") is False:
            if running:
                client.wait(client.post(path(*here, "shutdown"), {"forceStop": 1, "timeout": 60}))
        elif not running:
            start(client, "lxc", node, vmid, _START_SECONDS)
        elif reboot:
            client.wait(client.post(path(*here, "reboot"), {"timeout": _START_SECONDS}))

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Stop the container and destroy it. Officially, one that is gone is an error."""
        node, vmid = text(state, "nodeName"), int(id)
        here = ("nodes", node, "lxc", vmid)
        seconds = max(5, (integer(state, "timeoutDelete") or 60) - 5)
        try:
            if status(client, "lxc", node, vmid) == "running":
                stop = {"forceStop": 1, "timeout": seconds}
                client.wait(client.post(path(*here, "status", "shutdown"), stop), seconds)
            client.wait(client.delete(path(*here)))
        except (ApiFailure, CallError) as error:
            raise failed("deleting container", error) from None


def _changes(state: Values, inputs: Values, changed: frozenset[str]) -> frozenset[str]:
    """Without the two differences that come from how Proxmox VE answers, not from the program."""
    silent = set()
    # A description comes back with a line break at its end.
    if text(state, "description").rstrip("\n") == text(inputs, "description").rstrip("\n"):
        silent.add("description")
    # A mount point names a storage; what comes back is the volume that was made on it.
    if _mounts(state, named=False) == _mounts(inputs, named=True):
        silent.add("mountPoints")
    return changed - silent


def _mounts(values: Values, *, named: bool) -> list[tuple[object, ...]]:
    flags = ("acl", "backup", "quota", "readOnly", "replicate", "shared")
    return [
        (
            text(one, "path"),
            text(one, "volume")
            if named or ":" not in text(one, "volume")
            else text(one, "volume").split(":")[0],
            text(one, "size"),
            tuple(strings(one, "mountOptions")),
            *(flag(one, name) for name in flags),
        )
        for one in blocks(values, "mountPoints")
    ]


def _refuse_null_interface(values: Values) -> None:
    if values.get("networkInterfaces") == [None]:
        raise CallError(
            "diffing: 1 error occurred:\n\t* [network_interface[0]] Null value found in list: Null values are"
            " not allowed for this attribute value.\n\n"
        )


def _plan(planned: Values, state: Values | None) -> Values:
    _refuse_null_interface(planned)
    description = text(planned, "description")
    # Proxmox VE will add a line break; officially the plan has it already.
    return planned | ({"description": description.rstrip("\n") + "\n"} if description else {})


TYPE: ResourceType[Client] = ResourceType(
    token=TOKEN,
    dialect=Dialect.SDK2,
    zero_fields=True,
    properties=PROPERTIES,
    unsupported=UNSUPPORTED,
    calls=ContainerCalls(),
    diff=_changes,
    plan=_plan,
)
