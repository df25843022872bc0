"""Nodes, segments, guests and devices as decided: the machines of a plan and the wires between them."""

from dataclasses import dataclass
from typing import Literal

from lab.flows import Endpoint, Port

MANAGEMENT_PORTS = (Port(22), Port(3128), Port(5900, "tcp", 5999), Port(8006), Port(60000, "tcp", 60050))
"""What a node always opens to the set `management`, to which Proxmox adds the node's own segment by itself: SSH,
the SPICE proxy, consoles, the interface and live migration (pve-firewall 6.0.4; docs/isolation.md)."""
COROSYNC_PORTS = Port(5404, "udp", 5405)
"""What the nodes of a cluster open to each other (the same source; the manual names other ports)."""


@dataclass(frozen=True, kw_only=True)
class PciPlan:
    """A PCI device of a node under the name by which guests ask for it."""

    name: str
    path: str
    id: str
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class ImagePlan:
    """A cloud image or LXC template that a node downloads."""

    name: str
    url: str
    file_name: str
    storage: str = "local"
    content: Literal["import", "vztmpl"] = "import"
    checksum: str | None = None
    """`sha256:…` or `sha512:…`, or None where nothing vouches for it."""

    @property
    def volume(self) -> str:
        """The id of the downloaded file, such as `local:import/debian-12.qcow2`."""
        return f"{self.storage}:{self.content}/{self.file_name}"


@dataclass(frozen=True, kw_only=True)
class RulePlan:
    """One accept rule of a Proxmox firewall; what no rule accepts is dropped."""

    source: str
    """An address or a subnet; empty for any."""
    port: str = ""
    """A port or a range `8000:8010`; empty for every port."""
    protocol: str = ""
    """`tcp` or `udp`; empty for every protocol."""
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class NodePlan:
    """A Proxmox VE host and the settings that are made on it."""

    name: str
    address: str
    vlan: str | None = None
    bridge: str = "vmbr0"
    creates_bridge: bool = False
    """False where the bridge exists already, as vmbr0 does on a fresh node."""
    bridge_ports: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    domain: str = ""
    time_zone: str | None = None
    pci: tuple[PciPlan, ...] = ()
    images: tuple[ImagePlan, ...] = ()
    advertises: tuple[str, ...] = ()
    """The subnets it advertises to the tailnet, where the node itself is a subnet router."""
    rules: tuple[RulePlan, ...] = ()
    """What its own firewall accepts besides what Proxmox VE opens by itself."""
    memory_mib: int | None = None
    disk_gib: int | None = None
    cpu: str = ""
    role: str = ""
    description: str = ""
    kernel_arguments: tuple[str, ...] = ()
    managed: bool = True


@dataclass(frozen=True, kw_only=True)
class VlanPlan:
    """One layer-2 segment."""

    name: str
    subnet: str
    tag: int | None = None
    gateway: str | None = None
    dhcp: tuple[str, str] | None = None
    """The first and the last leased address."""
    internet: bool = False
    nat: bool = False
    bridge: str | None = None
    nodes: tuple[str, ...] = ()
    """The nodes that have guests in it."""
    rules: tuple[RulePlan, ...] = ()
    """What its zone accepts from elsewhere."""
    purpose: str = ""
    managed: bool = True


@dataclass(frozen=True, kw_only=True)
class NicPlan:
    """One interface of a guest."""

    vlan: str
    bridge: str
    mac: str
    tag: int | None = None
    address: str | None = None
    """None where it is leased."""
    prefix: int = 24
    gateway: str | None = None
    """Only the first interface of a guest has one, so that it has one default route."""
    trunks: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DiskPlan:
    """One disk of a guest."""

    name: str
    size_gib: int
    storage: str
    backup: bool = True


@dataclass(frozen=True, kw_only=True)
class GuestPlan:
    """A VM or an LXC."""

    name: str
    kind: Literal["vm", "lxc"]
    node: str
    vm_id: int
    nics: tuple[NicPlan, ...]
    addresses: tuple[str, ...] = ()
    """Its fixed addresses, those that it gives itself behind a trunk among them."""
    system_disk: DiskPlan
    data_disks: tuple[DiskPlan, ...] = ()
    """They survive the guest's replacement: a holder VM owns them."""
    holder_id: int | None = None
    """The VMID of that holder."""
    cores: int = 1
    memory_mib: int = 2048
    image: str | None = None
    """The volume id of its image or template on its node."""
    bootstrap: str | None = None
    """The volume id of the static cloud-init file of its role, placed on the node beforehand."""
    runs_docker: bool = False
    dns: tuple[str, ...] = ()
    domain: str = ""
    user: str | None = None
    ssh_keys: tuple[str, ...] = ()
    """Public keys that may log in as `user` (an LXC's are root's)."""
    pci: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    unprivileged: bool = True
    rules: tuple[RulePlan, ...] = ()
    """What its firewall accepts."""
    listens: tuple[Port, ...] = ()
    advertises: tuple[str, ...] = ()
    startup: int | None = None
    tags: tuple[str, ...] = ()
    protect: bool = False
    description: str = ""
    managed: bool = True

    @property
    def address(self) -> str | None:
        """Its first fixed address."""
        return next((nic.address for nic in self.nics if nic.address), None)


@dataclass(frozen=True, kw_only=True)
class DevicePlan:
    """A machine on a segment that Proxmox does not run."""

    name: str
    vlan: str
    address: str | None = None
    listens: tuple[Port, ...] = ()
    runs_docker: bool = False
    model: str = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class RouterPlan:
    """What routes between the segments."""

    kind: str = "none"
    endpoint: Endpoint | None = None
    description: str = ""
