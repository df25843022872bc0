"""Drives of VMs: what happens to volumes when a drive is attached, resized or taken out.

Owns the forms of a drive's volume: `store:8` (make 8 GiB), `store:0,import-from=volume` (copy),
`store:cloudinit`, `none` and `cdrom`, or a volume that exists.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.proxmox import propertystring, volumes
from sandbox.proxmox.errors import failed
from sandbox.proxmox.propertystring import Schema
from sandbox.proxmox.records import Record
from sandbox.store import Transaction

PATTERN = re.compile(r"(?:ide|sata|scsi|virtio|efidisk|tpmstate|unused)\d+")
# The EFI variables and the TPM state have sizes of their own, whatever a request says.
_FIXED = {"efidisk": 4 * 2**20, "tpmstate": 4 * 2**20}
_CLOUD_INIT = 4 * 2**20
# A downloaded image has no content here; this is the virtual size that its copy starts with.
IMPORTED = 2 * volumes.GIB


def is_drive(key: str) -> bool:
    """Whether a configuration key is a drive."""
    return PATTERN.fullmatch(key) is not None


def is_mount(key: str) -> bool:
    """Whether a configuration key names a volume, of a VM or of a container."""
    return is_drive(key) or re.fullmatch(r"rootfs|mp\d+", key) is not None


def _volume_of(text: object) -> str:
    return str(text).split(",")[0]


def attach(t: Transaction, record: Record, key: str, text: str, schema: Schema, log: list[str]) -> None:
    """Set a drive from what a request says, making its volume where asked for.

    Raises:
        ApiError: a volume or image that does not exist.
    """
    drive = propertystring.parse(text, schema)
    node, vmid = record["node"], int(record["vmid"])
    source, form = drive.pop("import-from", None), drive.pop("format", "raw")
    volume = drive["file"] if "file" in drive else drive["volume"]
    storage, _, rest = volume.partition(":")
    if volume in ("none", "cdrom") or volume.startswith("/"):
        size = None
    elif rest == "cloudinit":
        volume = volumes.new_disk(t, node, storage, vmid, size=_CLOUD_INIT, form=form, kind="cloudinit")
        drive |= {"media": "cdrom"}
        size = _CLOUD_INIT
    elif re.fullmatch(r"\d+(?:\.\d+)?", rest):
        size = _new_size(t, node, key, float(rest), source)
        volume = volumes.new_disk(t, node, storage, vmid, size=size, form=form, kind="disk")
        log.append(f"{key}: successfully created disk '{volume},size={volumes.write_size(size)}'")
    else:
        found = volumes.find(t, node, volume)
        if found is None:
            raise failed(f"volume '{volume}' does not exist")
        size = int(found["size"])
    drive["file"] = volume
    drive.pop("size", None)
    if size is not None and not volume.endswith("cloudinit"):
        drive["size"] = volumes.write_size(size)
    old = record["config"].get(key)
    if old is not None and str(old).split(",")[0] != volume:
        detach(t, record, key)
    record["config"][key] = propertystring.write(drive, schema)


def _new_size(t: Transaction, node: str, key: str, gigabytes: float, source: str | None) -> int:
    fixed = _FIXED.get(key.rstrip("0123456789"))
    if fixed is not None:
        return fixed
    if source is None:
        return int(gigabytes * volumes.GIB)
    found = volumes.find(t, node, source)
    if found is None:
        raise failed(f"cannot import from '{source}' - volume '{source}' does not exist")
    return max(int(found["size"]), IMPORTED) if found["content"] == "import" else int(found["size"])


def detach(t: Transaction, record: Record, key: str) -> None:
    """Take a drive out: a disk of the guest becomes unused, an unused one is deleted.

    Raises:
        ApiError: an unused disk that another key of the guest names; it would lose its volume.
    """
    text = str(record["config"].pop(key))
    volume = text.split(",")[0]
    found = volumes.find(t, record["node"], volume)
    if found is None or found.get("vmid") != record["vmid"]:
        return
    named = [name for name, text in record["config"].items() if is_mount(name) and _volume_of(text) == volume]
    if key.startswith("unused") and named:
        raise failed(f"unable to delete '{volume}' - volume is still in use (snapshot?)")
    if any(name.startswith("unused") for name in named):
        return
    if key.startswith("unused") or volume.endswith("cloudinit") or "cloudinit." in volume:
        volumes.remove(t, record["node"], volume)
        return
    record["config"][free_unused(record)] = volume


def free_unused(record: Record) -> str:
    """The first free key for a volume that no drive uses."""
    return next(f"unused{number}" for number in range(256) if f"unused{number}" not in record["config"])


def resize(t: Transaction, record: Record, key: str, wanted: str) -> None:
    """Grow a disk to `wanted` (`20G`, bytes) or by it (`+5G`).

    Raises:
        ApiError: no such disk, or a smaller size.
    """
    text = record["config"].get(key)
    if text is None:
        raise failed(f"disk '{key}' does not exist")
    volume = str(text).split(",")[0]
    found = volumes.find(t, record["node"], volume)
    if found is None:
        raise failed(f"disk '{key}' has no volume that could be resized")
    size = volumes.read_size(wanted.removeprefix("+")) + (int(found["size"]) if wanted.startswith("+") else 0)
    if size < int(found["size"]):
        raise failed("shrinking disks is not supported")
    volumes.set_size(t, record["node"], volume, size)
    kept = [part for part in str(text).split(",") if not part.startswith("size=")]
    record["config"][key] = ",".join([*kept, f"size={volumes.write_size(size)}"])


def destroy(t: Transaction, record: Record) -> None:
    """Delete every volume that belongs to the guest."""
    vmid: Any = record["vmid"]
    for volume in volumes.owned(t, record["node"], int(vmid)):
        volumes.remove(t, record["node"], volume)
