"""Records of guests: their configuration, whether they should run, and what a host needs to run them.

A record is `{"kind", "node", "vmid", "config", "running"}`; `config` is in the form that Proxmox VE
answers. A guest counts as running when the record says so and the host agrees.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.proxmox.errors import failed, missing_guest
from sandbox.proxmox.guests import GuestHost, GuestSpec, NicSpec
from sandbox.store import Transaction

if TYPE_CHECKING:
    from sandbox.proxmox.call import Call

COLLECTION = "pve/guests"

Record = dict[str, Any]


def new(kind: str, node: str, vmid: int) -> Record:
    """The record of a guest that has no configuration yet."""
    return {"kind": kind, "node": node, "vmid": vmid, "config": {}, "running": False}


def find(t: Transaction, vmid: int) -> Record | None:
    """The record of a guest of any kind on any node."""
    record: Record | None = t.get(COLLECTION, str(vmid))
    return record


def load(t: Transaction, kind: str, node: str, vmid: int) -> Record:
    """The record of a guest of this kind on this node. Raises ApiError where there is none."""
    record = find(t, vmid)
    if record is None or record["kind"] != kind or record["node"] != node:
        raise missing_guest(kind, node, vmid)
    return record


def save(t: Transaction, record: Record) -> None:
    """Write a record."""
    t.put(COLLECTION, str(record["vmid"]), record)


def every(t: Transaction) -> list[Record]:
    """All guests by VM id."""
    return sorted((record for _, record in t.list(COLLECTION)), key=lambda record: int(record["vmid"]))


def visible(call: Call) -> list[Record]:
    """All guests that the caller may see, by VM id."""
    return [one for one in every(call.t) if call.caller.has(f"/vms/{one['vmid']}", ["VM.Audit"])]


def require_free(t: Transaction, kind: str, vmid: int) -> None:
    """Raise the ApiError that a create answers when any guest has the id."""
    taken = find(t, vmid)
    if taken is not None:
        new = "VM" if kind == "qemu" else "CT"
        old = "VM" if taken["kind"] == "qemu" else "CT"
        raise failed(f"unable to create {new} {vmid} - {old} {vmid} already exists on node '{taken['node']}'")


def is_running(record: Record, host: GuestHost) -> bool:
    """Whether the guest runs."""
    return bool(record["running"]) and host.running(int(record["vmid"]))


def digest(config: Mapping[str, Any]) -> str:
    """The SHA-1 that tells clients which state of a configuration they saw."""
    text = json.dumps(config, sort_keys=True)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def check_digest(config: Mapping[str, Any], given: str | None) -> None:
    """Raise ApiError where a client changes a state that it has not seen."""
    if given and given != digest(config):
        raise failed("detected modified configuration - file changed by other user? Try again.")


def numbered(config: Mapping[str, Any], prefix: str) -> list[tuple[int, str]]:
    """The values of `net0`, `net1`, ... ordered by number."""
    found = ((re.fullmatch(rf"{prefix}(\d+)", key), value) for key, value in config.items())
    return sorted((int(match[1]), str(value)) for match, value in found if match)


def pairs(text: str) -> dict[str, str]:
    """A property string without its schema: bare values are left out."""
    return dict(part.split("=", 1) for part in text.split(",") if "=" in part)


def name_of(record: Record) -> str:
    """The name of a guest, made up as Proxmox VE does where it has none."""
    key = "name" if record["kind"] == "qemu" else "hostname"
    return str(record["config"].get(key, f"{'VM' if key == 'name' else 'CT'} {record['vmid']}"))


def spec(record: Record) -> GuestSpec:
    """What a host needs to start the guest."""
    config, kind = record["config"], record["kind"]
    nics = []
    for number, text in numbered(config, "net"):
        device = pairs(text)
        # A VM's address is cloud-init data of its own; a container's is part of the device.
        network = pairs(str(config.get(f"ipconfig{number}", ""))) if kind == "qemu" else device
        address = network.get("ip", "")
        nics.append(
            NicSpec(
                bridge=device.get("bridge", ""),
                tag=int(device["tag"]) if "tag" in device else None,
                mac=mac_of(text),
                address=address if "/" in address else None,
                gateway=network.get("gw"),
            )
        )
    return GuestSpec(
        kind=kind,
        vmid=int(record["vmid"]),
        name=name_of(record),
        node=record["node"],
        nics=tuple(nics),
        bootstrap=pairs(str(config.get("cicustom", ""))).get("vendor"),
        name_servers=tuple(str(config.get("nameserver", "")).split()),
    )


def mac_of(device: str) -> str:
    """The MAC address in a network device's property string, in upper case."""
    match = re.search(r"=([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})(?:,|$)", device)
    return match[1].upper() if match else ""
