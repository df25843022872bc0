"""A VM's properties as the keys of a Proxmox VE configuration request."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sandbox.plugins.proxmoxve.guest_text import GIB, ip_config, joined, startup
from sandbox.plugins.values import Value, Values, block, blocks, flag, integer, strings, text

# Speed limits per property: the API's key of a drive.
SPEED_KEYS = {
    "iopsRead": "iops_rd", "iopsReadBurstable": "iops_rd_max", "iopsWrite": "iops_wr",
    "iopsWriteBurstable": "iops_wr_max", "read": "mbps_rd", "readBurstable": "mbps_rd_max",
    "write": "mbps_wr", "writeBurstable": "mbps_wr_max",
}  # fmt: skip
CLOUD_INIT = "ide2"


def settings(inputs: Values) -> dict[str, Any]:
    """Every key but the drives, for create and update alike."""
    cpu, memory, agent = block(inputs, "cpu"), block(inputs, "memory"), block(inputs, "agent")
    body: dict[str, Any] = {
        "acpi": flag(inputs, "acpi"),
        "agent": joined(
            ("enabled", flag(agent, "enabled")),
            ("fstrim_cloned_disks", flag(agent, "trim")),
            ("type", text(agent, "type")),
        ),
        "balloon": integer(memory, "floating"),
        "bios": text(inputs, "bios"),
        "cores": integer(cpu, "cores"),
        "cpu": _cpu(cpu),
        "keyboard": text(inputs, "keyboardLayout"),
        "memory": integer(memory, "dedicated"),
        "name": text(inputs, "name"),
        "numa": 0,
        "onboot": flag(inputs, "onBoot"),
        "ostype": text(block(inputs, "operatingSystem"), "type"),
        "protection": flag(inputs, "protection"),
        "scsihw": text(inputs, "scsiHardware"),
        "sockets": integer(cpu, "sockets"),
        "tablet": flag(inputs, "tabletDevice"),
    }
    optional: dict[str, Value] = {
        "boot": _boot(inputs),
        "cpulimit": cpu.get("limit") or "",
        "cpuunits": cpu.get("units") or "",
        "description": text(inputs, "description"),
        "machine": text(inputs, "machine"),
        "shares": integer(memory, "shared") or "",
        "startup": startup(block(inputs, "startup")),
        "tags": ";".join(strings(inputs, "tags")),
        "vga": _vga(block(inputs, "vga")),
    }
    body |= {key: value for key, value in optional.items() if value != ""}
    return body | _devices(inputs) | _initialization(block(inputs, "initialization"))


def _cpu(cpu: Values) -> str:
    flags = strings(cpu, "flags")
    return joined(("cputype", text(cpu, "type")), ("flags", ";".join(flags))) if flags else text(cpu, "type")


def _boot(inputs: Values) -> str:
    orders = strings(inputs, "bootOrders")
    if not orders:
        disks = [text(disk, "interface") for disk in blocks(inputs, "disks")]
        orders = [text(block(inputs, "cdrom"), "interface"), *sorted(disks)[:1], "net0"]
    return "order=" + ";".join(orders)


def _vga(vga: Values) -> str:
    memory = integer(vga, "memory") or None
    return joined(("clipboard", text(vga, "clipboard")), ("memory", memory), ("type", text(vga, "type")))


def _devices(inputs: Values) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for number, device in enumerate(blocks(inputs, "networkDevices")):
        if device.get("enabled") is not False:
            body[f"net{number}"] = _network_device(device)
    for number, device in enumerate(blocks(inputs, "serialDevices")):
        body[f"serial{number}"] = text(device, "device")
    for device in blocks(inputs, "hostpcis"):
        body[text(device, "device")] = joined(
            ("mapping", text(device, "mapping")),
            ("mdev", text(device, "mdev")),
            ("pcie", flag(device, "pcie")),
            ("rombar", flag(device, "rombar")),
            ("x-vga", flag(device, "xvga")),
        )
    return body


def _network_device(device: Values) -> str:
    return joined(
        ("model", text(device, "model")),
        ("bridge", text(device, "bridge")),
        ("firewall", flag(device, "firewall")),
        ("link_down", device.get("disconnected") or None),
        ("macaddr", text(device, "macAddress")),
        ("mtu", integer(device, "mtu") or None),
        ("queues", integer(device, "queues") or None),
        ("tag", integer(device, "vlanId") or None),
        ("trunks", text(device, "trunks")),
    )


def _initialization(given: Values) -> dict[str, Any]:
    account, dns = block(given, "userAccount"), block(given, "dns")
    body: dict[str, Any] = {
        "ciuser": text(account, "username"),
        "cipassword": text(account, "password"),
        "sshkeys": quote("\n".join(key.strip() for key in strings(account, "keys")), safe=""),
        "nameserver": " ".join(strings(dns, "servers")),
        "searchdomain": text(dns, "domain"),
        "cicustom": joined(("vendor", text(given, "vendorDataFileId"))),
    }
    body |= {f"ipconfig{n}": ip_config(one) for n, one in enumerate(blocks(given, "ipConfigs"))}
    found = {key: value for key, value in body.items() if value != ""}
    return found | ({} if given.get("upgrade") is None else {"ciupgrade": flag(given, "upgrade")})


def drives(inputs: Values) -> dict[str, str]:
    """The drives of a VM that does not exist yet."""
    body = {text(disk, "interface"): disk_text(disk, _new_volume(disk)) for disk in blocks(inputs, "disks")}
    cdrom = block(inputs, "cdrom")
    body[text(cdrom, "interface")] = f"file={text(cdrom, 'fileId') or 'cdrom'},media=cdrom"
    if block(inputs, "initialization"):
        body[CLOUD_INIT] = f"file={text(block(inputs, 'initialization'), 'datastoreId')}:cloudinit"
    efi = block(inputs, "efiDisk")
    if efi:
        body["efidisk0"] = efi_text(efi)
    return body


def efi_text(efi: Values) -> str:
    """The EFI variables' drive."""
    return joined(
        ("file", f"{text(efi, 'datastoreId')}:1"),
        ("format", text(efi, "fileFormat")),
        ("efitype", text(efi, "type")),
        ("pre-enrolled-keys", flag(efi, "preEnrolledKeys")),
    )


def _new_volume(disk: Values) -> str:
    storage, name = text(disk, "datastoreId"), text(disk, "pathInDatastore")
    if name:
        return f"{storage}:{name}"
    return f"{storage}:0" if text(disk, "importFrom") else f"{storage}:{integer(disk, 'size')}"


def disk_text(disk: Values, volume: str) -> str:
    """A drive with this volume; an import is asked for where the volume is still to be made."""
    making, fresh = volume.endswith(":0"), volume.partition(":")[2].isdigit()
    limits = block(disk, "speed")
    return joined(
        ("file", volume),
        ("import-from", text(disk, "importFrom") if making else ""),
        ("size", integer(disk, "size") * GIB if fresh else ""),
        ("format", text(disk, "fileFormat") if ":vm-" not in volume else ""),
        ("aio", text(disk, "aio")),
        ("backup", flag(disk, "backup")),
        ("iothread", flag(disk, "iothread")),
        ("serial", text(disk, "serial")),
        ("ssd", None if text(disk, "interface").startswith("virtio") else flag(disk, "ssd")),
        ("discard", text(disk, "discard")),
        ("cache", text(disk, "cache")),
        *((key, limits.get(prop) or None) for prop, key in SPEED_KEYS.items()),
        ("replicate", flag(disk, "replicate")),
    )
