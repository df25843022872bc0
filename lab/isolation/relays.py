"""What the ingress passes on: requests (layer 7) that arrive at it and go on to a service under its own address.

Kept apart from packets everywhere: whoever gets to a service this way gets to what its
route lets through, after what the route asks for, and never to another port.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab.flows import Endpoint, Port
from lab.isolation.proof import Proof
from lab.isolation.verdict import Path, Verdict
from lab.plan.directory import INGRESS
from lab.plan.records import RoutePlan


@dataclass(frozen=True)
class Relay:
    """One way by which requests of a source are passed on."""

    source: Endpoint
    route: RoutePlan
    path: Path

    @property
    def target(self) -> Endpoint:
        """Who gets them."""
        return self.route.target

    @property
    def port(self) -> Port:
        """At which port."""
        return self.route.port


def relays(proof: Proof, sources: Iterable[Endpoint]) -> Iterator[Relay]:
    """Every request that is passed on, or of which nobody can tell, source by source and route by route."""
    ingress = proof.plan.ingress
    if ingress is None:
        return
    for source in sources:
        ports = {port for _, port, _ in ingress.openings()}
        admitted = {port for port in ports if _gets_in(proof, source, port)}
        if not admitted:
            continue
        for route in ingress.routes:
            used = {ingress.way_in(route, audience) for audience in route.audiences}
            ways = proof.reach.relayed_by(route, source) if admitted & used else ()
            if ways and ways[0].verdict is not Verdict.no:
                yield Relay(source, route, ways[0])


def _gets_in(proof: Proof, source: Endpoint, entry: Port) -> bool:
    machine = proof.reach.machine
    if machine(source) == machine(INGRESS):
        return False
    return any(way.verdict is not Verdict.no for way in proof.reach.into_ingress(source, entry))
