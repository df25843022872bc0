"""Stacks and services: what runs in containers, and what each may reach."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from lab.config.routes import Routed
from lab.config.strict import Part
from lab.config.tailnet import SubnetRouterConfig
from lab.config.values import Image, Manage, Name, PortNumber, PortText, PortValue, Size, Subnet, YesNo
from lab.docker_api import Right


class HealthConfig(Part):
    """How the engine finds out whether a service is well."""

    command: tuple[str, ...] = Field(min_length=1)
    """The command that exits 0 when it is."""
    interval: int = Field(default=30, ge=1)
    """Seconds between two tries."""
    retries: int = Field(default=3, ge=1)
    """Failures in a row before it counts as ill."""


def _one_way_to_say_how_large(subnet: object, size: int | None) -> None:
    if subnet is not None and size is not None:
        raise ValueError("subnet says its size already; remove size")


class NetworkConfig(Part):
    """A private network of a stack."""

    subnet: Subnet | None = None
    """Its subnet, however small; given out by the ledger when not written."""
    size: int | None = Field(default=None, ge=16, le=30)
    """Its prefix length; a new one replaces the network and its containers."""

    @model_validator(mode="after")
    def _one_way_to_say_how_large(self) -> "NetworkConfig":
        _one_way_to_say_how_large(self.subnet, self.size)
        return self


class DockerProxyConfig(Part):
    """The program that stands between a service and the Docker API."""

    kind: Literal["cetusguard", "socket-proxy"] = "cetusguard"
    """CetusGuard, or wollomatic's socket-proxy; both let through methods with paths, and nothing else."""
    image: Image | None = None
    """Its image, by digest; for CetusGuard there is one that the program knows."""


class DockerApiConfig(Part):
    """What a service may do with the Docker API of its host, through a proxy of its own that grants just this."""

    rights: tuple[Right, ...] = Field(min_length=1)
    """What it may ask; docs/docker-api.md says which calls each right is, and what it shows."""
    proxy: DockerProxyConfig = DockerProxyConfig()
    """The proxy; it is a service beside this one, on a network that holds the two of them."""


class SecretUse(Part):
    """How a service is given a secret: as a file whose path a variable holds."""

    secret: Name
    """The name of the secret."""
    form: str = Field(default="{secret}", pattern=r"^[^{}]*\{secret\}[^{}]*$")
    """The file's content, in which {secret} stands for the value: `postgresql://app:{secret}@db/app`."""


def _uses(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {variable: {"secret": use} if isinstance(use, str) else use for variable, use in value.items()}


class ServiceConfig(Routed):
    """One container of a stack."""

    image: Image
    """Its image, by digest."""
    listens: tuple[PortValue, ...] = ()
    """The ports it serves."""
    needs: tuple[str, ...] = ()
    """What it opens connections to: `db:5432` in its stack, `stack/service:port` elsewhere."""
    egress: YesNo = False
    """Whether it may open connections to the internet."""
    networks: tuple[Name, ...] = ()
    """The stack's networks it is in; all of them when not given."""
    publishes: dict[PortText, PortNumber] = {}
    """Ports published on the host's address: `1900/udp: 1900`."""
    volumes: dict[Name, str] = {}
    """Named volumes and where they are mounted."""
    binds: dict[str, str] = {}
    """Paths of the host and where they are mounted, read-only."""
    environment: dict[str, str] = {}
    """Variables that are not secret."""
    secrets: Annotated[dict[str, SecretUse], BeforeValidator(_uses)] = {}
    """Variables that hold the path of a file with a secret: `ADMIN_TOKEN_FILE: vaultwarden-admin-token`."""
    files: dict[str, str] = {}
    """Files with their content, mounted read-only: `/etc/app/config.yaml: …`."""
    command: tuple[str, ...] = ()
    """Arguments in place of the image's own."""
    user: str | None = Field(default=None, pattern=r"^[0-9]+(:[0-9]+)?$")
    """The numeric user it runs as; the image's own when not given."""
    capabilities: tuple[Annotated[str, Field(pattern=r"^CAP_[A-Z_]+$")], ...] = ()
    """Capabilities it keeps; all others are dropped."""
    read_only: YesNo = False
    """Whether its root file system cannot be written."""
    tmpfs: tuple[str, ...] = ()
    """Paths held in memory."""
    memory: Size | None = None
    """The most memory it may take."""
    cpus: float | None = Field(default=None, gt=0)
    """The most processor time it may take, in processors."""
    health: HealthConfig | None = None
    """How its health is found out."""
    docker_api: DockerApiConfig | None = None
    """What it may do with the Docker API."""
    docker_socket: YesNo = False
    """Whether it mounts the Docker socket itself, which is root on the host."""
    privileged: YesNo = False
    """Whether it is root on the host in all but name."""
    host_network: YesNo = False
    """Whether it shares the network of its host."""
    host_processes: YesNo = False
    """Whether it sees the processes of its host."""
    stop_grace: int = Field(default=10, ge=1, le=3600)
    """Seconds it is given to stop."""
    protect: YesNo = False
    """Whether Pulumi refuses to delete its volumes."""
    description: str = ""
    """What it is for."""


def _networks(value: object) -> object:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return {name: {} for name in value}
    if isinstance(value, dict):
        return {name: {} if part is None else part for name, part in value.items()}
    return value


class StackConfig(Part):
    """A named group of services with private networks of its own on one Docker host."""

    host: Name
    """The Docker host: a guest or a device that runs docker."""
    services: dict[Name, ServiceConfig] = {}
    """Its services."""
    subnet: Subnet | None = None
    """The subnet of its network, however small; given out by the ledger when not written."""
    size: int | None = Field(default=None, ge=16, le=30)
    """The prefix length of its network; a new one replaces it and its containers."""
    networks: Annotated[dict[Name, NetworkConfig], BeforeValidator(_networks)] = {}
    """Several private networks instead of one; each service then says which it is in."""
    tailscale: SubnetRouterConfig | None = None
    """A Tailscale subnet router as the whole of the stack."""
    description: str = ""
    """What it is for."""
    manage: Manage = "yes"
    """`observe`: planned and proven, never changed."""

    @model_validator(mode="after")
    def _one_kind_of_stack(self) -> "StackConfig":
        _one_way_to_say_how_large(self.subnet, self.size)
        if self.networks and (self.subnet or self.size):
            raise ValueError(
                "with several networks, subnet and size belong to one of them; move them into networks"
            )
        if self.tailscale is not None and self.services:
            raise ValueError("a subnet router is the whole of its stack; move its services to another stack")
        return self
