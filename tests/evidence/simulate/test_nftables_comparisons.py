"""Comparisons of nftables rules: for which packets each of them holds."""

from dataclasses import replace

import pytest

from lab.simulate.nftables import Packet, UndecidedPacket
from tests.evidence.simulate.nftables_packets import PING, PING_SIX, PUBLISHED, SIX, WEB, action, matches
from tests.evidence.simulate.nftables_refusals import rule, table


@pytest.mark.parametrize(
    ("comparison", "packet", "expected"),
    [
        ("meta nfproto ipv4", WEB, True),
        ("meta nfproto ipv6", WEB, False),
        ("meta nfproto { ipv4, ipv6 }", SIX, True),
        ("meta l4proto tcp", WEB, True),
        ("meta l4proto 6", WEB, True),
        ("meta l4proto != tcp", WEB, False),
        ("meta l4proto { udp, icmp }", PING, True),
        ("ip protocol tcp", WEB, True),
        ("ip protocol tcp", SIX, False),
        ("meta mark 0x10", replace(WEB, mark=16), True),
        ("mark 1-16", replace(WEB, mark=17), False),
        ('iifname "br-0a1b"', WEB, True),
        ('iifname "br-*"', WEB, True),
        ("iifname br-*", WEB, True),
        ('meta iifname != "br-*"', WEB, False),
        ('iifname "br-"', WEB, False),
        ('iifname { "eth0", "br-*" }', WEB, True),
        ('iifname { "eth0", "br-1*" }', WEB, False),
        ("ip saddr 10.0.0.2", WEB, True),
        ("ip saddr == 10.0.0.3", WEB, False),
        ("ip saddr 10.0.0.0/24", WEB, True),
        ("ip saddr 10.0.0.3-10.0.0.9", WEB, False),
        ("ip daddr 10.0.1.1 - 10.0.1.3", WEB, True),
        ("ip daddr { 10.0.1.2, 10.0.1.3 }", WEB, True),
        ("ip daddr != { 10.0.1.2, 10.0.1.4-10.0.1.9 }", WEB, True),
        ("ip6 saddr fd00::/64", SIX, True),
        ("ip6 daddr fd00:1::3", SIX, True),
        ("ip6 daddr { fd00:1::1-fd00:1::2, ::1 }", SIX, False),
        ("tcp dport 80", WEB, True),
        ("tcp dport { 22, 80-90 }", WEB, True),
        ("tcp sport != 40000-50000", WEB, False),
        ("tcp dport 0x50", WEB, True),
        ("udp dport 80", WEB, False),
        ("meta l4proto { tcp, udp } th dport 80", WEB, True),
        ("meta l4proto { tcp, udp } th sport 80", WEB, False),
        ("icmp type echo-request", PING, True),
        ("icmp type { 0, 3 }", PING, False),
        ("icmpv6 type echo-request", PING_SIX, True),
        ("icmp type 128", PING_SIX, False),
        ("icmpv6 type 8", PING, False),
        ("ct state new", WEB, True),
        ("ct state established,related", replace(WEB, ct_state="related"), True),
        ("ct state established,related", replace(WEB, ct_state="established"), True),
        ("ct state established , related", WEB, False),
        ("ct state 0x2", replace(WEB, ct_state="established"), True),
        ("ct state 4", replace(WEB, ct_state="related"), True),
        ("ct state { new, untracked }", replace(WEB, ct_state="untracked"), True),
        ("ct state != { established, related }", WEB, True),
        ("ct state != new", WEB, False),
        ("ct status dnat", PUBLISHED, True),
        ("ct status dnat", WEB, False),
        ("ct original ip daddr 192.0.2.1", PUBLISHED, True),
        ("ct original ip daddr 10.0.1.3", WEB, True),
        ("meta l4proto tcp ct original proto-dst 8080", PUBLISHED, True),
        ("meta l4proto tcp ct original proto-dst 80", WEB, True),
        ("tcp dport 80 ct original ip daddr . ct original proto-dst { 192.0.2.1 . 8080 }", PUBLISHED, True),
        ("ip saddr . ip daddr . tcp dport { 10.0.0.0/24 . 10.0.1.3 . 80-90 }", WEB, True),
        ("ip saddr . ip daddr . tcp dport { 10.0.0.0/24 . 10.0.1.3 . 81-90 }", WEB, False),
        ('iifname . ip saddr != { "br-*" . 10.0.0.3, "eth0" . 10.0.0.2 }', WEB, True),
        ('counter log prefix "a " level info limit rate 10/second burst 5 packets', WEB, True),
        ("limit rate over 10/second", WEB, False),
    ],
)
def test_a_comparison_holds_for_its_packets(comparison: str, packet: Packet, expected: bool) -> None:
    """Each comparison holds for the packets that it describes and for no other."""
    assert matches(comparison, packet) is expected


@pytest.mark.parametrize(
    ("comparison", "packet"),
    [
        ("ip saddr != 10.9.9.9", SIX),
        ("ip6 daddr != ::1", WEB),
        ("tcp dport != 22", PING),
        ("udp dport != { 22 }", WEB),
        ("icmp type != echo-reply", WEB),
        ("ip saddr . tcp dport != { 10.9.9.9 . 22 }", PING),
        ("ct original ip daddr != 10.9.9.9", SIX),
        ("ct original ip daddr != 10.9.9.9", replace(WEB, ct_state="invalid")),
    ],
)
def test_what_a_packet_does_not_have_is_not_unequal(comparison: str, packet: Packet) -> None:
    """A comparison with `!=` of a header that the packet lacks does not hold."""
    assert not matches(comparison, packet)


def test_an_interface_is_empty_where_there_is_none() -> None:
    """A packet in input has no outgoing interface, so that it differs from every name."""
    assert matches('oifname != "eth0"', WEB)
    assert not matches('oifname "eth0"', WEB)
    out = table("chain c {", "type filter hook output priority 0;", 'iifname "br-0a1b" drop', "}")
    assert action(out, WEB, "output") == "accept"
    forward = table("chain c {", "type filter hook forward priority 0;", 'oifname "eth0" drop', "}")
    assert action(forward, WEB, "forward") == "drop"


def test_a_port_of_a_protocol_without_ports_is_undecided() -> None:
    """`th` compares whatever bytes are there, so that a ping has no verdict unless the protocol is asked first."""
    with pytest.raises(UndecidedPacket, match=r"line 4: `th dport` asks for a port.*\n.*put `meta l4proto"):
        action(rule("th dport 80 drop"), PING)
    assert action(rule("meta l4proto { tcp, udp } th dport 80 drop"), PING) == "accept"
    assert not matches("meta l4proto . th dport { tcp . 80 }", PING)
    assert matches("meta l4proto . th dport != { tcp . 80 }", PING)
    with pytest.raises(UndecidedPacket, match="of protocol icmp has none"):
        action(rule("meta l4proto . th dport { icmp . 80 } drop"), PING)
