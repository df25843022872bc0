"""The calls on groups of users. Source: PVE/API2/Group.pm of pve-access-control."""

from __future__ import annotations

from typing import Any

from sandbox.proxmox.access import directory as directories
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import failed

_HERE = "/access/groups"
_ONE = f"{_HERE}/{{groupid}}"
_SEEING = ("User.Modify", "Sys.Audit", "Group.Allocate")


def _find(call: Call, doing: str = "") -> dict[str, Any]:
    found: dict[str, Any] | None = call.caller.directory["groups"].get(call.values["groupid"])
    if found is None:
        raise failed(f"{doing}group '{call.values['groupid']}' does not exist")
    return found


def _shown(group: dict[str, Any]) -> dict[str, Any]:
    return {"comment": group["comment"]} if group["comment"] else {}


def _list(call: Call) -> Any:
    directory = call.caller.directory
    return [
        {"groupid": name, "users": ",".join(directories.members(directory, name)), **_shown(group)}
        for name, group in sorted(directory["groups"].items())
        if call.caller.has(f"/access/groups/{name}", _SEEING, any_of=True)
    ]


def _create(call: Call) -> None:
    directory, name = call.caller.directory, call.values["groupid"]
    if name in directory["groups"]:
        raise failed(f"create group failed: group '{name}' already exists")
    directory["groups"][name] = {"comment": call.values.get("comment", "")}
    directories.save(call.t, directory)


def _get(call: Call) -> Any:
    return _shown(_find(call)) | {
        "members": directories.members(call.caller.directory, call.values["groupid"])
    }


def _change(call: Call) -> None:
    _find(call, "update group failed: ")["comment"] = call.values.get("comment", "")
    directories.save(call.t, call.caller.directory)


def _delete(call: Call) -> None:
    _find(call, "delete group failed: ")
    directory, name = call.caller.directory, call.values["groupid"]
    del directory["groups"][name]
    for user in directory["users"].values():
        user["groups"] = [group for group in user["groups"] if group != name]
    directories.drop_entries(directory, "group", name)
    directories.save(call.t, directory)


def routes() -> Routes:
    """The calls of this module."""
    return {
        ("GET", _HERE): _list,
        ("POST", _HERE): _create,
        ("GET", _ONE): _get,
        ("PUT", _ONE): _change,
        ("DELETE", _ONE): _delete,
    }
