"""The artefacts as values: read from plain data, and refused with every part that is not understood."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab.errors import Issue, LabError

_VERSION = 1


class ArtefactError(LabError):
    """Artefacts that cannot be read, or a question that they do not answer."""

    headline = "the rendered artefacts have"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Segment(_Part):
    """A layer-2 segment."""

    name: str
    subnet: IPv4Network
    gateway: IPv4Address | None
    tag: int | None
    bridge: str | None
    masqueraded: bool
    """Whether what leaves it by the node carries the node's address."""


class Router(_Part):
    """What routes between segments: nothing (`none`), the node itself (`node`), or somebody else."""

    kind: str
    endpoint: str | None


class Node(_Part):
    """A Proxmox VE host; without a file it is not this lab's."""

    endpoint: str
    name: str
    address: IPv4Address
    segment: str | None
    bridge: str
    vlan_aware: bool
    """Whether the lab made its bridge VLAN-aware; one that was there before may be so too."""
    host_fw: str | None = Field(alias="host.fw")


class Guest(_Part):
    """A VM or LXC; without a firewall file it is not this lab's."""

    endpoint: str
    node: str
    vmid: int
    kind: Literal["vm", "ct"]
    config: Mapping[str, str]
    """The lines of its configuration about interfaces."""
    addresses: tuple[IPv4Address, ...]
    """Those that it gives itself behind a trunk."""
    firewall: str | None


class Proxmox(_Part):
    """The cluster."""

    switch_known: bool
    """Whether `cluster.fw` is complete; else somebody else decides if any rule counts."""
    cluster_fw: str = Field(alias="cluster.fw")
    corosync_conf: str | None = Field(alias="corosync.conf")
    nodes: tuple[Node, ...]
    guests: tuple[Guest, ...]


class Device(_Part):
    """A machine on a segment that nothing of the lab filters."""

    endpoint: str
    segment: str
    address: IPv4Address | None


class Engine(_Part):
    """Facts about a Docker Engine; null where nobody declared one."""

    version: int | None
    userland_proxy: bool | None
    bridge_netfilter: bool | None
    firewall: Literal["iptables", "nftables"] | None


class Network(_Part):
    """A bridge network; inter-container communication is on, which is Docker's default."""

    name: str
    interface: str
    subnet: IPv4Network
    gateway: IPv4Address
    internal: bool


class Publication(_Part):
    """A port of a container on an address of its host."""

    address: IPv4Address
    external: int
    internal: int
    protocol: Literal["tcp", "udp"]


class Container(_Part):
    """A running container."""

    endpoint: str
    host_network: bool
    addresses: Mapping[str, IPv4Address]
    """By network."""
    ports: tuple[Publication, ...]


class DockerHost(_Part):
    """A machine with a Docker Engine; its guard is null where nothing loads one."""

    machine: str
    engine: Engine
    guard: str | None
    networks: tuple[Network, ...]
    containers: tuple[Container, ...]


class Tailnet(_Part):
    """The policy, null where it is not this lab's, and what each subnet router advertises."""

    policy: str | None
    advertised: Mapping[str, tuple[IPv4Network, ...]]


class Ingress(_Part):
    """Traefik's files."""

    endpoint: str
    static: str
    dynamic: str


class Artefacts(_Part):
    """Everything."""

    version: Literal[1]
    segments: tuple[Segment, ...]
    router: Router
    proxmox: Proxmox
    devices: tuple[Device, ...]
    docker: tuple[DockerHost, ...]
    tailnet: Tailnet | None
    ingress: Ingress | None
    names: Mapping[str, str]
    """Endpoints that are another one's machine."""


def read_artefacts(data: Mapping[str, Any]) -> Artefacts:
    """The artefacts of a lab.

    Raises:
        ArtefactError: with every part that is missing, unknown or of the wrong kind.
    """
    try:
        return Artefacts.model_validate(data)
    except ValidationError as error:
        raise ArtefactError(
            Issue(
                path=".".join(str(part) for part in problem["loc"]),
                problem=f"{problem['msg']}; it is {problem['input']!r}"[:200],
                repair=f"render it as version {_VERSION} of the artefacts says",
            )
            for problem in error.errors()
        ) from None
