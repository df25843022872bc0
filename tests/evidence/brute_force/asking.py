"""Every question about a small plan, and which of them a proof leaves out on purpose."""

import itertools
from collections.abc import Iterator

from lab.flows import Endpoint, Port
from lab.isolation import Proof
from tests.evidence.brute_force.atlas import Atlas
from tests.evidence.brute_force.random_mistakes import NOBODYS_PORT

Question = tuple[Endpoint, Endpoint, Port | None]


def questions(proof: Proof) -> Iterator[Question]:
    """Every source, target and port; at each target also a port that only a mistaken rule speaks of."""
    openings = proof.openings
    for source, target in itertools.product(openings.sources, openings.targets):
        ports = dict.fromkeys((*openings.ports(target), NOBODYS_PORT)) if source != target else ()
        yield from ((source, target, port) for port in ports)


def text(question: Question) -> str:
    """A question as a person writes it."""
    source, target, port = question
    return f"{source} -> {target}:{port or '*'}"


def left_out(atlas: Atlas, source: Endpoint) -> set[Endpoint]:
    """The targets about which nobody asks a source, because it follows from where both were put: a Docker host has its
    own containers, and neighbours on a segment reach each other where no firewall stands before them."""
    own = {box.endpoint for box in atlas.boxes.values() if atlas.machine_of[box.host] == source}
    if source not in atlas.places:
        return own
    here = {vlan for vlan, _ in atlas.places[source]}
    return own | {target for target in atlas.places if target != source and here & _unfiltered(atlas, target)}


def _unfiltered(atlas: Atlas, machine: Endpoint) -> set[str]:
    """The segments on which no firewall stands before a machine."""
    if machine.kind == "node":
        return set()
    if machine.kind == "guest":
        return atlas.tagged(machine.name)
    return {vlan for vlan, _ in atlas.places[machine]}
