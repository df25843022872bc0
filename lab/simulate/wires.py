"""Between machines: a switch that filters nothing, and whatever routes between segments."""

from collections.abc import Iterator
from ipaddress import IPv4Address

from lab.simulate.answers import Hop, ends, nobody_knows, passes
from lab.simulate.artefacts import Artefacts
from lab.simulate.places import Place, Places


class Wires:
    """The segments and their router."""

    def __init__(self, artefacts: Artefacts, places: Places) -> None:
        self._router = artefacts.router
        self._places = places
        self._nodes = artefacts.proxmox.nodes

    def between(self, own: Place, theirs: Place) -> Iterator[Hop]:
        """From one interface to another."""
        if own.segment == theirs.segment:
            yield passes(f"switched within segment {own.segment}")
        elif self._places.one_wire(own.segment, theirs.segment):
            yield passes(f"segments {own.segment} and {theirs.segment} are one wire")
        else:
            yield self._routed(f"from segment {own.segment} to {theirs.segment}")

    def out(self, own: Place) -> Iterator[Hop]:
        """From an interface to the internet."""
        yield self._routed(f"from segment {own.segment} to the internet")

    def inward(self) -> Iterator[Hop]:
        """From the internet to some machine of the lab."""
        if self._router.kind == "none":
            yield ends("nothing routes from the internet")
        else:
            yield nobody_knows(f"{self._name} decides what it forwards from the internet")

    def seen_as(self, own: Place, theirs: Place, address: IPv4Address) -> IPv4Address:
        """The source address of a packet once it has left its segment: a masquerading node puts its own there."""
        masqueraded = self._router.kind == "node" and self._places.segments[own.segment].masqueraded
        if not masqueraded or self._places.one_wire(own.segment, theirs.segment) or theirs.zone == "host":
            return address
        node = next((node.address for node in self._nodes if node.segment == theirs.segment), None)
        return node or self._places.segments[theirs.segment].gateway or address

    @property
    def _name(self) -> str:
        return self._router.endpoint or f"the router ({self._router.kind})"

    def _routed(self, way: str) -> Hop:
        if self._router.kind == "none":
            return ends(f"nothing routes {way}")
        if self._router.kind == "node":
            return passes(f"the node routes {way} and filters nothing on the way")
        return nobody_knows(f"{self._name} decides {way}, by rules that are not this lab's")
