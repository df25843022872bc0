"""The Tailscale network: its people, and the machines that are in it."""

from lab.config.strict import Part
from lab.config.values import EndpointValue, Image, Name, SomeEndpoints


class SubnetRouterConfig(Part):
    """A Tailscale subnet router: what it advertises to the tailnet."""

    advertise: SomeEndpoints
    """`ingress` for the addresses of the ingress alone, or `vlan:NAME` for a whole segment."""
    image: Image | None = None
    """The Tailscale image, by digest; needed where it runs as a container."""


class TailnetConfig(Part):
    """The Tailscale network."""

    groups: dict[Name, tuple[str, ...]] = {}
    """Groups of users, by e-mail address; each may reach routes whose audience is `tailnet`."""
    members: tuple[EndpointValue, ...] = ()
    """Nodes and guests that are in the tailnet themselves."""
    description: str = ""
    """Anything a reader should know."""
