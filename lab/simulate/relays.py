"""Traefik's files: which requests it passes on to whom, at layer 7 and under its own address."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML

from lab.errors import Issue
from lab.flows import Port
from lab.simulate.artefacts import ArtefactError, Ingress

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Relay:
    """A router of Traefik's on one of its entry points."""

    router: str
    entry: Port
    """The port of the entry point, in Traefik's container."""
    host: str
    port: Port
    """Where requests and connections are sent on to."""
    brought_by: tuple[IPv4Address, ...]
    """Whose word about visitors is taken at the entry point: who brings it the internet's requests."""


def read_relays(ingress: Ingress) -> tuple[Relay, ...]:
    """Everything that Traefik passes on.

    Raises:
        ArtefactError: a router names an entry point or a service that the files do not have.
    """
    static, dynamic = _read(ingress.static), _read(ingress.dynamic)
    entries = {name: _entry(entry) for name, entry in static["entryPoints"].items()}
    return tuple(
        relay
        for kind in ("http", "tcp", "udp")
        for name, router in dynamic.get(kind, {}).get("routers", {}).items()
        for relay in _relays(f"{kind}.routers.{name}", router, entries, dynamic[kind].get("services", {}))
    )


@dataclass(frozen=True)
class _Entry:
    port: Port
    brought_by: tuple[IPv4Address, ...]


def _entry(entry: dict[str, Any]) -> _Entry:
    """The address `:443` is TCP, `:53/udp` is what it says."""
    trusted = entry.get("forwardedHeaders", {}).get("trustedIPs", ())
    return _Entry(Port.parse(str(entry["address"]).rpartition(":")[2]), tuple(map(IPv4Address, trusted)))


def _relays(
    name: str, router: dict[str, Any], entries: dict[str, _Entry], services: dict[str, Any]
) -> Iterator[Relay]:
    if router["service"] not in services or not set(router["entryPoints"]) <= set(entries):
        raise ArtefactError(
            [
                Issue(
                    path=f"ingress.dynamic {name}",
                    problem=f"service {router['service']} or one of {router['entryPoints']} does not exist",
                    repair=f"name one of {', '.join(sorted([*services, *entries]))}",
                )
            ]
        )
    for server in services[router["service"]]["loadBalancer"]["servers"]:
        for entry in router["entryPoints"]:
            at = entries[entry]
            host, port = _aim(server, at.port)
            router_name = name.rpartition(".")[2]
            yield Relay(router=router_name, entry=at.port, host=host, port=port, brought_by=at.brought_by)


def _aim(server: dict[str, Any], entry: Port) -> tuple[str, Port]:
    """Requests go to a URL, connections and datagrams to an address, by the protocol that they came by."""
    if "url" not in server:
        host, _, number = str(server["address"]).rpartition(":")
        return host, Port(int(number), entry.protocol)
    url = urlsplit(str(server["url"]))
    return url.hostname or "", Port(url.port or _PORTS[url.scheme])


def _read(text: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return found
