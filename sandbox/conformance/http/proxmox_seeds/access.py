"""What the directory has: pools, users with their tokens, groups, roles, and who may do what."""

from __future__ import annotations

from typing import Final

from sandbox.conformance.http.conversation import EXISTS, Trace
from sandbox.conformance.http.proxmox_seeds.seed import Names, Seeds
from sandbox.proxmox import records
from sandbox.proxmox.access import directory as directories
from sandbox.proxmox.access.roles import PREDEFINED
from sandbox.store import Transaction


def _pools(t: Transaction, names: Names, trace: Trace) -> None:
    directory = directories.load(t)
    wanted = list(trace.data or ())
    if not wanted and "poolid" in {**trace.query, **trace.body} and trace.method != "POST":
        wanted = [{**trace.query, **trace.body}]
    if EXISTS.search(trace.refused):
        wanted = [trace.body]
    for vmid in directories.names(str(trace.body.get("vms", ""))):
        if vmid.isdigit() and vmid not in trace.made and records.find(t, int(vmid)) is None:
            records.save(t, records.new("qemu", "pve1", int(vmid)))
    for one in wanted:
        members = [str(member["vmid"]) for member in one.get("members", ()) if "vmid" in member]
        pool = {"comment": one.get("comment", ""), "vms": members, "storage": []}
        directory["pools"].setdefault(one["poolid"], pool)
    directories.save(t, directory)


def _user(t: Transaction, names: Names, trace: Trace) -> None:
    directory, userid = directories.load(t), names.get("userid") or trace.body.get("userid", "")
    if (names.get("userid") and userid not in trace.made) or EXISTS.search(trace.refused):
        source = trace.data or trace.body
        known = ("enable", "expire", "firstname", "lastname", "email", "comment", "keys")
        settings = {key: source[key] for key in known if source.get(key)} if trace.data else {}
        directory["users"].setdefault(userid, directories.new_user(**settings))
    directories.save(t, directory)


def _token(t: Transaction, names: Names, trace: Trace) -> None:
    directory = directories.load(t)
    user = directory["users"].setdefault(names["userid"], directories.new_user())
    if trace.data or EXISTS.search(trace.refused):
        settings = {"expire": 0, "privsep": 1} | (trace.data or {})
        user["tokens"].setdefault(names["tokenid"], {"settings": settings, "digest": ""})
    directories.save(t, directory)


def _user_group(t: Transaction, names: Names, trace: Trace) -> None:
    directory, name = directories.load(t), names.get("groupid") or trace.body.get("groupid", "")
    if names.get("groupid") or EXISTS.search(trace.refused):
        directory["groups"].setdefault(name, {"comment": (trace.data or {}).get("comment", "")})
        for member in (trace.data or {}).get("members", ()):
            user = directory["users"].setdefault(member, directories.new_user())
            user["groups"] = sorted({*user["groups"], name})
    directories.save(t, directory)


def _role(t: Transaction, names: Names, trace: Trace) -> None:
    directory, name = directories.load(t), names.get("roleid") or trace.body.get("roleid", "")
    if names.get("roleid") or EXISTS.search(trace.refused):
        directory["roles"].setdefault(name, sorted(trace.data or ()))
    directories.save(t, directory)


def _acl(t: Transaction, names: Names, trace: Trace) -> None:
    directory = directories.load(t)
    for entry in trace.data or ():
        if entry not in directory["acl"]:
            directory["acl"].append(entry)
    for userid in set(directories.names(str(trace.body.get("users", "")))) - trace.made:
        directory["users"].setdefault(userid, directories.new_user())
    for token in directories.names(str(trace.body.get("tokens", ""))):
        userid, _, name = token.partition("!")
        user = directory["users"].setdefault(userid, directories.new_user())
        user["tokens"].setdefault(name, {"settings": {"expire": 0, "privsep": 1}, "digest": ""})
    for role in set(directories.names(str(trace.body.get("roles", "")))) - trace.made - PREDEFINED.keys():
        directory["roles"].setdefault(role, [])
    directories.save(t, directory)


SEEDS: Final[Seeds] = (
    (r"pools", _pools),
    (r"access/users", _user),
    (r"access/users/(?P<userid>[^/]+)", _user),
    (r"access/users/(?P<userid>[^/]+)/token/(?P<tokenid>[^/]+)", _token),
    (r"access/groups(?:/(?P<groupid>[^/]+))?", _user_group),
    (r"access/roles(?:/(?P<roleid>[^/]+))?", _role),
    (r"access/acl", _acl),
)
