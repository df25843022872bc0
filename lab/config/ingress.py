"""The ingress: the only way in."""

from typing import Literal

from pydantic import Field, model_validator

from lab.config.middlewares import MiddlewareConfig
from lab.config.strict import Part
from lab.config.values import EndpointValue, Image, Manage, Name, PortNumber, PortValue, Subnet, WholeAddress


class EntryConfig(Part):
    """The way in for one audience: its own port, so that packets can tell audiences apart."""

    port: PortNumber
    """The port that the ingress listens on."""
    redirect: PortNumber | None = None
    """A port for plain HTTP that answers everything with a redirect to HTTPS and serves nothing, such as 80."""
    middlewares: tuple[Name, ...] = ()
    """More of `ingress.middlewares` that every request of this audience passes, after the built-in ones."""


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
    port: PortValue | None = None
    """The port of its local API; 8080 when not given."""
    key: Name | None = None
    """The secret with which Traefik's bouncer asks it about every visitor; without one, only logs are read."""


class TlsConfig(Part):
    """How TLS is spoken at every entry point that ends it."""

    minimum: Literal["1.2", "1.3"] = "1.2"
    """The oldest version that is spoken."""
    unknown_names: Literal["refuse", "serve"] = "refuse"
    """`refuse`: no handshake for a name that no certificate covers. Without `certificate` there is none to cover any,
    and Traefik serves the one that it signed itself."""


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
    """Who ends TLS for the audience `internet`: Traefik, a terminator in front of it, or a Cloudflare Tunnel. For
    every other audience it is Traefik."""
    tunnel: EndpointValue | None = None
    """The service on the same host that opens the tunnel (cloudflared), for `tls: tunnel`."""
    tls_options: TlsConfig = TlsConfig()
    """The versions of TLS, and what becomes of unknown names."""
    trusted_upstreams: tuple[WholeAddress, ...] = ()
    """The terminator's addresses, for `tls: upstream`."""
    auth: ForwardAuthConfig | None = None
    """Forward authentication."""
    ips: IpsConfig | None = None
    """Intrusion prevention."""
    rate_limit: int | None = Field(default=None, ge=1)
    """Requests a second that one visitor may make on average."""
    middlewares: dict[Name, MiddlewareConfig] = {}
    """Middlewares by name, for audiences and routes. One that is called `secure-headers`, `compression` or
    `rate-limit` takes the place of the built-in one."""
    description: str = ""
    """Anything a reader should know."""
    manage: Manage = "yes"
    """`observe`: planned and proven, never changed."""

    @model_validator(mode="after")
    def _parts_fit_together(self) -> "IngressConfig":
        if self.software != "traefik" and self.manage == "yes":
            raise ValueError(f'"{self.software}" cannot be created here; add manage: observe, or use traefik')
        if self.software == "traefik" and self.manage == "yes" and self.image is None:
            raise ValueError("traefik needs an image by digest; add image")
        if self.subnet is not None and self.attachment == "slots":
            raise ValueError("subnet is that of the shared network; add attachment: shared, or remove subnet")
        if self.tls == "tunnel" and self.tunnel is None and self.manage == "yes":
            raise ValueError("nothing opens the tunnel; add tunnel: service:STACK/SERVICE (cloudflared)")
        if self.tls == "upstream" and not self.trusted_upstreams and self.manage == "yes":
            raise ValueError(
                "nobody ends TLS upstream; add trusted-upstreams with the terminator's addresses"
            )
        if self.tunnel is not None and self.tls != "tunnel":
            raise ValueError("tunnel is about tls: tunnel; add that, or remove tunnel")
        if self.trusted_upstreams and self.tls != "upstream":
            raise ValueError(
                "trusted-upstreams is about tls: upstream; add that, or remove trusted-upstreams"
            )
        return self
