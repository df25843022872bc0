"""The rights on the Docker API: which calls each is, what it shows, and which of them are root on the host.

A call is a method and a path as the Engine API's description writes them. The paths are
those of every version from 1.40 (engine 19.03) to 1.56, as `tests/docker_api/calls.tsv`
lists them from the published descriptions; a test holds that each call here is one of
them. What stands in no right is never let through.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Right = Literal[
    "list", "inspect", "events", "logs", "stats", "processes", "info", "images", "networks", "volumes", "disk",
    "files", "write", "exec", "create", "build", "plugins", "swarm",
]  # fmt: skip


@dataclass(frozen=True, order=True)
class Call:
    """One endpoint of the Engine API."""

    method: str
    path: str
    """Without the version, with its parameters in braces: `/containers/{id}/json`."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, kw_only=True)
class RightMeaning:
    """What a right lets through."""

    calls: tuple[Call, ...]
    shows: str
    """What its holder learns or does, as the end of a sentence."""
    reveals: str = ""
    """What of other services it shows that may hold their secrets; empty where nothing does."""


def _calls(*texts: str) -> tuple[Call, ...]:
    return tuple(Call(*text.split(" ")) for text in texts)


HANDSHAKE = _calls("GET /_ping", "HEAD /_ping", "GET /version")
"""Comes with every right: a client asks for the version of the API before its first call."""

RIGHTS: Mapping[Right, RightMeaning] = {
    "list": RightMeaning(
        calls=_calls("GET /containers/json"),
        shows="names, images, commands, labels, ports, mounts and addresses of all containers",
    ),
    "inspect": RightMeaning(
        calls=_calls("GET /containers/{id}/json"),
        shows="everything the engine knows of each container",
        reveals="the variables of every container",
    ),
    "events": RightMeaning(
        calls=_calls("GET /events"),
        shows="what starts, stops and changes, with labels, and the commands that are run in containers",
    ),
    "logs": RightMeaning(
        calls=_calls("GET /containers/{id}/logs"),
        shows="what every service writes into its log",
    ),
    "stats": RightMeaning(
        calls=_calls("GET /containers/{id}/stats"),
        shows="how much processor, memory and network each container uses",
    ),
    "processes": RightMeaning(
        calls=_calls("GET /containers/{id}/top"),
        shows="the processes of every container",
        reveals="the command lines of every process",
    ),
    "info": RightMeaning(
        calls=_calls("GET /info"),
        shows="kernel, storage, registries and settings of the host",
    ),
    "images": RightMeaning(
        calls=_calls("GET /images/json", "GET /images/{name}/json", "GET /images/{name}/history"),
        shows="all images with their default variables and the steps that built them",
    ),
    "networks": RightMeaning(
        calls=_calls("GET /networks", "GET /networks/{id}"),
        shows="all networks with their members and addresses",
    ),
    "volumes": RightMeaning(
        calls=_calls("GET /volumes", "GET /volumes/{name}"),
        shows="all volumes with the options of their drivers",
    ),
    "disk": RightMeaning(
        calls=_calls("GET /system/df"),
        shows="what `list`, `images` and `volumes` show, with sizes",
    ),
    "files": RightMeaning(
        calls=_calls(
            "HEAD /containers/{id}/archive",
            "GET /containers/{id}/archive",
            "GET /containers/{id}/changes",
            "GET /containers/{id}/export",
        ),
        shows="every file of every container",
        reveals="the files of every container, those with secrets among them",
    ),
    "write": RightMeaning(
        calls=_calls("PUT /containers/{id}/archive"), shows="replaces files of any container"
    ),
    "exec": RightMeaning(
        calls=_calls(
            "POST /containers/{id}/exec",
            "POST /exec/{id}/start",
            "POST /exec/{id}/resize",
            "GET /exec/{id}/json",
        ),
        shows="runs commands in any container",
    ),
    "create": RightMeaning(
        calls=_calls(
            "POST /containers/create",
            "POST /containers/{id}/start",
            "POST /containers/{id}/stop",
            "POST /containers/{id}/restart",
            "POST /containers/{id}/kill",
            "POST /containers/{id}/wait",
            "DELETE /containers/{id}",
            "POST /images/create",
        ),
        shows="makes, starts, stops and removes containers",
    ),
    "build": RightMeaning(calls=_calls("POST /build", "POST /session"), shows="builds images"),
    "plugins": RightMeaning(
        calls=_calls(
            "GET /plugins",
            "GET /plugins/privileges",
            "POST /plugins/pull",
            "POST /plugins/{name}/enable",
            "POST /plugins/{name}/disable",
            "DELETE /plugins/{name}",
        ),
        shows="installs plugins of the engine",
    ),
    "swarm": RightMeaning(
        calls=_calls(
            "POST /swarm/init",
            "POST /swarm/join",
            "POST /swarm/leave",
            "GET /services",
            "POST /services/create",
            "GET /services/{id}",
            "POST /services/{id}/update",
            "DELETE /services/{id}",
        ),
        shows="makes services of a swarm",
    ),
}

ROOT: Mapping[Call, str] = {
    Call(
        "PUT", "/containers/{id}/archive"
    ): "replaces the programs of any container, the proxy's own among them",
    Call("POST", "/containers/{id}/exec"): "runs any command in any container, privileged if asked",
    Call("POST", "/containers/create"): "makes a container that mounts / of the host",
    Call(
        "POST", "/build"
    ): "runs any command in a container on the host's network, past every rule of the lab",
    Call("POST", "/plugins/pull"): "installs a program that the engine runs as root",
    Call("POST", "/swarm/join"): "puts the host under whoever leads that swarm",
    Call("POST", "/services/create"): "makes a container that mounts / of the host",
    Call("POST", "/services/{id}/update"): "makes a container that mounts / of the host",
}
"""Calls that make their caller root on the host, each with how."""


def calls_of(rights: Iterable[Right]) -> tuple[Call, ...]:
    """Every call that rights let through, by path; with the handshake of a client."""
    found = {*HANDSHAKE, *(call for right in rights for call in RIGHTS[right].calls)}
    return tuple(sorted(found, key=lambda call: (call.path, call.method)))


def root_calls(rights: Iterable[Right]) -> tuple[Call, ...]:
    """The calls of rights that make their holder root on the host."""
    return tuple(call for call in calls_of(rights) if call in ROOT)
