"""The provider's arguments for LXCs.

An LXC has what a token may give it: no idmaps (those need SSH), and features that only
root may set are refused by Proxmox with its own words.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_proxmoxve as proxmox

from components.vm_settings import address
from lab.plan.records import GuestPlan

_DISTRIBUTIONS = (
    "alpine",
    "archlinux",
    "centos",
    "debian",
    "devuan",
    "fedora",
    "gentoo",
    "opensuse",
    "ubuntu",
)
"""Proxmox' names (API description, `ostype` of `POST /nodes/{node}/lxc`)."""


def _distribution(guest: GuestPlan) -> str:
    """What Proxmox configures inside an LXC, by the first word of its template's name."""
    word = (guest.image or "").rpartition("/")[2].partition("-")[0]
    return word if word in _DISTRIBUTIONS else "unmanaged"


def container(
    guest: GuestPlan, image: pulumi.Input[str] | None, bridges: Mapping[str, pulumi.Input[str]]
) -> dict[str, Any]:
    """Everything of an LXC; an empty list of interfaces is accepted, a missing one is not.

    Raises:
        ValueError: it has no template, or a trunk, which an LXC cannot carry.
    """
    if image is None or any(nic.trunks for nic in guest.nics):
        raise ValueError(f"{guest.name}: an LXC needs a template, and cannot carry a trunk")
    return {
        "cpu": proxmox.ContainerLegacyCpuArgs(cores=guest.cores),
        "memory": proxmox.ContainerLegacyMemoryArgs(dedicated=guest.memory_mib),
        "disk": proxmox.ContainerLegacyDiskArgs(
            datastore_id=guest.system_disk.storage, size=guest.system_disk.size_gib
        ),
        "mount_points": [
            proxmox.ContainerLegacyMountPointArgs(
                path=f"/mnt/{disk.name}", volume=disk.storage, size=f"{disk.size_gib}G", backup=disk.backup
            )
            for disk in guest.data_disks
        ]
        or None,
        "operating_system": proxmox.ContainerLegacyOperatingSystemArgs(
            template_file_id=image, type=_distribution(guest)
        ),
        "initialization": proxmox.ContainerLegacyInitializationArgs(
            hostname=guest.name,
            ip_configs=[
                proxmox.ContainerLegacyInitializationIpConfigArgs(
                    ipv4=proxmox.ContainerLegacyInitializationIpConfigIpv4Args(
                        address=address(nic), gateway=nic.gateway
                    )
                )
                for nic in guest.nics
            ],
            dns=proxmox.ContainerLegacyInitializationDnsArgs(
                domain=guest.domain or None, servers=list(guest.dns)
            )
            if guest.dns
            else None,
            user_account=proxmox.ContainerLegacyInitializationUserAccountArgs(keys=list(guest.ssh_keys))
            if guest.ssh_keys
            else None,
        ),
        "network_interfaces": [
            proxmox.ContainerLegacyNetworkInterfaceArgs(
                name=f"eth{n}",
                bridge=bridges.get(nic.bridge, nic.bridge),
                vlan_id=nic.tag,
                mac_address=nic.mac,
                firewall=True,
            )
            for n, nic in enumerate(guest.nics)
        ],
        "features": _features(guest) if guest.features else None,
        "unprivileged": guest.unprivileged,
        "start_on_boot": True,
        "started": True,
        "startup": proxmox.ContainerLegacyStartupArgs(order=guest.startup)
        if guest.startup is not None
        else None,
    }


def _features(guest: GuestPlan) -> proxmox.ContainerLegacyFeaturesArgs:
    wanted = {name: name in guest.features or None for name in ("nesting", "keyctl", "fuse", "mknod")}
    return proxmox.ContainerLegacyFeaturesArgs(
        nesting=wanted["nesting"], keyctl=wanted["keyctl"], fuse=wanted["fuse"], mknod=wanted["mknod"]
    )
