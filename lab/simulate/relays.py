"""Traefik's files: which requests it passes on to whom, at layer 7 and under its own address."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML

from lab.errors import Issue
from lab.simulate.artefacts import ArtefactError, Ingress

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Relay:
    """A router of Traefik's on one of its entry points."""

    router: str
    entry: int
    """The port of the entry point, in Traefik's container."""
    host: str
    port: int
    """Where requests are sent on to."""


def read_relays(ingress: Ingress) -> tuple[Relay, ...]:
    """Everything that Traefik passes on.

    Raises:
        ArtefactError: a router names an entry point or a service that the files do not have.
    """
    static, dynamic = _read(ingress.static), _read(ingress.dynamic)
    entries = {
        name: int(str(entry["address"]).rpartition(":")[2]) for name, entry in static["entryPoints"].items()
    }
    http = dynamic.get("http", {})
    return tuple(
        relay
        for name, router in http.get("routers", {}).items()
        for relay in _relays(name, router, entries, http.get("services", {}))
    )


def _relays(
    name: str, router: dict[str, Any], entries: dict[str, int], services: dict[str, Any]
) -> Iterator[Relay]:
    if router["service"] not in services or not set(router["entryPoints"]) <= set(entries):
        raise ArtefactError(
            [
                Issue(
                    path=f"ingress.dynamic http.routers.{name}",
                    problem=f"service {router['service']} or one of {router['entryPoints']} does not exist",
                    repair=f"name one of {', '.join(sorted([*services, *entries]))}",
                )
            ]
        )
    for server in services[router["service"]]["loadBalancer"]["servers"]:
        url = urlsplit(str(server["url"]))
        for entry in router["entryPoints"]:
            yield Relay(
                router=name,
                entry=entries[entry],
                host=url.hostname or "",
                port=url.port or _PORTS[url.scheme],
            )


def _read(text: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return found
