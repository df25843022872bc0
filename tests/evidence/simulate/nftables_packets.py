"""Packets that the tests of the nftables evaluator ask about, and what becomes of them."""

from dataclasses import replace
from ipaddress import ip_address

from lab.simulate.nftables import Hook, Packet, read_ruleset
from tests.evidence.simulate.nftables_refusals import rule

WEB = Packet(
    source=ip_address("10.0.0.2"),
    destination=ip_address("10.0.1.3"),
    protocol="tcp",
    source_port=40000,
    destination_port=80,
    in_interface="br-0a1b",
    out_interface="eth0",
)
PING = Packet(
    source=WEB.source, destination=WEB.destination, protocol="icmp", icmp_type=8, in_interface="eth0"
)
PING_SIX = replace(
    PING, source=ip_address("fd00::2"), destination=ip_address("fd00:1::3"), protocol="icmpv6", icmp_type=128
)
SIX = replace(WEB, source=ip_address("fd00::2"), destination=ip_address("fd00:1::3"))
PUBLISHED = replace(WEB, original_destination=ip_address("192.0.2.1"), original_destination_port=8080)


def action(text: str, packet: Packet, hook: Hook = "input") -> str:
    """What becomes of a packet."""
    return read_ruleset(text).verdict(hook, packet).action


def matches(comparison: str, packet: Packet) -> bool:
    """Whether a rule with this comparison in the hook input holds for a packet."""
    return action(rule(f"{comparison} drop"), packet) == "drop"
