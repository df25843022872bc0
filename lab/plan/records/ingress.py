"""The ingress as decided: its ways in, and where each host name leads."""

from dataclasses import dataclass
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
Publication = Literal["direct", "proxied", "tunnel", "wildcard", "none"]
"""How a host name is found in public: by a record of its own that leads to an address, to Cloudflare's proxy or to
its tunnel, by the one record for all, or not at all."""


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
    published: Publication = "none"


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
