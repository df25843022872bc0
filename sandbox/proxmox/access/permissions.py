"""Which privileges a user or token has at a path.

Source: `roles` of PVE/AccessControl.pm and `permissions` of PVE/RPCEnvironment.pm. Going down a path, the entries for
the token, else for the user, else for the user's groups, replace what was inherited from above; NoAccess leaves
nothing. A guest or storage inherits from its pool what it has not of its own. A token with privilege separation has
no more than its user.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sandbox.proxmox.access.directory import ROOT, Directory, privileges_of_role
from sandbox.proxmox.access.roles import ALL

NO_ACCESS: Final = "NoAccess"
_Roles = dict[str, bool]


def privileges(directory: Directory, who: str, path: str) -> dict[str, bool]:
    """Privilege -> whether it propagates to what is below the path.

    Args:
        who: `user@realm` or `user@realm!token`.
        path: normalised, such as `/vms/201`.
    """
    userid, _, token = who.partition("!")
    if not token:
        return _of_user(directory, userid, path)
    known = directory["users"].get(userid, {}).get("tokens", {}).get(token)
    if known is None:
        return {}
    theirs = _of_user(directory, userid, path)
    if not known["settings"]["privsep"]:
        return theirs
    own = _granted(directory, who, path)
    return {name: own[name] and theirs[name] for name in own if name in theirs}


def _of_user(directory: Directory, userid: str, path: str) -> dict[str, bool]:
    return dict.fromkeys(ALL, True) if userid == ROOT else _granted(directory, userid, path)


def _granted(directory: Directory, who: str, path: str) -> dict[str, bool]:
    roles = _with_pools(directory, who, path, _roles(directory, who, path))
    found: dict[str, bool] = {}
    for role, propagates in roles.items():
        for name in privileges_of_role(directory, role):
            found[name] = found.get(name, False) or propagates
    return found


def _with_pools(directory: Directory, who: str, path: str, roles: _Roles) -> _Roles:
    if NO_ACCESS in roles:
        return roles
    inherited = {
        role
        for pool, content in directory["pools"].items()
        if path in (f"/{kind}/{name}" for kind in ("vms", "storage") for name in content[kind])
        for role in _roles(directory, who, f"/pool/{pool}")
    }
    if NO_ACCESS in inherited:
        return {NO_ACCESS: False}
    return dict.fromkeys(inherited, False) | roles


def _roles(directory: Directory, who: str, path: str) -> _Roles:
    userid, _, token = who.partition("!")
    groups = directory["users"].get(userid, {}).get("groups", ())
    kinds = [("token", {who})] if token else [("user", {userid}), ("group", set(groups))]
    found: _Roles = {}
    for step in steps(path):
        entries = [entry for entry in directory["acl"] if entry["path"] == step]
        for kind, ids in kinds:
            matching = (entry for entry in entries if entry["type"] == kind and entry["ugid"] in ids)
            here = _applying(matching, final=step == path)
            if here:
                found = here
                break
    return {NO_ACCESS: found[NO_ACCESS]} if NO_ACCESS in found else found


def _applying(entries: Iterable[dict[str, Any]], *, final: bool) -> _Roles:
    found: _Roles = {}
    for entry in entries:
        if final or entry["propagate"]:
            found[entry["roleid"]] = found.get(entry["roleid"], False) or bool(entry["propagate"])
    return found


def steps(path: str) -> list[str]:
    """The path and everything above it, from the top: `/`, `/vms`, `/vms/201`."""
    parts = path.strip("/").split("/") if path.strip("/") else []
    return ["/", *("/" + "/".join(parts[: number + 1]) for number in range(len(parts)))]
