"""The calls on roles; the predefined ones cannot be changed. Source: PVE/API2/Role.pm of pve-access-control."""

from __future__ import annotations

from typing import Any

from sandbox.proxmox.access import directory as directories
from sandbox.proxmox.access.roles import ALL, PREDEFINED
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import bad_parameters, failed

_HERE = "/access/roles"
_ONE = f"{_HERE}/{{roleid}}"


def _names(call: Call) -> list[str]:
    return [*PREDEFINED, *call.caller.directory["roles"]]


def _require(call: Call, doing: str = "") -> str:
    name = str(call.values["roleid"])
    if doing and name in PREDEFINED:
        raise failed(f"auto-generated role '{name}' cannot be {doing}")
    if name not in _names(call):
        raise failed(f"role '{name}' does not exist")
    return name


def _privileges(call: Call) -> set[str]:
    wanted = set(directories.names(call.values.get("privs", "")))
    for name in sorted(wanted - ALL):
        raise bad_parameters({"privs": f"invalid format - invalid privilege '{name}'"})
    return wanted


def _list(call: Call) -> Any:
    return [
        {
            "roleid": name,
            "privs": ",".join(sorted(directories.privileges_of_role(call.caller.directory, name))),
            "special": int(name in PREDEFINED),
        }
        for name in _names(call)
    ]


def _create(call: Call) -> None:
    directory, name = call.caller.directory, call.values["roleid"]
    if name.lower().startswith("pve"):
        reason = "cannot use role ID starting with the (case-insensitive) 'PVE' namespace"
        raise bad_parameters({"roleid": reason})
    if name in _names(call):
        raise failed(f"create role failed: role '{name}' already exists")
    directory["roles"][name] = sorted(_privileges(call))
    directories.save(call.t, directory)


def _get(call: Call) -> Any:
    found = directories.privileges_of_role(call.caller.directory, _require(call))
    return dict.fromkeys(sorted(found), 1)


def _change(call: Call) -> None:
    directory, name = call.caller.directory, _require(call, "modified")
    before = directory["roles"][name] if call.values.get("append") else ()
    directory["roles"][name] = sorted({*before, *_privileges(call)})
    directories.save(call.t, directory)


def _delete(call: Call) -> None:
    # Entries that name the role stay, as in Proxmox VE; they grant nothing.
    directory = call.caller.directory
    del directory["roles"][_require(call, "deleted")]
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
