"""Nodes, segments, devices and guests: the machines of a lab and the wires between them."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from lab.config.routes import Routed
from lab.config.strict import Part
from lab.config.tailnet import SubnetRouterConfig
from lab.config.values import (
    Address,
    DhcpRange,
    GatewayAddress,
    Manage,
    Name,
    NicAddress,
    PortValue,
    Size,
    SomeEndpoints,
    SomeTargets,
    Subnet,
    WholeAddress,
    YesNo,
)


def _bridge(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _vlans(value: object) -> object:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return dict.fromkeys(value)
    return value


class BridgeConfig(Part):
    """The bridge of a node that guests are attached to."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]{1,14}$")
    """Its interface name on the node, such as vmbr0."""
    manage: Manage = "observe"
    """`yes` creates it; `observe` uses one that exists (a fresh Proxmox has vmbr0)."""
    ports: tuple[str, ...] = ()
    """The physical interfaces it takes over when it is created."""


class PciConfig(Part):
    """A PCI device that a guest may be given."""

    path: str = Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}(\.[0-7])?$")
    """Its address on the node, such as 0000:01:00.0."""
    id: str = Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{4}$")
    """Vendor and device id, such as 10de:27b0."""
    description: str = ""
    """What it is."""


class StorageConfig(Part):
    """The storages of a node, by what they are for. They exist; definitions are not made."""

    os: str = "local-lvm"
    """For system disks."""
    data: str = ""
    """For data disks; the same as `os` when not given."""
    images: str = "local"
    """For downloaded images and templates."""


class NodeConfig(Routed):
    """A Proxmox VE host."""

    address: Address
    """Its address in its management segment."""
    vlan: Name | None = None
    """The segment of that address; found by the address when not given."""
    bridge: Annotated[BridgeConfig, BeforeValidator(_bridge)] = BridgeConfig(name="vmbr0")
    """Where guests are attached: a name, or a bridge to create."""
    role: str = ""
    """What it is for."""
    description: str = ""
    """Anything a reader should know, such as its hardware."""
    cpu: str = ""
    """Its processor."""
    memory: Size | None = None
    """Its memory; guests may not be promised more."""
    disk: Size | None = None
    """Its storage in all."""
    storage: StorageConfig = StorageConfig()
    """Which storage holds what."""
    pci: dict[Name, PciConfig] = {}
    """PCI devices that guests may be given, by name."""
    kernel_arguments: tuple[str, ...] = ()
    """Kernel arguments it needs, such as pcie_aspm=off. Documented, not set: they need a shell on the node."""
    dns: tuple[WholeAddress, ...] = ()
    """Its resolvers."""
    time_zone: str | None = None
    """Its time zone, such as Europe/Berlin."""
    tailscale: SubnetRouterConfig | None = None
    """Set when the node itself is a subnet router (set up on the node, observed here)."""
    manage: Manage = "yes"
    """`observe`: planned and proven, never changed."""


class VlanConfig(Part):
    """One layer-2 segment with its subnet."""

    id: int | None = Field(default=None, ge=1, le=4094)
    """The 802.1Q tag; none for an untagged segment."""
    subnet: Subnet
    """Its IPv4 subnet."""
    gateway: GatewayAddress = ".1"
    """The router's address in it; none where nothing routes."""
    dhcp: DhcpRange = None
    """The leased range; none where every address is given by hand."""
    internet: YesNo = False
    """Whether its machines may open connections to the internet."""
    nat: YesNo = False
    """Whether a node routes it and masquerades it behind its own address."""
    bridge: str | None = None
    """The bridge that carries it on the nodes, when it is not the node's own."""
    purpose: str = ""
    """What it is for."""
    manage: Manage = "yes"
    """`observe`: planned and proven, never changed."""


class RouterConfig(Part):
    """What routes between the segments."""

    kind: Literal["guest", "node", "unifi", "mikrotik", "opnsense", "vyos", "other", "none"]
    """`guest` and `node` are ours; `none`: nothing routes between the segments."""
    guest: Name | None = None
    """The guest that routes, for `kind: guest`."""
    device: Name | None = None
    """The device that routes, for a router that is not ours."""
    description: str = ""
    """Anything a reader should know."""


class EngineConfig(Part):
    """What decides how a Docker Engine treats packets. What is not known here is not guessed by the proof."""

    version: int | None = Field(default=None, ge=17, le=99)
    """Its major version, such as 28; a guest of ours with the usual image has Debian's 20."""
    userland_proxy: YesNo | None = None
    """Whether a process of the host accepts connections to published ports; Docker's default is yes."""
    bridge_netfilter: YesNo | None = None
    """Whether `net.bridge.bridge-nf-call-iptables` is 1, so that packets within one network meet packet filters."""
    firewall: Literal["iptables", "nftables"] | None = None
    """What it writes its own rules with."""


class DeviceConfig(Routed):
    """A machine on a segment that Proxmox does not run: a switch, a television, a bare-metal host."""

    vlan: Name
    """Its segment."""
    address: Address | None = None
    """Its address; none where it is leased."""
    listens: tuple[PortValue, ...] = ()
    """The ports it serves."""
    runs: Literal["docker"] | None = None
    """`docker`: an existing machine with a Docker Engine that stacks may be placed on."""
    engine: EngineConfig = EngineConfig()
    """What is known about its engine."""
    model: str = ""
    """What it is."""
    description: str = ""
    """Anything a reader should know."""


class DiskConfig(Part):
    """A disk of a guest."""

    size: Size
    """Its size."""
    storage: str | None = None
    """The storage that holds it; the node's own choice when not given."""
    backup: YesNo = True
    """Whether Proxmox's backups take it along."""


def _disk(value: object) -> object:
    return {"size": value} if isinstance(value, str | int) else value


def _disks(value: object) -> object:
    return {name: _disk(disk) for name, disk in value.items()} if isinstance(value, dict) else value


class NicConfig(Part):
    """One network interface of a guest."""

    address: NicAddress | None = None
    """Its address in the segment; `dhcp` to lease one, nothing for the ledger to choose."""


def _nics(value: object) -> object:
    value = _vlans(value)
    if not isinstance(value, dict):
        return value
    return {name: _nic(nic) for name, nic in value.items()}


def _nic(value: object) -> object:
    if isinstance(value, str | int):
        return {"address": value}
    return {} if value is None else value


class GuestConfig(Routed):
    """A VM or an LXC on a node."""

    kind: Literal["vm", "lxc"]
    """A virtual machine or a container of Proxmox."""
    node: Name
    """The node it runs on."""
    id: int | None = Field(default=None, ge=100, le=999_999_999)
    """Its VMID; given out by the ledger when not written."""
    vlan: Name | None = None
    """Its segment, for one interface."""
    address: NicAddress | None = None
    """Its address there."""
    vlans: Annotated[dict[Name, NicConfig], BeforeValidator(_nics)] = {}
    """Its segments, for several interfaces: names, or names with addresses. The first has the default route."""
    trunk: YesNo = False
    """One untagged interface that carries all of `vlans`, as a router may need."""
    cores: int = Field(default=1, ge=1, le=512)
    """Virtual processors."""
    memory: Size = 2 * 2**30
    """Memory, and the most it may take."""
    disks: Annotated[dict[Name, DiskConfig], BeforeValidator(_disks)] = {}
    """`os` is the system disk; every other one is data and survives the guest's replacement."""
    image: str | None = None
    """Where a VM's cloud image or an LXC's template comes from: a URL."""
    checksum: str | None = Field(default=None, pattern=r"^sha(256|512):[0-9a-f]+$")
    """The image's checksum."""
    runs: Literal["docker"] | None = None
    """`docker`: it runs a Docker Engine, and stacks may be placed on it."""
    engine: EngineConfig = EngineConfig()
    """What is known about its engine, where it is not what the guest's own bootstrap file makes it."""
    pci: tuple[Name, ...] = ()
    """PCI devices of its node that it is given."""
    features: tuple[Literal["nesting", "keyctl", "fuse", "mknod"], ...] = ()
    """Features of an LXC."""
    unprivileged: YesNo = True
    """Whether an LXC's root is an ordinary user of the node."""
    listens: tuple[PortValue, ...] = ()
    """The ports it serves itself, besides its stacks."""
    tailscale: SubnetRouterConfig | None = None
    """Set when it is a subnet router or a member of the tailnet."""
    startup: int | None = Field(default=None, ge=1)
    """Its place in the boot order; lower is earlier."""
    tags: tuple[Name, ...] = ()
    """Tags shown in Proxmox."""
    protect: YesNo = False
    """Whether Pulumi refuses to delete it."""
    description: str = ""
    """What it is for."""
    manage: Manage = "yes"
    """`observe`: planned and proven, never changed."""

    @model_validator(mode="after")
    def _one_way_to_say_where(self) -> "GuestConfig":
        if (self.vlan is None) == (not self.vlans):
            raise ValueError("it needs one place to be; write either vlan (one interface) or vlans (several)")
        if self.vlans and self.address is not None:
            raise ValueError(
                "address names one interface and vlans several; write it inside, vlans: {NAME: ADDRESS}"
            )
        return self

    @property
    def nics(self) -> dict[str, NicConfig]:
        """Its interfaces by segment, whichever way they were written."""
        return self.vlans or {self.vlan or "": NicConfig(address=self.address)}


class OperatorConfig(Part):
    """The machine where `pulumi` runs: an endpoint like any other, so that no rule locks it out unseen."""

    vlan: Name | None = None
    """The segment it is on."""
    address: Address | None = None
    """Its address there."""
    user: str | None = Field(default=None, pattern=r"^[a-z_][a-z0-9_-]{0,31}$")
    """The user that guests are given, and as whom Docker hosts are reached over SSH."""
    ssh_keys: tuple[Annotated[str, Field(pattern=r"^(ssh|ecdsa|sk)-[a-z0-9@.-]+ \S+")], ...] = ()
    """Public keys that may log in to guests as that user."""


class FlowConfig(Part):
    """A permission: who may open connections to whom, and why."""

    from_: SomeEndpoints
    """One source or several."""
    to: SomeTargets
    """One target or several, each with its port; without one, every port."""
    because: str = Field(min_length=1)
    """The reason, which every output repeats."""
