"""Volumes: what lies on the storages of a node.

Owns names and records of guests' disks, cloud-init drives and downloaded files. Nothing has bytes: a
volume is a record with a size. `local` is a folder, `local-lvm` a thin pool; every other storage takes
guests' disks as a ZFS pool does and, unlike one, files too, because the sandbox does not know the lab.
"""

from __future__ import annotations

import re
import time
from typing import Any

from sandbox.proxmox.errors import failed
from sandbox.store import Transaction

COLLECTION = "pve/volumes"
STORAGES = "pve/storages"
BUILT_IN = ("local", "local-lvm", "local-zfs")
CONTENT = "backup,images,import,iso,rootdir,snippets,vztmpl"
GIB = 2**30
_TYPES = {"local": "dir", "local-lvm": "lvmthin"}
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": GIB, "T": 2**40}


def storage_type(storage: str) -> str:
    """The type of a storage by its name."""
    return _TYPES.get(storage, "zfspool")


def remember(t: Transaction, node: str, storage: str) -> None:
    """Make a storage exist on a node: the first request that names it is enough."""
    known = t.get(STORAGES, node) or []
    if storage not in known and storage not in BUILT_IN:
        t.put(STORAGES, node, sorted([*known, storage]))


def storages(t: Transaction, node: str) -> list[str]:
    """The storages of a node."""
    return sorted([*BUILT_IN, *(t.get(STORAGES, node) or [])])


def find(t: Transaction, node: str, volid: str) -> dict[str, Any] | None:
    """The record of a volume, or None."""
    found: dict[str, Any] | None = t.get(COLLECTION, f"{node}/{volid}")
    return found


def listing(t: Transaction, node: str, storage: str) -> list[dict[str, Any]]:
    """The volumes of a storage."""
    return [record for key, record in t.list(COLLECTION) if key.startswith(f"{node}/{storage}:")]


def add(
    t: Transaction, node: str, volid: str, *, content: str, size: int, form: str, vmid: int | None = None
) -> dict[str, Any]:
    """Record a volume; `size` in bytes, `form` such as `raw` or `qcow2`."""
    storage, _, name = volid.partition(":")
    remember(t, node, storage)
    record: dict[str, Any] = {
        "volid": volid, "content": content, "size": size, "format": form, "ctime": int(time.time()),
        "path": _path(storage, name, content),
    }  # fmt: skip
    if vmid is not None:
        record["vmid"] = vmid
    t.put(COLLECTION, f"{node}/{volid}", record)
    return record


def _path(storage: str, name: str, content: str) -> str:
    kind = storage_type(storage)
    if kind == "dir":
        folder = {"iso": "template/iso", "vztmpl": "template/cache", "images": "images", "rootdir": "images"}
        base = name.split("/", 1)[1] if content not in ("images", "rootdir") else name
        return f"/var/lib/vz/{folder.get(content, content)}/{base}"
    return f"/dev/pve/{name}" if kind == "lvmthin" else f"/dev/zvol/{storage}/{name}"


def remove(t: Transaction, node: str, volid: str) -> None:
    """Delete a volume. Raises ApiError where there is none."""
    if not t.delete(COLLECTION, f"{node}/{volid}"):
        raise failed(f"volume '{volid}' does not exist")


def move(t: Transaction, node: str, target: str, volid: str) -> None:
    """Have a volume lie on another node."""
    record = find(t, node, volid)
    if record is not None:
        t.put(COLLECTION, f"{target}/{volid}", record)
        t.delete(COLLECTION, f"{node}/{volid}")


def set_size(t: Transaction, node: str, volid: str, size: int) -> None:
    """Change the size (bytes) of a volume that exists."""
    record = find(t, node, volid)
    if record is None:
        raise failed(f"volume '{volid}' does not exist")
    t.put(COLLECTION, f"{node}/{volid}", record | {"size": size})


def new_disk(t: Transaction, node: str, storage: str, vmid: int, *, size: int, form: str, kind: str) -> str:
    """Make a disk for a guest and return its volume id.

    Args:
        size: bytes.
        form: wanted format; only a folder can keep another than `raw`.
        kind: `disk` (VM), `subvol` (container on ZFS) or `cloudinit`.
    """
    folder = storage_type(storage) == "dir"
    form = form if folder else "raw"
    name = f"vm-{vmid}-cloudinit" if kind == "cloudinit" else _free_name(t, node, storage, vmid, kind)
    shown = f"{vmid}/{name}.{form}" if folder else name
    volid = f"{storage}:{shown}"
    content = "rootdir" if kind == "subvol" else "images"
    add(t, node, volid, content=content, size=size, form=form, vmid=vmid)
    return volid


def _free_name(t: Transaction, node: str, storage: str, vmid: int, kind: str) -> str:
    prefix = "subvol" if kind == "subvol" and storage_type(storage) == "zfspool" else "vm"
    used = {
        int(match[1])
        for record in listing(t, node, storage)
        if (match := re.search(rf"(?:vm|subvol)-{vmid}-disk-(\d+)", record["volid"]))
    }
    return f"{prefix}-{vmid}-disk-{next(n for n in range(len(used) + 1) if n not in used)}"


def owned(t: Transaction, node: str, vmid: int) -> list[str]:
    """The volumes that are named after a guest, referenced or not."""
    return [
        record["volid"]
        for key, record in t.list(COLLECTION)
        if key.startswith(f"{node}/") and record.get("vmid") == vmid
    ]


def read_size(text: str) -> int:
    """Bytes of `20G`, `512M` or `21474836480`. Raises ApiError for any other text."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", text)
    if match is None:
        raise failed(f"unable to parse size '{text}'")
    return int(float(match[1]) * _UNITS[match[2]])


def write_size(size: int) -> str:
    """Bytes as Proxmox VE writes them in a configuration: the largest unit that divides."""
    for unit in ("T", "G", "M", "K"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)
