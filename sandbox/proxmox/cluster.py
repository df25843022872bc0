"""Calls about the whole cluster: its resources, the next free guest id, and pools (there are none)."""

from __future__ import annotations

from typing import Any

from sandbox.proxmox import nodes, power, records, volumes
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import bad_parameters, failed


def _resources(call: Call) -> Any:
    wanted = call.values.get("type")
    found: list[dict[str, Any]] = []
    if wanted in (None, "vm"):
        found += [_guest(record, call) for record in records.every(call.t)]
    for name in nodes.names(call.t):
        if wanted in (None, "node"):
            found.append({"id": f"node/{name}", "type": "node", "node": name, "status": "online"})
        if wanted in (None, "storage"):
            found += [
                {"id": f"storage/{name}/{one}", "type": "storage", "node": name, "storage": one}
                | {"status": "available", "plugintype": volumes.storage_type(one), "shared": 0}
                for one in volumes.storages(call.t, name)
            ]
    return found


def _guest(record: records.Record, call: Call) -> dict[str, Any]:
    kind = record["kind"]
    shown = power.status(record, call.guests)
    return shown | {"id": f"{kind}/{record['vmid']}", "type": kind, "node": record["node"], "template": 0}


def _next_id(call: Call) -> Any:
    taken = {int(record["vmid"]) for record in records.every(call.t)}
    wanted = call.values.get("vmid")
    if wanted is None:
        return str(next(number for number in range(100, 10**9) if number not in taken))
    if int(wanted) in taken:
        raise bad_parameters({"vmid": f"VM {wanted} already exists"})
    return str(wanted)


def _pools(call: Call) -> Any:
    if "poolid" in call.values:
        raise failed(f"pool '{call.values['poolid']}' does not exist")
    return []


def routes() -> Routes:
    """The calls of this module."""
    return {
        ("GET", "/cluster/resources"): _resources,
        ("GET", "/cluster/nextid"): _next_id,
        ("GET", "/pools"): _pools,
    }
