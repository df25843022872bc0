"""The ingress as decided: its ways in, what requests pass there, and where each host name leads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lab.flows import Endpoint, Port
from lab.plan.records.containers import NetworkPlan, SecretRef, ServicePlan
from lab.plan.records.middlewares import Middleware

Auth = Literal["none", "one-factor", "two-factor"]
Publication = Literal["direct", "proxied", "tunnel", "wildcard", "none"]
"""How a host name is found in public: by a record of its own that leads to an address, to Cloudflare's proxy or to
its tunnel, by the one record for all, or not at all."""
Tls = Literal["own", "upstream", "tunnel"]
_HTTPS = Port(443)
"""Where a visitor looks for HTTPS when nobody says where."""


@dataclass(frozen=True, kw_only=True)
class EntryPointPlan:
    """The way in of one audience."""

    audience: str
    port: int
    address: str
    """The address of the ingress host on which it is published."""
    redirect: int | None = None
    """The port that answers plain HTTP with a redirect to this one."""
    tls: Tls = "own"
    """Who ends TLS before its requests."""
    middlewares: tuple[str, ...] = ()
    """What every request passes, first to last."""

    @property
    def published(self) -> bool:
        """Whether it is a port of the host: a tunnel is opened from inside and needs none."""
        return self.tls != "tunnel"


@dataclass(frozen=True, kw_only=True)
class TargetTlsPlan:
    """How the certificate of a target is checked."""

    verify: bool = True
    ca: SecretRef | None = None
    """The authority that signed it; None for the public ones."""
    server_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class RoutePlan:
    """A host name, who may use it, and where it leads."""

    name: str
    """A word for it that is its own, such as `vaultwarden-app`."""
    host: str
    target: Endpoint
    url: str
    """Where Traefik sends requests, such as `http://10.144.0.3:80`; for TCP and UDP just `10.144.0.3:25565`."""
    audiences: tuple[str, ...]
    port: Port = Port(80)
    """The target's own port, whatever number it is published under."""
    path: str | None = None
    auth: Auth = "none"
    covered_by: str | None = None
    """The name of the certificate that covers it."""
    published: Publication = "none"
    middlewares: tuple[str, ...] = ()
    """What its requests pass after those of the audience, first to last."""
    target_tls: TargetTlsPlan | None = None
    """For a target that speaks HTTPS."""
    protocol: Literal["http", "tcp", "udp"] = "http"
    entry: int | None = None
    """Its own port at the ingress, for TCP and UDP."""
    passthrough: bool = False
    """Whether TLS for its name ends at the target."""

    @property
    def own_port(self) -> Port | None:
        """The port at the ingress that is its alone; None for one that is found by its name."""
        if self.entry is None or self.protocol == "http":
            return None
        return Port(self.entry, self.protocol)

    @property
    def scheme(self) -> str:
        """How a visitor speaks to it: `https`, `tcp`, `udp`, or `tls` for one that is passed through."""
        if self.protocol == "http":
            return "https"
        return "tls" if self.passthrough else self.protocol

    def address_at(self, port: Port) -> str:
        """Where a visitor finds it: `https://www.lab.example:8443/`, without the port that HTTPS has anyway."""
        number = "" if self.scheme == "https" and port == _HTTPS else f":{port.number}"
        return f"{self.scheme}://{self.host}{number}{(self.path or '/') if self.protocol == 'http' else ''}"


@dataclass(frozen=True, kw_only=True)
class CrowdsecPlan:
    """The service that Traefik's bouncer asks about every visitor."""

    address: str
    """Its local API, such as `10.144.0.3:8080`."""
    key_file: str


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
    middlewares: Mapping[str, Middleware] = field(default_factory=dict)
    """Named ones and built-in ones."""
    auth: Endpoint | None = None
    """Who is asked before a visitor is let in."""
    auth_kind: Literal["authelia", "authentik"] | None = None
    auth_default: Auth = "none"
    """What a route asks for that says nothing."""
    auth_url: str | None = None
    ips: Endpoint | None = None
    crowdsec: CrowdsecPlan | None = None
    tls: Tls = "own"
    """Who ends TLS for the internet."""
    tls_minimum: Literal["1.2", "1.3"] = "1.2"
    refuses_unknown_names: bool = True
    tunnel: Endpoint | None = None
    carriers: Mapping[str, Endpoint] = field(default_factory=dict)
    """Who brings the internet's requests where their TLS does not end here, by the one address of each that is
    trusted: what opens the tunnel, or a terminator. One that nobody named is its segment, or the internet."""
    rate_limit: int | None = None
    description: str = ""
    managed: bool = True

    @property
    def trusted_upstreams(self) -> tuple[str, ...]:
        """Whose word about a visitor's address is taken."""
        return tuple(self.carriers)

    @property
    def carried(self) -> frozenset[Port]:
        """The ports whose requests somebody else brings for the internet."""
        return frozenset(Port(entry.port) for entry in self.entry_points if entry.tls != "own")

    def bringing(self, entry: EntryPointPlan) -> tuple[Endpoint, ...]:
        """Who connects to an entry point for somebody else; nobody where TLS ends at Traefik."""
        return () if entry.tls == "own" else tuple(dict.fromkeys(self.carriers.values()))

    @property
    def ends_tls(self) -> bool:
        """Whether some TLS ends here, so that a certificate is needed."""
        return any(entry.tls == "own" for entry in self.entry_points)

    def entry_point(self, audience: str) -> EntryPointPlan | None:
        """The way in of an audience, where it has one."""
        return next((entry for entry in self.entry_points if entry.audience == audience), None)

    def way_in(self, route: RoutePlan, audience: str) -> Port:
        """The port at the ingress where an audience finds a route; that of HTTPS where nobody said which."""
        if (own := route.own_port) is not None:
            return own
        entry = self.entry_point(audience)
        return Port(entry.port) if entry else _HTTPS

    def openings(self) -> Iterator[tuple[str, Port, str]]:
        """Every port that an audience uses, with the reason; one that no route is for is not among them."""
        found: dict[tuple[str, Port, str], None] = {}
        for route in self.routes:
            for audience in route.audiences:
                because = f"audience {audience}" if route.own_port is None else f"route {route.host}"
                found[audience, self.way_in(route, audience), because] = None
                entry = self.entry_point(audience)
                if entry is not None and entry.redirect is not None and route.protocol == "http":
                    found[audience, Port(entry.redirect), f"audience {audience}, redirected to HTTPS"] = None
        yield from sorted(found)
