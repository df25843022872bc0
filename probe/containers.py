"""The running containers of a lab, found by their label, and their network namespaces."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException

from lab.names import environment_variable

ENDPOINT_LABEL = "homelab.endpoint"
STAND_IN_LABEL = "homelab.stand-in"


class EngineUnreachable(Exception):
    """A Docker host does not answer."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """One running container."""

    endpoint: str
    host: str
    id: str
    pid: int
    """The process whose network namespace is the container's; 0 where nothing really runs."""
    image: str
    stand_in: bool
    """Whether a stand-in answers in place of the image."""


def running_containers(host: str, connection: str, *, helpers: bool = False) -> tuple[Running, ...]:
    """Every running container of the lab on one Docker host.

    Args:
        host: the Docker host's name.
        connection: where its engine is, such as `unix:///…` or `ssh://…`.
        helpers: whether probes may start containers there, which they have to where it is another machine.

    Raises:
        EngineUnreachable: with the host and the repair.
    """
    local = connection.startswith("unix://")
    if not local and not helpers:
        # A process id of another machine would name some process of this one.
        variable = environment_variable("LAB_CONNECTION", host)
        raise EngineUnreachable(
            f"{host} is reached at {connection}, and probes have to enter network namespaces where they are. "
            f"Run `lab verify` on {host} itself, with {variable}=unix:///var/run/docker.sock, or add --helpers: "
            "then a small container is started beside each service there, and removed afterwards."
        )
    try:
        with contextlib.closing(engine_client(connection)) as client:
            found = client.containers(filters={"label": ENDPOINT_LABEL, "status": "running"})
            return tuple(_running(host, client.inspect_container(item["Id"])) for item in found)
    except DockerException as error:
        raise EngineUnreachable(
            f"the Docker Engine of {host} does not answer at {connection}: {error}. "
            f"Is the lab up? `make status` tells; `make up` starts it."
        ) from None


def engine_client(connection: str) -> docker.APIClient:
    """A client of an engine; `ssh://` goes through the system's own ssh.

    Raises:
        DockerException: it does not answer.
    """
    if connection.startswith("unix://") and not Path(connection.removeprefix("unix://")).is_socket():
        raise DockerException("there is no such socket")
    by_ssh = connection.startswith("ssh://")
    return docker.APIClient(base_url=connection, version="auto", timeout=30, use_ssh_client=by_ssh)


def _running(host: str, details: Mapping[str, Any]) -> Running:
    labels = details["Config"]["Labels"] or {}
    return Running(
        endpoint=labels[ENDPOINT_LABEL],
        host=host,
        id=str(details["Id"]),
        pid=int(details["State"].get("Pid", 0)),
        image=details["Config"]["Image"],
        stand_in=labels.get(STAND_IN_LABEL) == "true",
    )
