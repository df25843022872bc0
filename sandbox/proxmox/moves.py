"""Guests that are copied or move: clones, templates, other nodes and other storages.

Only a guest that is stopped is copied or moves to another node without its network being made anew there; a running one
keeps running on its host, because all nodes are one machine here.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.proxmox import drives, nodes, records, volumes
from sandbox.proxmox.access import guest_rights, pools
from sandbox.proxmox.call import Call, Handler, Routes
from sandbox.proxmox.errors import failed
from sandbox.proxmox.guest_config import new_mac
from sandbox.proxmox.power import word

_DISK = re.compile(r"(?:ide|sata|scsi|virtio|efidisk|tpmstate|mp)\d+|rootfs")


def _load(call: Call, kind: str) -> records.Record:
    return records.load(call.t, kind, call.node, int(call.values["vmid"]))


def _copies(call: Call, record: records.Record, node: str, vmid: int, storage: str | None) -> dict[str, Any]:
    """The configuration with a volume of its own for each disk, and other addresses."""
    found = {}
    for key, value in record["config"].items():
        text = str(value)
        if _DISK.fullmatch(key):
            found[key] = _copy(call, record["node"], text, node, vmid, storage)
        elif re.fullmatch(r"net\d+", key):
            found[key] = text.replace(records.mac_of(text), new_mac())
        else:
            found[key] = value
    return {key: value for key, value in found.items() if key not in ("template", "lock", "pool")}


def _copy(call: Call, source: str, text: str, node: str, vmid: int, storage: str | None) -> str:
    volid, _, rest = text.partition(",")
    old = volumes.find(call.t, source, volid)
    if old is None or old["content"] not in ("images", "rootdir"):
        return text
    kind = "cloudinit" if "cloudinit" in volid else "subvol" if old["content"] == "rootdir" else "disk"
    target = storage or volid.partition(":")[0]
    new = volumes.new_disk(call.t, node, target, vmid, size=old["size"], form=old["format"], kind=kind)
    return f"{new},{rest}" if rest else new


def _clone(kind: str) -> Handler:
    def clone(call: Call) -> Any:
        record, vmid = _load(call, kind), int(call.values["newid"])
        node = call.values.get("target", call.node)
        records.require_free(call.t, kind, vmid)
        guest_rights.require_pool(call)

        def work(log: list[str]) -> None:
            nodes.remember(call.t, node)
            copy = records.new(kind, node, vmid)
            copy["config"] = _copies(call, record, node, vmid, call.values.get("storage"))
            given = {
                key: call.values[key] for key in ("name", "hostname", "description") if key in call.values
            }
            if kind == "lxc" and "description" in given:
                given["description"] = given["description"].rstrip("\n") + "\n"
            copy["config"] |= given
            records.save(call.t, copy)

        pools.add_guest(call, vmid)
        return call.finished("qmclone" if kind == "qemu" else "vzclone", str(record["vmid"]), work)

    return clone


def _template(kind: str) -> Handler:
    def template(call: Call) -> Any:
        record = _load(call, kind)
        if record["config"].get("template"):
            raise failed("you can't convert a template to a template")
        if records.is_running(record, call.guests):
            raise failed(f"you can't convert a {word(kind)} to template if it is running")

        def work(log: list[str]) -> None:
            record["config"]["template"] = 1
            records.save(call.t, record)

        if kind == "lxc":
            work([])
            return None
        return call.finished("qmtemplate", str(record["vmid"]), work)

    return template


def _migrate(kind: str) -> Handler:
    def migrate(call: Call) -> Any:
        record, target = _load(call, kind), call.values["target"]
        if target == call.node:
            raise failed("target is local node.")
        running = records.is_running(record, call.guests)
        if running and not (call.values.get("online") or call.values.get("restart")):
            raise failed(
                f"can't migrate running {word(kind)} without --{'online' if kind == 'qemu' else 'restart'}"
            )

        def work(log: list[str]) -> None:
            nodes.remember(call.t, target)
            for volid in volumes.owned(call.t, call.node, int(record["vmid"])):
                volumes.move(call.t, call.node, target, volid)
            records.save(call.t, record | {"node": target})

        return call.finished("qmigrate" if kind == "qemu" else "vzmigrate", str(record["vmid"]), work)

    return migrate


def _move_disk(call: Call) -> Any:
    record, key, storage = _load(call, "qemu"), call.values["disk"], call.values.get("storage")
    if storage is None:
        raise failed("the sandbox moves disks to another storage only, not to another guest")
    text = record["config"].get(key)
    if text is None:
        raise failed(f"disk '{key}' does not exist")
    volid = str(text).partition(",")[0]
    if volid.partition(":")[0] == storage:
        raise failed("you can't move to the same storage with same format")
    call.caller.require(f"/storage/{storage}", ["Datastore.AllocateSpace"])

    def work(log: list[str]) -> None:
        vmid = int(record["vmid"])
        record["config"][key] = _copy(call, call.node, str(text), call.node, vmid, storage)
        if call.values.get("delete"):
            volumes.remove(call.t, call.node, volid)
        else:
            record["config"][drives.free_unused(record)] = volid
        records.save(call.t, record)

    return call.finished("qmmove", str(record["vmid"]), work)


def routes() -> Routes:
    """The calls of this module."""
    found: dict[tuple[str, str], Handler] = {
        ("POST", "/nodes/{node}/qemu/{vmid}/move_disk"): _move_disk,
    }
    for kind in ("qemu", "lxc"):
        one = f"/nodes/{{node}}/{kind}/{{vmid}}"
        found |= {
            ("POST", f"{one}/clone"): _clone(kind),
            ("POST", f"{one}/template"): _template(kind),
            ("POST", f"{one}/migrate"): _migrate(kind),
        }
    return found
