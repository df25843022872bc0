"""What a service can do besides opening connections: who is root on its host in all but name."""

from collections.abc import Iterator
from dataclasses import dataclass

from lab.docker_api import RIGHTS, root_calls
from lab.flows import Endpoint
from lab.plan.directory import Container, Directory

SOCKET_PATHS = frozenset({"/", "/run", "/run/docker.sock", "/var", "/var/run", "/var/run/docker.sock"})
"""Binding one of these binds the Docker socket. A read-only bind changes nothing for a socket."""
ROOT_CAPABILITIES = frozenset({"CAP_DAC_READ_SEARCH", "CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO"})
"""Capabilities with which a container gets at the host's disks, memory or kernel (capabilities(7): mounting, opening
files by handle, loading modules, raw ports)."""


@dataclass(frozen=True)
class Power:
    """One thing that a service can do to its host."""

    root: bool
    reason: str
    key: str
    """The key of the lab file that gives it."""


def powers(directory: Directory, endpoint: Endpoint) -> tuple[Power, ...]:
    """Everything that a container can do beyond its network."""
    container = directory.containers.get(endpoint)
    return tuple(_powers(directory, container)) if container is not None else ()


def _powers(directory: Directory, container: Container) -> Iterator[Power]:
    service = container.service
    if service.docker_socket:
        yield Power(
            True, "it holds the Docker socket, which can start a container that mounts /", "docker-socket"
        )
    if service.privileged:
        yield Power(True, "it is privileged: it has every device and capability of the host", "privileged")
    if service.host_processes and "CAP_SYS_PTRACE" in service.capabilities:
        yield Power(True, "it sees the host's processes and may trace them", "host-processes")
    if kept := sorted(ROOT_CAPABILITIES & set(service.capabilities)):
        yield Power(True, f"it keeps {' and '.join(kept)}", "capabilities")
    if service.host_network and "CAP_NET_ADMIN" in service.capabilities:
        yield Power(True, "it may change its host's packet filter, the guard included", "host-network")
    if root := root_calls(service.docker_rights):
        listed = " and ".join(map(str, root))
        yield Power(True, f"its rights at the Docker API include {listed}", "docker-api")
    if seen := [
        f"{right} shows {RIGHTS[right].reveals}" for right in service.docker_rights if RIGHTS[right].reveals
    ]:
        yield Power(False, f"of its rights at the Docker API {' and '.join(seen)}", "docker-api")
    if service.host_network:
        yield Power(False, "it shares the network of its host and sends as the host", "host-network")
    if socket := sorted(SOCKET_PATHS & service.binds.keys()):
        yield Power(
            True,
            f"{socket[0]} of the host is bound, and with it the Docker socket, read-only or not",
            "binds",
        )
    if service.binds and any(path in ("/", "/etc", "/root") for path in service.binds):
        yield Power(False, "it reads the host's files", "binds")


def root_of(directory: Directory, endpoint: Endpoint) -> Power | None:
    """The first power that makes a container root on its host."""
    return next((power for power in powers(directory, endpoint) if power.root), None)
