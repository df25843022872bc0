"""The interfaces of guests as Proxmox VE writes them, and the segments that bridges bring to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_interface

from lab.simulate.artefacts import Artefacts, Guest, Segment


@dataclass(frozen=True, kw_only=True)
class Interface:
    """`net0` with its `ipconfig0`."""

    number: int
    bridge: str
    tag: int | None = None
    trunks: tuple[int, ...] = ()
    address: IPv4Address | None = None
    """None where it is leased."""
    routes: bool = False
    """Whether the guest's default route leaves by it."""


def interfaces(guest: Guest) -> Iterator[Interface]:
    """The interfaces of a guest; a VM's addresses are arguments of cloud-init, an LXC's its interface's own."""
    addresses = _lines(guest, "ipconfig")
    for number, line in sorted(_lines(guest, "net").items()):
        settings = {**addresses.get(number, {}), **line}
        text = settings.get("ip", "dhcp")
        yield Interface(
            number=number,
            bridge=settings["bridge"],
            tag=int(settings["tag"]) if "tag" in settings else None,
            trunks=tuple(int(tag) for tag in settings.get("trunks", "").split(";") if tag),
            address=IPv4Address(ip_interface(text).ip) if text != "dhcp" else None,
            routes="gw" in settings,
        )


def _lines(guest: Guest, word: str) -> dict[int, dict[str, str]]:
    """The settings of `net0`, `net1` and so on, or of `ipconfig0` and so on, by number."""
    return {
        int(name.removeprefix(word)): dict(_pair(part) for part in text.split(","))
        for name, text in guest.config.items()
        if name.startswith(word)
    }


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key, value


class Bridges:
    """Which segments are on which bridge of which node."""

    def __init__(self, artefacts: Artefacts) -> None:
        self._segments = artefacts.segments
        self._nodes = {node.name: node for node in artefacts.proxmox.nodes}

    def reached(self, node: str, interface: Interface) -> list[Segment]:
        """The segments that an interface is on by its tag, its trunk, or its bridge."""
        untagged = [s for s in self._segments if s.tag is None and self._bridge(s, node) == interface.bridge]
        if interface.trunks:
            return [s for s in self._segments if s.tag in interface.trunks] + untagged
        if interface.tag is not None:
            return [segment for segment in self._segments if segment.tag == interface.tag]
        return untagged

    def carried(self, node: str, interface: Interface) -> list[tuple[Segment, bool]]:
        """The tagged segments of a bridge, for an interface without a tag, with whether they are known to be its."""
        if interface.tag is not None or interface.trunks:
            return []
        own = self._nodes.get(node)
        known = own is not None and own.vlan_aware and own.bridge == interface.bridge
        tagged = [
            s for s in self._segments if s.tag is not None and self._bridge(s, node) == interface.bridge
        ]
        return [(segment, known) for segment in tagged]

    def _bridge(self, segment: Segment, node: str) -> str | None:
        """The bridge of a segment on a node: its own, else the node's."""
        own = self._nodes.get(node)
        return segment.bridge or (own.bridge if own else None)
