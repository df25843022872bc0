"""Routes, the ingress, certificates, DNS and the tailnet: how the lab is reached from outside."""

from typing import Literal

from pydantic import Field, model_validator

from lab.config.strict import Part
from lab.config.values import (
    EndpointValue,
    HostName,
    Image,
    Manage,
    Name,
    PortValue,
    Subnet,
    WholeAddress,
    YesNo,
)


class RouteConfig(Part):
    """A host name that the ingress serves for one port."""

    host: HostName
    """The name below the lab's domain (`vault`), or a full one."""
    port: PortValue | None = None
    """The port that answers; may be left out where only one is served."""
    audience: tuple[Name, ...] = Field(min_length=1)
    """Who it is meant for: `internet`, `tailnet`, a VLAN, or a named group of these."""
    path: str | None = Field(default=None, pattern=r"^/")
    """Only requests below this path."""
    auth: Literal["none", "one-factor", "two-factor"] | None = None
    """What is asked of a visitor first; the ingress' default when not given."""
    scheme: Literal["http", "https"] = "http"
    """How the ingress speaks to the target."""


def one_way_to_say_routes(route: RouteConfig | None, routes: tuple[RouteConfig, ...]) -> None:
    """Refuse `route` and `routes` beside each other.

    Raises:
        ValueError: both are given.
    """
    if route is not None and routes:
        raise ValueError("it has route and routes; write all of them under routes")


class EntryConfig(Part):
    """The way in for one audience: its own port, so that packets can tell audiences apart."""

    port: int = Field(ge=1, le=65535)
    """The port that the ingress listens on."""


class ForwardAuthConfig(Part):
    """The service that the ingress asks before it lets a request through."""

    kind: Literal["authelia", "authentik"]
    """Which of the two."""
    endpoint: EndpointValue
    """Where it runs."""
    port: PortValue | None = None
    """Its port."""
    default: Literal["none", "one-factor", "two-factor"] = "two-factor"
    """What a route that says nothing asks for."""
    description: str = ""
    """Anything a reader should know."""


class IpsConfig(Part):
    """The intrusion prevention that sees requests before authentication does."""

    kind: Literal["crowdsec"] = "crowdsec"
    """Which one."""
    endpoint: EndpointValue
    """Where it runs."""


class IngressConfig(Part):
    """The only way in."""

    host: Name
    """The Docker host, guest or device it runs on."""
    software: str = "traefik"
    """`traefik` is created; anything else only with `manage: observe`."""
    image: Image | None = None
    """The Traefik image, by digest."""
    audiences: dict[Name, EntryConfig] = {}
    """The audiences that have a way in, each with its own port."""
    attachment: Literal["slots", "shared"] = "slots"
    """`slots`: each routed service alone with Traefik; `shared`: all in one network."""
    slots: int = Field(default=8, ge=1, le=256)
    """How many services with routes there may be; more than that replaces Traefik once."""
    subnet: Subnet | None = None
    """The subnet of the shared network, for `attachment: shared`."""
    tls: Literal["own", "upstream", "tunnel"] = "own"
    """Who terminates TLS: Traefik, a terminator in front of it, or a Cloudflare Tunnel."""
    trusted_upstreams: tuple[WholeAddress, ...] = ()
    """The terminator's addresses, for `tls: upstream`."""
    auth: ForwardAuthConfig | None = None
    """Forward authentication."""
    ips: IpsConfig | None = None
    """Intrusion prevention."""
    rate_limit: int | None = Field(default=None, ge=1)
    """Requests a second that one visitor may make on average."""
    description: str = ""
    """Anything a reader should know."""
    manage: Manage = "yes"
    """`observe`: planned and proven, never changed."""

    @model_validator(mode="after")
    def _only_traefik_is_created(self) -> "IngressConfig":
        if self.software != "traefik" and self.manage == "yes":
            raise ValueError(f'"{self.software}" cannot be created here; add manage: observe, or use traefik')
        if self.software == "traefik" and self.manage == "yes" and self.image is None:
            raise ValueError("traefik needs an image by digest; add image")
        if self.subnet is not None and self.attachment == "slots":
            raise ValueError("subnet is that of the shared network; add attachment: shared, or remove subnet")
        return self


class CertificateConfig(Part):
    """The certificate of the ingress."""

    names: tuple[HostName, ...] = Field(min_length=1)
    """What it covers; a wildcard covers one level (`*.a` does not cover `x.b.a`)."""
    dns: Literal["cloudflare"] = "cloudflare"
    """Where the DNS-01 challenge is answered; a wildcard cannot be had otherwise."""
    ca: Literal["letsencrypt", "letsencrypt-staging"] = "letsencrypt-staging"
    """Staging has no rate limit that hurts; browsers trust only the other."""
    email: str = ""
    """Where the authority writes to."""


class ForwarderConfig(Part):
    """Where an internal resolver sends what it does not know."""

    addresses: tuple[WholeAddress, ...] = ()
    """Its addresses."""
    tls_name: HostName | None = None
    """The name in its certificate, for DNS over TLS."""
    description: str = ""
    """Who runs it."""


class InternalDnsConfig(Part):
    """The resolver of the lab."""

    software: Literal["bind9", "adguard", "other"]
    """Which one."""
    endpoint: EndpointValue
    """Where it runs."""
    zone: HostName | None = None
    """The zone that it answers itself."""
    forward: ForwarderConfig | None = None
    """Where the rest goes."""
    filters: YesNo = False
    """Whether it refuses names of advertisers and malware."""


class DnsConfig(Part):
    """Names of the lab."""

    provider: Literal["cloudflare", "none"] = "none"
    """Who serves the public zone."""
    zone: HostName | None = None
    """The zone that holds the lab's domain; the domain itself when not given."""
    records: Literal["per-route", "wildcard", "none"] = "per-route"
    """One public record for each route, one for all, or none."""
    proxied: YesNo = False
    """Whether Cloudflare stands in front of the records of internet routes."""
    internal: InternalDnsConfig | None = None
    """The resolver inside."""


class TailnetConfig(Part):
    """The Tailscale network."""

    groups: dict[Name, tuple[str, ...]] = {}
    """Groups of users, by e-mail address; each may reach routes whose audience is `tailnet`."""
    members: tuple[EndpointValue, ...] = ()
    """Nodes and guests that are in the tailnet themselves."""
    description: str = ""
    """Anything a reader should know."""
