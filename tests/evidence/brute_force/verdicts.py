"""The verdict of every question about a small plan, by sending packets until one arrives."""

from collections.abc import Iterator

from lab.flows import Endpoint, Port
from lab.isolation import Verdict
from lab.plan.records import LabPlan
from tests.evidence.brute_force.atlas import PUBLIC, Atlas
from tests.evidence.brute_force.packets import Packet
from tests.evidence.brute_force.walk import Arrival, Walk
from tests.evidence.brute_force.worlds import worlds

_NOBODYS = 64999
"""A port that no lab of these tests mentions, in a rule or elsewhere."""


class BruteForce:
    """The verdicts of one plan."""

    def __init__(self, plan: LabPlan) -> None:
        self.plan = plan
        self.atlas = Atlas(plan)
        self._walks = [Walk(self.atlas, world) for world in worlds(plan)]
        self._seen: dict[tuple[Walk, Endpoint, Packet], frozenset[Arrival]] = {}

    def verdict(self, source: Endpoint, target: Endpoint, port: Port | None) -> Verdict:
        """Whether a source reaches a port of a target: in every world, in none, or in some."""
        open_in = set()
        for walk in self._walks:
            open_in.add(self._reaches(walk, source, target, port))
            if len(open_in) > 1:
                return Verdict.unknown
        return Verdict.yes if open_in == {True} else Verdict.no

    def _reaches(self, walk: Walk, source: Endpoint, target: Endpoint, port: Port | None) -> bool:
        wanted = port or Port(_NOBODYS)
        ends = {wanted.number, wanted.last or wanted.number}
        return all(self._reaches_one(walk, source, target, number, wanted.protocol) for number in ends)

    def _reaches_one(
        self, walk: Walk, source: Endpoint, target: Endpoint, number: int, protocol: str
    ) -> bool:
        arrival = self.atlas.answering.get((target, number, protocol), (target, number, protocol))
        packets = self._packets(target, number, protocol)
        return any(arrival in self._arrivals(walk, source, packet) for packet in packets)

    def _packets(self, target: Endpoint, number: int, protocol: str) -> Iterator[Packet]:
        """Every packet that may end at a port of a target."""
        atlas = self.atlas
        if target in atlas.boxes:
            box = atlas.boxes[target]
            yield from (Packet("", address, number, protocol) for address in box.addresses.values())
            for published in box.service.published:
                if (published.internal, published.protocol) == (number, protocol):
                    for address in self._of_host(box.host):
                        yield Packet("", address, published.external, protocol)
            return
        if target == Endpoint("internet"):
            yield from (Packet("", address, number, protocol) for address in PUBLIC)
            return
        addresses = {address for _, address in atlas.places[target]}
        if target in atlas.hosts:
            addresses |= self._of_host(atlas.hosts[target])
        yield from (Packet("", address, number, protocol) for address in sorted(addresses))

    def _of_host(self, host: str) -> set[str]:
        return self.atlas.own[host] | {
            address for _, address in self.atlas.places[self.atlas.machine_of[host]]
        }

    def _arrivals(self, walk: Walk, source: Endpoint, packet: Packet) -> frozenset[Arrival]:
        key = walk, source, packet
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = frozenset(self._sent(walk, source, packet))
        return found

    def _sent(self, walk: Walk, source: Endpoint, packet: Packet) -> Iterator[Arrival]:
        if source in self.atlas.boxes:
            yield from walk.from_box(self.atlas.boxes[source], packet)
        elif source.kind == "tailnet":
            yield from walk.from_tailnet(source.name, packet)
        elif source.kind == "internet":
            for address in PUBLIC:
                yield from walk.from_internet(packet._replace(source=address))
        else:
            yield from walk.from_machine(source, packet)
