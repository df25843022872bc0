"""Security groups of the cluster: named rule lists that rules of type `group` refer to."""

from __future__ import annotations

from typing import Any

from sandbox.proxmox import records, rulelists
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import bad_parameters, failed
from sandbox.proxmox.firewall import known_names

COLLECTION = "pve/firewall-groups"
_HERE = "/cluster/firewall/groups"


def _find(call: Call) -> dict[str, Any]:
    found: dict[str, Any] | None = call.t.get(COLLECTION, call.values["group"])
    if found is None:
        raise failed(f"no such security group '{call.values['group']}'")
    return found


def _list(call: Call) -> Any:
    return [
        {"group": name, "digest": records.digest(group)}
        | ({"comment": group["comment"]} if group["comment"] else {})
        for name, group in call.t.list(COLLECTION)
    ]


def _create(call: Call) -> None:
    name, old = call.values["group"], call.values.get("rename")
    group: dict[str, Any] = {"comment": call.values.get("comment", ""), "rules": []}
    if old is not None:
        known = call.t.get(COLLECTION, old)
        if known is None:
            raise bad_parameters({"group": f"Security group '{old}' does not exist"})
        records.check_digest(known, call.values.get("digest"))
        # Proxmox VE updates a group's comment by renaming it to its own name.
        if name != old and call.t.get(COLLECTION, name) is not None:
            raise bad_parameters({"group": f"Security group '{name}' already exists"})
        call.t.delete(COLLECTION, old)
        group["rules"] = known["rules"]
    elif call.t.get(COLLECTION, name) is not None:
        raise bad_parameters({"group": f"Security group '{name}' already exists"})
    call.t.put(COLLECTION, name, group)


def _delete(call: Call) -> None:
    if _find(call)["rules"]:
        raise failed(f"Security group '{call.values['group']}' is not empty")
    call.t.delete(COLLECTION, call.values["group"])


def _load(call: Call) -> list[rulelists.Rule]:
    rules: list[rulelists.Rule] = _find(call)["rules"]
    return rules


def _save(call: Call, rules: list[rulelists.Rule]) -> None:
    call.t.put(COLLECTION, call.values["group"], _find(call) | {"rules": rules})


def routes() -> Routes:
    """The calls of this module."""
    rules = rulelists.handlers(_load, _save, known_names)
    return {
        ("GET", _HERE): _list,
        ("POST", _HERE): _create,
        ("GET", f"{_HERE}/{{group}}"): rules["list"],
        ("POST", f"{_HERE}/{{group}}"): rules["insert"],
        ("DELETE", f"{_HERE}/{{group}}"): _delete,
        ("GET", f"{_HERE}/{{group}}/{{pos}}"): rules["get"],
        ("PUT", f"{_HERE}/{{group}}/{{pos}}"): rules["change"],
        ("DELETE", f"{_HERE}/{{group}}/{{pos}}"): rules["delete"],
    }
