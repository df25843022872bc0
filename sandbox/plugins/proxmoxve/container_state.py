"""A container's configuration, as Proxmox VE answers it, as the properties that the state keeps."""

from __future__ import annotations

from typing import Any

from sandbox.plugins.proxmoxve.container_form import root_volume
from sandbox.plugins.proxmoxve.guest_text import (
    gibibytes,
    ip_config_state,
    number,
    numbered,
    on,
    parts,
    startup_state,
)
from sandbox.plugins.values import Value, Values, block, blocks, text

# Settings of the plugin itself.
_OWN: Values = {"timeoutCreate": 1800, "timeoutDelete": 60, "timeoutStart": 300, "timeoutUpdate": 1800}


def state_of(node: str, vmid: int, config: dict[str, Any], *, running: bool, known: Values) -> Values:
    """The outputs of a container; what Proxmox VE does not keep (template, keys) is taken from `known`."""
    state: Values = {name: known.get(name) or default for name, default in _OWN.items()}
    system = block(known, "operatingSystem")
    return state | {
        "nodeName": node,
        "vmId": vmid,
        "console": {
            "enabled": bool(config.get("console", 1)),
            "ttyCount": int(config.get("tty", 2)),
            "type": config.get("cmode", "tty"),
        },
        "cpu": {
            "architecture": config.get("arch", "amd64"),
            "cores": int(config.get("cores", 1)),
            "limit": float(config.get("cpulimit", 0)),
            "units": int(config.get("cpuunits", 0)),
        },
        # With the line break that Proxmox VE adds, officially too.
        "description": str(config.get("description", "")),
        "devicePassthroughs": [_device(parts(value)) for _, value in numbered(config, "dev")],
        "disk": _disk(config),
        "features": _features(config),
        "initialization": _initialization(config, known),
        "memory": {"dedicated": int(config.get("memory", 512)), "swap": int(config.get("swap", 0))},
        "mountPoints": _mount_points(config, known),
        "networkInterfaces": [_network_interface(parts(value)) for _, value in numbered(config, "net")],
        "operatingSystem": {
            "templateFileId": text(system, "templateFileId"),
            "type": config.get("ostype", "unmanaged"),
        },
        "protection": bool(config.get("protection", 0)),
        "startOnBoot": bool(config.get("onboot", 0)),
        "started": running,
        "startup": startup_state(str(config.get("startup", ""))),
        "tags": _tags(config, known),
        "unprivileged": bool(config.get("unprivileged", 0)),
    }


def as_created(state: Values, inputs: Values) -> Values:
    """The outputs right after create: lists that were not asked for are null until a refresh."""
    found = dict(state)
    for name, field in (("disk", "mountOptions"), ("features", "mounts")):
        if not block(inputs, name).get(field):
            found[name] = {**block(state, name), field: None}
    return found


def _device(found: dict[str, str]) -> Value:
    return {
        "path": found.get("path", found.get("", "")),
        "denyWrite": on(found, "deny-write"),
        "gid": number(found, "gid"),
        "mode": found.get("mode", ""),
        "uid": number(found, "uid"),
    }


def _disk(config: dict[str, Any]) -> Value:
    found, volume = parts(str(config.get("rootfs", ""))), root_volume(config)
    return {
        "acl": on(found, "acl"),
        "datastoreId": volume.partition(":")[0],
        "mountOptions": [one for one in found.get("mountoptions", "").split(";") if one],
        "pathInDatastore": volume,
        "quota": on(found, "quota"),
        "replicate": on(found, "replicate"),
        "size": gibibytes(found.get("size", "0")),
    }


def _features(config: dict[str, Any]) -> Value:
    found = parts(str(config.get("features", "")))
    return {
        "fuse": on(found, "fuse"),
        "keyctl": on(found, "keyctl"),
        "mknod": on(found, "mknod"),
        "mounts": [one for one in found.get("mount", "").split(";") if one],
        "nesting": on(found, "nesting"),
    }


def _initialization(config: dict[str, Any], known: Values) -> Value:
    given = block(known, "initialization")
    # A container always has a name; without an initialization block the program did not ask for one.
    if known and not given:
        return None
    listed = blocks(given, "ipConfigs")
    addresses: list[Value] = [
        ip_config_state(parts(value)) for n, value in numbered(config, "net") if n < len(listed) or not known
    ]
    dns: Value = None
    if "nameserver" in config or "searchdomain" in config:
        servers: list[Value] = list(str(config.get("nameserver", "")).split())
        dns = {"domain": config.get("searchdomain", ""), "server": "", "servers": servers}
    account = given.get("userAccount")
    if isinstance(account, dict):
        account = {**account, "password": text(account, "password")}
    return {
        "dns": dns,
        "entrypoint": "",
        "hostname": config.get("hostname", ""),
        "ipConfigs": addresses,
        "userAccount": account,
    }


def _mount_points(config: dict[str, Any], known: Values) -> Value:
    given = blocks(known, "mountPoints")
    found: list[Value] = []
    for index, value in numbered(config, "mp"):
        found.append(_mount_point(parts(value), given[index] if index < len(given) else {}))
    return found


def _mount_point(found: dict[str, str], given: Values) -> Value:
    volume = found.get("volume", found.get("", ""))
    asked = text(given, "volume")
    return {
        "path": found.get("mp", ""),
        # A storage was asked for and a volume was made on it: what was asked for stays, or it would replace.
        "volume": asked if asked and volume.startswith(f"{asked}:") else volume,
        "acl": on(found, "acl"),
        "backup": on(found, "backup"),
        "mountOptions": [one for one in found.get("mountoptions", "").split(";") if one],
        "pathInDatastore": volume,
        "quota": on(found, "quota"),
        "readOnly": on(found, "ro"),
        "replicate": on(found, "replicate", True),
        "shared": on(found, "shared"),
        "size": found.get("size", ""),
    }


def _network_interface(found: dict[str, str]) -> Value:
    return {
        "name": found.get("name", ""),
        "bridge": found.get("bridge", ""),
        "enabled": True,
        "firewall": on(found, "firewall"),
        "hostManaged": False,
        "macAddress": found.get("hwaddr", ""),
        "mtu": number(found, "mtu"),
        "rateLimit": 0,
        "vlanId": number(found, "tag"),
    }


def _tags(config: dict[str, Any], known: Values) -> Value:
    tags: list[Value] = [tag for tag in str(config.get("tags", "")).split(";") if tag]
    given = known.get("tags")
    if isinstance(given, list) and sorted(map(str, given)) == sorted(map(str, tags)):
        return given
    return tags or None
