"""Networks of the simulated engine and the checks of their address pools.

Follows engine 20.10: overlap, gateway and pool texts are the real ones. Differs where the real engine is
a trap: a second network with a taken name is always refused (newer engines do so too), and IPv6 networks
are refused because nothing here could answer for them.
"""

import secrets
from ipaddress import IPv4Address, IPv4Network

from sandbox.docker.simulated.addresses import (
    IN_USE,
    free_default_pool,
    is_assignable,
    lowest_free,
    parse_address,
    parse_subnet,
    refuse_overlap,
)
from sandbox.docker.simulated.errors import EngineError
from sandbox.docker.simulated.request import Call, Reply, Route, labels_match
from sandbox.docker.simulated.state import Document, EngineState, now

PREDEFINED = ("bridge", "host", "none")
DRIVERS = ("bridge", "macvlan", "ipvlan")


def subnet_of(network: Document) -> IPv4Network | None:
    """The subnet of a network, or None for host and none."""
    entries = network["IPAM"]["Config"]
    return IPv4Network(entries[0]["Subnet"], strict=False) if entries else None


def gateway_of(network: Document) -> IPv4Address | None:
    """The gateway address of a network, if it has a subnet."""
    entries = network["IPAM"]["Config"]
    return IPv4Address(entries[0]["Gateway"]) if entries else None


def reserved_addresses(network: Document) -> set[IPv4Address]:
    """Addresses that no endpoint may have: the gateway and the auxiliary ones."""
    entry = network["IPAM"]["Config"][0]
    return {IPv4Address(entry["Gateway"])} | {
        IPv4Address(text) for text in (entry.get("AuxiliaryAddresses") or {}).values()
    }


def find_network(state: EngineState, text: str) -> Document | None:
    """The network that a name, an id or a unique id prefix means, or None."""
    networks = state.networks.all()
    for key in ("Id", "Name"):
        for network in networks:
            if network[key] == text:
                return network
    matches = [network for network in networks if network["Id"].startswith(text)]
    return matches[0] if text and len(matches) == 1 else None


def need_network(state: EngineState, text: str) -> Document:
    """The network, or the engine's refusal (404)."""
    network = find_network(state, text)
    if network is None:
        raise EngineError(404, f"network {text} not found")
    return network


def _document(name: str, driver: str, entries: list[Document], body: Document) -> Document:
    return {
        "Name": name,
        "Id": secrets.token_hex(32),
        "Created": now(),
        "Scope": "local",
        "Driver": driver,
        "EnableIPv6": False,
        "IPAM": {"Driver": "default", "Options": (body.get("IPAM") or {}).get("Options"), "Config": entries},
        "Internal": bool(body.get("Internal")),
        "Attachable": bool(body.get("Attachable")),
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Options": body.get("Options") or {},
        "Labels": body.get("Labels") or {},
    }


def create_predefined(state: EngineState) -> None:
    """Make `bridge`, `host` and `none`, where the engine does not have them yet."""
    have = {network["Name"] for network in state.networks.all()}
    drivers = {"bridge": "bridge", "host": "host", "none": "null"}
    for name in PREDEFINED:
        if name in have:
            continue
        entries = [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}] if name == "bridge" else []
        network = _document(name, drivers[name], entries, {}) | {"Explicit": False}
        state.networks.put(network["Id"], network)


def _pool(entry: Document, others: list[IPv4Network]) -> Document:
    text = entry.get("Subnet") or ""
    subnet = parse_subnet(text) if text else free_default_pool(others)
    asked = entry.get("Gateway") or ""
    gateway = parse_address(asked, "gateway") if asked else None
    if gateway is not None and gateway not in subnet:
        raise EngineError(400, f"no matching subnet for gateway {asked}")
    refuse_overlap(subnet, others)
    range_text = entry.get("IPRange") or ""
    within = parse_subnet(range_text) if range_text else None
    if within is not None and not within.subnet_of(subnet):
        raise EngineError(400, f"no matching subnet for range {range_text}")
    auxiliary = {
        name: parse_address(address, "auxiliary")
        for name, address in (entry.get("AuxiliaryAddresses") or {}).items()
    }
    for address in auxiliary.values():
        if address not in subnet:
            raise EngineError(400, f"no matching subnet for aux-address {address}")
    if gateway is not None and not is_assignable(subnet, gateway):
        raise EngineError(500, f"failed to allocate gateway ({asked}): {IN_USE}")
    if gateway is None:
        gateway = lowest_free(subnet, set(auxiliary.values()), within)
    if gateway is None:
        raise EngineError(500, "failed to allocate gateway (): no available addresses on this pool")
    result: Document = {"Subnet": text or str(subnet), "Gateway": str(gateway)}
    if range_text:
        result["IPRange"] = range_text
    if auxiliary:
        result["AuxiliaryAddresses"] = {name: str(address) for name, address in auxiliary.items()}
    return result


def _create(call: Call) -> Reply:
    body = call.document()
    name, driver = str(body.get("Name") or "").strip(), body.get("Driver") or "bridge"
    ipam = body.get("IPAM") or {}
    if not name or "/" in name:
        raise EngineError(
            400, "network name cannot be empty" if not name else f"invalid network name: {name}"
        )
    networks = call.state.networks.all()
    if name in PREDEFINED:
        raise EngineError(403, f"operation is not permitted on predefined {name} network ")
    if any(network["Name"] == name for network in networks):
        raise EngineError(409, f"network with name {name} already exists")
    if driver in ("host", "null"):
        raise EngineError(403, f'only one instance of "{driver}" network is allowed')
    if driver not in DRIVERS:
        raise EngineError(404, f'plugin "{driver}" not found')
    if (ipam.get("Driver") or "default") != "default":
        raise EngineError(404, f'plugin "{ipam["Driver"]}" not found')
    entries = ipam.get("Config") or [{}]
    if body.get("EnableIPv6") or any(":" in str(e.get("Subnet") or "") for e in entries):
        raise EngineError(400, "the simulated engine has no IPv6 networks; leave IPv6 out")
    if len(entries) > 1:
        raise EngineError(400, f"{driver} driver doesnt support multiple subnets")
    others = [subnet for network in networks if (subnet := subnet_of(network)) is not None]
    document = _document(name, driver, [_pool(entries[0], others)], body)
    call.state.networks.put(document["Id"], document | {"Explicit": bool(entries[0].get("Subnet"))})
    return Reply(status=201, document={"Id": document["Id"], "Warning": ""})


def _render(state: EngineState, network: Document, *, endpoints: bool) -> Document:
    shown = {key: value for key, value in network.items() if key != "Explicit"}
    shown["Containers"] = {}
    subnet = subnet_of(network)
    for key, endpoint in state.endpoints(network["Id"]).items() if endpoints else []:
        shown["Containers"][endpoint["container"]] = {
            "Name": endpoint["name"],
            "EndpointID": key,
            "MacAddress": endpoint["mac"],
            "IPv4Address": f"{endpoint['address']}/{subnet.prefixlen}" if subnet else "",
            "IPv6Address": "",
        }
    return shown


def _inspect(call: Call) -> Reply:
    network = need_network(call.state, call.match["id"])
    return Reply(document=_render(call.state, network, endpoints=True))


def _list(call: Call) -> Reply:
    filters = call.filters(("name", "id", "label", "driver", "type", "scope", "dangling"))
    found = []
    for network in call.state.networks.all():
        kind = "builtin" if network["Name"] in PREDEFINED else "custom"
        if "name" in filters and not any(part in network["Name"] for part in filters["name"]):
            continue
        if "id" in filters and not any(network["Id"].startswith(part) for part in filters["id"]):
            continue
        if not labels_match(network["Labels"], filters.get("label", [])):
            continue
        if any(
            filters.get(key, [have])[0] != have
            for key, have in (("driver", network["Driver"]), ("type", kind), ("scope", "local"))
        ):
            continue
        in_use = bool(call.state.endpoints(network["Id"]).items())
        if "dangling" in filters and (filters["dangling"][0] in ("true", "1")) == (
            in_use or kind == "builtin"
        ):
            continue
        found.append(_render(call.state, network, endpoints=False))
    return Reply(document=found)


def _delete(call: Call) -> Reply:
    network = need_network(call.state, call.match["id"])
    name, identifier = network["Name"], network["Id"]
    if name in PREDEFINED:
        raise EngineError(403, f"{name} is a pre-defined network and cannot be removed")
    if call.state.endpoints(identifier).items():
        raise EngineError(
            403, f"error while removing network: network {name} id {identifier} has active endpoints"
        )
    call.state.networks.delete(identifier)
    return Reply(status=204)


def routes() -> list[Route]:
    """The routes of this subject."""
    return [
        Route(method="POST", path="/networks/create", handler=_create),
        Route(method="GET", path="/networks", handler=_list),
        Route(method="GET", path="/networks/{id}", handler=_inspect),
        Route(method="DELETE", path="/networks/{id}", handler=_delete),
    ]
