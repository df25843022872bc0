"""Docker hosts, networks, services and stacks as decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lab.docker_api import Right
from lab.flows import Endpoint, Port


@dataclass(frozen=True, order=True)
class SecretRef:
    """The name of a secret. Its value is never part of a plan."""

    name: str


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """What decides how an engine treats packets; None where nobody said so."""

    version: int | None = None
    """The major one: what an internal network closes changed with 28 (moby PR 49262)."""
    userland_proxy: bool | None = None
    """Whether a process of the host accepts connections to published ports that come from containers."""
    bridge_netfilter: bool | None = None
    """Whether packets between two ports of one bridge meet packet filters (`bridge-nf-call-iptables`)."""
    firewall: Literal["iptables", "nftables"] | None = None


@dataclass(frozen=True, kw_only=True)
class DockerHostPlan:
    """A machine with a Docker Engine."""

    name: str
    address: str
    connection: str
    """Where its engine is reached, such as `ssh://10.10.20.11`."""
    guest: str | None = None
    """The guest it is; None for a device."""
    engine: EngineFacts = EngineFacts()
    loader_image: str = ""
    """The image of the containers that carry files into volumes and never run."""


NetworkPurpose = Literal["private", "edge", "egress", "ingress"]


@dataclass(frozen=True, kw_only=True)
class NetworkPlan:
    """A Docker network."""

    name: str
    """Its name in the engine, such as `vnet-vaultwarden`."""
    subnet: str
    gateway: str
    interface: str
    """The kernel's name of its bridge, fixed from the first day: options are replace-only."""
    purpose: NetworkPurpose = "private"
    internal: bool = True
    """Whether it has no way out."""


@dataclass(frozen=True, kw_only=True)
class AttachmentPlan:
    """A container in a network, at a fixed address."""

    network: str
    address: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VolumePlan:
    """A named volume and where it is mounted."""

    name: str
    mount: str
    protect: bool = False


@dataclass(frozen=True, kw_only=True)
class SecretFilePlan:
    """A secret that reaches a container as a file, because inspect shows variables and not files."""

    path: str
    secret: SecretRef
    variable: str = ""
    """The variable that holds the file's path; empty where another file of the container names it."""
    form: str = "{secret}"
    """The file's content, in which `{secret}` stands for the value."""


@dataclass(frozen=True, kw_only=True)
class FilePlan:
    """A file with known content."""

    path: str
    content: str


@dataclass(frozen=True, kw_only=True)
class PublishedPort:
    """A port of a container on an address of its host."""

    internal: int
    external: int
    address: str
    protocol: Literal["tcp", "udp"] = "tcp"


@dataclass(frozen=True, kw_only=True)
class HealthPlan:
    """How an engine finds out whether a container is well; interval in seconds."""

    command: tuple[str, ...]
    interval: int = 30
    retries: int = 3


@dataclass(frozen=True, kw_only=True)
class DockerFilterPlan:
    """What a proxy of the Docker API lets through."""

    kind: Literal["cetusguard", "socket-proxy"]
    consumer: str
    """The one service that asks it, as `stack/service`."""
    rights: tuple[Right, ...]
    port: int = 2375


@dataclass(frozen=True, kw_only=True)
class ServicePlan:
    """One container."""

    name: str
    image: str
    attachments: tuple[AttachmentPlan, ...] = ()
    endpoint: Endpoint = Endpoint("service", "none/none")
    """What the container is called in the proof; its label `homelab.endpoint`."""
    listens: tuple[Port, ...] = ()
    speaks_http: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    secret_files: tuple[SecretFilePlan, ...] = ()
    files: tuple[FilePlan, ...] = ()
    volumes: tuple[VolumePlan, ...] = ()
    binds: Mapping[str, str] = field(default_factory=dict)
    """Paths of the host by where they are mounted, read-only."""
    devices: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str | None = None
    capabilities: tuple[str, ...] = ()
    """The ones it keeps; all others are dropped."""
    read_only: bool = False
    tmpfs: tuple[str, ...] = ()
    memory_mib: int | None = None
    cpus: float | None = None
    health: HealthPlan | None = None
    published: tuple[PublishedPort, ...] = ()
    privileged: bool = False
    host_network: bool = False
    host_processes: bool = False
    docker_socket: bool = False
    docker_rights: tuple[Right, ...] = ()
    docker_proxy: str | None = None
    """The service that it asks for the Docker API, as `stack/service`."""
    docker_filter: DockerFilterPlan | None = None
    """What it lets through to the Docker API; None where it is no proxy."""
    stop_grace: int = 10
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class StackPlan:
    """A group of services with its own networks on one Docker host."""

    name: str
    host: str
    networks: tuple[NetworkPlan, ...]
    services: tuple[ServicePlan, ...]
    description: str = ""
    managed: bool = True
