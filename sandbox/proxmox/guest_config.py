"""What happens to the configuration of VMs and containers alike, on its way in."""

from __future__ import annotations

import re
import secrets
from typing import Any

from sandbox.proxmox import drives, firewall, propertystring, records
from sandbox.proxmox.access import pools
from sandbox.proxmox.call import Call
from sandbox.proxmox.errors import failed
from sandbox.store import Transaction


def new_mac() -> str:
    """A random address of the prefix that Proxmox VE uses for guests."""
    return "BC:24:11:" + ":".join(f"{byte:02X}" for byte in secrets.token_bytes(3))


def tidy_tags(text: str) -> str:
    """Tags as Proxmox VE keeps them: lower case, sorted, each once."""
    return ";".join(sorted({tag.lower() for tag in re.split(r"[,;\s]+", text) if tag}))


def schema_of(call: Call, key: str) -> propertystring.Schema:
    """The schema of a setting that is a property string. Raises ApiError where it is none."""
    parameter = call.parameter(key)
    schema = propertystring.schema_of(parameter) if parameter is not None else None
    if schema is None:
        raise failed(f"'{key}' is not a property string")
    return schema


def requested(
    call: Call, not_config: tuple[str, ...], refused: tuple[str, ...]
) -> tuple[list[str], dict[str, Any]]:
    """What a request changes: the settings that it takes out, and those that it writes.

    Args:
        call: the request; a setting that it clears is taken out like one that it deletes.
        not_config: its parameters that are no settings.
        refused: those that the sandbox does not play.

    Raises:
        ApiError: a refused parameter is given.
    """
    for key in refused:
        if call.values.get(key):
            raise failed(f"the sandbox does not play parameter '{key}' of this call")
    deleted = [key for key in re.split(r"[,;\s]+", call.values.get("delete", "")) if key]
    settings = call.rest(*not_config)
    cleared = [key for key, value in settings.items() if value == ""]
    return [*deleted, *cleared], {key: value for key, value in settings.items() if value != ""}


def resize(call: Call, kind: str) -> Any:
    """The `resize` call, which makes a disk larger."""
    record = records.load(call.t, kind, call.node, call.values["vmid"])
    records.check_digest(record["config"], call.values.get("digest"))
    drives.resize(call.t, record, call.values["disk"], call.values["size"])
    records.save(call.t, record)
    return call.finished("resize", str(call.values["vmid"]))


def forget(t: Transaction, record: records.Record) -> None:
    """Take out what others keep of a guest that is destroyed."""
    firewall.forget_guest(t, record)
    pools.forget_guest(t, record)
