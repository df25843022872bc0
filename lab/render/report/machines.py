"""The sections about machines and the segments that they are on."""

from collections.abc import Iterator

from lab.plan.records import GuestPlan, LabPlan, NodePlan, VlanPlan
from lab.render.report.words import ports_text, remark
from lab.render.table import table


def machines(plan: LabPlan) -> Iterator[list[str]]:
    """VLANs, router, nodes, guests and devices."""
    if plan.vlans:
        head = ("vlan", "tag", "subnet", "gateway", "dhcp", "internet", "purpose")
        yield ["VLANs", *table([_vlan_row(vlan) for vlan in plan.vlans], head=head)]
    router = f"{plan.router.kind} {plan.router.endpoint or ''}".strip()
    yield [f"Router: {router}{remark(plan.router.description)}"]
    if plan.nodes:
        yield ["Nodes", *(line for node in plan.nodes for line in _node_lines(node))]
    if plan.guests:
        titles = (
            "guest",
            "kind",
            "id",
            "node",
            "vlan",
            "address",
            "cores",
            "memory",
            "disks",
            "listens",
            "for",
        )
        yield ["Guests", *table([_guest_row(guest) for guest in plan.guests], head=titles)]
    if plan.devices:
        rows = [
            (
                d.name,
                d.vlan,
                d.address or "leased",
                ports_text(d.listens),
                "; ".join(filter(None, (d.model, d.description))),
            )
            for d in plan.devices
        ]
        yield [
            "Devices (observed, never changed)",
            *table(rows, head=("device", "vlan", "address", "listens", "what")),
        ]


def _vlan_row(vlan: VlanPlan) -> tuple[str, ...]:
    tag = str(vlan.tag) if vlan.tag else "untagged"
    dhcp = f"{vlan.dhcp[0]}-{vlan.dhcp[1].rpartition('.')[2]}" if vlan.dhcp else "none"
    out = "nat" if vlan.nat else "yes" if vlan.internet else "no"
    return vlan.name, tag, vlan.subnet, vlan.gateway or "none", dhcp, out, vlan.purpose


def _node_lines(node: NodePlan) -> Iterator[str]:
    hardware = [
        node.cpu,
        f"{node.memory_mib // 1024} GiB memory" if node.memory_mib else "",
        f"{node.disk_gib} GiB storage" if node.disk_gib else "",
        *(f"{pci.name} ({pci.id} at {pci.path}) {pci.description}".rstrip() for pci in node.pci),
    ]
    bridge = f"{node.bridge} (created)" if node.creates_bridge else node.bridge
    state = "" if node.managed else ", observed"
    yield f"  {node.name}  {node.address} in {node.vlan or 'no vlan'}, bridge {bridge}{state}"
    for label, text in (
        ("role", node.role),
        ("hardware", ", ".join(filter(None, hardware))),
        ("kernel", " ".join(node.kernel_arguments)),
        ("advertises", ", ".join(node.advertises)),
        ("about", node.description),
    ):
        if text:
            yield f"      {label}: {text}"


def _guest_row(guest: GuestPlan) -> tuple[str, ...]:
    disks = [guest.system_disk, *guest.data_disks]
    addresses = [nic.address or ("-" if nic.trunks else "leased") for nic in guest.nics]
    return (
        guest.name,
        guest.kind,
        str(guest.vm_id),
        guest.node,
        " ".join(nic.vlan for nic in guest.nics),
        " ".join(addresses),
        str(guest.cores),
        f"{guest.memory_mib} MiB",
        " ".join(f"{disk.name}:{disk.size_gib}G" for disk in disks),
        ports_text(guest.listens),
        _about_guest(guest),
    )


def _about_guest(guest: GuestPlan) -> str:
    facts = [
        guest.description,
        "runs docker" if guest.runs_docker else "",
        f"has {', '.join(guest.pci)}" if guest.pci else "",
        f"boots {guest.startup}." if guest.startup else "",
        f"advertises {', '.join(guest.advertises)}" if guest.advertises else "",
        f"trunk {' '.join(map(str, guest.nics[0].trunks))}" if guest.nics and guest.nics[0].trunks else "",
        "" if guest.managed else "observed",
    ]
    return "; ".join(filter(None, facts))
