"""The tailnet's policy file: who may use which route.

There is one per tailnet, so only the environment that owns `tailnet-policy` creates
this. It replaces the policy of a new tailnet, and the service itself sees to it that
nothing else is replaced, unless whoever uses this component knows that the policy in
force may go (`components.policy_in_force`). Destroying the lab leaves the last policy in
place, because Tailscale's default one lets everybody reach everything.

Tailscale's answer to a policy that it refuses names a word of it; the lines that hold
the word are shown beside the answer.
"""

from dataclasses import dataclass

import pulumi
import pulumi_tailscale as tailscale

from lab.plan.records import TailnetPlan
from lab.render.policy_lines import lines_about
from lab.render.tailnet import policy


@dataclass(frozen=True, kw_only=True)
class TailnetPolicyArgs:
    """The policy as it was decided."""

    tailnet: TailnetPlan
    overwrite: bool = False
    """Whether a policy that is not a new tailnet's may be overwritten by the first update."""


class TailnetPolicy(pulumi.ComponentResource):
    """The policy of a tailnet, and the names that its devices ask the lab's resolver for."""

    policy: pulumi.Output[str]

    def __init__(
        self, name: str, args: TailnetPolicyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("homelab:index:TailnetPolicy", name, {}, opts)
        text = policy(args.tailnet)
        acl = tailscale.Acl(
            name,
            acl=text,
            overwrite_existing_content=args.overwrite,
            reset_acl_on_destroy=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                delete_before_replace=True,
                # It matters to the first update only; a later one must not differ by it.
                ignore_changes=["overwriteExistingContent"],
                hooks=pulumi.ResourceHookBinding(
                    on_error=[pulumi.ErrorHook(f"{name}-refused", explain(text))]
                ),
            ),
        )
        if (split := args.tailnet.split_dns) is not None:
            # One domain, and not DnsConfiguration, which owns all of the tailnet's DNS.
            tailscale.DnsSplitNameservers(
                name,
                domain=split.domain,
                nameservers=[split.nameserver],
                # Before the grant is there, a device that asks would only wait.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[acl], delete_before_replace=True),
            )
        self.policy = acl.acl
        self.register_outputs({"policy": self.policy})


def explain(text: str) -> pulumi.ErrorHookFunction:
    """A hook that shows the lines of a refused policy; what failed is not tried again."""

    def explain(args: pulumi.ErrorHookArgs) -> bool:
        lines = lines_about(text, args.errors[0] if args.errors else "")
        if lines:
            pulumi.log.error("the lines of the policy that Tailscale's answer is about:\n" + "\n".join(lines))
        return False

    return explain
