"""Virtual machines: their calls and what happens to a configuration on its way in and out.

A change of a running VM takes effect in the configuration at once; the running guest sees it after its
next start. Agents answer the addresses of the VM's cloud-init data.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from sandbox.proxmox import drives, guest_config, power, propertystring, records
from sandbox.proxmox.access import guest_rights, pools
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import failed
from sandbox.proxmox.guest_config import new_mac, schema_of, tidy_tags

_HERE = "/nodes/{node}/qemu"
_ONE = f"{_HERE}/{{vmid}}"
_NOT_CONFIG = (
    "node", "vmid", "pool", "start", "force", "unique", "archive", "storage", "live-restore", "bwlimit",
    "import-working-storage", "ha-managed", "delete", "digest", "skiplock", "background_delay", "revert",
)  # fmt: skip
_REFUSED = ("archive", "unique", "live-restore", "revert")


def _apply(call: Call, record: records.Record, log: list[str]) -> None:
    config = record["config"]
    gone, changes = guest_config.requested(call, _NOT_CONFIG, _REFUSED)
    for key in gone:
        if key in config:
            drives.detach(call.t, record, key) if drives.is_drive(key) else config.pop(key)
    for key, value in changes.items():
        if drives.is_drive(key):
            drives.attach(call.t, record, key, value, schema_of(call, key), log)
        elif re.fullmatch(r"net\d+", key):
            device = propertystring.parse(value, schema_of(call, key))
            device.setdefault("macaddr", records.mac_of(str(config.get(key, ""))) or new_mac())
            config[key] = propertystring.write(device, schema_of(call, key))
        else:
            config[key] = tidy_tags(value) if key == "tags" else value


def _create(call: Call) -> Any:
    vmid = int(call.values["vmid"])
    guest_rights.require_creation(call)
    guest_rights.require_changes(call, "qemu", _NOT_CONFIG)
    records.require_free(call.t, "qemu", vmid)
    pools.add_guest(call, vmid)

    def work(log: list[str]) -> None:
        record = records.new("qemu", call.node, vmid)
        _apply(call, record, log)
        config = record["config"]
        config.setdefault("boot", _default_boot(config))
        config.setdefault("smbios1", f"uuid={uuid.uuid4()}")
        config |= {"vmgenid": str(uuid.uuid4()), "meta": "creation-qemu=10.1.2,ctime=1700000000"}
        records.save(call.t, record)

    upid = call.finished("qmcreate", str(vmid), work)
    if call.values.get("start") and records.find(call.t, vmid):
        call.worker("qmstart", str(vmid), lambda log: call.power.start(vmid))
    return upid


def _default_boot(config: dict[str, Any]) -> str:
    found = [key for key in sorted(config) if re.fullmatch(r"(?:ide|sata|scsi|virtio|net)\d+", key)]
    disks = [key for key in found if not key.startswith("net") and "media=cdrom" not in str(config[key])]
    removable = [key for key in found if "media=cdrom" in str(config[key])]
    discs = [key for key in removable if "cloudinit" not in str(config[key])]
    nics = [key for key in found if key.startswith("net")]
    return "order=" + ";".join([*disks[:1], *discs, *nics[:1]])


def _get_config(call: Call) -> Any:
    config = records.load(call.t, "qemu", call.node, call.values["vmid"])["config"]
    shown = dict(config) | {"digest": records.digest(config)}
    if "cipassword" in shown:
        shown["cipassword"] = "**********"
    return shown


def _change(call: Call, log: list[str]) -> None:
    record = records.load(call.t, "qemu", call.node, call.values["vmid"])
    guest_rights.require_changes(call, "qemu", _NOT_CONFIG)
    records.check_digest(record["config"], call.values.get("digest"))
    _apply(call, record, log)
    records.save(call.t, record)


def _put_config(call: Call) -> None:
    _change(call, [])


def _post_config(call: Call) -> Any:
    records.load(call.t, "qemu", call.node, call.values["vmid"])
    return call.finished("qmconfig", str(call.values["vmid"]), lambda log: _change(call, log))


def _cloudinit(call: Call) -> None:
    records.load(call.t, "qemu", call.node, call.values["vmid"])


def _current(call: Call) -> Any:
    found = power.current(call, "qemu")
    config = records.load(call.t, "qemu", call.node, call.values["vmid"])["config"]
    if _has_agent(config):
        found["agent"] = 1
    return found | {"qmpstatus": found["status"], "type": "qemu"}


def _has_agent(config: dict[str, Any]) -> bool:
    text = str(config.get("agent", "0"))
    return text.split(",")[0] in ("1", "on", "true", "yes") or records.pairs(text).get("enabled") == "1"


def _require_agent(call: Call) -> records.Record:
    record = records.load(call.t, "qemu", call.node, call.values["vmid"])
    if not _has_agent(record["config"]):
        raise failed("No QEMU guest agent configured")
    if not records.is_running(record, call.guests):
        raise failed(f"VM {record['vmid']} is not running")
    return record


def _interfaces(call: Call) -> Any:
    found: list[dict[str, Any]] = []
    for number, nic in enumerate(records.spec(_require_agent(call)).nics):
        address, _, prefix = (nic.address or "").partition("/")
        entry = {"ip-address": address, "ip-address-type": "ipv4", "prefix": int(prefix or 0)}
        found.append(
            {
                "name": f"eth{number}",
                "hardware-address": nic.mac.lower(),
                "ip-addresses": [entry] if address else [],
            }
        )
    return {"result": found}


def _ping(call: Call) -> Any:
    _require_agent(call)
    return {"result": {}}


def _list(call: Call) -> Any:
    found = [r for r in records.visible(call) if r["kind"] == "qemu" and r["node"] == call.node]
    return [power.status(record, call.guests) for record in found]


def routes() -> Routes:
    """The calls of this module."""
    return {
        ("GET", _HERE): _list,
        ("POST", _HERE): _create,
        ("DELETE", _ONE): lambda call: power.destroy(call, "qemu"),
        ("GET", f"{_ONE}/config"): _get_config,
        ("PUT", f"{_ONE}/config"): _put_config,
        ("POST", f"{_ONE}/config"): _post_config,
        ("PUT", f"{_ONE}/cloudinit"): _cloudinit,
        ("PUT", f"{_ONE}/resize"): lambda call: guest_config.resize(call, "qemu"),
        ("GET", f"{_ONE}/status/current"): _current,
        ("POST", f"{_ONE}/status/start"): lambda call: power.start(call, "qemu"),
        ("POST", f"{_ONE}/status/stop"): lambda call: power.stop(call, "qemu"),
        ("POST", f"{_ONE}/status/shutdown"): lambda call: power.shutdown(call, "qemu"),
        ("POST", f"{_ONE}/status/reboot"): lambda call: power.reboot(call, "qemu"),
        ("GET", f"{_ONE}/agent/network-get-interfaces"): _interfaces,
        ("POST", f"{_ONE}/agent/ping"): _ping,
    }
