"""The calls on access control lists and on the permissions that follow from them.

Source: PVE/API2/ACL.pm, PVE/API2/AccessControl.pm and `check_path` of PVE/AccessControl.pm.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from sandbox.proxmox.access import directory as directories
from sandbox.proxmox.access.checks import denied, normalised
from sandbox.proxmox.access.directory import Directory
from sandbox.proxmox.access.permissions import privileges
from sandbox.proxmox.access.roles import PREDEFINED
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import bad_parameters, failed

_NAME = r"[\w.-]+"
# Which paths an entry may be about.
_PATHS: Final = re.compile(
    rf"/|/access(?:/groups(?:/{_NAME})?|/realm(?:/{_NAME})?)?|/nodes(?:/{_NAME})?|/pool(?:/{_NAME}){{0,3}}"
    rf"|/sdn(?:/controllers(?:/{_NAME})?|/dns(?:/{_NAME})?|/ipams(?:/{_NAME})?|/fabrics(?:/{_NAME})?"
    rf"|/zones(?:/{_NAME}){{0,3}})?|/storage(?:/{_NAME})?|/vms(?:/[1-9]\d{{2,8}})?"
    rf"|/mapping(?:/(?:dir|pci|usb)(?:/{_NAME})?)?"
)
# What a user sees without naming a path.
_TOP: Final = ("/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms")


def _list(call: Call) -> Any:
    audits = call.caller.has("/access", ["Sys.Audit"])
    return [
        entry
        for entry in call.caller.directory["acl"]
        if audits or call.caller.may_modify_permissions(entry["path"])
    ]


def _change(call: Call) -> None:
    directory, path = call.caller.directory, normalised(call.values["path"])
    given = {kind: directories.names(call.values.get(f"{kind}s", "")) for kind in ("group", "user", "token")}
    if not any(given.values()):
        reason = "either 'users', 'groups' or 'tokens' is required."
        raise bad_parameters(dict.fromkeys(("users", "groups", "tokens"), reason))
    removing = bool(call.values.get("delete"))
    if path is None or not (removing or _PATHS.fullmatch(path)):
        raise bad_parameters({"path": f"invalid ACL path '{call.values['path']}'"})
    for role in directories.names(call.values["roles"]):
        if role not in PREDEFINED and role not in directory["roles"]:
            raise failed(f"ACL update failed: role '{role}' does not exist")
        for kind, names in given.items():
            for name in names:
                _EXISTS[kind](directory, name)
                _set(directory, path, kind, name, role, None if removing else call.values.get("propagate", 1))
    directories.save(call.t, directory)


def _set(directory: Directory, path: str, kind: str, name: str, role: str, propagate: int | None) -> None:
    entry = {"path": path, "type": kind, "ugid": name, "roleid": role}
    directory["acl"] = [one for one in directory["acl"] if one | {"propagate": 0} != entry | {"propagate": 0}]
    if propagate is not None:
        directory["acl"].append(entry | {"propagate": propagate})


def _require_group(directory: Directory, name: str) -> None:
    if name not in directory["groups"]:
        raise failed(f"ACL update failed: group '{name}' does not exist")


def _require_user(directory: Directory, name: str) -> None:
    if name not in directory["users"]:
        raise failed(f"ACL update failed: user '{name}' does not exist")


def _require_token(directory: Directory, name: str) -> None:
    userid, _, token = name.partition("!")
    directories.token(directory, userid, token)


_EXISTS: Final[dict[str, Callable[[Directory, str], None]]] = {
    "group": _require_group,
    "user": _require_user,
    "token": _require_token,
}


def _permissions(call: Call) -> Any:
    directory, who = call.caller.directory, call.values.get("userid", call.caller.who)
    own = who == call.caller.who or who.startswith(f"{call.caller.who}!")
    if not own and not call.caller.has("/access", ["Sys.Audit"]):
        raise denied("/access, Sys.Audit")
    wanted = [call.values["path"]] if "path" in call.values else {*_TOP, *_mentioned(directory)}
    found = {path: privileges(directory, who, path) for path in sorted(wanted)}
    return {
        path: {name: int(propagates) for name, propagates in sorted(names.items())}
        for path, names in found.items()
        if names or "path" in call.values
    }


def _mentioned(directory: Directory) -> set[str]:
    paths = {str(entry["path"]) for entry in directory["acl"]}
    for pool in directory["pools"].values():
        paths |= {f"/{kind}/{name}" for kind in ("vms", "storage") for name in pool[kind]}
    return paths


def routes() -> Routes:
    """The calls of this module."""
    return {
        ("GET", "/access/acl"): _list,
        ("PUT", "/access/acl"): _change,
        ("GET", "/access/permissions"): _permissions,
    }
