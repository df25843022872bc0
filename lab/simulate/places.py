"""Where machines are: interfaces on segments, and the addresses that they have there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address

from lab.errors import Issue
from lab.simulate.artefacts import ArtefactError, Artefacts, Guest, Segment
from lab.simulate.interfaces import Bridges, Interface, interfaces
from lab.simulate.strangers import on_the_internet, spoken, strangers


@dataclass(frozen=True, kw_only=True)
class Place:
    """An interface of a machine on a segment."""

    machine: str
    segment: str
    address: IPv4Address | None
    """None: leased, or of somebody unnamed."""
    node: str = ""
    """The Proxmox node whose bridge it is on; empty where none stands in front of it."""
    bridge: str = ""
    zone: str = ""
    """What the Proxmox firewall calls it."""
    tagged_frames: bool = False
    """Whether the machine itself tags its frames: packet filters of bridges do not see those."""
    default_route: bool = False


class Places:
    """The places of every machine and segment."""

    def __init__(self, artefacts: Artefacts) -> None:
        self._artefacts = artefacts
        self.segments: Mapping[str, Segment] = {segment.name: segment for segment in artefacts.segments}
        self._bridges = Bridges(artefacts)

    @cached_property
    def of(self) -> Mapping[str, tuple[Place, ...]]:
        """The places of guests, nodes, devices and of somebody unnamed on each segment, by endpoint."""
        found: dict[str, list[Place]] = {}
        for place in (*self._guests(), *self._nodes(), *self._others()):
            found.setdefault(place.machine, []).append(place)
        return {machine: tuple(places) for machine, places in found.items()}

    def _others(self) -> Iterator[Place]:
        for device in self._artefacts.devices:
            yield Place(machine=device.endpoint, segment=device.segment, address=device.address)
        for name in self.segments:
            yield Place(machine=f"vlan:{name}", segment=name, address=None)

    def _nodes(self) -> Iterator[Place]:
        for node in self._artefacts.proxmox.nodes:
            if node.segment is not None:
                yield Place(
                    machine=node.endpoint,
                    segment=node.segment,
                    address=node.address,
                    node=node.name,
                    bridge=self.segments[node.segment].bridge or node.bridge,
                    zone="host",
                )

    def _guests(self) -> Iterator[Place]:
        for guest in self._artefacts.proxmox.guests:
            for interface in interfaces(guest):
                segments = list(self._joined(guest, interface))
                if not segments:
                    raise _nowhere(guest, interface)
                yield from (self._guest_place(guest, interface, segment) for segment in segments)

    def _joined(self, guest: Guest, interface: Interface) -> Iterator[Segment]:
        """The segments that an interface is on; a leased address may be of any that its wire holds."""
        for segment in self._bridges.reached(guest.node, interface):
            here = interface.address is None or interface.address in segment.subnet
            if here or interface.trunks:
                yield segment

    def _guest_place(self, guest: Guest, interface: Interface, segment: Segment) -> Place:
        known = guest.addresses if interface.trunks else (interface.address,)
        address = next((found for found in known if found is not None and found in segment.subnet), None)
        return Place(
            machine=guest.endpoint,
            segment=segment.name,
            address=address,
            node=guest.node,
            bridge=interface.bridge,
            zone=f"{guest.kind}{guest.vmid}i{interface.number}",
            tagged_frames=segment.tag in interface.trunks,
            default_route=interface.routes,
        )

    def carried(self, machine: str) -> Iterator[tuple[Place, bool]]:
        """Where a machine may send besides: an interface without a tag on a VLAN-aware bridge carries every VLAN.

        Each with whether the bridge is known to be VLAN-aware.
        """
        for guest in self._artefacts.proxmox.guests:
            for interface in interfaces(guest) if guest.endpoint == machine else ():
                for segment, known in self._bridges.carried(guest.node, interface):
                    place = Place(machine=machine, segment=segment.name, address=None, tagged_frames=True)
                    yield place, known

    @cached_property
    def _wires(self) -> list[set[str]]:
        """The untagged segments that are one wire, because their machines are on one bridge."""
        shared: dict[tuple[str, str], set[str]] = {}
        for place in (*self._guests(), *self._nodes()):
            if self.segments[place.segment].tag is None:
                shared.setdefault((place.node, place.bridge), set()).add(place.segment)
        wires: list[set[str]] = []
        for names in shared.values():
            apart = [wire for wire in wires if not wire & names]
            wires = [*apart, names.union(*(wire for wire in wires if wire & names))]
        return wires

    def one_wire(self, first: str, second: str) -> bool:
        """Whether two segments are one, whatever their names."""
        return first == second or any({first, second} <= wire for wire in self._wires)

    def addresses(self, place: Place) -> tuple[IPv4Address, ...]:
        """The address of a place; for somebody unnamed every one that is worth trying."""
        return (place.address,) if place.address is not None else self._unnamed[place.segment]

    @cached_property
    def _unnamed(self) -> Mapping[str, tuple[IPv4Address, ...]]:
        named = spoken(self._artefacts)
        taken = {place.address for places in self.of.values() for place in places if place.address}
        taken |= {segment.gateway for segment in self.segments.values() if segment.gateway}
        return {
            name: strangers(segment.subnet, named, frozenset(taken))
            for name, segment in self.segments.items()
        }

    @cached_property
    def internet(self) -> tuple[IPv4Address, ...]:
        """The addresses of whoever is on the internet."""
        return on_the_internet(spoken(self._artefacts))


def _nowhere(guest: Guest, interface: Interface) -> ArtefactError:
    return ArtefactError(
        [
            Issue(
                path=f"{guest.endpoint} net{interface.number}",
                problem=f"bridge {interface.bridge} with its tag is on no segment that holds {interface.address}",
                repair="declare the segment, or attach the interface to one",
            )
        ]
    )
