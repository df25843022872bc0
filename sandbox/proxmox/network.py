"""Network interfaces of a node: bridges, VLANs and bonds, pending until the node reloads its network.

A fresh node has the physical port `eno1` and nothing else. Guests may use a bridge only once it is applied.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import bad_parameters, failed
from sandbox.store import Transaction

COLLECTION = "pve/network"
_PORT = {"iface": "eno1", "type": "eth", "exists": 1, "active": 1, "method": "manual", "method6": "manual"}
_FRESH: dict[str, Any] = {"applied": {"eno1": _PORT}, "pending": {"eno1": _PORT}}


def load(t: Transaction, node: str) -> dict[str, Any]:
    """The interfaces of a node as they are and as they will be after a reload: `applied` and `pending`."""
    state: dict[str, Any] = t.get(COLLECTION, node) or json.loads(json.dumps(_FRESH))
    return state


def has_bridge(t: Transaction, node: str, bridge: str) -> bool:
    """Whether a bridge of this name is applied on the node."""
    return load(t, node)["applied"].get(bridge, {}).get("type") in ("bridge", "OVSBridge")


def _show(entry: dict[str, Any], applied: dict[str, Any]) -> dict[str, Any]:
    shown = dict(entry)
    for key in ("mtu", "vlan-id"):
        # Proxmox VE reads these from a text file and answers them as text.
        if key in shown:
            shown[key] = str(shown[key])
    if entry["iface"] in applied:
        shown["active"] = 1
    return shown


def _list(call: Call) -> Any:
    state, wanted = load(call.t, call.node), call.values.get("type")
    matches = {"any_bridge": ("bridge", "OVSBridge"), "any_local_bridge": ("bridge", "OVSBridge")}
    entries = [
        _show(entry, state["applied"])
        for entry in state["pending"].values()
        if wanted in (None, "include_sdn") or entry["type"] in matches.get(wanted, (wanted,))
    ]
    return [entry | {"priority": number} for number, entry in enumerate(entries, 3)]


def _get(call: Call) -> Any:
    state = load(call.t, call.node)
    entry = state["pending"].get(call.values["iface"])
    if entry is None:
        raise bad_parameters({"iface": "interface does not exist"})
    return _show(entry, state["applied"])


def _entry(call: Call) -> dict[str, Any]:
    entry = {key: value for key, value in call.rest("node", "delete").items() if value != ""}
    for family in ("", "6"):
        if address := entry.get(f"cidr{family}"):
            network = ipaddress.ip_interface(address)
            entry[f"address{family}"] = str(network.ip)
            entry[f"netmask{family}"] = str(network.network.prefixlen)
        entry[f"method{family}"] = "static" if f"address{family}" in entry else "manual"
        if f"gateway{family}" in entry and f"address{family}" not in entry:
            raise bad_parameters({f"address{family}": "missing property - gateway needs an address"})
    if entry["type"] == "vlan":
        device, _, tag = entry["iface"].partition(".")
        if tag:
            entry = {"vlan-id": int(tag), "vlan-raw-device": device} | entry
    if entry["type"] == "bridge":
        entry.setdefault("bridge_ports", "")
        entry |= {"bridge_stp": "off", "bridge_fd": "0"}
    # Proxmox VE keeps a comment as lines of a text file, so it comes back ending in a line break.
    if "comments" in entry:
        entry["comments"] = entry["comments"].rstrip("\n") + "\n"
    return entry


def _create(call: Call) -> None:
    state, name = load(call.t, call.node), call.values["iface"]
    if name in state["pending"]:
        raise bad_parameters({"iface": "interface already exists"})
    _check_ports(state, call.values, name)
    state["pending"][name] = _entry(call)
    call.t.put(COLLECTION, call.node, state)


def _check_ports(state: dict[str, Any], values: dict[str, Any], name: str) -> None:
    for port in values.get("bridge_ports", "").replace(",", " ").split():
        users = [
            other["iface"]
            for other in state["pending"].values()
            if other["iface"] != name and port in other.get("bridge_ports", "").split()
        ]
        if users:
            reason = f"interface '{port}' is already used by bridge '{users[0]}'"
            raise bad_parameters({"bridge_ports": reason})


def _update(call: Call) -> None:
    state, name = load(call.t, call.node), call.values["iface"]
    if name not in state["pending"]:
        raise failed("interface does not exist")
    _check_ports(state, call.values, name)
    state["pending"][name] = _entry(call)
    call.t.put(COLLECTION, call.node, state)


def _delete(call: Call) -> None:
    state, name = load(call.t, call.node), call.values["iface"]
    if state["pending"].pop(name, None) is None:
        raise bad_parameters({"iface": "interface does not exist"})
    call.t.put(COLLECTION, call.node, state)


def _reload(call: Call) -> Any:
    def work(log: list[str]) -> None:
        state = load(call.t, call.node)
        state["applied"] = state["pending"]
        call.t.put(COLLECTION, call.node, state)

    return call.finished("srvreload", "networking", work)


def _revert(call: Call) -> None:
    state = load(call.t, call.node)
    state["pending"] = state["applied"]
    call.t.put(COLLECTION, call.node, state)


def routes() -> Routes:
    """The calls of this module."""
    return {
        ("GET", "/nodes/{node}/network"): _list,
        ("POST", "/nodes/{node}/network"): _create,
        ("PUT", "/nodes/{node}/network"): _reload,
        ("DELETE", "/nodes/{node}/network"): _revert,
        ("GET", "/nodes/{node}/network/{iface}"): _get,
        ("PUT", "/nodes/{node}/network/{iface}"): _update,
        ("DELETE", "/nodes/{node}/network/{iface}"): _delete,
    }
