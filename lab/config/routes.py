"""Routes: the host names that the ingress serves, and for whom."""

from typing import Literal

from pydantic import Field, model_validator

from lab.config.strict import Part
from lab.config.values import HostName, Name, PathPrefix, PortNumber, PortValue, YesNo

_OF_REQUESTS = ("path", "auth", "scheme", "ca", "verify", "server_name")
"""What is said about requests, and so not about a connection whose content the ingress does not read."""


class RouteConfig(Part):
    """A host name that the ingress serves for one port."""

    host: HostName
    """The name below the lab's domain (`vault`), or a full one."""
    port: PortValue | None = None
    """The port that answers; may be left out where only one is served."""
    audience: tuple[Name, ...] = Field(min_length=1)
    """Who it is meant for: `internet`, `tailnet`, a VLAN, or a named group of these."""
    path: PathPrefix | None = None
    """Only requests whose path begins so; of several routes of a host, the longest one decides."""
    auth: Literal["none", "one-factor", "two-factor"] | None = None
    """What is asked of a visitor first; the ingress' default when not given."""
    middlewares: tuple[Name, ...] = ()
    """More of `ingress.middlewares` that its requests pass, after those of the audience and before the sign-in."""
    dns: Literal["direct", "proxied", "tunnel", "none"] | None = None
    """How its public record leads here, or that it has none; as `dns` of the lab says when not given."""
    scheme: Literal["http", "https"] = "http"
    """How the ingress speaks to the target."""
    ca: Name | None = None
    """For `scheme: https`: the secret with the certificate, in PEM form, that signed the target's own."""
    verify: YesNo | None = None
    """For `scheme: https` without `ca`: `yes` trusts the public authorities, `no` everybody (a finding)."""
    server_name: HostName | None = None
    """The name that the target's certificate has to be for, where that is not its address."""
    protocol: Literal["http", "tcp", "udp"] = "http"
    """`tcp` and `udp`: whatever arrives at `entry` is passed on unread."""
    entry: PortNumber | None = None
    """The port of its own at the ingress, for TCP and UDP. A new one replaces Traefik, as every new way in does."""
    passthrough: YesNo = False
    """For TCP, in place of `entry`: TLS for this name goes through the audience's HTTPS port and ends at the target."""

    @model_validator(mode="after")
    def _one_name(self) -> "RouteConfig":
        if self.host.startswith("*"):
            raise ValueError(
                f'"{self.host}" is many names, of which some may have routes and factors of their own; '
                "write one name, and a route for each"
            )
        return self

    @model_validator(mode="after")
    def _certificates_are_checked_knowingly(self) -> "RouteConfig":
        chosen = self.ca is not None or self.verify is not None
        if self.scheme == "https" and not chosen:
            raise ValueError(
                "nothing says how the target's certificate is checked; add ca (the secret that holds its authority's "
                "certificate), verify: yes (a public authority signed it), or verify: no (anybody may pose as it)"
            )
        if self.scheme == "http" and (chosen or self.server_name is not None):
            raise ValueError("ca, verify and server-name are about https; add scheme: https, or remove them")
        if self.ca is not None and self.verify is False:
            raise ValueError("with ca the certificate is checked; remove verify: no, or ca")
        if self.verify is False and self.server_name is not None:
            raise ValueError("with verify: no nobody compares names; remove server-name, or give ca")
        return self

    @model_validator(mode="after")
    def _connections_have_a_port_of_their_own(self) -> "RouteConfig":
        if self.protocol == "http":
            if self.entry is not None or self.passthrough:
                raise ValueError(
                    "requests come in at the audience's port; remove entry and passthrough, or add protocol: tcp"
                )
            return self
        given = ", ".join(name.replace("_", "-") for name in _OF_REQUESTS if name in self.model_fields_set)
        if given:
            raise ValueError(f"{given} is about requests, which {self.protocol} does not have; remove it")
        if self.passthrough and self.protocol == "udp":
            raise ValueError("only TCP carries a name in front of its TLS; add entry, and remove passthrough")
        if self.passthrough and self.entry is not None:
            raise ValueError("it is found by its name or by its port; remove either passthrough or entry")
        if not self.passthrough and self.entry is None:
            by_name = (
                ", or passthrough: yes for TLS that is found by its name" if self.protocol == "tcp" else ""
            )
            raise ValueError(
                f"a {self.protocol} route needs a port of its own at the ingress; add entry{by_name}"
            )
        return self


class Routed(Part):
    """A part of the lab that the ingress may serve."""

    route: RouteConfig | None = None
    """A host name under which the ingress serves one of its ports."""
    routes: tuple[RouteConfig, ...] = ()
    """The same, for several."""

    @model_validator(mode="after")
    def _one_way_to_say_routes(self) -> "Routed":
        if self.route is not None and self.routes:
            raise ValueError("it has route and routes; write all of them under routes")
        return self

    @property
    def all_routes(self) -> tuple[RouteConfig, ...]:
        """Its routes, whichever way they were written."""
        return ((self.route,) if self.route else ()) + self.routes
