"""The ingress: the only way in."""

from typing import Literal

from pydantic import Field, model_validator

from lab.config.strict import Part
from lab.config.values import EndpointValue, Image, Manage, Name, PortValue, Subnet, WholeAddress


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
