"""Calls about the whole cluster: its resources, the next free guest id, and its options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.proxmox import nodes, power, propertystring, records, storage, volumes
from sandbox.proxmox.access.pools import pool_of
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import bad_parameters

OPTIONS = "pve/options"
# Property strings that Proxmox VE answers as they are; the others it takes apart.
_TEXTS = ("bwlimit",)


def _resources(call: Call) -> Any:
    wanted = call.values.get("type")
    found: list[dict[str, Any]] = []
    if wanted in (None, "vm"):
        found += [_guest(record, call) for record in records.visible(call)]
    for name in nodes.names(call.t):
        if wanted in (None, "node") and call.caller.has(f"/nodes/{name}", ["Sys.Audit"]):
            found.append({"id": f"node/{name}", "type": "node", "node": name, "status": "online"})
        if wanted in (None, "storage"):
            found += [
                {"id": f"storage/{name}/{one}", "type": "storage", "node": name, "storage": one}
                | {"status": "available", "plugintype": volumes.storage_type(one), "shared": 0}
                for one in storage.visible(call, volumes.storages(call.t, name))
            ]
    return found


def _guest(record: records.Record, call: Call) -> dict[str, Any]:
    kind = record["kind"]
    shown = power.status(record, call.guests)
    shown |= {"id": f"{kind}/{record['vmid']}", "type": kind, "node": record["node"]}
    pool = pool_of(call.caller.directory, int(record["vmid"]))
    return shown | {"template": int(record["config"].get("template", 0))} | ({"pool": pool} if pool else {})


def _next_id(call: Call) -> Any:
    taken = {int(record["vmid"]) for record in records.every(call.t)}
    wanted = call.values.get("vmid")
    if wanted is None:
        return str(next(number for number in range(100, 10**9) if number not in taken))
    if int(wanted) in taken:
        raise bad_parameters({"vmid": f"VM {wanted} already exists"})
    return str(wanted)


def _get_options(call: Call) -> Any:
    return call.t.get(OPTIONS, "datacenter") or {}


def _put_options(call: Call) -> None:
    options = call.t.get(OPTIONS, "datacenter") or {}
    for name in re.split(r"[,;\s]+", call.values.get("delete", "")):
        options.pop(name, None)
    given = {
        key: value if key in _TEXTS else _parsed(call.parameter(key), value)
        for key, value in call.rest("delete").items()
    }
    call.t.put(OPTIONS, "datacenter", options | given)


def _parsed(schema: Mapping[str, Any] | None, value: Any) -> Any:
    """A property string as the object that Proxmox VE answers for it."""
    inner = propertystring.schema_of(schema or {})
    if inner is None or not isinstance(value, str):
        return value
    pairs = propertystring.parse(value, inner).items()
    return {
        key: int(text) if inner[key].get("type") in ("integer", "boolean") else text for key, text in pairs
    }


def routes() -> Routes:
    """The calls of this module."""
    return {
        ("GET", "/cluster/resources"): _resources,
        ("GET", "/cluster/nextid"): _next_id,
        ("GET", "/cluster/options"): _get_options,
        ("PUT", "/cluster/options"): _put_options,
    }
