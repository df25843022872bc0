"""Routes: the host names that the ingress serves, and for whom."""

from typing import Literal

from pydantic import Field

from lab.config.strict import Part
from lab.config.values import HostName, Name, PortValue


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
    dns: Literal["direct", "proxied", "tunnel", "none"] | None = None
    """How its public record leads here, or that it has none; as `dns` of the lab says when not given."""
    scheme: Literal["http", "https"] = "http"
    """How the ingress speaks to the target."""


def one_way_to_say_routes(route: RouteConfig | None, routes: tuple[RouteConfig, ...]) -> None:
    """Refuse `route` and `routes` beside each other.

    Raises:
        ValueError: both are given.
    """
    if route is not None and routes:
        raise ValueError("it has route and routes; write all of them under routes")
