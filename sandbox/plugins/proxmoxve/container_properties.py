"""The properties of proxmoxve:index/containerLegacy:ContainerLegacy, with the official defaults."""

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
    string_map,
    string_set,
)
from sandbox.plugins.proxmoxve import rules
from sandbox.plugins.proxmoxve.vm_properties import dns_name, dns_name_again

TOKEN = "proxmoxve:index/containerLegacy:ContainerLegacy"

UNSUPPORTED = names(
    "clone environmentVariables hookScriptFileId idmaps poolId template timeoutClone waitForIp"
)

_OS = (
    "alpine", "archlinux", "centos", "debian", "devuan", "fedora", "gentoo", "nixos", "opensuse", "ubuntu",
    "unmanaged",
)  # fmt: skip

_NETWORK_INTERFACE = [
    string("name", required=True),
    string("bridge", default="vmbr0"),
    boolean("enabled", default=True),
    boolean("firewall"),
    string("macAddress", computed=True, rules=(rules.mac_address,)),
    integer("mtu"),
    integer("vlanId"),
]

_INITIALIZATION = [
    block("dns", [string("domain"), string("server"), string_list("servers")]),
    string("hostname", rules=(dns_name, dns_name_again)),
    block_list(
        "ipConfigs",
        [
            block("ipv4", [string("address"), string("gateway")]),
            block("ipv6", [string("address"), string("gateway")]),
        ],
        upstream="ip_config",
        default=[],
    ),
    block(
        "userAccount",
        [
            string_list("keys", replace=True),
            string("password", replace=True, secret=True),
        ],
        replace=True,
    ),
]

_MOUNT_POINT = [
    string("path", required=True),
    string("volume", required=True, replace=True),
    boolean("acl"),
    boolean("backup"),
    string_list("mountOptions", bare=True),
    string("pathInDatastore", computed=True),
    boolean("quota"),
    boolean("readOnly"),
    boolean("replicate", default=True),
    boolean("shared"),
    string("size", replace=True),
]

PROPERTIES = (
    string("nodeName", required=True, replace=True),
    block(
        "console",
        [
            boolean("enabled", default=True),
            integer("ttyCount", default=2, rules=(between(0, 6),)),
            string("type", default="tty", rules=(expected_one_of("console", "shell", "tty"),)),
        ],
        default={"enabled": True, "ttyCount": 2, "type": "tty"},
    ),
    block(
        "cpu",
        [
            string("architecture", default="amd64"),
            integer("cores", default=1, rules=(between(1, 128),)),
            number("limit"),
            integer("units", computed=True),
        ],
        default={"architecture": "amd64", "cores": 1, "limit": 0, "units": 0},
    ),
    string("description"),
    block_list(
        "devicePassthroughs",
        [
            string("path", required=True),
            boolean("denyWrite"),
            integer("gid"),
            string(
                "mode",
                default="0660",
                rules=(rules.pattern(r"^0[0-7]{3}$", "invalid value for {name} (Octal access mode)"),),
            ),
            integer("uid"),
        ],
        upstream="device_passthrough",
    ),
    block(
        "disk",
        [
            boolean("acl"),
            string("datastoreId", default="local", replace=True),
            string_list("mountOptions", bare=True),
            string("pathInDatastore", computed=True),
            boolean("quota"),
            boolean("replicate"),
            integer("size", default=4, rules=(rules.no_less(1),)),
        ],
        default={
            "acl": False,
            "datastoreId": "local",
            "mountOptions": [],
            "quota": False,
            "replicate": False,
            "size": 4,
        },
    ),
    block(
        "features",
        [
            boolean("fuse"),
            boolean("keyctl"),
            boolean("mknod"),
            string_list("mounts", bare=True),
            boolean("nesting"),
        ],
        default={"fuse": False, "keyctl": False, "mknod": False, "mounts": [], "nesting": False},
    ),
    block("initialization", _INITIALIZATION, unsupported="entrypoint", replace=True),
    block(
        "memory",
        [
            integer("dedicated", default=512, rules=(between(16, 268435456),)),
            integer("swap", rules=(between(0, 268435456),)),
        ],
        default={"dedicated": 512, "swap": 0},
    ),
    block_list("mountPoints", _MOUNT_POINT, upstream="mount_point", replace=True),
    block_list(
        "networkInterfaces",
        _NETWORK_INTERFACE,
        upstream="network_interface",
        unsupported="hostManaged rateLimit",
        default=[None],
    ),
    block(
        "operatingSystem",
        [
            string("templateFileId", required=True, replace=True, rules=(rules.file_id,)),
            string("type", default="unmanaged", rules=(expected_one_of(*_OS),)),
        ],
    ),
    boolean("protection", planned_default=False),
    boolean("startOnBoot", default=True),
    boolean("started", default=True),
    block(
        "startup",
        [integer("downDelay", default=-1), integer("order"), integer("upDelay", default=-1)],
    ),
    string_set("tags"),
    integer("timeoutCreate", default=1800),
    integer("timeoutDelete", default=60),
    integer("timeoutStart", planned_default=300),
    integer("timeoutUpdate", default=1800),
    boolean("unprivileged", replace=True, planned_default=False),
    integer("vmId", replace=True, computed=True, rules=(between(100, 2147483647),)),
    string_map("ipv4", output=True),
    string_map("ipv6", output=True),
)
