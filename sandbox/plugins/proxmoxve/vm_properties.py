"""The properties of proxmoxve:index/vmLegacy:VmLegacy, with the official defaults and what replaces."""

from __future__ import annotations

from sandbox.plugins.properties import (
    between,
    block,
    block_list,
    boolean,
    expected_one_of,
    integer,
    names,
    number,
    string,
    string_list,
    string_set,
)
from sandbox.plugins.proxmoxve import rules
from sandbox.plugins.values import Value

TOKEN = "proxmoxve:index/vmLegacy:VmLegacy"

UNSUPPORTED = names(
    "amdSev audioDevice clone hookScriptFileId hotplug kvmArguments migrate numas poolId reboot rngs"
    " smbios template timeoutClone timeoutMigrate timeoutMoveDisk timeoutReboot tpmState usbs virtiofs"
    " watchdog"
)

_OS = (
    "l24",
    "l26",
    "other",
    "solaris",
    "w2k",
    "w2k3",
    "w2k8",
    "win7",
    "win8",
    "win10",
    "win11",
    "wvista",
    "wxp",
)
_SCSI = ("lsi", "lsi53c810", "virtio-scsi-pci", "virtio-scsi-single", "megasas", "pvscsi")
_DNS_NAME = (
    r"^$|^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$"
)


def dns_name(value: Value) -> str | None:
    """The first of the two sentences of the official check of a host name."""
    return rules.pattern(_DNS_NAME, 'expected "{name}" to be an empty string: got {value}')(value)


def dns_name_again(value: Value) -> str | None:
    """The second one."""
    return rules.pattern(_DNS_NAME, "invalid value for {name} (must be a valid DNS name)")(value)


def _cdrom_word(value: Value) -> str | None:
    if not isinstance(value, str) or value in ("", "none", "cdrom") or rules.file_id(value) is None:
        return None
    return f'expected {{name}} to be one of ["none" "cdrom"], got {value}'


def _cdrom_file(value: Value) -> str | None:
    return None if value in ("none", "cdrom") else rules.file_id(value)


def _socket(value: Value) -> str | None:
    if not isinstance(value, str) or value == "socket" or value.startswith("/dev/"):
        return None
    return "expected {name} to be '/dev/*' or 'socket'"


SPEED = (
    "iopsRead", "iopsReadBurstable", "iopsWrite", "iopsWriteBurstable", "read", "readBurstable", "write",
    "writeBurstable",
)  # fmt: skip

_DISK = [
    string("interface", required=True),
    string("aio", default="io_uring", rules=(expected_one_of("io_uring", "native", "threads"),)),
    boolean("backup", default=True),
    string("cache", default="none"),
    string("datastoreId", default="local-lvm"),
    string("discard", default="ignore", rules=(expected_one_of("ignore", "on"),)),
    string("fileFormat", computed=True, rules=(expected_one_of("qcow2", "raw", "vmdk"),)),
    string("importFrom", rules=(rules.file_id,)),
    boolean("iothread"),
    string("pathInDatastore", computed=True),
    boolean("replicate", default=True),
    string("serial"),
    integer("size", default=8, rules=(rules.no_less(1),)),
    block("speed", [integer(name, planned_default=0) for name in SPEED], default=dict.fromkeys(SPEED, 0)),
    boolean("ssd"),
]
_DISK_DEFAULT: Value = {
    "aio": "io_uring", "backup": True, "cache": "none", "datastoreId": "local-lvm", "discard": "ignore",
    "fileId": "", "importFrom": "", "interface": "scsi0", "iothread": False, "pathInDatastore": None,
    "queues": 0, "replicate": True, "serial": "", "size": 8, "speed": None, "ssd": False,
}  # fmt: skip

_NETWORK_DEVICE = [
    string("bridge", default="vmbr0"),
    boolean("disconnected", bare=True),
    boolean("enabled", planned_default=True),
    boolean("firewall"),
    string("macAddress", computed=True, rules=(rules.mac_address,)),
    string("model", default="virtio"),
    integer("mtu"),
    integer("queues"),
    string("trunks"),
    integer("vlanId"),
]

_INITIALIZATION = [
    string("datastoreId", default="local-lvm"),
    string("fileFormat", computed=True),
    block("dns", [string("domain"), string_list("servers")]),
    block_list(
        "ipConfigs",
        [
            block("ipv4", [string("address"), string("gateway")]),
            block("ipv6", [string("address"), string("gateway")]),
        ],
        upstream="ip_config",
    ),
    boolean("upgrade", computed=True),
    block("userAccount", [string_list("keys"), string("password", secret=True), string("username")]),
    string("vendorDataFileId", replace=True, computed=True, rules=(rules.file_id,)),
]

PROPERTIES = (
    string("nodeName", required=True, replace=True),
    boolean("acpi", default=True),
    block(
        "agent",
        [
            boolean("enabled"),
            string("timeout", default="15m", rules=(rules.duration,)),
            boolean("trim"),
            string("type", default="virtio", rules=(expected_one_of("isa", "virtio"),)),
            block("waitForIp", [boolean("disabled"), boolean("ipv4"), boolean("ipv6")]),
        ],
        default={"enabled": False, "timeout": "15m", "trim": False, "type": "virtio"},
    ),
    string("bios", default="seabios", rules=(expected_one_of("ovmf", "seabios"),)),
    string_list("bootOrders", upstream="boot_order", computed=True),
    block(
        "cdrom",
        [string("fileId", rules=(_cdrom_word, _cdrom_file)), string("interface", default="ide3")],
        unsupported="enabled",
        default={"fileId": "", "interface": "ide3"},
    ),
    block(
        "cpu",
        [
            integer("cores", default=1, rules=(between(1, 2304),)),
            string_list("flags", default=[]),
            number("limit"),
            integer("sockets", default=1, rules=(between(1, 16),)),
            string("type", default="qemu64"),
            integer("units", computed=True),
        ],
        unsupported="affinity architecture hotplugged numa",
        default={
            "affinity": "",
            "architecture": "",
            "cores": 1,
            "flags": [],
            "hotplugged": 0,
            "limit": 0,
            "numa": False,
            "sockets": 1,
            "type": "qemu64",
            "units": 0,
        },
    ),
    boolean("deleteUnreferencedDisksOnDestroy", default=True),
    string("description"),
    block_list("disks", _DISK, upstream="disk", unsupported="fileId queues", default=[_DISK_DEFAULT]),
    block(
        "efiDisk",
        [
            string("datastoreId", default="local-lvm"),
            string("fileFormat", computed=True),
            boolean("preEnrolledKeys"),
            string("type", default="2m", replace=True, rules=(expected_one_of("2m", "4m"),)),
        ],
    ),
    block_list(
        "hostpcis",
        [
            string("device", required=True),
            string("mapping"),
            string("mdev"),
            boolean("pcie"),
            boolean("rombar"),
            boolean("xvga"),
        ],
        upstream="hostpci",
        unsupported="id romFile",
        default=[],
    ),
    block(
        "initialization",
        _INITIALIZATION,
        unsupported="interface metaDataFileId networkDataFileId type userDataFileId",
    ),
    string("keyboardLayout", default="en-us"),
    string("machine"),
    block(
        "memory",
        [
            integer("dedicated", default=512, rules=(between(64, 268435456),)),
            integer("floating"),
            integer("shared"),
        ],
        unsupported="hugepages keepHugepages",
        default={"dedicated": 512, "floating": 0, "hugepages": "", "keepHugepages": False, "shared": 0},
    ),
    string("name", named=True, rules=(dns_name, dns_name_again)),
    block_list(
        "networkDevices", _NETWORK_DEVICE, upstream="network_device", unsupported="rateLimit", computed=True
    ),
    boolean("onBoot", default=True),
    block(
        "operatingSystem",
        [string("type", default="other", rules=(expected_one_of(*_OS),))],
        default={"type": "other"},
    ),
    boolean("protection", planned_default=False),
    boolean("purgeOnDestroy", default=True),
    boolean("rebootAfterUpdate", default=True),
    string("scsiHardware", default="virtio-scsi-pci", rules=(expected_one_of(*_SCSI),)),
    block_list(
        "serialDevices",
        [string("device", default="socket", rules=(_socket,))],
        upstream="serial_device",
        default=[{"device": "socket"}],
    ),
    boolean("started", default=True),
    block(
        "startup",
        [integer("downDelay", default=-1), integer("order"), integer("upDelay", default=-1)],
    ),
    boolean("stopOnDestroy", planned_default=False),
    boolean("tabletDevice", default=True),
    string_set("tags", computed=True),
    integer("timeoutCreate", default=1800),
    integer("timeoutShutdownVm", default=1800),
    integer("timeoutStartVm", default=1800),
    integer("timeoutStopVm", default=300),
    block("vga", [string("clipboard"), integer("memory", default=16), string("type")], computed=True),
    integer("vmId", replace=True, computed=True, rules=(between(100, 2147483647),)),
    string_list("ipv4Addresses", output=True),
    string_list("ipv6Addresses", output=True),
    string_list("macAddresses", output=True),
    string_list("networkInterfaceNames", output=True),
)
