"""The Tailscale network: its people, and the machines that are in it."""

from typing import Annotated, Literal

from pydantic import Field

from lab.config.strict import Part
from lab.config.values import EndpointValue, Form, Image, Name, SomeEndpoints, Subnet, YesNo

TagName = Annotated[
    str, Field(pattern=r"^tag:[a-z][a-z0-9-]*$"), Form("tag: and lower-case letters, digits, hyphens")
]
LoginName = Annotated[
    str,
    Field(pattern=r"^([a-z_][a-z0-9_-]*|autogroup:nonroot)$"),
    Form("a user name of a machine, or autogroup:nonroot"),
]
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$"), Form("16 hexadecimal digits, in quotes")]


class SubnetRouterConfig(Part):
    """A Tailscale subnet router: what it advertises to the tailnet."""

    advertise: SomeEndpoints
    """`ingress` for the addresses of the ingress alone, or `vlan:NAME` for a whole segment."""
    image: Image | None = None
    """The Tailscale image, by digest; needed where it runs as a container."""


class SshRuleConfig(Part):
    """Who may open a shell by Tailscale SSH, and as whom."""

    from_: tuple[Name, ...] = Field(alias="from", min_length=1)
    """Groups of the tailnet."""
    to: SomeEndpoints
    """Machines that are in the tailnet themselves: its members, and guests and nodes that are subnet routers."""
    as_: tuple[LoginName, ...] = Field(alias="as", min_length=1)
    """User names on the machine; `autogroup:nonroot` is everyone but root."""
    mode: Literal["check", "accept"] = "check"
    """`check` asks the person to sign in again first; `accept` does not."""
    because: str
    """Why."""


class TailnetConfig(Part):
    """The Tailscale network."""

    groups: dict[Name, tuple[str, ...]] = {}
    """Groups of users, by e-mail address. Each may use routes whose audience is `tailnet`; an audience with
    `tailnet:GROUP` in it is for that group alone."""
    members: tuple[EndpointValue, ...] = ()
    """Nodes and guests that are in the tailnet themselves."""
    ssh: tuple[SshRuleConfig, ...] = ()
    """Who may open a shell where, by Tailscale SSH; nobody else may."""
    split_dns: YesNo = False
    """Whether the tailnet's devices ask the lab's own resolver (`dns.internal`) for the lab's names."""
    approves: dict[TagName, tuple[Subnet, ...]] = {}
    """Subnet routers of environments that do not own the policy: their tags, and what each may advertise."""
    overwrite: Fingerprint | None = None
    """The fingerprint of a policy that somebody else wrote and that may be overwritten; `pulumi preview` prints it."""
    description: str = ""
    """Anything a reader should know."""
