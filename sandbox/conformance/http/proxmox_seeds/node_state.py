"""What a node has: network devices, files and disks, and its own settings."""

from __future__ import annotations

import re
from typing import Any, Final

from sandbox.conformance.http.conversation import EXISTS, Trace
from sandbox.conformance.http.proxmox_seeds.seed import Make, Names, Seeds, without
from sandbox.proxmox import network, nodes, volumes
from sandbox.store import Transaction


def add_file(
    t: Transaction, node: str, volid: str, size: int = 2 * volumes.GIB, form: str | None = None
) -> None:
    """An image, template or snippet, unless it is there."""
    if volumes.find(t, node, volid) is None:
        content = volid.partition(":")[2].partition("/")[0]
        form = form or volid.rpartition(".")[2]
        volumes.add(t, node, volid, content=content, size=size, form=form)


def add_disk(t: Transaction, node: str, vmid: int, text: str) -> None:
    """The volume of a guest's drive, as its configuration has it, unless it is there."""
    volid = text.split(",")[0]
    if ":" in volid and volumes.find(t, node, volid) is None:
        size = re.search(r"size=(\w+)", text)
        content = "rootdir" if "subvol" in volid else "images"
        bytes_ = volumes.read_size(size[1]) if size else 4 * 2**20
        volumes.add(t, node, volid, content=content, size=bytes_, form="raw", vmid=vmid)


def add_interface(t: Transaction, node: str, entry: dict[str, Any]) -> None:
    """A network device of a node, unless it is there."""
    state = network.load(t, node)
    kept = {key: value for key, value in entry.items() if key not in ("priority", "digest")}
    for part in ("applied", "pending"):
        state[part].setdefault(
            entry["iface"], {"method": "manual", "method6": "manual", "autostart": 1} | kept
        )
    t.put(network.COLLECTION, node, state)


def _interfaces(t: Transaction, names: Names, trace: Trace) -> None:
    for entry in trace.data or ():
        add_interface(t, names["node"], entry)
    if trace.refused and EXISTS.search(trace.refused):
        add_interface(t, names["node"], trace.body)


def _interface(t: Transaction, names: Names, trace: Trace) -> None:
    if trace.method != "GET":
        kinds = {"vmbr": "bridge", "bond": "bond"}
        kind = next((kind for start, kind in kinds.items() if names["iface"].startswith(start)), "vlan")
        add_interface(t, names["node"], {"iface": names["iface"], "type": trace.body.get("type", kind)})


def _contents(t: Transaction, names: Names, trace: Trace) -> None:
    for entry in trace.data or ():
        if "/" in entry["volid"]:
            add_file(t, names["node"], entry["volid"], entry["size"], entry.get("format"))


def _downloaded(t: Transaction, names: Names, trace: Trace) -> None:
    if EXISTS.search(trace.refused):
        volid = f"{names['storage']}:{trace.body['content']}/{trace.body['filename']}"
        add_file(t, names["node"], volid)


def _node_setting(name: str) -> Make:
    def make(t: Transaction, names: Names, trace: Trace) -> None:
        if trace.data:
            nodes.remember(t, names["node"])
            found = trace.data["timezone"] if name == "timezone" else without(trace.data, "digest")
            t.put(nodes.NODES, names["node"], t.get(nodes.NODES, names["node"]) | {name: found})

    return make


SEEDS: Final[Seeds] = (
    (r"nodes/(?P<node>[^/]+)/network", _interfaces),
    (r"nodes/(?P<node>[^/]+)/network/(?P<iface>[^/]+)", _interface),
    (r"nodes/(?P<node>[^/]+)/storage/(?P<storage>[^/]+)/content", _contents),
    (r"nodes/(?P<node>[^/]+)/storage/(?P<storage>[^/]+)/download-url", _downloaded),
    (r"nodes/(?P<node>[^/]+)/dns", _node_setting("dns")),
    (r"nodes/(?P<node>[^/]+)/time", _node_setting("timezone")),
    (r"nodes/(?P<node>[^/]+)/hosts", _node_setting("hosts")),
    (r"nodes/(?P<node>[^/]+)/config", _node_setting("config")),
)
