"""The packet filter of a Docker host, as decided: which connections it accepts, and what loads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lab.flows import Port
from lab.plan.records.containers import ServicePlan

Way = Literal["within", "out", "in", "local"]
"""How a connection crosses a host: between two containers of one bridge, from a container to the world, from the
world to a published port, or from a container to the host itself."""

ANYWHERE = "internet"
"""In place of an address: any that is not reserved for private or special use."""


@dataclass(frozen=True, kw_only=True)
class GuardRule:
    """One kind of connection that is accepted; what no rule accepts is dropped."""

    way: Way
    interface: str = ""
    """The bridge by which it comes from a container; empty where it comes from the world."""
    source: str = ""
    """An address or subnet, or `internet`; empty for any."""
    destination: str = ""
    """The same. For a published port the host's address, as the packet had it when it arrived."""
    port: Port | None = None
    """None for every port of every protocol."""
    because: str = ""


@dataclass(frozen=True, kw_only=True)
class GuardPlan:
    """What guards one Docker host."""

    host: str
    bridges: Mapping[str, str]
    """The bridges that it guards, by the kernel's name, with that of the network; others are not its business."""
    published: tuple[tuple[str, Port], ...] = ()
    """The addresses and ports of the host that lead to its containers. What comes to them without being sent on by
    the kernel, from a bridge that is not guarded, is dropped: a process of the host would accept it."""
    rules: tuple[GuardRule, ...]
    rules_file: str = "/run/homelab/files/guard.nft"
    """Where the loading container reads them."""
    service: ServicePlan
    """The container that loads the rules, and root on the host because of it."""
