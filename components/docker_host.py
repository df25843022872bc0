"""A Docker host: the one way to its engine, and the moment from which that engine answers.

Owns the explicit Docker provider of one host and the image of its loader containers.
That image is the barrier: a hook before its creation waits for the engine, so whatever
depends on this component starts when the engine answers and not while its guest boots.
The hook is silent in previews. Refuses to make the machine: that is a guest, or a
device that was there before. A guest that was replaced has a new engine, and Pulumi
does not see that its containers are gone: `pulumi up --refresh` does.
"""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.readiness import wait_for_engine
from lab.plan.records import DockerHostPlan


@dataclass(frozen=True, kw_only=True)
class DockerHostArgs:
    """A host, and the machine that it is."""

    host: DockerHostPlan
    environment: str = "dev"
    """The lab's environment, a label on everything on this host."""
    machine: pulumi.Resource | None = None
    """The guest; the engine is first asked when it is there. None for a device."""


class DockerHost(pulumi.ComponentResource):
    """The engine of one machine, as other components use it."""

    connection: pulumi.Output[str]
    loader_image: pulumi.Output[str]
    """The id of the image for loader containers."""

    def __init__(self, name: str, args: DockerHostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("homelab:index:DockerHost", name, {}, opts)
        self.environment = args.environment
        self.provider = docker.Provider(
            name, host=args.host.connection, opts=pulumi.ResourceOptions(parent=self)
        )
        ready = pulumi.ResourceHook(f"{name}-ready", wait_for_engine(args.host.name, args.host.connection))
        loader = docker.RemoteImage(
            f"{name}-loader",
            name=args.host.loader_image,
            keep_locally=True,
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=self.provider,
                depends_on=[args.machine] if args.machine else None,
                hooks=pulumi.ResourceHookBinding(before_create=[ready]),
            ),
        )
        self.connection = pulumi.Output.from_input(args.host.connection)
        self.loader_image = loader.image_id
        self.register_outputs({"connection": self.connection, "loader_image": self.loader_image})

    def options(self, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
        """The options of a component on this host: its children land here and nowhere else."""
        return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[self.provider]))
