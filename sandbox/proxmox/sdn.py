"""VNets and subnets of Proxmox's software-defined network: kept, checked against each other, and never in force."""

from __future__ import annotations

import re
from typing import Any

from sandbox.proxmox import nodes, propertystring, records
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import failed
from sandbox.proxmox.sections import Section

SUBNETS = "pve/sdn-subnets"
_VNET = "/cluster/sdn/vnets/{vnet}"
_SUBNETS = f"{_VNET}/subnets"
_ONE = f"{_SUBNETS}/{{subnet}}"

VNETS = Section(
    collection="pve/sdn-vnets",
    base="/cluster/sdn/vnets",
    key="vnet",
    missing="sdn '{}' does not exist",
    defined="create sdn vnet object failed: sdn vnet object ID '{}' already defined",
    fixed={"type": "vnet"},
)


def _path(call: Call) -> str:
    found = call.t.get(VNETS.collection, call.values["vnet"])
    zone = found["zone"] if found else call.values.get("zone", "")
    return f"/sdn/zones/{zone}/{call.values['vnet']}"


def _create_vnet(call: Call) -> None:
    call.caller.require(f"/sdn/zones/{call.values['zone']}", ["SDN.Allocate"])
    if call.t.get("pve/sdn-zones", call.values["zone"]) is None:
        raise failed(f"create sdn vnet object failed: zone {call.values['zone']} does not exist")
    VNETS.create(call)


def _get_vnet(call: Call) -> Any:
    call.caller.require(_path(call), ["SDN.Audit", "SDN.Allocate"], any_of=True)
    return VNETS.get(call)


def _change_vnet(call: Call) -> None:
    call.caller.require(_path(call), ["SDN.Allocate"])
    VNETS.change(call)


def _delete_vnet(call: Call) -> None:
    call.caller.require(_path(call), ["SDN.Allocate"])
    if _of_vnet(call):
        raise failed(f"cannot delete vnet '{call.values['vnet']}' because subnets exist")
    VNETS.delete(call)


def _vnets(call: Call) -> Any:
    return [
        one
        for one in VNETS.listing(call)
        if call.caller.has(
            f"/sdn/zones/{one['zone']}/{one['vnet']}", ["SDN.Audit", "SDN.Allocate"], any_of=True
        )
    ]


def _of_vnet(call: Call) -> list[dict[str, Any]]:
    return [one for _, one in call.t.list(SUBNETS) if one["vnet"] == call.values["vnet"]]


def _find(call: Call) -> dict[str, Any]:
    found: dict[str, Any] | None = call.t.get(SUBNETS, call.values["subnet"])
    if found is None or found["vnet"] != call.values["vnet"]:
        raise failed(f"subnet '{call.values['subnet']}' does not exist")
    return found


def _given(call: Call) -> dict[str, Any]:
    given = call.rest("vnet", "subnet", "type", "digest", "delete", "lock-token")
    ranges = given.pop("dhcp-range", None)
    if ranges is not None:
        texts = ranges if isinstance(ranges, list) else [ranges]
        given["dhcp-range"] = [propertystring.parse(text, _RANGE) for text in texts]
    return given


_RANGE = {"start-address": {"type": "string"}, "end-address": {"type": "string"}}


def _create(call: Call) -> None:
    call.caller.require(_path(call), ["SDN.Allocate"])
    vnet = call.t.get(VNETS.collection, call.values["vnet"])
    if vnet is None:
        raise failed(f"sdn '{call.values['vnet']}' does not exist")
    cidr = call.values["subnet"]
    network, _, mask = cidr.partition("/")
    name = f"{vnet['zone']}-{network}-{mask}"
    if call.t.get(SUBNETS, name) is not None:
        raise failed(f"create sdn subnet object failed: sdn subnet object ID '{name}' already defined")
    place = {"vnet": call.values["vnet"], "zone": vnet["zone"], "type": "subnet"}
    place |= {"id": name, "subnet": name, "cidr": cidr, "network": network, "mask": mask}
    call.t.put(SUBNETS, name, _given(call) | place)


def _shown(subnet: dict[str, Any]) -> dict[str, Any]:
    return subnet | {"digest": records.digest(subnet)}


def _list(call: Call) -> Any:
    call.caller.require(_path(call), ["SDN.Audit", "SDN.Allocate"], any_of=True)
    return [_shown(one) for one in _of_vnet(call)]


def _get(call: Call) -> Any:
    call.caller.require(_path(call), ["SDN.Audit", "SDN.Allocate"], any_of=True)
    return _shown(_find(call))


def _change(call: Call) -> None:
    call.caller.require(_path(call), ["SDN.Allocate"])
    found = _find(call)
    records.check_digest(found, call.values.get("digest"))
    for name in re.split(r"[,;\s]+", call.values.get("delete", "")):
        found.pop(name, None)
    call.t.put(SUBNETS, call.values["subnet"], found | _given(call))


def _delete(call: Call) -> None:
    call.caller.require(_path(call), ["SDN.Allocate"])
    _find(call)
    call.t.delete(SUBNETS, call.values["subnet"])


def _apply(call: Call) -> Any:
    # The call is about the whole cluster; its task runs on the node that was asked.
    return call.finished_on(next(iter(nodes.names(call.t)), "localhost"), "reloadnetworkall")


def routes() -> Routes:
    """The calls of this module."""
    return {
        **VNETS.routes(),
        ("GET", "/cluster/sdn/vnets"): _vnets,
        ("POST", "/cluster/sdn/vnets"): _create_vnet,
        ("GET", _VNET): _get_vnet,
        ("PUT", _VNET): _change_vnet,
        ("DELETE", _VNET): _delete_vnet,
        ("GET", _SUBNETS): _list,
        ("POST", _SUBNETS): _create,
        ("GET", _ONE): _get,
        ("PUT", _ONE): _change,
        ("DELETE", _ONE): _delete,
        ("PUT", "/cluster/sdn"): _apply,
    }
