"""Plan records made by hand, small and complete, for tests of single components."""

from dataclasses import replace
from typing import Any

import components as c
from lab.flows import Endpoint, Port
from lab.plan.guard import guard_service
from lab.plan.records import (
    AttachmentPlan,
    CertificatePlan,
    DiskPlan,
    DnsPlan,
    DnsRecordPlan,
    DockerHostPlan,
    EntryPointPlan,
    GrantPlan,
    GuardPlan,
    GuardRule,
    GuestPlan,
    ImagePlan,
    IngressPlan,
    MintPlan,
    NetworkPlan,
    NicPlan,
    NodePlan,
    PciPlan,
    PublishedPort,
    RoutePlan,
    RulePlan,
    SecretFilePlan,
    SecretRef,
    ServicePlan,
    StackPlan,
    SubnetRouterPlan,
    TailnetPlan,
    VlanPlan,
    VolumePlan,
)

DIGEST = "sha256:" + "0" * 64
CANARY = "canary-7f3a"

HOST = DockerHostPlan(
    name="docker-1",
    address="10.10.20.11",
    connection="ssh://10.10.20.11",
    guest="docker-1",
    loader_image=f"docker.io/library/busybox:1@{DIGEST}",
)
NETWORK = NetworkPlan(
    name="vnet-web", subnet="10.128.0.0/28", gateway="10.128.0.1", interface="br-00000001", purpose="private"
)
SLOT = NetworkPlan(
    name="edge-000", subnet="10.144.0.0/29", gateway="10.144.0.1", interface="br-00000002", purpose="edge"
)
FRONT = NetworkPlan(
    name="vnet-front",
    subnet="10.144.0.64/29",
    gateway="10.144.0.65",
    interface="br-00000003",
    purpose="ingress",
    internal=False,
)
SECRET_FILE = SecretFilePlan(
    variable="TOKEN_FILE", path="/run/homelab/secrets/token", secret=SecretRef("token")
)
SERVICE = ServicePlan(
    name="app",
    image=f"docker.io/library/app:1@{DIGEST}",
    endpoint=Endpoint("service", "web/app"),
    listens=(Port(443), Port(80), Port(53, "udp")),
    attachments=(AttachmentPlan(network="vnet-web", address="10.128.0.2", aliases=("app",)),),
)
STACK = StackPlan(name="web", host="docker-1", networks=(NETWORK,), services=(SERVICE,))
GUARD = GuardPlan(
    host="docker-1",
    bridges={"br-00000001": "vnet-web"},
    rules=(
        GuardRule(
            way="within",
            interface="br-00000001",
            source="10.128.0.2",
            destination="10.128.0.3",
            port=Port(5432),
            because="web/app needs it",
        ),
    ),
    service=guard_service("docker-1", HOST.loader_image),
)
NODE = NodePlan(
    name="pve-a",
    address="10.10.10.11",
    bridge="vmbr1",
    creates_bridge=True,
    bridge_ports=("enp2s0",),
    dns=("10.10.10.1",),
    domain="dev.lab.example",
    time_zone="Etc/UTC",
    pci=(PciPlan(name="gpu", path="0000:01:00.0", id="10de:27b0"),),
    images=(
        ImagePlan(
            name="debian-12",
            url="https://images.example/debian-12.qcow2",
            file_name="debian-12.qcow2",
            checksum="sha512:abc",
        ),
    ),
)
VLAN = VlanPlan(
    name="services",
    subnet="10.10.20.0/24",
    tag=20,
    rules=(RulePlan(source="10.10.10.0/24", port="22", protocol="tcp", comment="the operator"),),
)
VM = GuestPlan(
    name="docker-1",
    kind="vm",
    node="pve-a",
    vm_id=201,
    nics=(
        NicPlan(
            vlan="services",
            bridge="vmbr1",
            mac="02:00:00:00:00:01",
            tag=20,
            address="10.10.20.11",
            gateway="10.10.20.1",
        ),
    ),
    system_disk=DiskPlan(name="os", size_gib=20, storage="local-zfs"),
    data_disks=(DiskPlan(name="data", size_gib=100, storage="tank"),),
    holder_id=9000,
    image="local:import/debian-12.qcow2",
    bootstrap="local:snippets/homelab-docker.yaml",
    rules=(RulePlan(source="10.10.10.5", port="22", protocol="tcp"),),
    tags=("docker", "dev"),
)
LXC = replace(
    VM,
    name="dns",
    kind="lxc",
    vm_id=110,
    data_disks=(),
    holder_id=None,
    image="local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst",
    bootstrap=None,
    features=("nesting",),
)
INGRESS = IngressPlan(
    host="docker-1",
    service=ServicePlan(
        name="traefik",
        image=f"docker.io/library/traefik:3@{DIGEST}",
        endpoint=Endpoint("ingress"),
        listens=(Port(443),),
        attachments=(
            AttachmentPlan(network="edge-000", address="10.144.0.2"),
            AttachmentPlan(network="vnet-front", address="10.144.0.66"),
        ),
        command=("--configFile=/run/homelab/files/traefik.yaml",),
        published=(PublishedPort(internal=443, external=443, address="10.10.20.11"),),
        read_only=True,
    ),
    front=FRONT,
    slots=(SLOT,),
    entry_points=(EntryPointPlan(audience="tailnet", port=443, address="10.10.20.11"),),
    routes=(
        RoutePlan(
            name="web-app",
            host="www.dev.lab.example",
            target=Endpoint("service", "web/app"),
            url="http://10.144.0.3:80",
            audiences=("tailnet",),
        ),
    ),
)
CERTIFICATE = CertificatePlan(
    names=("*.dev.lab.example",),
    email="me@example.com",
    caa=tuple(
        DnsRecordPlan(
            name="dev.lab.example", zone="lab.example", type="CAA", content=f"{tag} letsencrypt.org"
        )
        for tag in ("issue", "issuewild")
    ),
)
MINTED = replace(
    CERTIFICATE, mint=MintPlan(name="homelab/dev: DNS-01", maker=SecretRef("cloudflare-token-maker"))
)
DNS = DnsPlan(
    provider="cloudflare",
    zones=("lab.example",),
    records=(DnsRecordPlan(name="www.dev.lab.example", zone="lab.example", type="A", content="10.10.20.11"),),
)
TAILNET = TailnetPlan(
    groups={"admins": ("me@example.com",)},
    tags=("tag:stack-tailscale-dev",),
    routes={"10.10.20.11/32": "tag:stack-tailscale-dev"},
    grants=(GrantPlan(sources=("group:admins",), destination="10.10.20.11/32", ports=("tcp:443",)),),
)
ROUTER = SubnetRouterPlan(
    name="tailscale",
    tag="tag:stack-tailscale-dev",
    host="docker-1",
    service=ServicePlan(
        name="router",
        image=f"ghcr.io/tailscale/tailscale:v1@{DIGEST}",
        attachments=(AttachmentPlan(network="out-router", address="10.128.1.2"),),
        environment={"TS_AUTHKEY": "file:/run/homelab/secrets/key", "TS_USERSPACE": "false"},
        secret_files=(
            SecretFilePlan(
                variable="TS_AUTHKEY", path="/run/homelab/secrets/key", secret=SecretRef("router-key")
            ),
        ),
        volumes=(VolumePlan(name="state", mount="/var/lib/tailscale"),),
        devices=("/dev/net/tun",),
        capabilities=("CAP_NET_ADMIN", "CAP_NET_RAW"),
    ),
    network=NetworkPlan(
        name="out-router",
        subnet="10.128.1.0/29",
        gateway="10.128.1.1",
        interface="br-00000004",
        purpose="egress",
        internal=False,
    ),
    advertises=("10.10.20.11/32",),
)


def engine(name: str = "docker-1") -> c.DockerHost:
    """A Docker host to put something on."""
    return c.DockerHost(name, c.DockerHostArgs(host=HOST))


def stack_with(**settings: Any) -> StackPlan:
    """The stack, with its one service changed."""
    return replace(STACK, services=(replace(SERVICE, **settings),))
