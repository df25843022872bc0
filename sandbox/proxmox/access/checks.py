"""Whether a caller may make a call: the `permissions` of Proxmox VE's API description, evaluated.

Source of the forms and their texts: PVE/RPCEnvironment.pm (`check_api2_permissions`, `exec_api2_perm_check`). Where the
description says `user: all`, the call itself decides what the caller sees or may do; `Caller` is what it asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.proxmox.access import directory as directories
from sandbox.proxmox.access.directory import ROOT, Directory
from sandbox.proxmox.access.permissions import privileges
from sandbox.proxmox.errors import ApiError

Values = Mapping[str, str]


def denied(what: str = "") -> ApiError:
    """Status 403: what is missing, as `path, privilege`."""
    return ApiError(403, f"Permission check failed ({what})" if what else "Permission check failed")


def normalised(path: str) -> str | None:
    """An ACL path without double or trailing slashes, or None for one that Proxmox VE does not take."""
    tidy = "/" + "/".join(part for part in path.split("/") if part)
    return tidy if path.startswith("/") and re.fullmatch(r"[A-Za-z0-9./_:-]+", tidy) else None


@dataclass(frozen=True)
class Caller:
    """Who calls, `user@realm` or `user@realm!token`, and what the access configuration says about it."""

    who: str
    directory: Directory
    _known: dict[str, dict[str, bool]] = field(default_factory=dict, compare=False)

    def has(self, path: str, names: Iterable[str], *, any_of: bool = False) -> bool:
        """Whether it has all of the privileges at a path, or any of them."""
        if path not in self._known:
            self._known[path] = privileges(self.directory, self.who, path)
        return (any if any_of else all)(name in self._known[path] for name in names)

    def require(self, path: str, names: Sequence[str], *, any_of: bool = False) -> None:
        """Raise ApiError 403 where it has not."""
        if self.has(path, names, any_of=any_of):
            return
        missing = [name for name in names if not self.has(path, [name])]
        raise denied(f"{path}, {'|'.join(names) if any_of else missing[0]}")

    def may_modify_permissions(self, path: str) -> bool:
        """Whether it may change the ACL of a path."""
        return self.has(path, _modifying(path), any_of=True)


def _modifying(path: str) -> tuple[str, ...]:
    own = {"storage": "Datastore.Allocate", "vms": "VM.Allocate", "pool": "Pool.Allocate"}
    parts = path.strip("/").split("/")
    return ("Permissions.Modify", *([own[parts[0]]] if len(parts) > 1 and parts[0] in own else []))


def require_permission(permissions: Mapping[str, Any] | None, caller: Caller, values: Values) -> None:
    """Raise ApiError 403 where the description does not let the caller make the call.

    Args:
        permissions: the call's, as the description has them; None where only root may.
        values: the parameters, not yet verified: Proxmox VE looks at permissions first.
    """
    if caller.who == ROOT:
        return
    if permissions is None:
        raise denied("user != root@pam")
    if permissions.get("user") in ("all", "world"):
        return
    if "check" not in permissions:
        raise denied()
    _check(permissions["check"], caller, values)


def _check(check: Sequence[Any], caller: Caller, values: Values) -> None:
    form, *rest = check
    if form == "and":
        for one in rest:
            _check(one, caller, values)
    elif form == "or":
        if not any(_holds(one, caller, values) for one in rest):
            raise denied()
    else:
        _FORMS[form](rest, caller, values)


def _holds(check: Sequence[Any], caller: Caller, values: Values) -> bool:
    try:
        _check(check, caller, values)
    except ApiError:
        return False
    return True


def _options(rest: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(rest[::2], rest[1::2], strict=True))


def _perm(rest: Sequence[Any], caller: Caller, values: Values) -> None:
    template, names, *more = rest
    options = _options(more)
    if options.get("require_param", "") not in ("", *values):
        raise denied()
    caller.require(_path(template, values), names, any_of=bool(options.get("any")))


def _path(template: str, values: Values) -> str:
    path = normalised(re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], ""), template))
    if path is None:
        raise denied()
    return path


def _perm_modify(rest: Sequence[Any], caller: Caller, values: Values) -> None:
    path = _path(rest[0], values)
    caller.require(path, _modifying(path), any_of=True)


def _userid_param(rest: Sequence[Any], caller: Caller, values: Values) -> None:
    userid = values.get("userid", "")
    if rest[0] == "self":
        if userid not in caller.directory["users"]:
            raise directories.missing_user(userid)
        if caller.who != userid:
            raise denied()
    else:
        caller.require(f"/access/realm/{userid.rpartition('@')[2]}", [rest[0]])


def _userid_group(rest: Sequence[Any], caller: Caller, values: Values) -> None:
    names, *more = rest
    how, userid = _options(more).get("groups_param"), values.get("userid", "")
    known = caller.directory["users"].get(userid)
    if how != "create" and known is None:
        raise directories.missing_user(userid)
    if caller.has("/access/groups", names, any_of=True):
        return
    wanted = directories.names(values.get("groups", ""))
    what = f"/access/groups{{}}, {'|'.join(names)}"
    if how and not wanted:
        raise denied(what.format(""))
    for group in wanted if how else ():
        exists = group in caller.directory["groups"]
        if not exists or not caller.has(f"/access/groups/{group}", names, any_of=True):
            raise denied(what.format(f"/{group}"))
    if how != "create" and not any(
        caller.has(f"/access/groups/{group}", names, any_of=True) for group in (known or {}).get("groups", ())
    ):
        raise denied()


_FORMS = {
    "perm": _perm,
    "perm-modify": _perm_modify,
    "userid-param": _userid_param,
    "userid-group": _userid_group,
}
