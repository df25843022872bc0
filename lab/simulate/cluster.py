"""What the Proxmox firewall does with packets at the interfaces of its nodes and guests."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from ipaddress import IPv4Address

from lab.simulate.answers import Hop, Verdict, hop, nobody_knows, passes
from lab.simulate.artefacts import Guest, Node, Proxmox
from lab.simulate.places import Place, Places
from lab.simulate.proxmox import Firewall, Packet, read_firewall

_Question = tuple[str, Packet]


class Cluster:
    """The firewalls of all nodes.

    What a sender's own firewall drops counts only where it is known: a lab is judged by what it lets through for
    whoever sends, and an unknown filter on the sender's side takes nothing away from that.
    """

    def __init__(self, proxmox: Proxmox, places: Places) -> None:
        self._proxmox = proxmox
        self._places = places
        self._guests: Mapping[str, Guest] = {guest.endpoint: guest for guest in proxmox.guests}
        self._nodes: Mapping[str, Node] = {node.endpoint: node for node in proxmox.nodes}
        self._decided: dict[_Question, Hop] = {}

    def leaving(
        self, place: Place, source: IPv4Address, destination: IPv4Address, protocol: str, port: int
    ) -> Iterator[Hop]:
        """What stands behind a sender's interface."""
        if self._known(place) and not place.tagged_frames:
            wire = f"{place.bridge}/wire"
            yield self._verdict(place, _packet(place.zone, wire, source, destination, protocol, port))

    def arriving(
        self, place: Place, source: IPv4Address, destination: IPv4Address, protocol: str, port: int
    ) -> Iterator[Hop]:
        """What stands in front of a receiver's interface."""
        if not place.node:
            return
        if place.tagged_frames:
            yield passes(
                f"{place.machine} is a trunk, and no filter sees tagged frames: bridge-nf-filter-vlan-tagged is 0"
            )
        elif place.zone == "host" and self._proxmox.switch_known:
            yield self._at_node(
                place, _packet(f"{place.bridge}/wire", "host", source, destination, protocol, port)
            )
        elif not self._known(place):
            yield nobody_knows(f"what filters {place.machine} is not this lab's")
        else:
            wire = f"{place.bridge}/wire"
            yield self._verdict(place, _packet(wire, place.zone, source, destination, protocol, port))

    def _at_node(self, place: Place, packet: Packet) -> Hop:
        """What Proxmox opens by itself is open; what else a node that is not ours lets in, its own file says."""
        found = self._verdict(place, packet)
        if found.verdict is Verdict.yes or self._nodes[place.machine].host_fw is not None:
            return found
        return nobody_knows(f"host.fw of {place.machine} is not this lab's")

    def _known(self, place: Place) -> bool:
        if not place.node or not self._proxmox.switch_known:
            return False
        guest, node = self._guests.get(place.machine), self._nodes.get(place.machine)
        return (guest is not None and guest.firewall is not None) or (
            node is not None and node.host_fw is not None
        )

    def _verdict(self, place: Place, packet: Packet) -> Hop:
        found = self._decided.get((place.node, packet))
        if found is None:
            decision = self._firewalls[place.node].verdict(packet)
            text = f"Proxmox on {place.node}, {packet.from_zone} to {packet.to_zone}: {decision.reason}"
            found = self._decided[place.node, packet] = hop(decision.action == "ACCEPT", text)
        return found

    @cached_property
    def _firewalls(self) -> Mapping[str, Firewall]:
        return {node.name: self._read(node) for node in self._proxmox.nodes}

    def _read(self, node: Node) -> Firewall:
        guests = [guest for guest in self._proxmox.guests if guest.node == node.name and guest.firewall]
        files = {"cluster.fw": self._proxmox.cluster_fw, "host.fw": node.host_fw or ""}
        files |= {f"{guest.vmid}.fw": guest.firewall or "" for guest in guests}
        if self._proxmox.corosync_conf is not None:
            files["corosync.conf"] = self._proxmox.corosync_conf
        nics = {
            str(guest.vmid): {name: line for name, line in guest.config.items() if name.startswith("net")}
            for guest in guests
        }
        segment = self._places.segments.get(node.segment or "")
        return read_firewall(
            files, nics, local_network=str(segment.subnet) if segment else str(node.address), node=node.name
        )


def _packet(
    start: str, end: str, source: IPv4Address, destination: IPv4Address, protocol: str, port: int
) -> Packet:
    return Packet(
        from_zone=start,
        to_zone=end,
        source=source,
        destination=destination,
        protocol=protocol,
        destination_port=port,
    )
