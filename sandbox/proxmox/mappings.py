"""PCI resource mappings of the cluster."""

from __future__ import annotations

import re
from typing import Any

from sandbox.proxmox import records
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import failed

COLLECTION = "pve/mapping-pci"
_HERE = "/cluster/mapping/pci"
_SEEING = ("Mapping.Modify", "Mapping.Use", "Mapping.Audit")


def _find(call: Call) -> dict[str, Any]:
    found: dict[str, Any] | None = call.t.get(COLLECTION, call.values["id"])
    if found is None:
        raise failed(f"'{call.values['id']}' does not exist")
    return found


def _list(call: Call) -> Any:
    return [
        {"id": name, "type": "pci", **mapping}
        for name, mapping in call.t.list(COLLECTION)
        if call.caller.has(f"/mapping/pci/{name}", _SEEING, any_of=True)
    ]


def _create(call: Call) -> None:
    name = call.values["id"]
    if call.t.get(COLLECTION, name) is not None:
        raise failed(f"mapping ID '{name}' already exists")
    call.t.put(COLLECTION, name, {k: v for k, v in call.rest("id").items() if v != ""})


def _get(call: Call) -> Any:
    mapping = _find(call)
    return mapping | {"id": call.values["id"], "type": "pci", "digest": records.digest(mapping)}


def _change(call: Call) -> None:
    mapping = _find(call)
    records.check_digest(mapping, call.values.get("digest"))
    for key in re.split(r"[,;\s]+", call.values.get("delete", "")):
        mapping.pop(key, None)
    call.t.put(COLLECTION, call.values["id"], mapping | call.rest("id", "digest", "delete"))


def _delete(call: Call) -> None:
    _find(call)
    call.t.delete(COLLECTION, call.values["id"])


def routes() -> Routes:
    """The calls of this module."""
    return {
        ("GET", _HERE): _list,
        ("POST", _HERE): _create,
        ("GET", f"{_HERE}/{{id}}"): _get,
        ("PUT", f"{_HERE}/{{id}}"): _change,
        ("DELETE", f"{_HERE}/{{id}}"): _delete,
    }
