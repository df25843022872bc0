"""What the evaluator says of a probe: through which hooks of the router its packets go, and how far."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address

from lab.simulate.nftables import Decision, Hook, Packet, Ruleset
from tests.evidence.simulate.nftables_ground import INTERFACES, PLACES, TRANSLATED, Place, addresses
from tests.evidence.simulate.nftables_probes import Probe, Sight

_ECHO_REQUEST, _ECHO_REPLY = 8, 0
OWNER = {address: place for place in PLACES for address in addresses(place)}
"""Where each address is."""


@dataclass(frozen=True)
class Expected:
    """What should be seen of a probe.

    Attributes:
        sight: as `Prober` reports it.
        tells: whether the source can hear of a refusal, so that one that is not heard of is a disagreement.
        decisions: of every hook that the packet and its answer go through.
        cut_off: whether the last packet of a handshake is rejected, so that the source is connected until it
            hears of that.
    """

    sight: Sight
    tells: bool
    decisions: tuple[Decision, ...]
    cut_off: bool = False

    def fits(self, seen: Sight) -> bool:
        """Whether that was seen."""
        if self.cut_off:
            return not seen.arrived and (seen.answered or seen.refused)
        refused = seen.refused == self.sight.refused or (not self.tells and not seen.refused)
        return (seen.arrived, seen.answered) == (self.sight.arrived, self.sight.answered) and refused


def expected(ruleset: Ruleset, probe: Probe) -> Expected:
    """Take the packets of a probe through the router's hooks."""
    target, first = _first_packet(probe)
    there = list(_hooks(probe.source, target))
    back = list(_hooks(target, probe.source))
    answer = _answer(first)
    decisions = list(_through(ruleset, there, first))
    arrived = decisions[-1].accepted
    refused = decisions[-1].action == "reject"
    answered = False
    if arrived:
        decisions += _through(ruleset, back, answer)
        answered = decisions[-1].accepted
    if probe.protocol == "icmp":
        # The target's kernel answers, so that arriving is seen by the answer only.
        arrived = answered
    cut_off = False
    if probe.protocol == "tcp" and answered:
        # The listener knows of a connection when the handshake's third packet came.
        last = [*_through(ruleset, there, replace(first, ct_state="established"))][-1]
        arrived, cut_off = last.accepted, last.action == "reject"
    elif probe.protocol == "tcp":
        arrived = False
    # What a reject sends passes the router's own output hook, and only UDP hears of every kind.
    tells = probe.protocol == "udp" and probe.source != "router" and not _filters_output(ruleset)
    return Expected(Sight(arrived, answered, refused), tells, tuple(decisions), cut_off)


def _first_packet(probe: Probe) -> tuple[Place, Packet]:
    """The place where a probe ends, and its packet as it is when it got there."""
    address, port = probe.target, probe.port
    place = OWNER[address]
    translated = TRANSLATED.get((address, port))
    if translated is not None:
        place, address, port = translated
    ports = probe.protocol != "icmp"
    packet = Packet(
        source=ip_address(probe.address),
        destination=ip_address(address),
        protocol=probe.protocol,
        source_port=probe.source_port if ports else None,
        destination_port=port if ports else None,
        original_destination=ip_address(probe.target),
        original_destination_port=probe.port if ports else None,
        mark=probe.mark,
        icmp_type=None if ports else _ECHO_REQUEST,
    )
    return place, packet


def _answer(packet: Packet) -> Packet:
    return replace(
        packet,
        source=packet.destination,
        destination=packet.source,
        source_port=packet.destination_port,
        destination_port=packet.source_port,
        ct_state="established",
        reply=True,
        mark=0,
        icmp_type=None if packet.icmp_type is None else _ECHO_REPLY,
    )


def _hooks(source: Place, target: Place) -> Iterator[tuple[Hook, str, str]]:
    """The router's hooks between two places, with incoming and outgoing interface.

    In prerouting the packet has the outgoing interface that it gets later, which a rule there must not see.
    """
    if source == target == "router":
        yield from (("output", "", "lo"), ("prerouting", "lo", ""), ("input", "lo", ""))
    elif source == "router":
        yield "output", "", INTERFACES[target]
    elif target == "router":
        yield from (("prerouting", INTERFACES[source], ""), ("input", INTERFACES[source], ""))
    else:
        interfaces = INTERFACES[source], INTERFACES[target]
        yield from (("prerouting", *interfaces), ("forward", *interfaces))


def _through(ruleset: Ruleset, hooks: list[tuple[Hook, str, str]], packet: Packet) -> Iterator[Decision]:
    """The decisions of hooks in order, up to the first that does not accept."""
    for hook, in_interface, out_interface in hooks:
        seen = replace(packet, in_interface=in_interface, out_interface=out_interface)
        decision = ruleset.verdict(hook, seen)
        yield decision
        if not decision.accepted:
            return


def _filters_output(ruleset: Ruleset) -> bool:
    return any(
        chain.base is not None and chain.base.hook == "output"
        for table in ruleset.tables
        for chain in table.chains.values()
    )
