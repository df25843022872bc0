"""Nodes: their existence, status, DNS, time and tasks, and the version of the API."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sandbox.proxmox import records, tasks
from sandbox.proxmox.access.checks import denied
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import bad_parameters
from sandbox.store import Transaction

NODES = "pve/nodes"
VERSION = {"version": "9.2.4", "release": "9.2", "repoid": "5e5f3e1e2a1d7a11"}
_MEMORY = 64 * 2**30
_PROCESSORS = 16


def remember(t: Transaction, node: str) -> None:
    """Make a node exist: the first request that names one is enough."""
    if t.get(NODES, node) is None:
        t.put(NODES, node, {"dns": {"search": "localdomain"}, "timezone": "UTC"})


def names(t: Transaction) -> list[str]:
    """The nodes that any request has named."""
    return [name for name, _ in t.list(NODES)]


def _version(call: Call) -> Any:
    return VERSION


def _index(call: Call) -> Any:
    return [
        {
            "node": name, "id": f"node/{name}", "type": "node", "status": "online", "maxcpu": _PROCESSORS,
            "maxmem": _MEMORY, "mem": 0, "cpu": 0, "uptime": 1, "level": "",
        }
        for name in names(call.t)
    ]  # fmt: skip


def _status(call: Call) -> Any:
    return {
        "pveversion": f"pve-manager/{VERSION['version']}/{VERSION['repoid']}",
        "kversion": "Linux (sandbox)",
        "uptime": 1,
        "cpu": 0,
        "loadavg": ["0.00", "0.00", "0.00"],
        "cpuinfo": {"cpus": _PROCESSORS, "cores": _PROCESSORS, "sockets": 1, "model": "sandbox"},
        "boot-info": {"mode": "efi", "secureboot": 0},
        "current-kernel": {
            "sysname": "Linux",
            "release": "sandbox",
            "version": "#1 SMP",
            "machine": "x86_64",
        },
        "memory": {"total": _MEMORY, "used": 0, "free": _MEMORY, "available": _MEMORY},
        "rootfs": {"total": 100 * 2**30, "used": 0, "free": 100 * 2**30, "avail": 100 * 2**30},
    }


def _settings(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = call.t.get(NODES, call.node)
    return found


def _get_dns(call: Call) -> Any:
    return _settings(call)["dns"]


def _put_dns(call: Call) -> None:
    # A server that the request leaves out is kept, as in Proxmox VE.
    changed = _settings(call)
    changed["dns"] = {k: v for k, v in {**changed["dns"], **call.rest("node")}.items() if v != ""}
    call.t.put(NODES, call.node, changed)


def _get_time(call: Call) -> Any:
    zone = _settings(call)["timezone"]
    now = int(time.time())
    return {"timezone": zone, "time": now, "localtime": now + _offset(zone, now)}


def _offset(zone: str, now: int) -> int:
    """Seconds east of UTC; 0 where this machine has no time zone data."""
    if zone not in available_timezones():
        return 0
    offset = datetime.fromtimestamp(now, ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _put_time(call: Call) -> None:
    zone, known = call.values["timezone"], available_timezones()
    if (known and zone not in known) or not re.fullmatch(r"[A-Za-z][\w+-]*(?:/[\w+-]+)*", zone):
        raise bad_parameters({"timezone": f"No such timezone '{zone}'"})
    call.t.put(NODES, call.node, _settings(call) | {"timezone": zone})


def _get_hosts(call: Call) -> Any:
    hosts = _settings(call).get("hosts", {"data": "127.0.0.1 localhost.localdomain localhost\n"})
    return hosts | {"digest": records.digest(hosts)}


def _post_hosts(call: Call) -> None:
    found = {key: value for key, value in _get_hosts(call).items() if key != "digest"}
    records.check_digest(found, call.values.get("digest"))
    call.t.put(NODES, call.node, _settings(call) | {"hosts": {"data": call.values["data"]}})


def _get_config(call: Call) -> Any:
    config = _settings(call).get("config", {})
    return config | {"digest": records.digest(config)}


def _put_config(call: Call) -> None:
    config = _settings(call).get("config", {})
    records.check_digest(config, call.values.get("digest"))
    for name in re.split(r"[,;\s]+", call.values.get("delete", "")):
        config.pop(name, None)
    given = call.rest("node", "delete", "digest")
    if given.get("description"):
        # Kept as comment lines, so it comes back ending in a line break.
        given["description"] = given["description"].rstrip("\n") + "\n"
    merged = {key: value for key, value in (config | given).items() if value != ""}
    call.t.put(NODES, call.node, _settings(call) | {"config": merged})


def _may_see(call: Call, task: dict[str, Any], privilege: str) -> bool:
    owner = str(task["user"])
    # A user's tasks are also those of the user's tokens.
    own = call.caller.who in (owner, owner.partition("!")[0])
    return own or call.caller.has(f"/nodes/{call.node}", [privilege])


def _task(call: Call, privilege: str = "Sys.Audit") -> dict[str, Any]:
    record = tasks.find(call.t, call.node, call.values["upid"])
    if not _may_see(call, record, privilege):
        raise denied(f"/nodes/{call.node}, {privilege}")
    return record


def _shown(task: dict[str, Any]) -> dict[str, Any]:
    # The token that asked is told apart from its user.
    user, _, token = str(task["user"]).partition("!")
    kept = {key: value for key, value in task.items() if key != "log"}
    return kept | {"user": user} | ({"tokenid": token} if token else {})


def _tasks(call: Call) -> Any:
    found = [
        {"upid": upid, **_shown(record)} | {"status": record.get("exitstatus", "RUNNING")}
        for upid, record in call.t.list(tasks.COLLECTION)
        if record["node"] == call.node and _may_see(call, record, "Sys.Audit")
    ]
    newest_first = sorted(found, key=lambda task: -task["pid"])
    start = call.values.get("start", 0)
    return newest_first[start : start + call.values.get("limit", 50)]


def _task_status(call: Call) -> Any:
    upid = call.values["upid"]
    record = _task(call)
    return {"upid": upid, **_shown(record)}


def _task_log(call: Call) -> Any:
    record = _task(call)
    lines = [{"n": number, "t": text} for number, text in enumerate(record["log"], 1)]
    start = call.values.get("start", 0)
    return lines[start : start + call.values.get("limit", 50)]


def _task_stop(call: Call) -> None:
    _task(call, "Sys.Modify")


def routes() -> Routes:
    """The calls of this module."""
    return {
        ("GET", "/version"): _version,
        ("GET", "/nodes"): _index,
        ("GET", "/nodes/{node}/version"): _version,
        ("GET", "/nodes/{node}/status"): _status,
        ("GET", "/nodes/{node}/dns"): _get_dns,
        ("PUT", "/nodes/{node}/dns"): _put_dns,
        ("GET", "/nodes/{node}/time"): _get_time,
        ("PUT", "/nodes/{node}/time"): _put_time,
        ("GET", "/nodes/{node}/hosts"): _get_hosts,
        ("POST", "/nodes/{node}/hosts"): _post_hosts,
        ("GET", "/nodes/{node}/config"): _get_config,
        ("PUT", "/nodes/{node}/config"): _put_config,
        ("GET", "/nodes/{node}/tasks"): _tasks,
        ("GET", "/nodes/{node}/tasks/{upid}/status"): _task_status,
        ("GET", "/nodes/{node}/tasks/{upid}/log"): _task_log,
        ("DELETE", "/nodes/{node}/tasks/{upid}"): _task_stop,
    }
