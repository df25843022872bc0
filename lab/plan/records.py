"""The records of a plan: what was decided, as plain values.

These are the only things of `lab` that a component's arguments hold. Every value is
known before anything exists, none is an Output, and none is a secret: a secret appears
as a `SecretRef`. Addresses are text, because whoever reads a record hands it on as
text; sizes are whole MiB or GiB, as the field names say. The defaults are the secure
ones, so that a record made by hand for one component stays short.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lab.errors import Issue
from lab.flows import Endpoint, Flow, Port


@dataclass(frozen=True, order=True)
class SecretRef:
    """The name of a secret. Its value is never part of a plan."""

    name: str


@dataclass(frozen=True, kw_only=True)
class PciPlan:
    """A PCI device of a node under the name by which guests ask for it."""

    name: str
    path: str
    id: str
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class ImagePlan:
    """A cloud image or LXC template that a node downloads."""

    name: str
    url: str
    file_name: str
    storage: str = "local"
    content: Literal["import", "vztmpl"] = "import"
    checksum: str | None = None
    """`sha256:…` or `sha512:…`, or None where nothing vouches for it."""

    @property
    def volume(self) -> str:
        """The id of the downloaded file, such as `local:import/debian-12.qcow2`."""
        return f"{self.storage}:{self.content}/{self.file_name}"


@dataclass(frozen=True, kw_only=True)
class NodePlan:
    """A Proxmox VE host and the settings that are made on it."""

    name: str
    address: str
    vlan: str | None = None
    bridge: str = "vmbr0"
    creates_bridge: bool = False
    """False where the bridge exists already, as vmbr0 does on a fresh node."""
    bridge_ports: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    domain: str = ""
    time_zone: str | None = None
    pci: tuple[PciPlan, ...] = ()
    images: tuple[ImagePlan, ...] = ()
    advertises: tuple[str, ...] = ()
    """The subnets it advertises to the tailnet, where the node itself is a subnet router."""
    memory_mib: int | None = None
    disk_gib: int | None = None
    cpu: str = ""
    role: str = ""
    description: str = ""
    kernel_arguments: tuple[str, ...] = ()
    managed: bool = True


@dataclass(frozen=True, kw_only=True)
class RulePlan:
    """One accept rule of a Proxmox firewall; what no rule accepts is dropped."""

    source: str
    """An address or a subnet; empty for any."""
    port: str = ""
    """A port or a range `8000:8010`; empty for every port."""
    protocol: str = ""
    """`tcp` or `udp`; empty for every protocol."""
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class VlanPlan:
    """One layer-2 segment."""

    name: str
    subnet: str
    tag: int | None = None
    gateway: str | None = None
    dhcp: tuple[str, str] | None = None
    """The first and the last leased address."""
    internet: bool = False
    nat: bool = False
    bridge: str | None = None
    nodes: tuple[str, ...] = ()
    """The nodes that have guests in it."""
    rules: tuple[RulePlan, ...] = ()
    """What its zone accepts from elsewhere."""
    purpose: str = ""
    managed: bool = True


@dataclass(frozen=True, kw_only=True)
class NicPlan:
    """One interface of a guest."""

    vlan: str
    bridge: str
    mac: str
    tag: int | None = None
    address: str | None = None
    """None where it is leased."""
    prefix: int = 24
    gateway: str | None = None
    """Only the first interface of a guest has one, so that it has one default route."""
    trunks: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DiskPlan:
    """One disk of a guest."""

    name: str
    size_gib: int
    storage: str
    backup: bool = True


@dataclass(frozen=True, kw_only=True)
class GuestPlan:
    """A VM or an LXC."""

    name: str
    kind: Literal["vm", "lxc"]
    node: str
    vm_id: int
    nics: tuple[NicPlan, ...]
    system_disk: DiskPlan
    data_disks: tuple[DiskPlan, ...] = ()
    """They survive the guest's replacement: a holder VM owns them."""
    holder_id: int | None = None
    """The VMID of that holder."""
    cores: int = 1
    memory_mib: int = 2048
    image: str | None = None
    """The volume id of its image or template on its node."""
    bootstrap: str | None = None
    """The volume id of the static cloud-init file of its role, placed on the node beforehand."""
    runs_docker: bool = False
    dns: tuple[str, ...] = ()
    domain: str = ""
    user: str | None = None
    ssh_keys: tuple[str, ...] = ()
    """Public keys that may log in as `user` (an LXC's are root's)."""
    pci: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    unprivileged: bool = True
    rules: tuple[RulePlan, ...] = ()
    """What its firewall accepts."""
    listens: tuple[Port, ...] = ()
    advertises: tuple[str, ...] = ()
    startup: int | None = None
    tags: tuple[str, ...] = ()
    protect: bool = False
    description: str = ""
    managed: bool = True

    @property
    def address(self) -> str | None:
        """Its first fixed address."""
        return next((nic.address for nic in self.nics if nic.address), None)


@dataclass(frozen=True, kw_only=True)
class DevicePlan:
    """A machine on a segment that Proxmox does not run."""

    name: str
    vlan: str
    address: str | None = None
    listens: tuple[Port, ...] = ()
    runs_docker: bool = False
    model: str = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class DockerHostPlan:
    """A machine with a Docker Engine."""

    name: str
    address: str
    connection: str
    """Where its engine is reached, such as `ssh://10.10.20.11`."""
    guest: str | None = None
    """The guest it is; None for a device."""
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

    variable: str
    """The variable that holds the file's path."""
    path: str
    secret: SecretRef
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
    docker_rights: tuple[str, ...] = ()
    docker_proxy: str | None = None
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


@dataclass(frozen=True, kw_only=True)
class EntryPointPlan:
    """The way in of one audience."""

    audience: str
    port: int
    address: str
    """The address of the ingress host on which it is published."""


Auth = Literal["none", "one-factor", "two-factor"]


@dataclass(frozen=True, kw_only=True)
class RoutePlan:
    """A host name, who may use it, and where it leads."""

    name: str
    """A word for it that is its own, such as `vaultwarden-app`."""
    host: str
    target: Endpoint
    url: str
    """Where Traefik sends requests, such as `http://10.144.0.3:80`."""
    audiences: tuple[str, ...]
    port: Port = Port(80)
    """The target's own port, whatever number it is published under."""
    path: str | None = None
    auth: Auth = "none"
    covered_by: str | None = None
    """The name of the certificate that covers it."""


@dataclass(frozen=True, kw_only=True)
class IngressPlan:
    """The only way in."""

    host: str
    software: str = "traefik"
    service: ServicePlan | None = None
    """Traefik's container; None where the ingress is observed."""
    front: NetworkPlan | None = None
    """The network by which published ports reach Traefik."""
    slots: tuple[NetworkPlan, ...] = ()
    """The networks between Traefik and routed services, all attached from the start."""
    entry_points: tuple[EntryPointPlan, ...] = ()
    routes: tuple[RoutePlan, ...] = ()
    auth_kind: str | None = None
    auth_url: str | None = None
    ips: Endpoint | None = None
    tls: Literal["own", "upstream", "tunnel"] = "own"
    trusted_upstreams: tuple[str, ...] = ()
    rate_limit: int | None = None
    description: str = ""
    managed: bool = True


@dataclass(frozen=True, kw_only=True)
class CertificatePlan:
    """What the ingress' certificate covers and who signs it."""

    names: tuple[str, ...]
    dns: str = "cloudflare"
    ca: Literal["letsencrypt", "letsencrypt-staging"] = "letsencrypt-staging"
    email: str = ""
    zone: str = ""


@dataclass(frozen=True, kw_only=True)
class DnsRecordPlan:
    """One public record."""

    name: str
    """The full name."""
    type: Literal["A", "AAAA", "CNAME", "CAA", "TXT"]
    content: str
    proxied: bool = False
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class DnsPlan:
    """Names: the public records, and the resolver inside."""

    provider: Literal["cloudflare", "none"] = "none"
    zone: str = ""
    records: tuple[DnsRecordPlan, ...] = ()
    internal_software: str | None = None
    internal_endpoint: Endpoint | None = None
    internal_zone: str | None = None
    forwards_to: tuple[str, ...] = ()
    forward_tls_name: str | None = None
    filters: bool = False
    managed: bool = True


@dataclass(frozen=True, kw_only=True)
class SubnetRouterPlan:
    """A Tailscale subnet router as a container on a Docker host."""

    name: str
    host: str
    service: ServicePlan
    network: NetworkPlan
    advertises: tuple[str, ...]
    """Subnets and addresses, in CIDR notation."""
    tag: str = "tag:subnet-router"
    key_expiry_seconds: int = 3600
    managed: bool = True


@dataclass(frozen=True, kw_only=True)
class GrantPlan:
    """A permission of the tailnet."""

    sources: tuple[str, ...]
    destination: str
    """An address or subnet in CIDR notation."""
    ports: tuple[str, ...]
    """`tcp:8443`, or `*`."""


@dataclass(frozen=True, kw_only=True)
class TailnetPlan:
    """The tailnet's policy."""

    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tag: str = "tag:subnet-router"
    routes: tuple[str, ...] = ()
    """The routes that are approved on arrival."""
    grants: tuple[GrantPlan, ...] = ()
    members: tuple[Endpoint, ...] = ()
    description: str = ""
    managed: bool = True
    """Whether this lab owns the policy."""


@dataclass(frozen=True, kw_only=True)
class BackupPlan:
    """How data is kept safe: documented, and run by the guests themselves."""

    tool: str
    to: tuple[str, ...]
    schedule: str = ""
    what: str = ""
    encrypted: str = "unknown"


@dataclass(frozen=True, kw_only=True)
class IdentityPlan:
    """Who proves who somebody is."""

    kind: str
    endpoint: Endpoint
    clients: tuple[Endpoint, ...] = ()
    factors: int = 2


@dataclass(frozen=True, kw_only=True)
class RouterPlan:
    """What routes between the segments."""

    kind: str = "none"
    endpoint: Endpoint | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class LabPlan:
    """The whole lab, decided. Equal declarations and ledgers give equal plans."""

    environment: str
    domain: str
    site: str = "home"
    description: str = ""
    owns: tuple[str, ...] = ()
    operator_vlan: str | None = None
    operator_address: str | None = None
    nodes: tuple[NodePlan, ...] = ()
    vlans: tuple[VlanPlan, ...] = ()
    router: RouterPlan = RouterPlan()
    devices: tuple[DevicePlan, ...] = ()
    guests: tuple[GuestPlan, ...] = ()
    docker_hosts: tuple[DockerHostPlan, ...] = ()
    stacks: tuple[StackPlan, ...] = ()
    ingress: IngressPlan | None = None
    certificate: CertificatePlan | None = None
    dns: DnsPlan = DnsPlan()
    tailnet: TailnetPlan | None = None
    subnet_routers: tuple[SubnetRouterPlan, ...] = ()
    sets: Mapping[str, tuple[Endpoint, ...]] = field(default_factory=dict)
    flows: tuple[Flow, ...] = ()
    """Declared and derived permissions, each with its reason."""
    connections: Mapping[str, str] = field(default_factory=dict)
    """Where `proxmox`, `cloudflare` and `tailscale` are reached."""
    secrets: tuple[SecretRef, ...] = ()
    """Every secret that creating the lab needs."""
    identity: IdentityPlan | None = None
    backup: tuple[BackupPlan, ...] = ()
    warnings: tuple[Issue, ...] = ()
    """True and unwelcome, and no reason to stop."""
    unrecorded: tuple[str, ...] = ()
    """What was given out now and is not in the ledger yet."""
