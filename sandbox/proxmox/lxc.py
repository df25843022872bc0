"""Containers: their calls and what happens to a configuration on its way in and out."""

from __future__ import annotations

import re
from typing import Any

from sandbox.proxmox import drives, guest_config, power, propertystring, records, volumes
from sandbox.proxmox.access import guest_rights, pools
from sandbox.proxmox.access.directory import ROOT
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import failed
from sandbox.proxmox.guest_config import new_mac, schema_of, tidy_tags

_HERE = "/nodes/{node}/lxc"
_ONE = f"{_HERE}/{{vmid}}"
_NOT_CONFIG = (
    "node", "vmid", "pool", "start", "force", "unique", "storage", "bwlimit", "ostemplate", "password",
    "ssh-public-keys", "restore", "ignore-unpack-errors", "ha-managed", "delete", "digest", "skiplock",
    "revert",
)  # fmt: skip
_REFUSED = ("unique", "restore", "revert")
_LOOPBACK = {
    "name": "lo", "hwaddr": "00:00:00:00:00:00", "hardware-address": "00:00:00:00:00:00", "inet": "127.0.0.1/8",
    "ip-addresses": [{"ip-address": "127.0.0.1", "ip-address-type": "inet", "prefix": 8}],
}  # fmt: skip
# Proxmox VE keeps what an administrator may set only as root with a password.
_ROOT_ONLY_FEATURES = ("fuse", "keyctl", "mknod", "mount", "force_rw_sys")


def _apply(call: Call, record: records.Record, log: list[str]) -> None:
    config = record["config"]
    gone, changes = guest_config.requested(call, _NOT_CONFIG, _REFUSED)
    for key in gone:
        if key in config:
            drives.detach(call.t, record, key) if _is_mount(key) else config.pop(key)
    # The root file system gets the first disk, whatever order the request has.
    for key, value in sorted(changes.items(), key=lambda change: change[0] != "rootfs"):
        if _is_mount(key):
            _mount(call, record, key, value, log)
        elif re.fullmatch(r"net\d+", key):
            device = propertystring.parse(value, schema_of(call, key))
            device.setdefault("hwaddr", records.mac_of(str(config.get(key, ""))) or new_mac())
            device.setdefault("type", "veth")
            # Containers' devices have no default key, and Proxmox VE writes the name first.
            first = f"name={device.pop('name')}"
            config[key] = ",".join([first, propertystring.write(device, schema_of(call, key))])
        else:
            config[key] = _value(key, value)


def _value(key: str, value: Any) -> Any:
    if key == "tags":
        return tidy_tags(value)
    # The description is kept as comment lines, so it comes back ending in a line break.
    return value.rstrip("\n") + "\n" if key == "description" else value


def _is_mount(key: str) -> bool:
    return key == "rootfs" or re.fullmatch(r"(?:mp|unused)\d+", key) is not None


def _mount(call: Call, record: records.Record, key: str, text: str, log: list[str]) -> None:
    schema = schema_of(call, key)
    mount = propertystring.parse(text, schema)
    storage, _, rest = mount["volume"].partition(":")
    mount.pop("size", None)
    if re.fullmatch(r"\d+(?:\.\d+)?", rest):
        size = int(float(rest) * volumes.GIB)
        mount["volume"] = volumes.new_disk(
            call.t, call.node, storage, int(record["vmid"]), size=size, form="raw", kind="subvol"
        )
        log.append(f"made {mount['volume']}")
    elif not mount["volume"].startswith("/") and volumes.find(call.t, call.node, mount["volume"]) is None:
        raise failed(f"volume '{mount['volume']}' does not exist")
    found = volumes.find(call.t, call.node, mount["volume"])
    if found is not None:
        mount["size"] = volumes.write_size(found["size"])
    old = record["config"].get(key)
    if old is not None and str(old).split(",")[0] != mount["volume"]:
        drives.detach(call.t, record, key)
    record["config"][key] = propertystring.write(mount, schema)


def _create(call: Call) -> Any:
    vmid = int(call.values["vmid"])
    guest_rights.require_creation(call)
    guest_rights.require_changes(call, "lxc", _NOT_CONFIG)
    records.require_free(call.t, "lxc", vmid)
    pools.add_guest(call, vmid)
    features = records.pairs(call.values.get("features", ""))
    if call.caller.who != ROOT and any(features.get(name) not in (None, "0") for name in _ROOT_ONLY_FEATURES):
        raise failed("changing feature flags (except nesting) is only allowed for root@pam")

    def work(log: list[str]) -> None:
        template = call.values["ostemplate"]
        if volumes.find(call.t, call.node, template) is None:
            raise failed(f"unable to create CT {vmid} - volume '{template}' does not exist")
        record = records.new("lxc", call.node, vmid)
        call.values.setdefault("rootfs", f"{call.values.get('storage', 'local')}:4")
        _apply(call, record, log)
        config = record["config"]
        if config.get("ostype") in (None, "unmanaged") and "ostype" not in call.values:
            config["ostype"] = "debian"
        for key, default in (("arch", "amd64"), ("memory", 512), ("swap", 512), ("hostname", f"CT{vmid}")):
            config.setdefault(key, default)
        records.save(call.t, record)

    upid = call.finished("vzcreate", str(vmid), work)
    if call.values.get("start") and records.find(call.t, vmid):
        call.worker("vzstart", str(vmid), lambda log: call.power.start(vmid))
    return upid


def _get_config(call: Call) -> Any:
    config = records.load(call.t, "lxc", call.node, call.values["vmid"])["config"]
    return dict(config) | {"digest": records.digest(config)}


def _put_config(call: Call) -> None:
    record = records.load(call.t, "lxc", call.node, call.values["vmid"])
    guest_rights.require_changes(call, "lxc", _NOT_CONFIG)
    records.check_digest(record["config"], call.values.get("digest"))
    _apply(call, record, [])
    records.save(call.t, record)


def _interfaces(call: Call) -> Any:
    record = records.load(call.t, "lxc", call.node, call.values["vmid"])
    if not records.is_running(record, call.guests):
        raise failed(f"CT {record['vmid']} not running")
    found: list[dict[str, Any]] = [_LOOPBACK]
    names = [records.pairs(text)["name"] for _, text in records.numbered(record["config"], "net")]
    for name, nic in zip(names, records.spec(record).nics, strict=True):
        entry: dict[str, Any] = {"name": name, "hwaddr": nic.mac.lower(), "hardware-address": nic.mac.lower()}
        address, _, prefix = (nic.address or "").partition("/")
        entry["ip-addresses"] = []
        if address:
            entry["inet"] = nic.address
            entry["ip-addresses"] = [
                {"ip-address": address, "ip-address-type": "inet", "prefix": int(prefix)}
            ]
        found.append(entry)
    return found


def _list(call: Call) -> Any:
    found = [r for r in records.visible(call) if r["kind"] == "lxc" and r["node"] == call.node]
    return [power.status(record, call.guests) | {"type": "lxc"} for record in found]


def routes() -> Routes:
    """The calls of this module."""
    return {
        ("GET", _HERE): _list,
        ("POST", _HERE): _create,
        ("DELETE", _ONE): lambda call: power.destroy(call, "lxc"),
        ("GET", f"{_ONE}/config"): _get_config,
        ("PUT", f"{_ONE}/config"): _put_config,
        ("PUT", f"{_ONE}/resize"): lambda call: guest_config.resize(call, "lxc"),
        ("GET", f"{_ONE}/interfaces"): _interfaces,
        ("GET", f"{_ONE}/status/current"): lambda call: power.current(call, "lxc") | {"type": "lxc"},
        ("POST", f"{_ONE}/status/start"): lambda call: power.start(call, "lxc"),
        ("POST", f"{_ONE}/status/stop"): lambda call: power.stop(call, "lxc"),
        ("POST", f"{_ONE}/status/shutdown"): lambda call: power.shutdown(call, "lxc"),
        ("POST", f"{_ONE}/status/reboot"): lambda call: power.reboot(call, "lxc"),
    }
