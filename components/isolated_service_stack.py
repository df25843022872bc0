"""A stack: services that see each other on networks of their own, and nothing else.

Owns the stack's networks and, through one component each, its services. Refuses
nothing and allocates nothing: subnets, addresses and who is in which network come
decided in the record. Networks that others share (edge slots of the ingress, links to
another stack) are handed in and not created here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.docker_host import DockerHost
from components.docker_networks import create_networks
from components.service_container import ServiceContainer, ServiceContainerArgs
from lab.names import join
from lab.plan.records import StackPlan
from lab.render.docker_proxy import configured


@dataclass(frozen=True, kw_only=True)
class IsolatedServiceStackArgs:
    """A stack and what reaches into it."""

    stack: StackPlan
    host: DockerHost
    shared_networks: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Networks that exist already, by name: slots of the ingress and links."""
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Values of the secrets that its services refer to, by name."""


class IsolatedServiceStack(pulumi.ComponentResource):
    """A group of containers with its own networks on one Docker host."""

    networks: Mapping[str, pulumi.Output[str]]
    """The networks it owns."""
    containers: Mapping[str, pulumi.Output[str]]
    """The names of its containers in the engine, by service."""

    def __init__(
        self, name: str, args: IsolatedServiceStackArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("homelab:index:IsolatedServiceStack", name, {}, args.host.options(opts))
        own = [network for network in args.stack.networks if network.name not in args.shared_networks]
        self.networks = create_networks(self, name, own, args.host)
        services = {
            service.name: ServiceContainer(
                f"{name}-{service.name}",
                ServiceContainerArgs(
                    service=configured(service),
                    host=args.host,
                    container=join(args.stack.name, service.name),
                    networks={**args.shared_networks, **self.networks},
                    secrets=args.secrets,
                ),
                pulumi.ResourceOptions(parent=self),
            )
            for service in args.stack.services
        }
        self.containers = {key: service.container for key, service in services.items()}
        self.register_outputs({"networks": self.networks, "containers": self.containers})
