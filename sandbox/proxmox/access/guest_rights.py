"""What a caller needs to set a key of a guest's configuration, beyond what the call as a whole needs.

Source: `check_vm_modify_config_perm`, `check_storage_access` and `check_bridge_access` of qemu-server, and
`check_ct_modify_config_perm` of pve-container. Several keys are left to `root@pam` itself; its tokens are not it.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from sandbox.proxmox.access.checks import Caller, denied
from sandbox.proxmox.access.directory import ROOT, names
from sandbox.proxmox.call import Call
from sandbox.proxmox.errors import failed

_VM: Final = {
    "CPU": "cores cpu cpulimit cpuunits numa smp sockets vcpus affinity",
    "Memory": "memory balloon shares allow-ksm",
    "HWType": "acpi hotplug kvm machine scsihw smbios1 tablet vga watchdog audio0 rng0 vmgenid",
    "Options": "agent autostart bios description keyboard localtime migrate_downtime migrate_speed name onboot"
    " ostype protection reboot startdate startup tdf template tags spice_enhancements",
    "Disk": "boot bootdisk vmstatestorage",
    "Cloudinit|Network": "cicustom cipassword citype ciuser ciupgrade nameserver searchdomain sshkeys",
}
_CONTAINER: Final = {
    "CPU": "cores cpulimit cpuunits",
    "Memory": "memory swap",
    "Network": "nameserver searchdomain hostname",
}
_PATTERNS: Final = {
    "Network": re.compile(r"net\d+"),
    "Cloudinit|Network": re.compile(r"ipconfig\d+"),
    "Disk": re.compile(r"(?:ide|sata|scsi|virtio|efidisk|tpmstate|unused|mp)\d+|rootfs"),
    "HWType": re.compile(r"(?:usb|hostpci|serial|numa|virtiofs|parallel)\d+"),
}
_ROOT_ONLY_VM: Final = re.compile(r"args|lock|hookscript|freeze|parallel\d+")
# Devices, and the values that lead to none of the node's own.
_DEVICES: Final = (("(?:hostpci|usb)", re.compile(r"mapping=|spice")), ("serial", re.compile("^socket$")))
_ROOT_ONLY_CONTAINER: Final = re.compile(r"hookscript|lock|lxc|dev\d+")


def require_pool(call: Call) -> None:
    """Raise ApiError 403 where the call names a pool that does not exist."""
    pool = call.values.get("pool")
    if pool is not None and pool not in call.caller.directory["pools"]:
        raise denied(f"pool '{pool}' does not exist")


def require_creation(call: Call) -> None:
    """Raise ApiError 403 where the caller may not make the guest that the call is about."""
    require_pool(call)
    vmid, pool = call.values["vmid"], call.values.get("pool")
    places = [f"/vms/{vmid}", *([f"/pool/{pool}"] if pool else [])]
    if not any(call.caller.has(place, ["VM.Allocate"]) for place in places):
        raise denied()


def require_changes(call: Call, kind: str, not_config: Container[str]) -> None:
    """Raise ApiError where the caller may not set or delete a key that the call names.

    Args:
        kind: `qemu` or `lxc`.
        not_config: parameters that are no keys of the configuration.
    """
    caller = call.caller
    if caller.who == ROOT:
        return
    changes = {key: str(value) for key, value in call.values.items() if key not in not_config and value != ""}
    for key in (*changes, *names(call.values.get("delete", ""))):
        value = changes.get(key, "")
        _refuse_what_only_root_sets(kind, key, value)
        for needed in _needed(kind, key, value):
            _require(caller, call.values["vmid"], call.values.get("pool"), needed)
        if re.fullmatch(r"net\d+", key) and value:
            _require_bridge(caller, value)
        if _PATTERNS["Disk"].fullmatch(key):
            _require_storage(caller, value)


def _require(caller: Caller, vmid: int, pool: str | None, needed: str) -> None:
    wanted = [f"VM.Config.{name}" for name in needed.split("|")]
    if pool is None or not caller.has(f"/pool/{pool}", wanted, any_of=True):
        caller.require(f"/vms/{vmid}", wanted, any_of=True)


def _needed(kind: str, key: str, value: str) -> list[str]:
    if kind == "qemu" and _is_disc(key, value):
        return ["CDROM"]
    table = _VM if kind == "qemu" else _CONTAINER
    named = [privilege for privilege, keys in table.items() if key in keys.split()]
    matching = [privilege for privilege, pattern in _PATTERNS.items() if pattern.fullmatch(key)]
    return named or matching or ["Options"]


def _is_disc(key: str, value: str) -> bool:
    return re.fullmatch(r"(?:ide|sata|scsi)\d+", key) is not None and (
        "media=cdrom" in value or re.match(r"(?:file=)?(?:none|cdrom)\b", value) is not None
    )


def _refuse_what_only_root_sets(kind: str, key: str, value: str) -> None:
    if kind == "lxc":
        if _ROOT_ONLY_CONTAINER.fullmatch(key):
            raise failed(f"changing '{key}' only allowed for root@pam")
        if re.fullmatch(r"rootfs|mp\d+", key) and value.removeprefix("volume=").startswith("/"):
            raise denied("mount point type bind is only allowed for root@pam")
    elif _ROOT_ONLY_VM.fullmatch(key):
        raise failed(f"only root can set '{key}' config")
    elif value and any(
        re.fullmatch(f"{keys}\\d+", key) and not safe.search(value) for keys, safe in _DEVICES
    ):
        raise failed(f"only root can set '{key}' config for real devices")


def _require_bridge(caller: Caller, device: str) -> None:
    pairs = dict(part.split("=", 1) for part in device.split(",") if "=" in part)
    bridge, tag = pairs.get("bridge", ""), pairs.get("tag")
    if bridge:
        where = f"/sdn/zones/localnetwork/{bridge}"
        caller.require(f"{where}/{tag}" if tag else where, ["SDN.Use"])


def _require_storage(caller: Caller, value: str) -> None:
    head = value.split(",")[0]
    volume = head.partition("=")[2] if "=" in head else head
    storage, separator, rest = volume.partition(":")
    # Only what is made anew takes space; a volume that exists needs the guest's own rights.
    if separator and re.fullmatch(r"cloudinit|\d+(?:\.\d+)?", rest):
        caller.require(f"/storage/{storage}", ["Datastore.AllocateSpace"])
