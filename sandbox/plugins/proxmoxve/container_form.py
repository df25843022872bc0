"""A container's properties as the keys of a Proxmox VE configuration request."""

from __future__ import annotations

from typing import Any

from sandbox.plugins.proxmoxve.guest_text import ip_config, joined, parts, startup
from sandbox.plugins.values import Value, Values, block, blocks, flag, integer, strings, text


def settings(inputs: Values) -> dict[str, Any]:
    """Every key but the root file system and mount points, for create and update alike."""
    console, cpu = block(inputs, "console"), block(inputs, "cpu")
    initialization = block(inputs, "initialization")
    dns = block(initialization, "dns")
    body: dict[str, Any] = {
        "arch": text(cpu, "architecture"),
        "cmode": text(console, "type"),
        "console": flag(console, "enabled"),
        "cores": integer(cpu, "cores"),
        "cpulimit": cpu.get("limit") or 0,
        "memory": integer(block(inputs, "memory"), "dedicated"),
        "onboot": flag(inputs, "startOnBoot"),
        "ostype": text(block(inputs, "operatingSystem"), "type"),
        "protection": flag(inputs, "protection"),
        "swap": integer(block(inputs, "memory"), "swap"),
        "tty": integer(console, "ttyCount"),
    }
    optional: dict[str, Value] = {
        "cpuunits": integer(cpu, "units") or "",
        "description": text(inputs, "description").rstrip("\n"),
        "features": _features(block(inputs, "features")),
        "hostname": text(initialization, "hostname"),
        "nameserver": " ".join(strings(dns, "servers")) or text(dns, "server"),
        "searchdomain": text(dns, "domain"),
        "startup": startup(block(inputs, "startup")),
        "tags": ";".join(strings(inputs, "tags")),
    }
    body |= {key: value for key, value in optional.items() if value != ""}
    return body | _devices(inputs)


def _features(features: Values) -> str:
    found = joined(*((name, flag(features, name) or None) for name in ("fuse", "keyctl", "mknod", "nesting")))
    mounts = ";".join(strings(features, "mounts"))
    return ",".join(part for part in (found, f"mount={mounts}" if mounts else "") if part)


def _devices(inputs: Values) -> dict[str, Any]:
    body: dict[str, Any] = {}
    addresses = blocks(block(inputs, "initialization"), "ipConfigs")
    for number, device in enumerate(blocks(inputs, "networkInterfaces")):
        if device.get("enabled") is False:
            continue
        address = addresses[number] if number < len(addresses) else {}
        body[f"net{number}"] = ",".join(
            part
            for part in (
                joined(("name", text(device, "name")), ("bridge", text(device, "bridge"))),
                joined(("firewall", flag(device, "firewall"))),
                ip_config(address),
                joined(
                    ("hwaddr", text(device, "macAddress")),
                    ("mtu", integer(device, "mtu") or None),
                    ("tag", integer(device, "vlanId") or None),
                ),
            )
            if part
        )
    for number, device in enumerate(blocks(inputs, "devicePassthroughs")):
        body[f"dev{number}"] = joined(
            ("deny-write", flag(device, "denyWrite")),
            ("path", text(device, "path")),
            ("uid", integer(device, "uid")),
            ("gid", integer(device, "gid")),
            ("mode", text(device, "mode")),
        )
    return body


def creation(inputs: Values) -> dict[str, Any]:
    """What only a create sends."""
    disk, account = block(inputs, "disk"), block(block(inputs, "initialization"), "userAccount")
    body: dict[str, Any] = {
        "ostemplate": text(block(inputs, "operatingSystem"), "templateFileId"),
        "rootfs": root(disk, f"{text(disk, 'datastoreId')}:{integer(disk, 'size')}"),
        "start": inputs.get("started") is not False,
        "storage": text(disk, "datastoreId"),
        "unprivileged": flag(inputs, "unprivileged"),
    }
    if strings(account, "keys"):
        body["ssh-public-keys"] = "\n".join(strings(account, "keys"))
    if text(account, "password"):
        body["password"] = text(account, "password")
    return body | {f"mp{n}": _mount_point(one) for n, one in enumerate(blocks(inputs, "mountPoints"))}


def root(disk: Values, volume: str) -> str:
    """The root file system on this volume."""
    return joined(
        ("volume", volume),
        ("acl", flag(disk, "acl") or None),
        ("mountoptions", ";".join(strings(disk, "mountOptions"))),
        ("quota", flag(disk, "quota") or None),
        ("replicate", flag(disk, "replicate") or None),
    )


def _mount_point(given: Values) -> str:
    size = text(given, "size").removesuffix("G")
    volume = text(given, "volume")
    return joined(
        ("volume", f"{volume}:{size}" if size and ":" not in volume else volume),
        ("mp", text(given, "path")),
        ("acl", flag(given, "acl") or None),
        ("backup", flag(given, "backup") or None),
        ("mountoptions", ";".join(strings(given, "mountOptions"))),
        ("quota", flag(given, "quota") or None),
        ("replicate", None if flag(given, "replicate") else 0),
        ("ro", flag(given, "readOnly") or None),
        ("shared", flag(given, "shared") or None),
    )


def root_volume(config: dict[str, Any]) -> str:
    """The volume id of a container's root file system."""
    found = parts(str(config.get("rootfs", "")))
    return found.get("volume", found.get("", ""))
