"""The tailnet's policy file: who may use which route.

There is one per tailnet, so only the environment that owns `tailnet-policy` creates
this. Owning it is the consent to overwrite what is there: a first `up` that was killed
after the write would otherwise be refused for ever. Destroying the lab leaves the last
policy in place, because Tailscale's default one lets everybody reach everything.
"""

from dataclasses import dataclass

import pulumi
import pulumi_tailscale as tailscale

from lab.plan.records import TailnetPlan
from lab.render.tailnet import policy


@dataclass(frozen=True, kw_only=True)
class TailnetPolicyArgs:
    """The policy as it was decided."""

    tailnet: TailnetPlan


class TailnetPolicy(pulumi.ComponentResource):
    """The policy of a tailnet."""

    policy: pulumi.Output[str]

    def __init__(
        self, name: str, args: TailnetPolicyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("homelab:index:TailnetPolicy", name, {}, opts)
        acl = tailscale.Acl(
            name,
            acl=policy(args.tailnet),
            overwrite_existing_content=True,
            reset_acl_on_destroy=False,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.policy = acl.acl
        self.register_outputs({"policy": self.policy})
