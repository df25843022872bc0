"""The provider's arguments for VMs, with what it gets wrong by default set right.

Each constant names the default that it replaces: the provider would boot from the
node's physical drive, wait fifteen minutes for an agent that is not installed, panic a
cloud image at its first resize for want of a serial device, and pass PCI devices
without their ROM.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_proxmoxve as proxmox

from lab.plan.records import DiskPlan, GuestPlan, NicPlan

NO_DRIVE: dict[str, Any] = {
    "cdrom": proxmox.VmLegacyCdromArgs(file_id="none"),
    "boot_orders": ["scsi0"],
    "scsi_hardware": "virtio-scsi-single",
    "operating_system": proxmox.VmLegacyOperatingSystemArgs(type="l26"),
    "agent": proxmox.VmLegacyAgentArgs(enabled=False),
    # Without an agent a shutdown is a request that may wait half an hour.
    "stop_on_destroy": True,
}


def speeds(count: int) -> list[str]:
    """What to ignore of so many disks: an unset speed is an update at every `up` otherwise."""
    return [f"disks[{number}].speed" for number in range(count)]


def hardware(guest: GuestPlan) -> dict[str, Any]:
    """Processor, memory, firmware, devices and start of a VM; the whole PCI device where one is passed."""
    passes = bool(guest.pci)
    return {
        **NO_DRIVE,
        "cpu": proxmox.VmLegacyCpuArgs(cores=guest.cores, type="host" if passes else "x86-64-v2-AES"),
        "memory": proxmox.VmLegacyMemoryArgs(dedicated=guest.memory_mib),
        "machine": "q35",
        "bios": "ovmf" if passes else "seabios",
        "efi_disk": proxmox.VmLegacyEfiDiskArgs(datastore_id=guest.system_disk.storage, type="4m")
        if passes
        else None,
        "hostpcis": [
            proxmox.VmLegacyHostpciArgs(device=f"hostpci{n}", mapping=name, pcie=True, rombar=True)
            for n, name in enumerate(guest.pci)
        ]
        or None,
        "serial_devices": [proxmox.VmLegacySerialDeviceArgs(device="socket")],
        "on_boot": True,
        "started": True,
        "startup": proxmox.VmLegacyStartupArgs(order=guest.startup) if guest.startup is not None else None,
    }


def system_disk(guest: GuestPlan, image: pulumi.Input[str] | None) -> proxmox.VmLegacyDiskArgs:
    """The disk that is made from the image and goes with the guest."""
    return _disk("scsi0", guest.system_disk, import_from=image)


def held_disks(guest: GuestPlan) -> list[proxmox.VmLegacyDiskArgs]:
    """The data disks as their holder owns them."""
    return [_disk(f"scsi{n}", disk) for n, disk in enumerate(guest.data_disks)]


def borrowed_disks(guest: GuestPlan, holder: proxmox.VmLegacy) -> list[proxmox.VmLegacyDiskArgs]:
    """The same disks as the guest attaches them."""
    return [
        _disk(f"scsi{n + 1}", disk, path_in_datastore=_path(holder, n))
        for n, disk in enumerate(guest.data_disks)
    ]


def _path(holder: proxmox.VmLegacy, number: int) -> pulumi.Output[str | None]:
    return holder.disks.apply(lambda disks: disks[number].path_in_datastore if disks else None)


def _disk(interface: str, disk: DiskPlan, **more: Any) -> proxmox.VmLegacyDiskArgs:
    return proxmox.VmLegacyDiskArgs(
        interface=interface,
        datastore_id=disk.storage,
        size=disk.size_gib,
        backup=disk.backup,
        discard="on",
        iothread=True,
        ssd=True,
        **more,
    )


def network_devices(
    guest: GuestPlan, bridges: Mapping[str, pulumi.Input[str]]
) -> list[proxmox.VmLegacyNetworkDeviceArgs]:
    """The interfaces of a VM; without the firewall flag on each, no rule of the guest counts."""
    return [
        proxmox.VmLegacyNetworkDeviceArgs(
            model="virtio",
            bridge=bridges.get(nic.bridge, nic.bridge),
            vlan_id=nic.tag,
            mac_address=nic.mac,
            firewall=True,
            trunks=";".join(str(tag) for tag in nic.trunks) or None,
        )
        for nic in guest.nics
    ]


def cloud_init(guest: GuestPlan) -> proxmox.VmLegacyInitializationArgs:
    """Addresses and resolver, and the static file of the guest's role."""
    return proxmox.VmLegacyInitializationArgs(
        datastore_id=guest.system_disk.storage,
        ip_configs=[
            proxmox.VmLegacyInitializationIpConfigArgs(
                ipv4=proxmox.VmLegacyInitializationIpConfigIpv4Args(address=address(nic), gateway=nic.gateway)
            )
            for nic in guest.nics
        ],
        dns=proxmox.VmLegacyInitializationDnsArgs(domain=guest.domain or None, servers=list(guest.dns))
        if guest.dns
        else None,
        user_account=proxmox.VmLegacyInitializationUserAccountArgs(
            username=guest.user, keys=list(guest.ssh_keys)
        )
        if guest.ssh_keys
        else None,
        vendor_data_file_id=guest.bootstrap,
    )


def address(nic: NicPlan) -> str:
    """The address as an argument: in CIDR notation, or leased."""
    return f"{nic.address}/{nic.prefix}" if nic.address else "dhcp"
