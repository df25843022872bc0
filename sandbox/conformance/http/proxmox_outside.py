"""Changes of a Proxmox VE behind the plugin's back: what it made is removed, or its guest stops."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import unquote

from sandbox.conformance.errors import Unplayable
from sandbox.conformance.recording import Case, Step
from sandbox.proxmox import firewall, groups, network, records, sdn, sections, volumes
from sandbox.proxmox.access import directory as directories
from sandbox.proxmox.guests import GuestHost
from sandbox.store import Store, Transaction

_REMOVED: Final = "the thing was removed outside of Pulumi"
_DESTROYED: Final = "the guest was destroyed: every call below it answers"
_STOPPED: Final = "the guest was stopped outside"
_SCOPE: Final = r"(?P<scope>cluster|nodes/[^/]+(?:/(?:qemu|lxc)/\d+)?)/firewall"
Names = dict[str, str]


def change_outside(store: Store, host: GuestHost, case: Case, step: Step, prefix: str) -> None:
    """Play a `world` step.

    Raises:
        Unplayable: it is another change, or what the plugin made is not of a kind that is known here.
    """
    with store.transaction() as t:
        if step["what"] == _STOPPED:
            for record in records.every(t):
                host.stop(int(record["vmid"]))
                records.save(t, record | {"running": False})
        elif step["what"].startswith(_DESTROYED):
            for record in records.every(t):
                _guest(t, {"vmid": str(record["vmid"])})
        elif step["what"] == _REMOVED:
            _remove(t, list(_writes(case, step, prefix)))
        else:
            raise Unplayable(step["what"])


def _writes(case: Case, until: Step, prefix: str) -> Iterator[tuple[str, Any]]:
    for step in case.steps:
        if step is until:
            return
        for one in step.get("http") or ():
            if one["method"] in ("POST", "PUT") and one["status"] == 200:
                yield unquote(one["path"].removeprefix(prefix).strip("/")), one.get("body") or {}


def _remove(t: Transaction, writes: list[tuple[str, Any]]) -> None:
    removed = False
    for path, body in writes:
        for pattern, remove in _REMOVALS:
            if match := re.fullmatch(pattern, path):
                remove(t, {**match.groupdict(""), **body})
                removed = True
    if not removed:
        raise Unplayable("what was removed is not known here")


def _guest(t: Transaction, names: Names) -> None:
    record = records.find(t, int(names.get("vmid") or names["newid"]))
    if record is not None:
        t.delete(records.COLLECTION, str(record["vmid"]))
        firewall.forget_guest(t, record)


def _interface(t: Transaction, names: Names) -> None:
    state = network.load(t, names["node"])
    for part in ("applied", "pending"):
        state[part].pop(names["iface"], None)
    t.put(network.COLLECTION, names["node"], state)


def _download(t: Transaction, names: Names) -> None:
    volid = f"{names['storage']}:{names['content']}/{names['filename']}"
    if volumes.find(t, names["node"], volid):
        volumes.remove(t, names["node"], volid)


def _in_scope(part: str) -> Callable[[Transaction, Names], None]:
    def remove(t: Transaction, names: Names) -> None:
        parts = names["scope"].split("/")
        key = {1: "cluster", 2: f"node/{parts[-1]}", 4: f"guest/{parts[-1]}"}[len(parts)]
        scope = firewall.scope_of(t, key)
        content = scope[part]
        if isinstance(content, list):
            content.clear()
        else:
            content.pop(names["name"], None)
            content.pop(names["name"].lower(), None)
        t.put(firewall.COLLECTION, key, scope)

    return remove


def _directory(kind: str, key: str) -> Callable[[Transaction, Names], None]:
    def remove(t: Transaction, names: Names) -> None:
        directory = directories.load(t)
        directory[kind].pop(names[key], None)
        directories.save(t, directory)

    return remove


def _token(t: Transaction, names: Names) -> None:
    directory = directories.load(t)
    directory["users"][names["userid"]]["tokens"].pop(names["tokenid"], None)
    directories.save(t, directory)


def _acl(t: Transaction, names: Names) -> None:
    directory = directories.load(t)
    directory["acl"] = [one for one in directory["acl"] if one["path"] != names["path"]]
    directories.save(t, directory)


def _subnets(t: Transaction) -> None:
    for name, _ in t.list(sdn.SUBNETS):
        t.delete(sdn.SUBNETS, name)


def _section(collection: str, key: str) -> Callable[[Transaction, Names], None]:
    def remove(t: Transaction, names: Names) -> None:
        t.delete(collection, names[key])

    return remove


_REMOVALS: Final[tuple[tuple[str, Callable[[Transaction, Names], None]], ...]] = (
    (r"nodes/(?P<node>[^/]+)/(?:qemu|lxc)(?:/\d+/clone)?", _guest),
    (r"nodes/(?P<node>[^/]+)/network", lambda t, names: _interface(t, names) if "iface" in names else None),
    (r"nodes/(?P<node>[^/]+)/storage/(?P<storage>[^/]+)/download-url", _download),
    (rf"{_SCOPE}/rules", _in_scope("rules")),
    (rf"{_SCOPE}/aliases", _in_scope("aliases")),
    (rf"{_SCOPE}/ipset", _in_scope("ipset")),
    (r"cluster/firewall/groups", _section(groups.COLLECTION, "group")),
    (r"cluster/sdn/vnets/(?P<vnet>[^/]+)/subnets", lambda t, names: _subnets(t)),
    (r"pools", lambda t, names: _directory("pools", "poolid")(t, names) if "poolid" in names else None),
    (r"access/users", _directory("users", "userid")),
    (r"access/groups", _directory("groups", "groupid")),
    (r"access/roles", _directory("roles", "roleid")),
    (r"access/acl", _acl),
    (r"access/users/(?P<userid>[^/]+)/token/(?P<tokenid>[^/]+)", _token),
    *(
        (f"{one.base.strip('/')}(?:/(?P<{one.key}>[^/]+))?", _section(one.collection, one.key))
        for one in (*sections.SECTIONS, sdn.VNETS)
    ),
)
