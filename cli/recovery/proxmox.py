"""Pending creates at Proxmox VE: what an object of a type is called, and where a list shows it.

Ids and paths are those of the official plugin (recorded conversations). Tasks that the killed plugin had
begun still run at the server: they are waited for before anything is looked up. What is only partly
written (a rule, a disk's size, a guest that is not started) is a difference that the next update sees, so
it is taken over as it is; a guest of another name is somebody else's and never is.
"""

import time
import urllib.parse
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cli.recovery.asking import JsonApi
from cli.recovery.findings import Finding, absent, found, incomplete, number, repeated, text, undecided
from cli.recovery.state import Operation

_TASK_SECONDS, _PAUSE = 1800.0, 1.0
WRITES = {
    "proxmoxve:cluster/firewallLegacy:FirewallLegacy": "the cluster always has firewall options",
    "proxmoxve:firewall/optionsLegacy:OptionsLegacy": "a guest always has firewall options",
    "proxmoxve:index/dnsLegacy:DnsLegacy": "a node always has a resolver",
    "proxmoxve:index/timeLegacy:TimeLegacy": "a node always has a time zone",
    "proxmoxve:node/firewall:Firewall": "a node always has firewall options",
}
"""Types whose creation only writes settings that are there anyway."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an object is, if it is anywhere.

    Attributes:
        id: the id that the plugin answers when it creates it.
        path: the list to ask for, below `/api2/json`.
        key: the key of a list entry that names the object; empty where any entry is it.
        value: what that key has.
        query: of the question.
        expected: what else such an entry has; a different one is somebody else's.
    """

    id: str
    path: str
    key: str = ""
    value: str = ""
    query: Mapping[str, str] | None = None
    expected: Mapping[str, str] | None = None


def place(type_: str, inputs: Mapping[str, Any]) -> Place | None:
    """Where an object is looked up; None where its type, or what it is called, is not known."""
    known: dict[str, Callable[[Mapping[str, Any]], Place]] = {
        "proxmoxve:cluster/firewall/security/groupLegacy:GroupLegacy": _group,
        "proxmoxve:download/file:File": _file,
        "proxmoxve:firewall/aliasLegacy:AliasLegacy": lambda i: _named(i, "aliases"),
        "proxmoxve:firewall/ipsetLegacy:IpsetLegacy": lambda i: _named(i, "ipset"),
        "proxmoxve:firewall/rulesLegacy:RulesLegacy": _rules,
        "proxmoxve:hardware/mapping/pci:Pci": _pci,
        "proxmoxve:index/containerLegacy:ContainerLegacy": _container,
        "proxmoxve:index/vmLegacy:VmLegacy": _vm,
        "proxmoxve:network/linux/bridge:Bridge": _bridge,
    }
    where = known[type_](inputs) if type_ in known else None
    return where if where is not None and where.id else None


def _path(*segments: str | int) -> str:
    return "/".join(urllib.parse.quote(str(segment), safe=":@") for segment in segments)


def _scope(inputs: Mapping[str, Any], *, nodes: bool) -> str:
    """The path of the firewall that an object belongs to; aliases and IP sets have none for a node."""
    node = text(inputs, "nodeName")
    for key, kind in (("vmId", "qemu"), ("containerId", "lxc")):
        if (guest := number(inputs, key)) is not None:
            return _path("nodes", node, kind, guest, "firewall")
    return _path("nodes", node, "firewall") if node and nodes else "cluster/firewall"


def _named(inputs: Mapping[str, Any], part: str) -> Place:
    name = text(inputs, "name")
    return Place(id=name, path=f"{_scope(inputs, nodes=False)}/{part}", key="name", value=name)


def _rules(inputs: Mapping[str, Any]) -> Place:
    path = f"{_scope(inputs, nodes=True)}/rules"
    return Place(id=f"rule-{zlib.crc32(path.encode())}", path=path)


def _group(inputs: Mapping[str, Any]) -> Place:
    name = text(inputs, "name")
    return Place(id=name, path="cluster/firewall/groups", key="group", value=name)


def _pci(inputs: Mapping[str, Any]) -> Place:
    name = text(inputs, "name")
    return Place(id=name, path="cluster/mapping/pci", key="id", value=name)


def _bridge(inputs: Mapping[str, Any]) -> Place:
    node, name = text(inputs, "nodeName"), text(inputs, "name")
    return Place(id=f"{node}:{name}", path=_path("nodes", node, "network"), key="iface", value=name)


def _file(inputs: Mapping[str, Any]) -> Place:
    storage, content = text(inputs, "datastoreId"), text(inputs, "contentType")
    file = text(inputs, "fileName") or urllib.parse.urlsplit(text(inputs, "url")).path.rpartition("/")[2]
    volume = f"{storage}:{content}/{file}"
    path = _path("nodes", text(inputs, "nodeName"), "storage", storage, "content")
    return Place(id=volume, path=path, key="volid", value=volume, query={"content": content})


def _vm(inputs: Mapping[str, Any]) -> Place:
    return _guest(inputs, "qemu", text(inputs, "name"))


def _container(inputs: Mapping[str, Any]) -> Place:
    initialization = inputs.get("initialization")
    name = text(initialization, "hostname") if isinstance(initialization, Mapping) else ""
    return _guest(inputs, "lxc", name)


def _guest(inputs: Mapping[str, Any], kind: str, name: str) -> Place:
    # Without one the plugin takes the next that is free, and nobody else knows which.
    vmid = str(number(inputs, "vmId") or "")
    expected = {"type": kind, "node": text(inputs, "nodeName"), **({"name": name} if name else {})}
    query = {"type": "vm"}
    return Place(id=vmid, path="cluster/resources", key="vmid", value=vmid, query=query, expected=expected)


class ProxmoxCluster:
    """The API of a cluster.

    Args:
        address: its endpoint, such as `https://10.10.10.11:8006`.
        token: an API token, `user@realm!name=secret`.
        tell: shows a line of progress.
    """

    def __init__(self, address: str, token: str, *, tell: Callable[[str], None] = print) -> None:
        self._user = token.partition("=")[0]
        self._api = JsonApi(
            name="proxmox",
            address=f"{address.rstrip('/').removesuffix('/api2/json')}/api2/json",
            authorization=f"PVEAPIToken={token}",
        )
        self._tell = tell
        self._quiet: set[str] = set()

    def find(self, operation: Operation) -> Finding:
        """Look one object up, after the tasks that may still be making it have ended."""
        if operation.type in WRITES:
            return repeated(operation, WRITES[operation.type])
        where = place(operation.type, operation.inputs)
        if where is None:
            return undecided(operation, "what it is called is not known; look for it in Proxmox VE")
        self._wait(text(operation.inputs, "nodeName"))
        entries = self._api.get(where.path, where.query)["data"] or []
        entry = _entry(where, entries)
        if entry is None:
            return absent(operation)
        other = [f"{key} {entry.get(key)}" for key, value in (where.expected or {}).items()
                 if str(entry.get(key)) != value]  # fmt: skip
        if other:
            return undecided(
                operation,
                f"{where.value} is there and is another one ({', '.join(other)}), so it is not taken over; "
                "move or remove it, or change the lab's vmid",
            )
        if where.key == "iface" and not entry.get("active"):
            return incomplete(operation, where.id, "it is not active")
        return found(operation, where.id)

    def _wait(self, node: str) -> None:
        """Wait for what this token has running on a node."""
        deadline, told = time.monotonic() + _TASK_SECONDS, False
        while node and node not in self._quiet:
            running = _running(self._api.get(_path("nodes", node, "tasks"), {"source": "active"}), self._user)
            if not running or time.monotonic() > deadline:
                self._quiet.add(node)
                return
            if not told:
                self._tell(f"waiting for {', '.join(running)}, which still runs on {node}")
                told = True
            time.sleep(_PAUSE)


def _running(answer: Mapping[str, Any], user: str) -> list[str]:
    return [
        f"{task.get('type', 'task')} {task.get('id', '')}".strip()
        for task in answer["data"] or []
        if task.get("user") == user and not task.get("endtime") and task.get("status", "RUNNING") == "RUNNING"
    ]


def _entry(where: Place, entries: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return next((e for e in entries if not where.key or str(e.get(where.key)) == where.value), None)
