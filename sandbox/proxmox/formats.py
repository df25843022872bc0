"""The named formats of Proxmox VE's API description: what a string must look like.

The description gives a format's name only; its rule is documented in Proxmox VE's manual pages and in the
field's RFCs. Each checker returns None for a good value and else the reason. A format that has no rule
here accepts any text, and `KNOWN` tells which have one, so that a test can hold the calls in use to it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote

Checker = Callable[[str], str | None]


def _pattern(expression: str, meaning: str) -> Checker:
    compiled = re.compile(expression)

    def check(value: str) -> str | None:
        return None if compiled.fullmatch(value) else f"value does not look like a valid {meaning}"

    return check


def _any_of(meaning: str, *checkers: Checker) -> Checker:
    def check(value: str) -> str | None:
        fits = any(checker(value) is None for checker in checkers)
        return None if fits else f"value does not look like a valid {meaning}"

    return check


def _parses(parse: Callable[[str], object], meaning: str) -> Checker:
    def check(value: str) -> str | None:
        try:
            parse(value)
        except ValueError:
            return f"value does not look like a valid {meaning}"
        return None

    return check


def _network(version: int | None) -> Callable[[str], object]:
    def parse(value: str) -> object:
        if "/" not in value:
            raise ValueError(value)
        found = ipaddress.ip_interface(value)
        # A mask as digits after the slash: a dotted mask is not CIDR notation.
        if not value.rsplit("/", 1)[1].isdigit() or (version is not None and found.version != version):
            raise ValueError(value)
        return found

    return parse


def _address_range(value: str) -> object:
    first, _, last = value.partition("-")
    low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
    if low.version != high.version or int(low) > int(high):
        raise ValueError(value)
    return low


def _ports(value: str) -> str | None:
    for part in value.split(","):
        ends = part.split(":")
        numbers = [int(end) for end in ends if end.isdigit()]
        if len(numbers) == len(ends) and len(ends) in (1, 2):
            if any(number > 65535 for number in numbers) or numbers != sorted(numbers):
                return f"invalid port range '{part}'"
        elif len(ends) != 1 or not re.fullmatch(r"[a-z][a-z0-9+.-]*", part):
            return f"invalid port '{part}'"
    return None


_NAME = r"[A-Za-z][A-Za-z0-9_-]*"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_REALM = r"[A-Za-z][A-Za-z0-9._-]+"
_STORAGE = r"[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]"
_VOLUME = rf"{_STORAGE}:\S+"

_ipv4 = _parses(ipaddress.IPv4Address, "IPv4 address")
_ipv6 = _parses(ipaddress.IPv6Address, "IPv6 address")
_ip = _parses(ipaddress.ip_address, "IP address")
_cidr = _parses(_network(None), "CIDR network")
_dns = _pattern(rf"{_LABEL}(?:\.{_LABEL})*", "DNS name")
_alias = _pattern(rf"(?:dc/|guest/)?{_NAME}", "alias")
_ipset = _pattern(rf"\+(?:dc/|guest/|sdn/)?{_NAME}", "IP set")
_address_entry = _any_of(
    "address, network, range, alias or IP set",
    _ip, _cidr, _alias, _ipset, _parses(_address_range, "address range"),
)  # fmt: skip


def _addresses(value: str) -> str | None:
    parts = [part.strip() for part in value.split(",")]
    if len(parts) > 1 and any(part.startswith("+") or _alias(part) is None for part in parts):
        return "a list may hold only addresses, networks and ranges"
    reasons = (_address_entry(part) for part in parts)
    return next((reason for reason in reasons if reason is not None), None)


def _boot(value: str) -> str | None:
    if value.startswith("order="):
        names = value.removeprefix("order=").split(";")
        bad = [n for n in names if n and not re.fullmatch(r"(?:ide|sata|scsi|virtio|net|usb|hostpci)\d+", n)]
        return f"invalid boot device '{bad[0]}'" if bad else None
    return _pattern(r"(?:legacy=)?[acdn]{1,4}", "boot order")(value)


def _ip_config(value: str) -> str | None:
    pairs = dict(part.partition("=")[::2] for part in value.split(",") if part)
    checks: Mapping[str, Checker] = {
        "ip": lambda v: None if v == "dhcp" else _parses(_network(4), "IPv4 address in CIDR notation")(v),
        "ip6": lambda v: None if v in ("dhcp", "auto") else _parses(_network(6), "IPv6 CIDR")(v),
        "gw": _ipv4,
        "gw6": _ipv6,
    }
    for key, text in pairs.items():
        if key in checks and (reason := checks[key](text)):
            return f"{key}: {reason}"
    for gateway, address in (("gw", "ip"), ("gw6", "ip6")):
        if gateway in pairs and (address not in pairs or pairs[address] in ("dhcp", "auto")):
            return f"gateway '{gateway}' needs a static address in '{address}'"
    return None


_HEX = "[0-9A-Fa-f]"

KNOWN: Final[Mapping[str, Checker]] = MappingProxyType(
    {
        "CIDR": _cidr,
        "CIDRv4": _parses(_network(4), "IPv4 CIDR"),
        "CIDRv6": _parses(_network(6), "IPv6 CIDR"),
        "IPorCIDR": _any_of("IP address or CIDR network", _ip, _cidr),
        "IPorCIDRorAlias": _any_of("IP address, CIDR network or alias", _ip, _cidr, _alias),
        "address": _any_of("IP address or DNS name", _ip, _dns),
        "disk-size": _pattern(r"\d+(?:\.\d+)?[KMGT]?", "disk size"),
        "dns-name": _dns,
        "email": _pattern(r"[\w+-]+(?:\.[\w+-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*", "email address"),
        "graphite-path": _pattern(r"\w+(?:[.-]\w+)*", "graphite path"),
        "ip": _ip,
        "ipv4": _ipv4,
        "ipv4mask": _pattern(r"(?:\d{1,3}\.){3}\d{1,3}|\d{1,2}", "network mask"),
        "ipv6": _ipv6,
        "lxc-ip-with-ll-iface": _any_of("IP address", _ip, _pattern(r"fe80:[0-9a-fA-F:]+%\w+", "address")),
        "mac-prefix": _pattern(rf"{_HEX}[02468aceACE](?::{_HEX}{{2}}){{0,2}}", "MAC address prefix"),
        "mac-addr": _pattern(rf"{_HEX}[02468aceACE](?::{_HEX}{{2}}){{5}}", "unicast MAC address"),
        "pve-bridge-id": _pattern(r"[-_.A-Za-z0-9]+", "bridge name"),
        "pve-configid": _pattern(r"[A-Za-z][A-Za-z0-9_-]+", "configuration ID"),
        "pve-cpuset": _pattern(r"\s*\d+(?:-\d+)?(?:\s*,\s*\d+(?:-\d+)?)*\s*", "cpu set"),
        "pve-fw-addr-spec": _addresses,
        "pve-fw-dport-spec": _ports,
        "pve-fw-icmp-type-spec": _pattern(r"[a-z0-9-]+(?:/\d+)?", "ICMP type"),
        "pve-fw-protocol-spec": _pattern(r"[a-z][a-z0-9.-]*|\d{1,3}", "protocol"),
        "pve-fw-sport-spec": _ports,
        "pve-groupid": _pattern(r"[A-Za-z0-9._-]+", "group ID"),
        "pve-ha-node": _pattern(rf"{_LABEL}(?::\d+)?", "HA node"),
        "pve-ha-resource-id": _pattern(r"(?:vm|ct):[1-9]\d{2,8}", "HA resource ID"),
        "pve-ha-resource-or-vm-id": _pattern(r"(?:(?:vm|ct):)?[1-9]\d{2,8}", "HA resource or VM ID"),
        "pve-hotplug-feature": _pattern(r"[01a-z]+", "hotplug feature"),
        "pve-iface": _pattern(r"[A-Za-z][A-Za-z0-9_]{1,20}(?:[:.]\d+)?", "network interface name"),
        "pve-ipv4-config": _any_of(
            "IPv4 configuration", _parses(_network(4), ""), _pattern("dhcp|manual", "")
        ),
        "pve-ipv6-config": _any_of(
            "IPv6 configuration", _parses(_network(6), ""), _pattern("auto|dhcp|manual", "")
        ),
        "pve-lxc-dev-string": _pattern(r"/dev/\S+", "device path"),
        "pve-lxc-mp-string": _pattern(rf"/[^:]*|{_VOLUME}", "mount point"),
        "pve-node": _pattern(_LABEL, "node name"),
        "pve-poolid": _pattern(r"[A-Za-z0-9._/-]+", "pool name"),
        "pve-priv": _pattern(r"[A-Z]\w+(?:\.\w+)+", "privilege"),
        "pve-qm-boot": _boot,
        "pve-qm-ipconfig": _ip_config,
        "pve-realm": _pattern(_REALM, "realm"),
        "pve-roleid": _pattern(r"[A-Za-z0-9._-]+", "role ID"),
        "pve-sdn-fabric-id": _pattern(r"[a-z][a-z0-9]{0,7}", "fabric ID"),
        "pve-sdn-subnet-id": _any_of(
            "subnet", _cidr, _pattern(r"[a-z][a-z0-9]*-[0-9a-fA-F.:]+-\d{1,3}", "subnet ID")
        ),
        "pve-storage-content": _pattern(
            r"backup|images|import|iso|none|rootdir|snippets|vztmpl", "content type"
        ),
        "pve-storage-id": _pattern(_STORAGE, "storage ID"),
        "pve-tag": _pattern(r"[A-Za-z0-9_][A-Za-z0-9_+.-]*", "tag"),
        "pve-task-status-type": _pattern(r"ok|error|warning|unknown", "task status"),
        "pve-tokenid": _pattern(rf"[^\s:/@]+@{_REALM}!{_REALM}", "token ID"),
        "pve-userid": _pattern(rf"[^\s:/@]+@{_REALM}", "user name"),
        "pve-vlan-id-or-range": _pattern(r"\d{1,4}(?:-\d{1,4})?", "VLAN id or range"),
        "pve-vmid": _pattern(r"[1-9][0-9]{2,8}", "VM ID"),
        "pve-volume-id": _pattern(_VOLUME, "volume ID"),
        "pve-volume-id-or-absolute-path": _pattern(rf"{_VOLUME}|/\S+", "volume ID or absolute path"),
        "pve-volume-id-or-qm-path": _pattern(rf"none|cdrom|/\S+|{_VOLUME}", "volume ID or path"),
        "string": lambda value: None,
        "urlencoded": _parses(lambda value: unquote(value, errors="strict"), "URL-encoded text"),
    }
)


def check_format(name: str, value: str) -> str | None:
    """The reason why a value does not have a named format, or None where it has.

    Args:
        name: as the description writes it; `-list` means entries separated by comma, semicolon or blank,
            `-opt` means that it may be empty.
        value: the text of the parameter.
    """
    if name in KNOWN:
        return KNOWN[name](value)
    if name == "pve-hotplug-features":
        return check_format("pve-hotplug-feature-list", value)
    if name.endswith("-opt"):
        return None if value == "" else check_format(name.removesuffix("-opt"), value)
    if name.endswith("-list"):
        entries = [entry for entry in re.split(r"[,;\s\0]+", value) if entry]
        reasons = (check_format(name.removesuffix("-list"), entry) for entry in entries)
        return next((reason for reason in reasons if reason is not None), None)
    return None
