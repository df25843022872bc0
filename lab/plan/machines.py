"""Nodes, segments, devices and guests of a plan.

Decides VMIDs, MAC addresses, disks and images; refuses two guests with one VMID, more
memory than a node has, and hardware that a node does not have.
"""

import hashlib
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from lab.config.machines import DiskConfig, GuestConfig, NodeConfig
from lab.names import did_you_mean
from lab.plan.draft import Draft
from lab.plan.places import Places, gateway_address
from lab.plan.records import DevicePlan, DiskPlan, GuestPlan, ImagePlan, NicPlan, NodePlan, PciPlan, VlanPlan

_MIB = 2**20
_GIB = 2**30
_DEFAULT_IMAGE = {
    "vm": "https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-genericcloud-amd64.qcow2",
    "lxc": "http://download.proxmox.com/images/system/debian-12-standard_12.7-1_amd64.tar.zst",
}
_DEFAULT_DISK = DiskConfig.model_validate({"size": "10GiB"})
_FIRST_GUEST_ID, _FIRST_HOLDER_ID, _LAST_ID = 100, 9000, 9999
DOCKER_BOOTSTRAP = "snippets/homelab-docker.yaml"
"""The static cloud-init file of a guest that runs Docker, below a storage of its node."""


def plan_nodes(draft: Draft, places: Places) -> tuple[NodePlan, ...]:
    """Every node with the images that its guests need."""
    return tuple(_node(draft, places, name, node) for name, node in sorted(draft.config.nodes.items()))


def _node(draft: Draft, places: Places, name: str, node: NodeConfig) -> NodePlan:
    guests = [guest for guest in draft.config.guests.values() if guest.node == name and guest.manage == "yes"]
    promised = sum(guest.memory for guest in guests)
    if node.memory is not None and promised > node.memory:
        draft.refuse(
            f"nodes.{name}.memory",
            f"its guests are promised {promised // _MIB} MiB and it has {node.memory // _MIB} MiB",
            "lower the memory of a guest, or move one to another node",
        )
    images = {image.file_name: image for guest in guests for image in [_image(guest, node)]}
    return NodePlan(
        name=name,
        address=places.nodes.get(name, node.address),
        vlan=places.node_vlans.get(name),
        bridge=node.bridge.name,
        creates_bridge=node.bridge.manage == "yes",
        bridge_ports=node.bridge.ports,
        dns=node.dns,
        domain=draft.config.domain,
        time_zone=node.time_zone,
        pci=tuple(
            PciPlan(name=n, path=p.path, id=p.id, description=p.description)
            for n, p in sorted(node.pci.items())
        ),
        images=tuple(images[key] for key in sorted(images)) if node.manage == "yes" else (),
        memory_mib=node.memory // _MIB if node.memory else None,
        disk_gib=node.disk // _GIB if node.disk else None,
        cpu=node.cpu,
        role=node.role,
        description=node.description,
        kernel_arguments=node.kernel_arguments,
        managed=node.manage == "yes",
    )


def _image(guest: GuestConfig, node: NodeConfig) -> ImagePlan:
    url = guest.image or _DEFAULT_IMAGE[guest.kind]
    file_name = PurePosixPath(urlsplit(url).path).name
    # Proxmox imports .qcow2, .raw and .vmdk only, and cloud images are often called .img.
    if guest.kind == "vm" and file_name.endswith(".img"):
        file_name = file_name.removesuffix(".img") + ".qcow2"
    return ImagePlan(
        name=file_name.split(".")[0].replace("_", "-"),
        url=url,
        file_name=file_name,
        storage=node.storage.images,
        content="import" if guest.kind == "vm" else "vztmpl",
        checksum=guest.checksum,
    )


def plan_vlans(draft: Draft) -> tuple[VlanPlan, ...]:
    """Every segment with its addresses written out."""
    plans = []
    for name, vlan in sorted(draft.config.vlans.items()):
        dhcp = tuple(str(vlan.subnet.network_address + part) for part in vlan.dhcp) if vlan.dhcp else None
        gateway = gateway_address(vlan)
        nodes = {guest.node for guest in draft.config.guests.values() if name in guest.nics}
        plans.append(
            VlanPlan(
                name=name,
                subnet=str(vlan.subnet),
                tag=vlan.id,
                gateway=str(gateway) if gateway else None,
                dhcp=(dhcp[0], dhcp[1]) if dhcp else None,
                internet=vlan.internet,
                nat=vlan.nat,
                bridge=vlan.bridge,
                nodes=tuple(sorted(nodes)),
                purpose=vlan.purpose,
                managed=vlan.manage == "yes",
            )
        )
    return tuple(plans)


def plan_devices(draft: Draft, places: Places) -> tuple[DevicePlan, ...]:
    """Every machine that Proxmox does not run."""
    return tuple(
        DevicePlan(
            name=name,
            vlan=device.vlan,
            address=places.devices.get(name),
            listens=device.listens,
            runs_docker=device.runs == "docker",
            model=device.model,
            description=device.description,
        )
        for name, device in sorted(draft.config.devices.items())
    )


def plan_guests(draft: Draft, places: Places) -> tuple[GuestPlan, ...]:
    """Every VM and LXC, with its VMID and the MAC addresses of its interfaces."""
    ids, holders = _guest_ids(draft)
    nics = [f"{name}/{vlan}" for name, guest in draft.config.guests.items() for vlan in guest.nics]
    macs = _mac_addresses(draft, nics)
    plans = []
    for name, guest in sorted(draft.config.guests.items()):
        node = draft.config.nodes.get(guest.node)
        if node is None:
            draft.refuse(
                f"guests.{name}.node",
                f'there is no node "{guest.node}"',
                did_you_mean(guest.node, draft.config.nodes),
            )
            continue
        _check_hardware(draft, name, guest, node)
        plans.append(_guest(draft, places, name, guest, node, ids, holders, macs))
    return tuple(plans)


def _guest(
    draft: Draft,
    places: Places,
    name: str,
    guest: GuestConfig,
    node: NodeConfig,
    ids: dict[str, int],
    holders: dict[str, int],
    macs: dict[str, str],
) -> GuestPlan:
    system = guest.disks.get("os", _DEFAULT_DISK)
    data = [
        _disk(disk_name, disk, node.storage.data or node.storage.os)
        for disk_name, disk in sorted(guest.disks.items())
        if disk_name != "os"
    ]
    docker = guest.runs == "docker"
    return GuestPlan(
        name=name,
        kind=guest.kind,
        node=guest.node,
        vm_id=ids.get(name, 0),
        nics=_nics(draft, places, name, guest, node, macs),
        addresses=places.all_of(name),
        system_disk=_disk("os", system, node.storage.os),
        data_disks=tuple(data),
        holder_id=holders.get(name),
        cores=guest.cores,
        memory_mib=guest.memory // _MIB,
        image=_image(guest, node).volume,
        bootstrap=f"{node.storage.images}:{DOCKER_BOOTSTRAP}" if docker and guest.kind == "vm" else None,
        runs_docker=docker,
        dns=node.dns,
        domain=draft.config.domain,
        user=draft.config.operator.user,
        ssh_keys=draft.config.operator.ssh_keys,
        pci=guest.pci,
        features=guest.features,
        unprivileged=guest.unprivileged,
        listens=guest.listens,
        startup=guest.startup,
        tags=tuple(sorted({*guest.tags, draft.environment, *(["docker"] if docker else [])})),
        protect=guest.protect,
        description=guest.description,
        managed=guest.manage == "yes" and node.manage == "yes",
    )


def _disk(name: str, disk: DiskConfig, storage: str) -> DiskPlan:
    return DiskPlan(
        name=name, size_gib=-(-disk.size // _GIB), storage=disk.storage or storage, backup=disk.backup
    )


def _nics(
    draft: Draft, places: Places, name: str, guest: GuestConfig, node: NodeConfig, macs: dict[str, str]
) -> tuple[NicPlan, ...]:
    vlans = {n: draft.config.vlans[n] for n in guest.nics if n in draft.config.vlans}
    if guest.trunk:
        tags = tuple(sorted(vlan.id for vlan in vlans.values() if vlan.id is not None))
        first = next(iter(vlans), "")
        return (
            NicPlan(vlan=first, bridge=node.bridge.name, mac=macs.get(f"{name}/{first}", ""), trunks=tags),
        )
    nics = []
    for index, (vlan_name, vlan) in enumerate(vlans.items()):
        address = places.guests.get(name, {}).get(vlan_name)
        gateway = gateway_address(vlan)
        routes = gateway is not None and index == 0 and str(gateway) != address
        nics.append(
            NicPlan(
                vlan=vlan_name,
                bridge=vlan.bridge or node.bridge.name,
                mac=macs.get(f"{name}/{vlan_name}", ""),
                tag=vlan.id,
                address=address,
                prefix=vlan.subnet.prefixlen,
                gateway=str(gateway) if routes else None,
            )
        )
    return tuple(nics)


def _guest_ids(draft: Draft) -> tuple[dict[str, int], dict[str, int]]:
    guests = draft.config.guests
    explicit = {name: guest.id for name, guest in guests.items() if guest.id is not None}
    seen: dict[int, str] = {}
    for name, number in sorted(explicit.items()):
        other = seen.setdefault(number, name)
        if other != name:
            draft.refuse(
                f"guests.{name}.id",
                f"VMID {number} of guest {name} is also that of guest {other}",
                "give each its own",
            )
    open_names = [name for name in guests if name not in explicit]
    holders = [
        f"{name}-data" for name, guest in guests.items() if guest.kind == "vm" and set(guest.disks) - {"os"}
    ]
    for name in sorted(set(holders) & set(guests)):
        draft.refuse(
            f"guests.{name}",
            f"{name} is also the name of the VM that holds the data disks of {name.removesuffix('-data')}",
            "rename one of the two guests",
        )
    taken = set(explicit.values())
    ids = draft.numbers("guest-ids", open_names, _free_ids(_FIRST_GUEST_ID, _FIRST_HOLDER_ID, taken))
    holder_ids = draft.numbers("guest-ids", holders, _free_ids(_FIRST_HOLDER_ID, _LAST_ID, taken))
    for name in [*open_names, *holders]:
        number = ids.get(name) or holder_ids.get(name, 0)
        if number in seen:
            draft.refuse(
                f"guests.{seen[number]}.id",
                f"VMID {number} of guest {seen[number]} was given to {name} before (ledger)",
                f"write another id, or drop the record: `lab ledger --drop guest-ids/{name}`",
            )
    by_guest = {name.removesuffix("-data"): number for name, number in holder_ids.items()}
    return {**ids, **explicit}, by_guest


def _free_ids(first: int, last: int, taken: set[int]) -> list[int]:
    return [number for number in range(first, last) if number not in taken]


def _mac_addresses(draft: Draft, keys: list[str]) -> dict[str, str]:
    recorded = draft.ledger.texts("macs")
    taken = set(recorded.values())
    # 02 marks a locally administered address (IEEE 802-2014, 8.2.2); two labs of one wire differ in the next bytes.
    lab = hashlib.sha256(f"{draft.config.site}/{draft.environment}".encode()).digest()
    prefix = f"02:{lab[0]:02X}:{lab[1]:02X}:{lab[2]:02X}"
    free = (mac for n in range(1, 0x10000) if (mac := f"{prefix}:{n >> 8:02X}:{n & 0xFF:02X}") not in taken)
    macs = {}
    for key in sorted(keys):
        if key not in recorded:
            draft.give("macs", key, next(free))
        macs[key] = recorded.get(key) or str(draft.given["macs"][key])
    return macs


def _check_hardware(draft: Draft, name: str, guest: GuestConfig, node: NodeConfig) -> None:
    for device in guest.pci:
        if device not in node.pci:
            draft.refuse(
                f"guests.{name}.pci",
                f'node {guest.node} has no PCI device "{device}"',
                did_you_mean(device, node.pci),
            )
    for tag_owner, vlan in draft.config.vlans.items():
        nic = guest.nics.get(tag_owner)
        if (
            nic is not None
            and vlan.id is None
            and not guest.trunk
            and node.bridge.manage == "yes"
            and not vlan.bridge
        ):
            draft.refuse(
                f"guests.{name}.vlan",
                f"vlan {tag_owner} has no tag, so an interface in it would carry every VLAN of bridge "
                f"{node.bridge.name}",
                "give the vlan an id or a bridge of its own, or declare the guest a trunk",
            )
