"""`/devices` and `/device/{id}`: machines of the tailnet and their routes.

A device appears by `register_device`, which whoever runs a tailnet node in the sandbox calls; until one
does, the list is empty. Routes are enabled by hand (`POST .../routes`) or by the policy's auto-approvers
when the device comes.
"""

import secrets
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from sandbox.store import Transaction
from sandbox.tailscale.acl import current_policy
from sandbox.tailscale.errors import ApiError
from sandbox.tailscale.keys import refuse_undefined_tags
from sandbox.tailscale.request import (
    Call,
    Document,
    Reply,
    Route,
    boolean,
    refuse_unknown,
    string_list,
)

COLLECTION = "tailscale/devices"
_EXIT_ROUTES = ("0.0.0.0/0", "::/0")


def _covers(outer: IPv4Network | IPv6Network, inner: IPv4Network | IPv6Network) -> bool:
    if isinstance(outer, IPv4Network) and isinstance(inner, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and isinstance(inner, IPv6Network) and inner.subnet_of(outer)


def approved_routes(policy: dict[str, Any], tags: list[str], advertised: list[str]) -> list[str]:
    """The advertised routes that the policy approves by itself for a device with these tags.

    Args:
        policy: the policy in force.
        tags: the tags of the device; approvers that are users or groups are not considered.
        advertised: routes in CIDR notation.
    """
    approvers = policy.get("autoApprovers") or {}
    approved = []
    for route in advertised:
        if route in _EXIT_ROUTES:
            who = approvers.get("exitNode") or []
        else:
            who = [
                approver
                for prefix, list_of in (approvers.get("routes") or {}).items()
                if _covers(ip_network(prefix), ip_network(route))
                for approver in list_of
            ]
        if set(who) & set(tags):
            approved.append(route)
    return approved


def register_device(
    transaction: Transaction, *, hostname: str, tags: tuple[str, ...] = (), advertised: tuple[str, ...] = ()
) -> Document:
    """Add a device to the tailnet and give its document.

    Args:
        transaction: an open store transaction.
        hostname: its host name.
        tags: its tags; without any it belongs to the sandbox's user.
        advertised: the routes that it offers, in CIDR notation.
    """
    number = transaction.next_number("tailscale/devices")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    device: Document = {
        "id": str(10000 + number),
        "nodeId": f"nSANDBOX{number}CNTRL",
        "hostname": hostname,
        "name": f"{hostname}.sandbox.ts.net",
        "addresses": [f"100.64.{number // 250}.{number % 250 + 1}", f"fd7a:115c:a1e0::{number + 1:x}"],
        "user": "" if tags else "sandbox@example.com",
        "tags": list(tags),
        "os": "linux",
        "authorized": True,
        "isExternal": False,
        "isEphemeral": False,
        "keyExpiryDisabled": bool(tags),
        "blocksIncomingConnections": False,
        "updateAvailable": False,
        "connectedToControl": True,
        "clientVersion": "",
        "created": now,
        "lastSeen": now,
        "expires": "0001-01-01T00:00:00Z" if tags else now,
        "machineKey": f"mkey:{secrets.token_hex(32)}",
        "nodeKey": f"nodekey:{secrets.token_hex(32)}",
        "tailnetLockKey": "",
        "tailnetLockError": "",
        "advertisedRoutes": list(advertised),
        "enabledRoutes": approved_routes(current_policy(transaction), list(tags), list(advertised)),
    }
    transaction.put(COLLECTION, device["id"], device)
    return device


def _need(call: Call) -> Document:
    wanted = call.match["device"]
    for _, device in call.transaction.list(COLLECTION):
        if wanted in (device["id"], device["nodeId"]):
            return dict(device)
    raise ApiError(404, f"no manageable device matching {wanted} found")


def _change(call: Call, device: Document, **fields: Any) -> None:
    call.transaction.put(COLLECTION, device["id"], device | fields)


def _shown(device: Document, *, routes: bool) -> Document:
    hidden = () if routes else ("advertisedRoutes", "enabledRoutes")
    return {name: value for name, value in device.items() if name not in hidden}


def _list(call: Call) -> Reply:
    everything = call.query.get("fields") == "all"
    shown = [_shown(device, routes=everything) for _, device in call.transaction.list(COLLECTION)]
    wanted = [(name, text) for name, text in call.query.items() if name not in ("fields", "tailnet")]
    found = [device for device in shown if all(_has(device.get(name), text) for name, text in wanted)]
    return Reply(document={"devices": found})


def _has(value: Any, text: str) -> bool:
    """Whether a field is what a filter says; a list is when one of its entries is."""
    if isinstance(value, bool):
        return text == ("true" if value else "false")
    return text in value if isinstance(value, list) else str(value) == text


def _get(call: Call) -> Reply:
    return Reply(document=_shown(_need(call), routes=call.query.get("fields") == "all"))


def _delete(call: Call) -> Reply:
    call.transaction.delete(COLLECTION, _need(call)["id"])
    return Reply()


def _route_document(device: Document) -> Reply:
    names = ("advertisedRoutes", "enabledRoutes")
    return Reply(document={name: device[name] for name in names})


def _get_routes(call: Call) -> Reply:
    return _route_document(_need(call))


def _set_routes(call: Call) -> Reply:
    device, body = _need(call), call.document()
    refuse_unknown(body, ("routes",))
    routes = string_list(body, "routes")
    for route in routes:
        try:
            ip_network(route)
        except ValueError:
            raise ApiError(400, f"invalid route {route!r}: it must be a subnet in CIDR notation") from None
    _change(call, device, enabledRoutes=routes)
    return _route_document(device | {"enabledRoutes": routes})


def _set_tags(call: Call) -> Reply:
    device, body = _need(call), call.document()
    refuse_unknown(body, ("tags",))
    tags = string_list(body, "tags")
    refuse_undefined_tags(call, tags)
    _change(call, device, tags=tags)
    return Reply()


def _set_authorised(call: Call) -> Reply:
    device, body = _need(call), call.document()
    refuse_unknown(body, ("authorized",))
    _change(call, device, authorized=boolean(body, "authorized"))
    return Reply()


def _set_key(call: Call) -> Reply:
    device, body = _need(call), call.document()
    refuse_unknown(body, ("keyExpiryDisabled",))
    _change(call, device, keyExpiryDisabled=boolean(body, "keyExpiryDisabled"))
    return Reply()


def routes() -> list[Route]:
    """The routes of this subject."""
    base = "/device/{device}"
    return [
        ("GET", "/tailnet/{tailnet}/devices", _list),
        ("GET", base, _get),
        ("DELETE", base, _delete),
        ("GET", f"{base}/routes", _get_routes),
        ("POST", f"{base}/routes", _set_routes),
        ("POST", f"{base}/tags", _set_tags),
        ("POST", f"{base}/authorized", _set_authorised),
        ("POST", f"{base}/key", _set_key),
    ]
