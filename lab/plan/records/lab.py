"""The whole plan, and what is only documented in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.errors import Issue
from lab.flows import Endpoint, Flow
from lab.plan.records.containers import DockerHostPlan, SecretRef, StackPlan
from lab.plan.records.dns import CertificatePlan, DnsPlan
from lab.plan.records.guard import GuardPlan
from lab.plan.records.ingress import IngressPlan
from lab.plan.records.machines import DevicePlan, GuestPlan, NodePlan, RouterPlan, VlanPlan
from lab.plan.records.safety import Acceptance, Expectation
from lab.plan.records.tailnet import SubnetRouterPlan, TailnetPlan


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
    router: RouterPlan = field(default_factory=RouterPlan)
    devices: tuple[DevicePlan, ...] = ()
    guests: tuple[GuestPlan, ...] = ()
    docker_hosts: tuple[DockerHostPlan, ...] = ()
    stacks: tuple[StackPlan, ...] = ()
    ingress: IngressPlan | None = None
    certificate: CertificatePlan | None = None
    dns: DnsPlan = field(default_factory=DnsPlan)
    tailnet: TailnetPlan | None = None
    subnet_routers: tuple[SubnetRouterPlan, ...] = ()
    sets: Mapping[str, tuple[Endpoint, ...]] = field(default_factory=dict)
    guards: tuple[GuardPlan, ...] = ()
    """The packet filter of each Docker host on which something is created."""
    flows: tuple[Flow, ...] = ()
    """Declared and derived permissions, each with its reason."""
    expectations: tuple[Expectation, ...] = ()
    accepted: tuple[Acceptance, ...] = ()
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

    @property
    def asked_certificate(self) -> CertificatePlan | None:
        """The certificate that Traefik asks an authority for; None where it asks for none."""
        shown = self.shown_certificate
        return shown if shown is not None and shown.pair is None else None

    @property
    def shown_certificate(self) -> CertificatePlan | None:
        """The certificate that Traefik shows, wherever it has it from; None where it ends no TLS, or signs its own."""
        shows = self.ingress is not None and self.ingress.managed and self.ingress.ends_tls
        return self.certificate if shows else None
