"""The ingress, names and the tailnet as decided: how the lab is reached from outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lab.flows import Endpoint, Port
from lab.plan.records.containers import NetworkPlan, ServicePlan


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
