"""Pending creates at Docker Engines: networks, volumes and containers by their names.

An object that lacks the labels of the lab is somebody else's and is never taken over. A container is whole
when it has been started, because that is the last thing its creation does; one that is never started (a
loader) cannot be proven whole, since a refresh does not see uploaded files, and is replaced.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import docker
from docker.errors import DockerException, NotFound

from cli.connections import engine_of
from cli.recovery.findings import (
    Finding,
    Unanswered,
    absent,
    found,
    incomplete,
    repeated,
    text,
    undecided,
)
from cli.recovery.state import Operation
from lab.plan.records import LabPlan

IMAGE = "docker:index/remoteImage:RemoteImage"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
CONTAINER = "docker:index/container:Container"
NEVER = "0001-01-01T00:00:00Z"
"""When a container that was never started was started (Docker API, `State.StartedAt`)."""
_BOOT_SECONDS = 60.0


class DockerEngines:
    """The engines of a lab's Docker hosts.

    Args:
        plan: where they are.
        open_engine: makes a client of the engine at an address.
        patience: how long an engine may still be starting, in seconds.
    """

    def __init__(
        self,
        plan: LabPlan,
        *,
        open_engine: Callable[[str], Any] | None = None,
        patience: float = _BOOT_SECONDS,
    ) -> None:
        self._connections = {host.name: engine_of(host) for host in plan.docker_hosts}
        self._open = open_engine or _client
        self._patience = patience
        self._clients: dict[str, Any] = {}

    def find(self, operation: Operation) -> Finding:
        """Look one object up by its name at the engine of its provider's host."""
        if operation.type == IMAGE:
            return repeated(operation, "pulling an image twice gives the same image")
        questions = {NETWORK: _network, VOLUME: _volume, CONTAINER: _container}
        if operation.type not in questions:
            return undecided(operation, "`lab recover` does not know this type; look for it with `docker`")
        host = operation.provider
        if host not in self._connections:
            return undecided(operation, f"the plan has no Docker host {host} any more; look for it there")
        try:
            return questions[operation.type](self._client(host), operation)
        except (DockerException, OSError) as error:
            raise Unanswered(self._unreachable(host, error)) from None

    def _client(self, host: str) -> Any:
        deadline = time.monotonic() + self._patience
        while host not in self._clients:
            try:
                self._clients[host] = self._open(self._connections[host])
            except (DockerException, OSError) as error:
                if time.monotonic() > deadline:
                    raise Unanswered(self._unreachable(host, error)) from None
                time.sleep(0.5)
        return self._clients[host]

    def _unreachable(self, host: str, error: Exception) -> str:
        return (
            f"the Docker Engine of {host} does not answer at {self._connections[host]}: {error}. "
            "Start it, or correct LAB_CONNECTION_DOCKER, and run it again"
        )


def _client(address: str) -> Any:
    return docker.APIClient(base_url=address, version="auto", timeout=30)


def _network(client: Any, operation: Operation) -> Finding:
    name = text(operation.inputs, "name")
    # The engine's own filter also gives names that merely contain it, and names are not unique.
    same = [n for n in client.networks(names=[name]) if n["Name"] == name and n["Id"] not in operation.taken]
    if not same:
        return absent(operation)
    if len(same) > 1:
        ids = ", ".join(network["Id"][:12] for network in same)
        return undecided(operation, f"{len(same)} networks have this name ({ids}); delete all but one")
    labels = same[0].get("Labels") or {}
    return _foreign(operation, "network", labels) or found(operation, str(same[0]["Id"]))


def _volume(client: Any, operation: Operation) -> Finding:
    try:
        volume = client.inspect_volume(text(operation.inputs, "name"))
    except NotFound:
        return absent(operation)
    return _foreign(operation, "volume", volume.get("Labels") or {}) or found(operation, str(volume["Name"]))


def _container(client: Any, operation: Operation) -> Finding:
    try:
        container = client.inspect_container(text(operation.inputs, "name"))
    except NotFound:
        return absent(operation)
    if container["Id"] in operation.taken:
        return absent(operation)
    if problem := _foreign(operation, "container", container["Config"].get("Labels") or {}):
        return problem
    if text(operation.inputs, "image") not in (container["Image"], container["Config"].get("Image")):
        return _not_ours(operation, "container", "is of another image")
    if operation.inputs.get("start") is False:
        return incomplete(operation, container["Id"], "its files may be missing")
    if container["State"].get("StartedAt", NEVER) == NEVER:
        return incomplete(operation, container["Id"], "it was never started")
    return found(operation, str(container["Id"]))


def _foreign(operation: Operation, kind: str, labels: Mapping[str, str]) -> Finding | None:
    wanted = {
        str(item["label"]): str(item["value"])
        for item in operation.inputs.get("labels") or ()
        if isinstance(item, Mapping) and str(item.get("label", "")).startswith("homelab.")
    }
    if all(labels.get(label) == value for label, value in wanted.items()):
        return None
    return _not_ours(operation, kind, "lacks the lab's labels")


def _not_ours(operation: Operation, kind: str, why: str) -> Finding:
    name = text(operation.inputs, "name")
    return undecided(
        operation,
        f"a {kind} {name} is there and {why}, so it is not taken over; "
        f"rename or remove it (`docker {kind} rm {name}`)",
    )
