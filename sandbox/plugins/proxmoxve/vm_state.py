"""A VM's configuration, as Proxmox VE answers it, as the properties that the state keeps."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from sandbox.plugins.proxmoxve.guest_text import (
    gibibytes,
    ip_config_state,
    number,
    numbered,
    on,
    parts,
    startup_state,
)
from sandbox.plugins.proxmoxve.vm_form import CLOUD_INIT, SPEED_KEYS
from sandbox.plugins.values import Value, Values, block, blocks, text

# Settings of the plugin itself: Proxmox VE knows nothing of them, so the state keeps what was given.
_OWN: Values = {
    "deleteUnreferencedDisksOnDestroy": True, "purgeOnDestroy": True, "rebootAfterUpdate": True,
    "stopOnDestroy": False, "timeoutCreate": 1800, "timeoutShutdownVm": 1800, "timeoutStartVm": 1800,
    "timeoutStopVm": 300,
}  # fmt: skip


def state_of(
    node: str, vmid: int, config: dict[str, Any], *, running: bool, formats: dict[str, str], known: Values
) -> Values:
    """The outputs of a VM.

    Args:
        formats: the file format per volume id.
        known: the last inputs or state; what Proxmox VE does not keep (imports, passwords) is taken from it.
    """
    state: Values = {name: _or(known.get(name), default) for name, default in _OWN.items()}
    return state | {
        "nodeName": node,
        "vmId": vmid,
        "acpi": _flag(config, "acpi", True),
        "agent": _agent(config, known),
        "bios": config.get("bios", "seabios"),
        "bootOrders": _boot(config),
        "cdrom": _cdrom(config, known),
        "cpu": _cpu(config),
        "description": config.get("description", ""),
        "disks": _disks(config, formats, known),
        "efiDisk": _efi(config, formats),
        "hostpcis": [_hostpci(key, str(config[key])) for key in sorted(config) if key.startswith("hostpci")],
        "initialization": _initialization(config, known),
        "keyboardLayout": config.get("keyboard", "en-us"),
        "machine": config.get("machine", ""),
        "memory": _memory(config),
        "name": config.get("name", ""),
        "networkDevices": _network_devices(config),
        "onBoot": _flag(config, "onboot", False),
        "operatingSystem": {"type": config.get("ostype", "other")},
        "protection": _flag(config, "protection", False),
        "scsiHardware": config.get("scsihw", "lsi"),
        "serialDevices": [{"device": value} for _, value in numbered(config, "serial")],
        "started": running,
        "startup": startup_state(str(config.get("startup", ""))),
        "tabletDevice": _flag(config, "tablet", True),
        "tags": _tags(config, known),
        "vga": _vga(config),
    }


def _or(value: Value, default: Value) -> Value:
    return default if value is None else value


def _flag(config: dict[str, Any], key: str, default: bool) -> bool:
    return bool(config.get(key, default))


def _agent(config: dict[str, Any], known: Values) -> Value:
    found = parts(str(config.get("agent", "")))
    given = block(known, "agent")
    return {
        "enabled": on(found, "enabled", found.get("") == "1"),
        "timeout": _or(given.get("timeout"), "15m"),
        "trim": on(found, "fstrim_cloned_disks"),
        "type": found.get("type", "virtio"),
        "waitForIp": given.get("waitForIp"),
    }


def _boot(config: dict[str, Any]) -> Value:
    order = parts(str(config.get("boot", ""))).get("order", "")
    return [name for name in order.split(";") if name]


def _cdrom(config: dict[str, Any], known: Values) -> Value:
    wanted = text(block(known, "cdrom"), "interface") or "ide3"
    file = parts(str(config.get(wanted, ""))).get("", "")
    # The physical drive is what the official plugin asks for when no file is given.
    return {"enabled": False, "fileId": "" if file == "cdrom" else file, "interface": wanted}


def _cpu(config: dict[str, Any]) -> Value:
    found = parts(str(config.get("cpu", "")))
    return {
        "affinity": "",
        "architecture": "",
        "cores": int(config.get("cores", 1)),
        "flags": [flag for flag in found.get("flags", "").split(";") if flag],
        "hotplugged": 0,
        "limit": int(float(config.get("cpulimit", 0))),
        "numa": False,
        "sockets": int(config.get("sockets", 1)),
        "type": found.get("cputype", found.get("", "kvm64")),
        "units": int(config.get("cpuunits", 0)),
    }


def _memory(config: dict[str, Any]) -> Value:
    return {
        "dedicated": int(str(config.get("memory", 512)).split("=")[-1]),
        "floating": int(config.get("balloon", 0)),
        "hugepages": "",
        "keepHugepages": False,
        "shared": int(config.get("shares", 0)),
    }


def volumes(config: dict[str, Any]) -> dict[str, str]:
    """The volume id per drive of the VM's disks: no CD, no cloud-init drive, no EFI variables."""
    found: dict[str, str] = {}
    for bus in ("ide", "sata", "scsi", "virtio"):
        for index, value in numbered(config, bus):
            if "media=cdrom" not in value:
                found[f"{bus}{index}"] = value.split(",")[0]
    return found


def _disks(config: dict[str, Any], formats: dict[str, str], known: Values) -> Value:
    given = {text(disk, "interface"): disk for disk in blocks(known, "disks")}
    found = volumes(config)
    # The order of the program, then whatever else there is.
    order = [name for name in given if name in found] + [name for name in found if name not in given]
    return [
        _disk(name, str(config[name]), formats.get(found[name], "raw"), given.get(name, {})) for name in order
    ]


def _disk(interface: str, value: str, form: str, given: Values) -> Value:
    found = parts(value)
    storage, _, name = found[""].partition(":")
    return {
        "interface": interface,
        "aio": found.get("aio", "io_uring"),
        "backup": on(found, "backup", True),
        "cache": found.get("cache", "none"),
        "datastoreId": storage,
        "discard": found.get("discard", "ignore"),
        "fileFormat": form,
        "fileId": "",
        "importFrom": text(given, "importFrom"),
        "iothread": on(found, "iothread"),
        "pathInDatastore": name,
        "queues": 0,
        "replicate": on(found, "replicate", True),
        "serial": found.get("serial", ""),
        "size": gibibytes(found.get("size", "0")),
        "speed": _speed(found),
        "ssd": on(found, "ssd"),
    }


def _speed(found: dict[str, str]) -> Value:
    # Without limits it is null, although Check fills in zeros: the official plugin's eternal update.
    limits: Values = {prop: number(found, key) for prop, key in SPEED_KEYS.items()}
    return limits if any(limits.values()) else None


def _efi(config: dict[str, Any], formats: dict[str, str]) -> Value:
    if "efidisk0" not in config:
        return None
    found = parts(str(config["efidisk0"]))
    return {
        "datastoreId": found[""].partition(":")[0],
        "fileFormat": formats.get(found[""], "raw"),
        "preEnrolledKeys": on(found, "pre-enrolled-keys"),
        "type": found.get("efitype", "2m"),
    }


def _hostpci(key: str, value: str) -> Value:
    found = parts(value)
    return {
        "device": key, "id": "", "mapping": found.get("mapping", ""), "mdev": found.get("mdev", ""),
        "pcie": on(found, "pcie"), "romFile": "", "rombar": on(found, "rombar", True),
        "xvga": on(found, "x-vga"),
    }  # fmt: skip


def _network_devices(config: dict[str, Any]) -> Value:
    return [_network_device(parts(value)) for _, value in numbered(config, "net")]


def _network_device(found: dict[str, str]) -> Value:
    known = ("bridge", "firewall", "link_down", "macaddr", "mtu", "queues", "rate", "tag", "trunks")
    model = next((key for key in found if key not in known), "virtio")
    return {
        "bridge": found.get("bridge", ""),
        "disconnected": on(found, "link_down"),
        "enabled": True,
        "firewall": on(found, "firewall"),
        "macAddress": found.get(model, ""),
        "model": model,
        "mtu": number(found, "mtu"),
        "queues": number(found, "queues"),
        "rateLimit": 0,
        "trunks": found.get("trunks", ""),
        "vlanId": number(found, "tag"),
    }


def _initialization(config: dict[str, Any], known: Values) -> Value:
    drive = str(config.get(CLOUD_INIT, ""))
    if "cloudinit" not in drive:
        return None
    given = block(known, "initialization")
    addresses: list[Value] = [ip_config_state(parts(value)) for _, value in numbered(config, "ipconfig")]
    custom = parts(str(config.get("cicustom", "")))
    return {
        "datastoreId": drive.partition(":")[0],
        "dns": _dns(config),
        "fileFormat": text(given, "fileFormat"),
        "interface": CLOUD_INIT,
        "ipConfigs": addresses,
        "metaDataFileId": "",
        "networkDataFileId": "",
        "type": "",
        "upgrade": _flag(config, "ciupgrade", True),
        "userAccount": _account(config, given),
        "userDataFileId": "",
        "vendorDataFileId": custom.get("vendor", ""),
    }


def _dns(config: dict[str, Any]) -> Value:
    if "nameserver" not in config and "searchdomain" not in config:
        return None
    return {"domain": config.get("searchdomain", ""), "servers": str(config.get("nameserver", "")).split()}


def _account(config: dict[str, Any], given: Values) -> Value:
    if not any(key in config for key in ("ciuser", "cipassword", "sshkeys")):
        return None
    return {
        "keys": [key for key in unquote(str(config.get("sshkeys", ""))).split("\n") if key],
        # Proxmox VE answers a mask; what was given is kept so that it is no change.
        "password": text(block(given, "userAccount"), "password"),
        "username": config.get("ciuser", ""),
    }


def _tags(config: dict[str, Any], known: Values) -> Value:
    tags: list[Value] = [tag for tag in str(config.get("tags", "")).split(";") if tag]
    given = known.get("tags")
    # Proxmox VE sorts them; equal sets keep the program's order.
    if isinstance(given, list) and sorted(map(str, given)) == sorted(map(str, tags)):
        return given
    return tags or None


def _vga(config: dict[str, Any]) -> Value:
    if "vga" not in config:
        return None
    found = parts(str(config["vga"]))
    return {
        "clipboard": found.get("clipboard", ""),
        "memory": number(found, "memory"),
        "type": found.get("type", found.get("", "")),
    }
