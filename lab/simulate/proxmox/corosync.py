"""Which packets of corosync pass between the nodes of a cluster, by its `corosync.conf`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from lab.simulate.proxmox.addresses import Address
from lab.simulate.proxmox.packet import Packet
from lab.simulate.proxmox.protocols import UDP
from lab.simulate.proxmox.reading import Reading

CONF = "corosync.conf"

_FIRST_PORT, _LAST_PORT = 5404, 5405
_NODE = re.compile(r"\bnode\s*\{([^{}]*)\}")
_RING = re.compile(r"ring[0-9]+_addr$")

Rings = Mapping[str, Address]
"""The address of a node on each ring."""


@dataclass(frozen=True)
class Corosync:
    """The addresses of this node and of the others, by ring."""

    own: Rings = field(default_factory=dict)
    others: tuple[Rings, ...] = ()

    def accepts_in(self, packet: Packet) -> str:
        """The reason to accept a packet to this node; empty where there is none."""
        return self._between(packet, packet.source, packet.destination)

    def accepts_out(self, packet: Packet) -> str:
        """The reason to accept a packet from this node; empty where there is none."""
        return self._between(packet, packet.destination, packet.source)

    def _between(self, packet: Packet, there: Address, here: Address) -> str:
        port = packet.destination_port
        if packet.protocol_number != UDP or port is None or not _FIRST_PORT <= port <= _LAST_PORT:
            return ""
        if packet.sent_to == "MULTICAST":
            senders = [address for rings in (self.own, *self.others) for address in rings.values()]
            return "corosync: multicast of a node" if packet.source in senders else ""
        for ring, address in self.own.items():
            if address == here and any(rings.get(ring) == there for rings in self.others):
                return f"corosync: nodes on {ring.removesuffix('_addr')}"
        return ""


def read_corosync(text: str | None, node: str, reading: Reading) -> Corosync:
    """The rings of the cluster, seen from one node; none without a `corosync.conf`."""
    if text is None:
        return Corosync()
    plain = "\n".join(line.partition("#")[0] for line in text.splitlines())
    nodes = dict(_read_node(block, reading) for block in _NODE.findall(plain))
    if node not in nodes:
        reading.refuse(
            CONF,
            f'it has no node "{node}", so which of its addresses are the host\'s own is not known',
            f"name the node of host.fw: one of {', '.join(sorted(nodes)) or 'the nodes in its nodelist'}",
        )
        return Corosync()
    return Corosync(nodes[node], tuple(rings for name, rings in nodes.items() if name != node))


def _read_node(block: str, reading: Reading) -> tuple[str, Rings]:
    pairs = (line.partition(":") for line in block.splitlines())
    values = {key.strip(): value.strip() for key, _, value in pairs if key.strip()}
    name, rings = values.get("name", ""), {}
    for key, value in values.items():
        if not _RING.match(key):
            continue
        try:
            rings[key] = ip_address(value)
        except ValueError:
            reading.refuse(
                f"{CONF} node {name}",
                f'{key} is "{value}", a name that only the node can resolve',
                "write its address",
            )
    return name, rings
