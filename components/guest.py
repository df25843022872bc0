"""A guest: a VM or an LXC with its firewall and, for a VM, disks that outlive it.

Owns the guest, its firewall options and rules, and a holder VM that is never started
and owns the data disks: Proxmox deletes only volumes named after the VMID that it
destroys, so a replaced guest finds its data again. An LXC cannot borrow a disk; with
data disks it is protected itself. Refuses nothing: VMIDs, addresses and MACs come
decided. One node creates one guest at a time (`after`), because parallel creates fail
on Proxmox' lock file.

A changed record never replaces a running VM for the sake of its cloud-init: the one
file it names is static, and what changes reaches the guest by other ways.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_proxmoxve as proxmox

from components import lxc_settings, vm_settings
from components.firewall_rules import accept
from lab.plan.records import GuestPlan


@dataclass(frozen=True, kw_only=True)
class GuestArgs:
    """The guest, and what is there before it."""

    guest: GuestPlan
    bridges: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """The bridges that its node made, by name; another bridge has to be there."""
    image: pulumi.Input[str] | None = None
    """The id of its downloaded image; None takes the volume id of its record, which must be there."""
    security_groups: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """The groups of its segments, by segment."""
    after: pulumi.Resource | None = None
    """The guest of the same node that is created before it."""


class Guest(pulumi.ComponentResource):
    """A machine on a node."""

    vm_id: pulumi.Output[int]

    def __init__(self, name: str, args: GuestArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("homelab:index:Guest", name, {}, opts)
        guest = args.guest
        image = guest.image if args.image is None else args.image
        before = [args.after] if args.after else []
        if guest.kind == "vm":
            holder = self._holder(name, guest, before) if guest.data_disks else None
            machine: pulumi.CustomResource = self._vm(name, args, image, holder, before)
        else:
            machine = self._container(name, args, image, before)
        self._firewall(name, args, machine)
        self.vm_id = machine.id.apply(lambda _: guest.vm_id)
        self.register_outputs({"vm_id": self.vm_id})

    def _holder(self, name: str, guest: GuestPlan, before: list[pulumi.Resource]) -> proxmox.VmLegacy:
        return proxmox.VmLegacy(
            f"{name}-data",
            node_name=guest.node,
            vm_id=guest.holder_id,
            name=f"{guest.name}-data",
            description=f"Holds the data disks of {guest.name}. Never start it, never delete it.",
            tags=sorted({*guest.tags, "data-holder"}),
            started=False,
            on_boot=False,
            protection=True,
            disks=vm_settings.held_disks(guest),
            **vm_settings.NO_DRIVE,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=before,
                protect=True,
                retain_on_delete=True,
                delete_before_replace=True,
                ignore_changes=vm_settings.speeds(len(guest.data_disks)),
            ),
        )

    def _vm(
        self,
        name: str,
        args: GuestArgs,
        image: pulumi.Input[str] | None,
        holder: proxmox.VmLegacy | None,
        before: list[pulumi.Resource],
    ) -> proxmox.VmLegacy:
        guest = args.guest
        borrowed = vm_settings.borrowed_disks(guest, holder) if holder else []
        return proxmox.VmLegacy(
            name,
            node_name=guest.node,
            vm_id=guest.vm_id,
            name=guest.name,
            description=guest.description or None,
            tags=sorted(guest.tags),
            disks=[vm_settings.system_disk(guest, image), *borrowed],
            initialization=vm_settings.cloud_init(guest),
            network_devices=vm_settings.network_devices(guest, args.bridges),
            **vm_settings.hardware(guest),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=before,
                protect=guest.protect,
                # An existing VMID is adopted silently: the old one has to be gone first.
                delete_before_replace=True,
                # The holder grows its disks; the provider refuses to resize borrowed ones.
                ignore_changes=vm_settings.speeds(1 + len(borrowed))
                + [f"disks[{n}].size" for n in range(1, 1 + len(borrowed))],
            ),
        )

    def _container(
        self, name: str, args: GuestArgs, image: pulumi.Input[str] | None, before: list[pulumi.Resource]
    ) -> proxmox.ContainerLegacy:
        guest = args.guest
        keeps_data = bool(guest.data_disks)
        return proxmox.ContainerLegacy(
            name,
            node_name=guest.node,
            vm_id=guest.vm_id,
            description=guest.description or None,
            tags=sorted(tag.lower() for tag in guest.tags),
            **lxc_settings.container(guest, image, args.bridges),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=before,
                protect=guest.protect or keeps_data,
                retain_on_delete=keeps_data,
                delete_before_replace=True,
            ),
        )

    def _firewall(self, name: str, args: GuestArgs, machine: pulumi.CustomResource) -> None:
        guest = args.guest
        vm_id, container_id = (guest.vm_id, None) if guest.kind == "vm" else (None, guest.vm_id)
        # Proxmox drops a guest's firewall file with the guest, and no input of these two would change.
        follows = pulumi.ResourceOptions(
            parent=self,
            depends_on=[machine],
            deleted_with=machine,
            replace_with=[machine],
            delete_before_replace=True,
        )
        options = proxmox.firewall.OptionsLegacy(
            f"{name}-firewall",
            node_name=guest.node,
            vm_id=vm_id,
            container_id=container_id,
            enabled=True,
            input_policy="DROP",
            output_policy="ACCEPT",
            dhcp=any(nic.address is None for nic in guest.nics),
            macfilter=True,
            ndp=True,
            radv=False,
            opts=follows,
        )
        groups = [
            proxmox.firewall.RulesLegacyRuleArgs(
                security_group=args.security_groups[nic.vlan], iface=f"net{n}", comment=f"segment {nic.vlan}"
            )
            for n, nic in enumerate(guest.nics)
            if nic.vlan in args.security_groups
        ]
        rules = [proxmox.firewall.RulesLegacyRuleArgs(**accept(rule)) for rule in guest.rules]
        if rules or groups:
            # One resource owns the whole list; creating it where any rule exists is refused.
            proxmox.firewall.RulesLegacy(
                f"{name}-rules",
                node_name=guest.node,
                vm_id=vm_id,
                container_id=container_id,
                rules=[*rules, *groups],
                opts=pulumi.ResourceOptions.merge(follows, pulumi.ResourceOptions(depends_on=[options])),
            )
