"""The lab file: everything under `homelab:lab` in `Pulumi.<env>.yaml`.

Small things stay small: a service is one entry, and its network, address, route, DNS
name, certificate coverage and rules follow from it. Nothing secret is inside: secrets
are sibling keys, and the lab refers to them by name.
"""

from typing import Literal

from pydantic import Field

from lab.config.certificate import CertificateConfig
from lab.config.dns import DnsConfig
from lab.config.ingress import IngressConfig
from lab.config.machines import (
    DeviceConfig,
    FlowConfig,
    GuestConfig,
    NodeConfig,
    OperatorConfig,
    RouterConfig,
    VlanConfig,
)
from lab.config.safety import AcceptConfig, ExpectConfig
from lab.config.stacks import StackConfig
from lab.config.strict import Part
from lab.config.tailnet import TailnetConfig
from lab.config.values import AudienceMember, EndpointValue, HostName, Name, Subnet

Owned = Literal["tailnet-policy", "cluster-firewall", "dns-zone"]


class PoolsConfig(Part):
    """Where subnets are given out from."""

    docker: Subnet | None = None
    """For the networks of stacks."""
    edge: Subnet | None = None
    """For edge slots and other networks of the ingress."""


class ReservationConfig(Part):
    """A subnet that must be left alone."""

    subnet: Subnet
    """The subnet."""
    because: str = Field(min_length=1)
    """Who uses it."""


class BackupConfig(Part):
    """How data is kept safe. Declared and documented; running it is the guests' own work."""

    tool: str
    """The program, such as restic."""
    to: tuple[str, ...] = Field(min_length=1)
    """Where it goes."""
    schedule: str = ""
    """When, in words or as a calendar expression."""
    what: str = "data disks and volumes"
    """What it holds."""
    encrypted: Literal["client-side", "no", "unknown"] = "unknown"
    """Whether the place where it goes can read it."""


class IdentityConfig(Part):
    """Who proves who somebody is, for services that ask by themselves."""

    kind: Literal["authelia", "authentik", "other"]
    """Which provider."""
    endpoint: EndpointValue
    """Where it runs."""
    clients: tuple[EndpointValue, ...] = ()
    """The services that use it."""
    factors: int = Field(default=2, ge=1, le=3)
    """How many factors it asks of who comes from `clients`: told in the report, set at the provider. What the ingress
    asks for is `auth` of a route."""


class LabConfig(Part):
    """One lab, as a person declared it."""

    domain: HostName
    """The domain of every host name in it."""
    description: str = ""
    """What it is, in a sentence."""
    site: Name = "home"
    """The place it shares with other labs; labs of one site never overlap."""
    owns: tuple[Owned, ...] = ("tailnet-policy", "cluster-firewall", "dns-zone")
    """The objects shared with other labs that this one changes; each has exactly one owner."""
    pools: PoolsConfig = PoolsConfig()
    """Where subnets are given out from."""
    reserved: dict[Name, ReservationConfig] = {}
    """Subnets that must be left alone."""
    operator: OperatorConfig = OperatorConfig()
    """Where pulumi runs."""
    nodes: dict[Name, NodeConfig] = {}
    """Proxmox VE hosts."""
    vlans: dict[Name, VlanConfig] = {}
    """Segments, tagged or not."""
    router: RouterConfig = RouterConfig(kind="none")
    """What routes between them."""
    devices: dict[Name, DeviceConfig] = {}
    """Machines that Proxmox does not run."""
    guests: dict[Name, GuestConfig] = {}
    """VMs and LXCs."""
    stacks: dict[Name, StackConfig] = {}
    """Groups of services on Docker hosts."""
    ingress: IngressConfig | None = None
    """The only way in."""
    audiences: dict[Name, tuple[AudienceMember, ...]] = {}
    """Named groups of audiences: `family: [tailnet, trusted]`; `tailnet:GROUP` is one group of the tailnet."""
    certificate: CertificateConfig | None = None
    """The certificate of the ingress."""
    dns: DnsConfig = DnsConfig()
    """Names."""
    tailnet: TailnetConfig | None = None
    """The Tailscale network."""
    sets: dict[Name, tuple[EndpointValue, ...]] = {}
    """Named groups of endpoints for flows."""
    flows: tuple[FlowConfig, ...] = ()
    """Who may open connections to whom; everything else is denied."""
    expect: tuple[ExpectConfig, ...] = ()
    """What must be so: sentences that `lab check` proves and `lab verify` sees."""
    accept: tuple[AcceptConfig, ...] = ()
    """Paths that no flow permits and that are put up with, each with its reason."""
    connections: dict[Name, str] = {}
    """Where each API and engine is: `proxmox`, `cloudflare`, `tailscale`, or a Docker host's name."""
    identity: IdentityConfig | None = None
    """Who proves who somebody is."""
    backup: tuple[BackupConfig, ...] = ()
    """How data is kept safe."""
