"""A Tailscale subnet router in a container: the way in for the lab's own people.

Owns its network, a key that it uses once, and the container. The key is tagged, so that
the policy approves its routes on arrival and the device's own key never expires; it
comes after the policy, because Tailscale refuses a tag that nobody owns. It reaches the
container as a file. Refuses to touch the device's routes: a second owner of those
would drift against the policy.
"""

from dataclasses import dataclass

import pulumi
import pulumi_tailscale as tailscale

from components.docker_host import DockerHost
from components.docker_networks import create_networks
from components.service_container import ServiceContainer, ServiceContainerArgs
from lab.names import join
from lab.plan.records import SubnetRouterPlan

_LONGEST_DESCRIPTION = 50
_FORWARDING = {"net.ipv4.ip_forward": "1"}


@dataclass(frozen=True, kw_only=True)
class SubnetRouterArgs:
    """The router, and the policy that approves what it advertises."""

    router: SubnetRouterPlan
    host: DockerHost
    policy: pulumi.Resource | None = None
    """None where another environment owns the policy."""


class SubnetRouter(pulumi.ComponentResource):
    """A container that carries packets from the tailnet into the lab."""

    container: pulumi.Output[str]

    def __init__(self, name: str, args: SubnetRouterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("homelab:index:SubnetRouter", name, {}, args.host.options(opts))
        router = args.router
        key = tailscale.TailnetKey(
            name,
            tags=[router.tag],
            preauthorized=True,
            reusable=False,
            ephemeral=False,
            expiry=router.key_expiry_seconds,
            # The device keeps its identity in its volume: a used key is never needed again.
            recreate_if_invalid="never",
            description=f"subnet router {router.name}"[:_LONGEST_DESCRIPTION],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.policy] if args.policy else None),
        )
        container = ServiceContainer(
            f"{name}-{router.service.name}",
            ServiceContainerArgs(
                service=router.service,
                host=args.host,
                container=join(router.name, router.service.name),
                networks=create_networks(self, name, [router.network], args.host),
                secrets={file.secret.name: key.key for file in router.service.secret_files},
                sysctls=_FORWARDING,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.container = container.container
        self.register_outputs({"container": self.container})
