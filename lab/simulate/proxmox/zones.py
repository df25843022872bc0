"""Where a packet begins or ends, by the names that Proxmox VE's own simulator uses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lab.simulate.proxmox.guest import Guest
from lab.simulate.proxmox.nics import Nic
from lab.simulate.proxmox.reading import FirewallError, refusal

_GUEST = re.compile(r"^(?P<kind>vm|ct)(?P<vmid>[0-9]+)(?:i(?P<nic>[0-9]+))?$")
_WIRE = re.compile(r"^(?P<bridge>[A-Za-z0-9._-]+)/[A-Za-z0-9._-]+$")
_DEFAULT_BRIDGE = "vmbr0"


@dataclass(frozen=True)
class Port:
    """A NIC with its guest."""

    guest: Guest
    nic: Nic


@dataclass(frozen=True)
class Zone:
    """The host, a NIC of a guest, or a bridge without anything that filters."""

    host_interface: str | None = None
    """Where the host meets packets of this zone; None where a tag makes that another interface."""
    port: Port | None = None
    is_host: bool = False


def find_zone(name: str, guests: Mapping[str, Guest]) -> Zone:
    """The zone of a name; see `Packet`.

    Raises:
        FirewallError: there is no such zone, guest or NIC.
    """
    if name == "host":
        return Zone(is_host=True)
    if name in ("outside", "nfvm"):
        return Zone(_DEFAULT_BRIDGE)
    wire = _WIRE.match(name)
    if wire is not None:
        return Zone(wire["bridge"])
    match = _GUEST.match(name)
    guest = guests.get(match["vmid"]) if match else None
    if match is None or guest is None or guest.kind != match["kind"]:
        raise _unknown(name, guests)
    nic = guest.nics.get(f"net{match['nic'] or 0}")
    if nic is None:
        raise _unknown(name, guests)
    return Zone(None if nic.tagged else nic.bridge, Port(guest, nic))


def _unknown(name: str, guests: Mapping[str, Guest]) -> FirewallError:
    known = [
        f"{guest.kind}{vmid}{'' if nic == 'net0' else 'i' + nic.removeprefix('net')}"
        for vmid, guest in guests.items()
        for nic in guest.nics
    ]
    return refusal(
        name,
        "there is no such zone",
        f"write one of {', '.join(['host', 'outside', 'nfvm', 'BRIDGE/INTERFACE', *known])}",
    )
