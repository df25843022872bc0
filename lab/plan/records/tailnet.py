"""The tailnet as decided: its routers, its routes and its permissions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

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
    """What its key carries, and what the policy approves its routes for."""
    key_expiry_seconds: int = 3600
    """How long the key may wait for its one use: an update creates key and container within minutes."""
    managed: bool = True


@dataclass(frozen=True, kw_only=True)
class GrantPlan:
    """A permission of the tailnet."""

    sources: tuple[str, ...]
    destination: str
    """An address or subnet in CIDR notation."""
    ports: tuple[str, ...]
    """`tcp:8443`, `udp:8000-8010`, or `*`."""


@dataclass(frozen=True, kw_only=True)
class SshRulePlan:
    """Who may open a shell on machines of the tailnet."""

    sources: tuple[str, ...]
    tags: tuple[str, ...]
    """The machines."""
    users: tuple[str, ...]
    """User names there."""
    action: Literal["check", "accept"] = "check"


@dataclass(frozen=True, kw_only=True)
class SplitDnsPlan:
    """Names that devices of the tailnet ask the lab's own resolver for."""

    domain: str
    nameserver: str
    """An address; it is always asked at port 53."""


@dataclass(frozen=True, kw_only=True)
class TailnetPlan:
    """The tailnet's policy."""

    environment: str = "dev"
    """Whose policy it is; written into it."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    """The machines that belong to nobody: subnet routers and members."""
    routes: Mapping[str, str] = field(default_factory=dict)
    """The routes that are approved on arrival, each with the tag of the one router that may advertise it."""
    grants: tuple[GrantPlan, ...] = ()
    ssh: tuple[SshRulePlan, ...] = ()
    split_dns: SplitDnsPlan | None = None
    members: tuple[Endpoint, ...] = ()
    overwrite: str | None = None
    """The fingerprint of somebody else's policy that may be overwritten."""
    description: str = ""
    managed: bool = True
    """Whether this lab owns the policy."""
