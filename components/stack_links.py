"""The networks by which stacks of one host reach each other.

A link belongs to neither stack: each may need the other, and whichever were created
first would have to be handed a network that is not there yet. So links come before
stacks, and a stack does not create a network that it is handed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.docker_host import DockerHost
from components.docker_networks import create_networks
from lab.plan.records import NetworkPlan


@dataclass(frozen=True, kw_only=True)
class StackLinksArgs:
    """The links of one host."""

    networks: tuple[NetworkPlan, ...]
    host: DockerHost


class StackLinks(pulumi.ComponentResource):
    """Networks that two stacks share."""

    networks: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: StackLinksArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("homelab:index:StackLinks", name, {}, args.host.options(opts))
        self.networks = create_networks(self, name, args.networks, args.host)
        self.register_outputs({"networks": self.networks})
