"""One segment, as the cluster's firewall knows it.

Owns its alias, its IP set and the security group of its zone: what guests in it accept
from elsewhere. The segment itself needs no resource: it is a tag on VLAN-aware bridges
that each interface carries (SDN zones crash the provider when they are created).
Security groups are cluster-wide and an existing one is adopted without being compared,
so every name carries the environment.
"""

from dataclasses import dataclass

import pulumi
import pulumi_proxmoxve as proxmox
from pulumi_proxmoxve.cluster.firewall import security

from components.firewall_rules import accept
from lab.names import join
from lab.plan.records import VlanPlan
from lab.render.proxmox_firewall import group_name


@dataclass(frozen=True, kw_only=True)
class VlanArgs:
    """The segment as it was decided."""

    vlan: VlanPlan
    environment: str = "dev"


class Vlan(pulumi.ComponentResource):
    """The names by which rules speak of a segment."""

    alias: pulumi.Output[str]
    ip_set: pulumi.Output[str]
    security_group: pulumi.Output[str]
    """Guests in the segment include it."""

    def __init__(self, name: str, args: VlanArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("homelab:index:Vlan", name, {}, opts)
        vlan = args.vlan
        shared_name = join(args.environment, "vlan", vlan.name)
        fixed = pulumi.ResourceOptions(parent=self, delete_before_replace=True)
        alias = proxmox.firewall.AliasLegacy(
            name, name=shared_name, cidr=vlan.subnet, comment=vlan.purpose or None, opts=fixed
        )
        ip_set = proxmox.firewall.IpsetLegacy(
            name,
            name=shared_name,
            comment=vlan.purpose or None,
            cidrs=[proxmox.firewall.IpsetLegacyCidrArgs(name=vlan.subnet)],
            opts=fixed,
        )
        group = security.GroupLegacy(
            name,
            name=group_name(args.environment, vlan.name),
            comment=f"what segment {vlan.name} accepts from elsewhere",
            rules=[security.GroupLegacyRuleArgs(**accept(rule)) for rule in vlan.rules],
            opts=pulumi.ResourceOptions(
                # The provider renames in place and then reads the old name (recordings, surprise 7).
                parent=self,
                delete_before_replace=True,
                replace_on_changes=["name"],
            ),
        )
        self.alias, self.ip_set, self.security_group = alias.name, ip_set.name, group.name
        self.register_outputs(
            {"alias": self.alias, "ip_set": self.ip_set, "security_group": self.security_group}
        )
