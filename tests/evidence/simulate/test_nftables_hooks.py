"""What a packet is in each hook: before conntrack, before translation, and on its way back."""

from dataclasses import replace
from ipaddress import ip_address
from typing import Any, Literal

import pytest

from lab.simulate.nftables import Packet
from tests.evidence.simulate.nftables_packets import PUBLISHED, WEB, action, matches
from tests.evidence.simulate.nftables_refusals import table


def early(hook: Literal["prerouting", "output"], priority: int, comparison: str, packet: Packet) -> bool:
    """Whether a rule of a chain with this priority holds."""
    text = table("chain c {", f"type filter hook {hook} priority {priority};", f"{comparison} drop", "}")
    return action(text, packet, hook) == "drop"


@pytest.mark.parametrize("hook", ["prerouting", "output"])
def test_before_conntrack_every_packet_is_invalid(hook: Literal["prerouting", "output"]) -> None:
    """A chain before priority -200 sees no connection: state invalid, and no original destination."""
    assert early(hook, -201, "ct state invalid", WEB)
    assert not early(hook, -201, "ct state new", WEB)
    assert not early(hook, -201, "ct original ip daddr 192.0.2.1", PUBLISHED)
    assert early(hook, -199, "ct state new", WEB)


@pytest.mark.parametrize("hook", ["prerouting", "output"])
def test_before_translation_the_packet_has_its_original_destination(
    hook: Literal["prerouting", "output"],
) -> None:
    """A chain before priority -100 sees where the originator addressed the packet, and no status for a new one."""
    assert early(hook, -101, "ip daddr 192.0.2.1 tcp dport 8080", PUBLISHED)
    assert early(hook, -99, "ip daddr 10.0.1.3 tcp dport 80", PUBLISHED)
    assert not early(hook, -101, "ct status dnat", PUBLISHED)
    assert early(hook, -101, "ct status dnat", replace(PUBLISHED, ct_state="established"))
    assert early(hook, -99, "ct status dnat", PUBLISHED)


def test_what_the_host_sends_to_itself_has_passed_output() -> None:
    """A packet that comes in by the loopback is tracked and translated in prerouting from the start."""
    looped = replace(PUBLISHED, in_interface="lo")
    assert early("prerouting", -300, "ct state new ct status dnat ip daddr 10.0.1.3", looped)


def test_a_reply_belongs_to_the_original_destination() -> None:
    """A reply has no destination of its own that was translated: the connection's counts."""
    reply = Packet(
        source=WEB.destination,
        destination=WEB.source,
        protocol="tcp",
        source_port=80,
        destination_port=40000,
        ct_state="established",
        reply=True,
    )
    assert matches("ct original ip daddr 10.0.1.3", reply)
    assert not matches("ct status dnat", reply)
    published = replace(reply, original_destination=ip_address("192.0.2.1"))
    assert matches("ct status dnat", published)
    assert early("prerouting", -101, "ip daddr 10.0.0.2", published)


@pytest.mark.parametrize(
    "changes",
    [
        {"destination": ip_address("fd00::1")},
        {"protocol": "quic"},
        {"source_port": None},
        {"protocol": "icmp"},
        {"protocol": "icmp", "source_port": None, "destination_port": None},
        {"protocol": 50, "source_port": None, "destination_port": None, "original_destination_port": 1},
        {"icmp_type": 8},
    ],
)
def test_an_impossible_packet_is_refused(changes: dict[str, Any]) -> None:
    """Addresses are of one family, and ports and ICMP types are there exactly where the protocol has them."""
    with pytest.raises(ValueError, match=r"protocol|family"):
        replace(WEB, **changes)
