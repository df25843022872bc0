"""The calls on pools: named sets of guests and storages, which pass permissions on to them.

Source: PVE/API2/Pool.pm of pve-manager.
"""

from __future__ import annotations

from typing import Any

from sandbox.proxmox import nodes, records, volumes
from sandbox.proxmox.access import directory as directories
from sandbox.proxmox.access.checks import denied
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import failed
from sandbox.store import Transaction

_HERE = "/pools"
_ONE = f"{_HERE}/{{poolid}}"


def pool_of(directory: directories.Directory, vmid: int) -> str | None:
    """The pool that a guest is in."""
    pools = directory["pools"].items()
    return next((name for name, content in pools if str(vmid) in content["vms"]), None)


def add_guest(call: Call, vmid: int) -> None:
    """Put a new guest into the pool that its request names. Raises ApiError for an unknown one."""
    name = call.values.get("pool")
    if name:
        _find(call, name)["vms"].append(str(vmid))
        directories.save(call.t, call.caller.directory)


def forget_guest(t: Transaction, record: records.Record) -> None:
    """Take a guest that is destroyed out of its pool, and what was granted on it out of the ACL."""
    directory = directories.load(t)
    for content in directory["pools"].values():
        content["vms"] = [name for name in content["vms"] if name != str(record["vmid"])]
    directory["acl"] = [one for one in directory["acl"] if one["path"] != f"/vms/{record['vmid']}"]
    directories.save(t, directory)


def _find(call: Call, name: str, doing: str = "") -> dict[str, Any]:
    found: dict[str, Any] | None = call.caller.directory["pools"].get(name)
    if found is None:
        raise failed(f"{doing}pool '{name}' does not exist")
    return found


def _visible(call: Call, name: str) -> bool:
    return call.caller.has(f"/pool/{name}", ["Pool.Audit"])


def _list(call: Call) -> Any:
    if "poolid" in call.values:
        return [_get(call) | {"poolid": call.values["poolid"]}]
    pools = sorted(call.caller.directory["pools"].items())
    return [_comment(content) | {"poolid": name} for name, content in pools if _visible(call, name)]


def _comment(content: dict[str, Any]) -> dict[str, Any]:
    return {"comment": content["comment"]} if content["comment"] else {}


def _get(call: Call) -> dict[str, Any]:
    name = call.values["poolid"]
    content = _find(call, name)
    if not _visible(call, name):
        raise denied(f"/pool/{name}, Pool.Audit")
    kind = call.values.get("type")
    members = [one for one in _members(call, content) if kind in (None, one["type"])]
    return _comment(content) | {"members": members}


def _members(call: Call, content: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for name in content["vms"]:
        record = records.find(call.t, int(name))
        if record is not None:
            kind, vmid = record["kind"], record["vmid"]
            found.append({"id": f"{kind}/{vmid}", "type": kind, "node": record["node"], "vmid": vmid})
    for name in content["storage"]:
        for node in nodes.names(call.t):
            if name in volumes.storages(call.t, node):
                member = {"id": f"storage/{node}/{name}", "type": "storage", "node": node, "storage": name}
                found.append(member)
    return found


def _create(call: Call) -> None:
    directory, name = call.caller.directory, call.values["poolid"]
    if name in directory["pools"]:
        raise failed(f"create pool failed: pool '{name}' already exists")
    directory["pools"][name] = {"comment": call.values.get("comment", ""), "vms": [], "storage": []}
    directories.save(call.t, directory)


def _change(call: Call) -> None:
    directory, name = call.caller.directory, call.values["poolid"]
    content = _find(call, name, "update pools failed: ")
    if "comment" in call.values:
        content["comment"] = call.values["comment"]
    for vmid in directories.names(call.values.get("vms", "")):
        _require_right(call, f"/vms/{vmid}")
        if call.values.get("delete"):
            _take(content["vms"], vmid, f"VM {vmid}", name)
        else:
            _move_guest(call, vmid, content, name)
    for storage in directories.names(call.values.get("storage", "")):
        _require_right(call, f"/storage/{storage}")
        if call.values.get("delete"):
            _take(content["storage"], storage, f"storage '{storage}'", name)
        elif storage not in content["storage"]:
            content["storage"].append(storage)
    directories.save(call.t, directory)


def _require_right(call: Call, path: str) -> None:
    if not call.caller.may_modify_permissions(path):
        raise denied(f"{path}, Permissions.Modify")


def _take(members: list[str], member: str, shown: str, pool: str) -> None:
    if member not in members:
        raise failed(f"update pools failed: {shown} is not a pool member of '{pool}'")
    members.remove(member)


def _move_guest(call: Call, vmid: str, content: dict[str, Any], name: str) -> None:
    if records.find(call.t, int(vmid)) is None:
        raise failed(f"update pools failed: VM {vmid} does not exist")
    old = pool_of(call.caller.directory, int(vmid))
    if old == name:
        raise failed(f"update pools failed: VM {vmid} is already a pool member")
    if old is not None:
        if not call.values.get("allow-move"):
            raise failed(f"update pools failed: VM {vmid} belongs already to pool '{old}'")
        call.caller.require(f"/pool/{old}", ["Pool.Allocate"])
        call.caller.directory["pools"][old]["vms"].remove(vmid)
    content["vms"].append(vmid)


def _delete(call: Call) -> None:
    directory, name = call.caller.directory, call.values["poolid"]
    content = _find(call, name, "delete pool failed: ")
    if content["vms"] or content["storage"]:
        raise failed(f"delete pool failed: pool '{name}' is not empty")
    del directory["pools"][name]
    directories.save(call.t, directory)


def routes() -> Routes:
    """The calls of this module; those with the pool in the path are Proxmox VE's older form of the same."""
    return {
        ("GET", _HERE): _list,
        ("POST", _HERE): _create,
        ("PUT", _HERE): _change,
        ("DELETE", _HERE): _delete,
        ("GET", _ONE): _get,
        ("PUT", _ONE): _change,
        ("DELETE", _ONE): _delete,
    }
