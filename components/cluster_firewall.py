"""The master switch of the Proxmox firewall, turned on only when nobody is locked out.

There is one per cluster, so only the environment that owns `cluster-firewall` creates
this. Owns the IP set `management`, to which Proxmox itself always opens its interface
and SSH, and the switch, which comes after that set and after the guests' rules. Refuses
an empty set: with nobody in it the next `up` could not reach the API any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_proxmoxve as proxmox

_MANAGEMENT = "management"
"""The name is Proxmox': members reach ports 8006, 22, 3128 and 5900-5999 of every node."""


@dataclass(frozen=True, kw_only=True)
class ClusterFirewallArgs:
    """Who manages the nodes."""

    management: tuple[str, ...]
    """Addresses and subnets: the operator, and the nodes themselves."""
    after: Sequence[pulumi.Resource] = ()
    """What has rules: the switch makes all of them count at once."""


class ClusterFirewall(pulumi.ComponentResource):
    """The cluster's firewall, on."""

    enabled: pulumi.Output[bool]

    def __init__(
        self, name: str, args: ClusterFirewallArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("homelab:index:ClusterFirewall", name, {}, opts)
        if not args.management:
            raise ValueError(
                f"{name}: with nobody in the IP set management, the firewall would lock everybody out"
            )
        management = proxmox.firewall.IpsetLegacy(
            f"{name}-{_MANAGEMENT}",
            name=_MANAGEMENT,
            comment="who may reach the nodes",
            cidrs=[
                proxmox.firewall.IpsetLegacyCidrArgs(name=source) for source in sorted(set(args.management))
            ],
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        switch = proxmox.cluster.FirewallLegacy(
            name,
            enabled=True,
            input_policy="DROP",
            output_policy="ACCEPT",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[management, *args.after]),
        )
        self.enabled = switch.enabled.apply(bool)
        self.register_outputs({"enabled": self.enabled})
