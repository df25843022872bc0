"""The NICs of guests as Proxmox VE writes them: `virtio=MAC,bridge=vmbr0,firewall=1,tag=20`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_interface
from typing import Literal

from lab.simulate.proxmox.addresses import Address
from lab.simulate.proxmox.reading import Reading

Kind = Literal["vm", "ct"]

_MAC = re.compile(r"^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$")
_WITHOUT_ADDRESS = ("dhcp", "manual", "auto")


@dataclass(frozen=True, kw_only=True)
class Nic:
    """One interface of a guest."""

    name: str
    """`net0`, for a container too."""
    kind: Kind
    bridge: str
    mac: str
    firewall: bool
    tagged: bool
    """Whether it carries a VLAN tag, so that the host meets its packets on another interface."""
    addresses: tuple[Address, ...] = ()
    """Those that a container's configuration fixes."""


def read_nics(vmid: str, texts: Mapping[str, str], reading: Reading) -> dict[str, Nic]:
    """The NICs of a guest by name; what cannot be read is refused and left out."""
    found: dict[str, Nic] = {}
    for name, text in texts.items():
        try:
            found[name] = _read_nic(name, text)
        except ValueError as error:
            reading.refuse(
                f"guest {vmid} {name}",
                f'"{text}" is not a NIC: {error}',
                "give the NIC as Proxmox VE writes it: virtio=MAC,bridge=vmbr0,firewall=1",
            )
    return found


def _read_nic(name: str, text: str) -> Nic:
    if not re.fullmatch(r"net[0-9]{1,2}", name):
        raise ValueError(f"{name} is not the name of a NIC, net0 to net31")
    pairs = [part.partition("=") for part in text.split(",")]
    values = {key: value for key, _, value in pairs}
    if len(values) < len(pairs):
        raise ValueError("one of its keys is there twice")
    kind: Kind = "ct" if "hwaddr" in values else "vm"
    # A VM names the model before the address, unless it spells both out.
    mac = values.get("hwaddr") or values.get("macaddr") or pairs[0][2]
    if not _MAC.match(mac):
        raise ValueError("it has no MAC address")
    if not values.get("bridge"):
        raise ValueError("it has no bridge")
    if values.get("firewall", "0") not in ("0", "1"):
        raise ValueError(f"firewall={values['firewall']} is neither 0 nor 1")
    return Nic(
        name=name,
        kind=kind,
        bridge=values["bridge"],
        mac=mac.lower(),
        firewall=values.get("firewall") == "1",
        tagged="tag" in values,
        addresses=tuple(
            ip_interface(values[key]).ip
            for key in ("ip", "ip6")
            if values.get(key, _WITHOUT_ADDRESS[0]) not in _WITHOUT_ADDRESS
        ),
    )
