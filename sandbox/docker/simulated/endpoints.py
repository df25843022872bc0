"""Endpoints: a container's place in a network, its address and its published ports.

As in engine 20.10 a container that does not run only remembers what it was connected with; addresses are
taken at start, checked then, and given back at stop. So a taken static address or a missing network is
found by the start, exactly as it is by the real engine.
"""

import secrets
from ipaddress import IPv4Address, IPv4Network

from sandbox.docker.simulated.addresses import IN_USE, is_assignable, lowest_free, mac_of
from sandbox.docker.simulated.errors import EngineError
from sandbox.docker.simulated.lookup import need_container
from sandbox.docker.simulated.networks import (
    PREDEFINED,
    find_network,
    gateway_of,
    need_network,
    reserved_addresses,
    subnet_of,
)
from sandbox.docker.simulated.ports import publish_ports, release_ports
from sandbox.docker.simulated.request import Call, Reply, Route
from sandbox.docker.simulated.state import Document, EngineState


def endpoint_settings(config: Document | None, network: Document | None = None) -> Document:
    """The settings of an endpoint that is remembered, but not live.

    Args:
        config: what the client sent as `EndpointConfig`.
        network: the network, where it exists already.
    """
    given = config or {}
    ipam = {key: value for key, value in (given.get("IPAMConfig") or {}).items() if value}
    return {
        "IPAMConfig": ipam or None,
        "Links": given.get("Links") or None,
        "Aliases": given.get("Aliases") or None,
        "NetworkID": network["Id"] if network else "",
        "EndpointID": "",
        "Gateway": "",
        "IPAddress": "",
        "IPPrefixLen": 0,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "MacAddress": given.get("MacAddress") or "",
        "DriverOpts": given.get("DriverOpts") or None,
    }


def check_settings(network: Document, settings: Document) -> None:
    """Refuse (400) what the engine refuses before it looks for an address.

    Raises:
        EngineError: a static address or an alias on a network that cannot have it.
    """
    static = (settings["IPAMConfig"] or {}).get("IPv4Address")
    if static and network["Name"] in PREDEFINED:
        raise EngineError(400, "user specified IP address is supported on user defined networks only")
    if static and not network["Explicit"]:
        raise EngineError(
            400,
            "user specified IP address is supported only when connecting to networks with user configured "
            "subnets",
        )
    if static:
        _parse_static(static)
    if settings["Aliases"] and network["Name"] in PREDEFINED:
        raise EngineError(
            400, "network-scoped alias is supported only for containers in user defined networks"
        )


def _parse_static(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except ValueError:
        raise EngineError(400, f"invalid IPv4 address: {text}") from None


def _address(state: EngineState, network: Document, subnet: IPv4Network, settings: Document) -> IPv4Address:
    live = state.endpoints(network["Id"]).all()
    taken = reserved_addresses(network) | {IPv4Address(endpoint["address"]) for endpoint in live}
    static = (settings["IPAMConfig"] or {}).get("IPv4Address")
    if static:
        address = _parse_static(static)
        if address not in subnet:
            raise EngineError(
                400, f"Invalid address {static}: It does not belong to any of this network's subnets"
            )
        if address in taken or not is_assignable(subnet, address):
            raise EngineError(403, IN_USE)
        return address
    range_text = network["IPAM"]["Config"][0].get("IPRange")
    free = lowest_free(subnet, taken, IPv4Network(range_text, strict=False) if range_text else None)
    if free is None:
        name, identifier = network["Name"], network["Id"]
        raise EngineError(
            500, f"no available IPv4 addresses on this network's address pools: {name} ({identifier})"
        )
    return free


def _join(state: EngineState, container: Document, network: Document, settings: Document) -> Document:
    check_settings(network, settings)
    endpoint = secrets.token_hex(32)
    live = settings | {"NetworkID": network["Id"], "EndpointID": endpoint}
    subnet = subnet_of(network)
    name = container["Name"].removeprefix("/")
    record = {"container": container["Id"], "name": name, "address": "", "mac": ""}
    if subnet is not None:
        address = _address(state, network, subnet, settings)
        mac = settings["MacAddress"] or mac_of(address)
        record |= {"address": str(address), "mac": mac}
        live |= {
            "IPAddress": str(address),
            "IPPrefixLen": subnet.prefixlen,
            "Gateway": str(gateway_of(network)),
            "MacAddress": mac,
        }
    if network["Name"] not in PREDEFINED:
        short = container["Id"][:12]
        live["Aliases"] = [alias for alias in settings["Aliases"] or [] if alias != short] + [short]
    state.endpoints(network["Id"]).put(endpoint, record)
    return live


def _leave(state: EngineState, settings: Document) -> Document:
    state.endpoints(settings["NetworkID"]).delete(settings["EndpointID"])
    # The next start derives the MAC address anew, from the address that it then gets.
    return endpoint_settings(settings | {"MacAddress": ""}) | {"NetworkID": settings["NetworkID"]}


def _show_bridge(container: Document) -> None:
    fields = ("EndpointID", "Gateway", "IPAddress", "IPPrefixLen", "MacAddress")
    settings = container["NetworkSettings"]["Networks"].get("bridge")
    for field in fields:
        container["NetworkSettings"][field] = (
            settings[field] if settings else 0 if field == "IPPrefixLen" else ""
        )


def join_networks(state: EngineState, container: Document) -> None:
    """Give a container that starts its addresses and host ports; changes the document in place.

    Raises:
        EngineError: 404 missing network, 403 address in use, 400 foreign address, 500 pool or port.
    """
    networks = container["NetworkSettings"]["Networks"]
    publishing = None
    for name in sorted(networks):
        network = find_network(state, networks[name]["NetworkID"] or name) or find_network(state, name)
        if network is None:
            raise EngineError(404, f"network {name} not found")
        networks[name] = _join(state, container, network, networks[name])
        if network["Driver"] == "bridge" and not network["Internal"]:
            publishing = publishing or networks[name]["EndpointID"]
    publish_ports(state, container, publishing)
    _show_bridge(container)


def leave_networks(state: EngineState, container: Document) -> None:
    """Give back all addresses and ports of a container that stops; changes the document in place."""
    networks = container["NetworkSettings"]["Networks"]
    for name, settings in networks.items():
        if settings["EndpointID"]:
            networks[name] = _leave(state, settings)
    release_ports(state, container)
    _show_bridge(container)


def rename_endpoints(state: EngineState, container: Document, name: str) -> None:
    """Show the live endpoints of a container under its new name."""
    for settings in container["NetworkSettings"]["Networks"].values():
        if settings["EndpointID"]:
            records = state.endpoints(settings["NetworkID"])
            records.put(settings["EndpointID"], (records.get(settings["EndpointID"]) or {}) | {"name": name})


def _connect(call: Call) -> Reply:
    body = call.document()
    container = need_container(call.state, str(body.get("Container") or ""))
    mode = container["HostConfig"]["NetworkMode"]
    if mode == "host" or mode.startswith("container:"):
        raise EngineError(
            403,
            "container sharing network namespace with another container or host cannot be connected to any "
            "other network",
        )
    network = find_network(call.state, call.match["id"])
    if network is None and container["State"]["Running"]:
        need_network(call.state, call.match["id"])
    if network is not None and network["Driver"] == "host":
        raise EngineError(
            403, "container cannot be disconnected from host network or connected to host network"
        )
    name = network["Name"] if network else call.match["id"]
    networks = container["NetworkSettings"]["Networks"]
    settings = endpoint_settings(body.get("EndpointConfig"), network)
    if network is not None:
        check_settings(network, settings)
    if network is not None and container["State"]["Running"]:
        if name in networks:
            holder = container["Name"].removeprefix("/")
            raise EngineError(403, f"endpoint with name {holder} already exists in network {name}")
        networks[name] = _join(call.state, container, network, settings)
    else:
        networks[name] = settings
    _show_bridge(container)
    call.state.containers.put(container["Id"], container)
    return Reply()


def _disconnect(call: Call) -> Reply:
    body = call.document()
    network = find_network(call.state, call.match["id"])
    name = network["Name"] if network else call.match["id"]
    container = need_container(call.state, str(body.get("Container") or ""))
    networks = container["NetworkSettings"]["Networks"]
    if name not in networks:
        if network is None:
            raise EngineError(404, f"network {name} not found")
        raise EngineError(500, f"container {container['Id']} is not connected to the network {name}")
    if networks[name]["EndpointID"]:
        _leave(call.state, networks[name])
    del networks[name]
    _show_bridge(container)
    call.state.containers.put(container["Id"], container)
    return Reply()


def routes() -> list[Route]:
    """The routes of this subject."""
    return [
        Route(method="POST", path="/networks/{id}/connect", handler=_connect),
        Route(method="POST", path="/networks/{id}/disconnect", handler=_disconnect),
    ]
