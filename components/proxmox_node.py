"""One Proxmox VE host: the settings that the lab makes on it.

Owns the VLAN-aware bridge (where it does not exist yet), the resolver and time zone,
the images that guests start from, names for PCI devices, and the node's firewall.
Refuses to define storage, SDN zones or backup jobs: creating those crashes the provider
after the object was written (facts/official-plugins.md), so the node's existing storage
is used by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_proxmoxve as proxmox

from components.firewall_rules import accept
from lab.plan.records import ImagePlan, NodePlan


@dataclass(frozen=True, kw_only=True)
class ProxmoxNodeArgs:
    """The node as it was decided."""

    node: NodePlan


class ProxmoxNode(pulumi.ComponentResource):
    """A hypervisor that guests can be created on."""

    bridge: pulumi.Output[str]
    """The bridge that guests attach to, known once it is there."""
    images: Mapping[str, pulumi.Output[str]]
    """The ids of downloaded images by the volume id that guests refer to."""

    def __init__(self, name: str, args: ProxmoxNodeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("homelab:index:ProxmoxNode", name, {}, opts)
        node = args.node
        existing = pulumi.Output.from_input(node.bridge)
        self.bridge = self._bridge(name, node) if node.creates_bridge else existing
        self._settings(name, node)
        self.images = {image.volume: self._image(name, node, image) for image in node.images}
        self.register_outputs({"bridge": self.bridge, "images": self.images})

    def _bridge(self, name: str, node: NodePlan) -> pulumi.Output[str]:
        bridge = proxmox.network.linux.Bridge(
            f"{name}-{node.bridge}",
            node_name=node.name,
            name=node.bridge,
            vlan_aware=True,
            ports=list(node.bridge_ports) or None,
            autostart=True,
            comment="made by the lab; guests choose their VLAN by tag",
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        return bridge.name

    def _settings(self, name: str, node: NodePlan) -> None:
        fixed = pulumi.ResourceOptions(parent=self, delete_before_replace=True)
        if node.dns:
            proxmox.DnsLegacy(
                f"{name}-dns", node_name=node.name, domain=node.domain, servers=list(node.dns), opts=fixed
            )
        if node.time_zone:
            proxmox.TimeLegacy(f"{name}-time", node_name=node.name, time_zone=node.time_zone, opts=fixed)
        for device in node.pci:
            proxmox.hardware.mapping.Pci(
                f"{name}-{device.name}",
                name=device.name,
                comment=device.description or None,
                maps=[proxmox.hardware.mapping.PciMapArgs(node=node.name, path=device.path, id=device.id)],
                opts=fixed,
            )
        # Harmless alone: no rule counts anywhere until the cluster's firewall is on.
        proxmox.node.Firewall(f"{name}-firewall", node_name=node.name, enabled=True, opts=fixed)
        if node.rules:
            # One resource owns the whole list; creating it where any rule exists is refused.
            proxmox.firewall.RulesLegacy(
                f"{name}-rules",
                node_name=node.name,
                rules=[proxmox.firewall.RulesLegacyRuleArgs(**accept(rule)) for rule in node.rules],
                opts=fixed,
            )

    def _image(self, name: str, node: NodePlan, image: ImagePlan) -> pulumi.Output[str]:
        algorithm, _, checksum = (image.checksum or "").partition(":")
        file = proxmox.download.File(
            f"{name}-{image.name}",
            node_name=node.name,
            datastore_id=image.storage,
            content_type=image.content,
            url=image.url,
            file_name=image.file_name,
            checksum=checksum or None,
            checksum_algorithm=algorithm or None,
            # With it a refresh replaces the image whenever upstream publishes a new one.
            overwrite=False,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        return file.id
