"""The tailnet as decided: its routers, its routes and its permissions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.flows import Endpoint
from lab.plan.records.containers import NetworkPlan, ServicePlan


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
