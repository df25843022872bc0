"""The evaluator against the rules that Proxmox's own compiler made of the worked example.

The 60 verdicts of the example are about TCP to five ports. Its compiled rules say more, and are followed here
packet by packet: other protocols, source ports, ICMP types, kinds of destinations, foreign MAC addresses.
"""

import json
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address
from itertools import product
from typing import Any

import pytest

from lab.simulate.proxmox import Packet, read_firewall
from lab.simulate.proxmox.packet import AddressType
from tests.evidence.simulate.compiled_rules import CompiledRules, Seen, read_compiled
from tests.support.shared import shared_path

MACS = {"vm100": "0E:0B:38:B8:B3:21", "vm101": "0E:0B:38:B8:B3:22"}
SOURCES: tuple[tuple[str, AddressType], ...] = (
    ("", "UNICAST"),
    ("", "BROADCAST"),
    ("", "MULTICAST"),
    ("198.51.100.7", "UNICAST"),
    ("224.0.0.5", "UNICAST"),
)
"""Where a packet comes from, empty for the address of its zone, and the kind of its destination."""
TCP_PORTS = (22, 80, 135, 139, 443, 445, 3128, 5432, 5900, 5999, 6000, 8006, 60000, 60050, 60051)
UDP_PORTS = (53, 67, 68, 135, 137, 138, 139, 445, 1900, 5432)
UDP_SOURCES = (53, 67, 68, 137, 40000)
ICMP_TYPES = ("0/0", "3/1", "3/4", "8/0", "11/0", "11/1")

TALKS: tuple[tuple[str, int, int, str], ...] = (
    *(("tcp", 40000, port, "") for port in TCP_PORTS),
    *(("udp", source, port, "") for source, port in product(UDP_SOURCES, UDP_PORTS)),
    *(("icmp", 0, 0, kind) for kind in ICMP_TYPES),
    ("igmp", 0, 0, ""),
    ("gre", 0, 0, ""),
)
"""Protocol, source port, destination port and ICMP type."""

# What the compiler makes of `policy_in: REJECT` for guest 100 differs in the end of one chain.
DROPPING = "-A tap100i0-IN -j PVEFW-Drop\n-A tap100i0-IN -j DROP\n"
REJECTING = "-A tap100i0-IN -j PVEFW-Reject\n-A tap100i0-IN -g PVEFW-reject\n"


@pytest.fixture(scope="module")
def example() -> Any:
    """The worked example: firewall files, compiled rules, addresses."""
    return json.loads(shared_path("schemas/pve-firewall-golden-example.json").read_text())


def packets(addresses: dict[str, str]) -> Iterator[Packet]:
    """Every pair of zones, each way, with every kind of packet."""
    for start, end in product(addresses, addresses):
        macs = {MACS.get(start, ""), MACS["vm100"]} if start == "vm101" else {MACS.get(start, "")}
        for (source, sent_to), mac, talk in product(SOURCES, sorted(macs), TALKS):
            if start != end:
                yield Packet(
                    start,
                    end,
                    IPv4Address(source or addresses[start]),
                    IPv4Address(addresses[end]),
                    protocol=talk[0],
                    source_port=talk[1] or None,
                    destination_port=talk[2] or None,
                    icmp_type=talk[3],
                    destination_type=sent_to,
                    source_mac=mac,
                )


def compiled_verdict(rules: CompiledRules, packet: Packet) -> str:
    """What the compiled rules say at each hook on the way, until one refuses."""
    start, end = packet.from_zone, packet.to_zone
    verdict = "ACCEPT"
    if start == "host":
        verdict = rules.verdict("OUTPUT", seen(packet))
    elif start in MACS:
        verdict = rules.verdict("FORWARD", seen(packet, f"tap{start[2:]}i0", f"fwln{start[2:]}i0"))
    if verdict == "ACCEPT" and end == "host":
        verdict = rules.verdict("INPUT", seen(packet))
    elif verdict == "ACCEPT" and end in MACS:
        verdict = rules.verdict("FORWARD", seen(packet, f"fwln{end[2:]}i0", f"tap{end[2:]}i0"))
    return verdict


def seen(packet: Packet, port_in: str = "", port_out: str = "") -> Seen:
    """The packet as the kernel has it at one hook, between two ports of a bridge or at none."""
    number, _, code = packet.icmp_type.partition("/")
    return Seen(
        source=packet.source,
        destination=packet.destination,
        protocol=packet.protocol,
        source_port=packet.source_port or 0,
        destination_port=packet.destination_port or 0,
        icmp=(int(number), int(code)) if number else None,
        sent_to=packet.sent_to,
        mac=packet.source_mac,
        port_in=port_in,
        port_out=port_out,
    )


@pytest.mark.parametrize(("policy", "end_of_chain"), [("DROP", DROPPING), ("REJECT", REJECTING)])
def test_every_packet_gets_the_verdict_of_the_compiled_rules(
    example: Any, policy: str, end_of_chain: str
) -> None:
    """Evaluator and compiled rules agree on each of several thousand packets."""
    assert example["iptables_restore"].count(DROPPING) == 1
    own = example["files"]["100.fw"].replace("policy_in: DROP", f"policy_in: {policy}")
    firewall = read_firewall(
        example["files"] | {"100.fw": own}, example["guests"], local_network=example["local_network"]
    )
    compiled = example["iptables_restore"].replace(DROPPING, end_of_chain)
    rules = read_compiled(compiled, example["ipset_restore"])
    asked = [
        packet for packet in packets(example["addresses"]) if policy == "DROP" or packet.to_zone == "vm100"
    ]
    expected = [compiled_verdict(rules, packet) for packet in asked]
    wrong = [
        f"{packet} must be {verdict}, and is {decision.action} by {decision.reason}"
        for packet, verdict in zip(asked, expected, strict=True)
        if (decision := firewall.verdict(packet)).action != verdict
    ]
    assert wrong == []
    assert all(Counter(expected)[action] > 20 for action in {"ACCEPT", policy})
