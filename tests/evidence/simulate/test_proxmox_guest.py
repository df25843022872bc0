"""What the Proxmox firewall does at a guest's NIC beside its rules, and what its rules match."""

from typing import Any

import pytest

from lab.simulate.proxmox import Decision
from tests.evidence.simulate.proxmox_node import MAC, ON, OTHER_MAC, ask, guest, node


@pytest.mark.parametrize(
    ("matcher", "taken", "not_taken"),
    [
        ("-source 192.0.2.0/28", {"source": "192.0.2.15"}, {"source": "192.0.2.16"}),
        ("-source 192.0.2.1,192.0.2.9", {"source": "192.0.2.9"}, {"source": "192.0.2.2"}),
        ("-source 192.0.2.1-192.0.2.5", {"source": "192.0.2.5"}, {"source": "192.0.2.6"}),
        ("-dest 10.0.0.100", {}, {"destination": "10.0.0.101"}),
        ("-source 2001:db8::/64", {"source": "2001:db8::1", "destination": "fe80::1"}, {}),
        ("-source 0.0.0.0/0", {}, {"source": "::1", "destination": "::2"}),
        ("-p tcp -dport 80,90:92", {"port": 92}, {"port": 93}),
        ("-p tcp -dport 80", {"port": 80}, {"port": None}),
        ("-p tcp -dport 80", {"port": 80}, {"port": 80, "protocol": "udp"}),
        ("-p udp -sport 53", {"protocol": "udp", "source_port": 53}, {"protocol": "udp", "source_port": 54}),
        ("--proto tcp --iface net0 -log nolog", {}, {"protocol": "udp"}),
        ("-p sctp -dport 80", {"port": 80, "protocol": "sctp"}, {"port": 81, "protocol": "sctp"}),
        ("-p dccp -dport 80", {"port": 80, "protocol": "dccp"}, {"port": 80}),
        ("-p udplite -sport 80", {"source_port": 80, "protocol": "136"}, {"protocol": "136"}),
        ("-p 47", {"protocol": "gre"}, {"protocol": "esp"}),
        ("-p icmp", {"protocol": "icmp", "icmp_type": "8"}, {"protocol": "icmpv6", "icmp_type": "8"}),
        ("-p icmp -icmp-type echo-request", {"protocol": "1", "icmp_type": "8/0"}, {"protocol": "icmp"}),
        (
            "-p icmp -dport host-unreachable",
            {"protocol": "icmp", "icmp_type": "3/1"},
            {"protocol": "icmp", "icmp_type": "3/2"},
        ),
        (
            "-p icmp -icmp-type 3",
            {"protocol": "icmp", "icmp_type": "port-unreachable"},
            {"protocol": "icmp", "icmp_type": "8"},
        ),
    ],
)
def test_matchers(matcher: str, taken: dict[str, Any], not_taken: dict[str, Any]) -> None:
    """Each matcher takes what it names and nothing beside it."""
    firewall = guest(f"IN ACCEPT {matcher}")
    assert ask(firewall, **taken).action == "ACCEPT"
    assert ask(firewall, **not_taken).action == "DROP"


def test_a_macro_takes_a_source_like_any_rule() -> None:
    """What a macro stands for is limited by the rest of its rule, and the rule is the reason."""
    firewall = guest("IN SSH(ACCEPT) -source 198.51.100.7 -i net0")
    expected = "100.fw rule 1: IN SSH(ACCEPT) -source 198.51.100.7 -i net0"
    assert ask(firewall, port=22).reason == expected
    assert ask(firewall, port=22, source="198.51.100.8").action == "DROP"
    assert ask(firewall, target="vm100i1", port=22).action == "DROP"


def test_dhcp_passes_unless_it_is_off() -> None:
    """A guest asks for its address and gets the answer; `dhcp: 0` ends both."""
    for options, action in (("", "ACCEPT"), ("dhcp: 1", "ACCEPT"), ("dhcp: 0", "DROP")):
        firewall = guest(options=f"{options}\npolicy_out: DROP")
        assert ask(firewall, "vm100", "outside", 67, source_port=68, protocol="udp").action == action
        assert ask(firewall, port=68, source_port=67, protocol="udp").action == action
    on = guest(options="policy_out: DROP")
    assert ask(on, "vm100", "outside", 67, source_port=68, protocol="tcp").action == "DROP"
    v6: dict[str, Any] = {"source": "fe80::1", "destination": "fe80::2", "protocol": "udp"}
    assert ask(on, "vm100", "outside", 547, source_port=546, **v6).action == "ACCEPT"
    assert ask(on, "vm100", "outside", 546, source_port=547, **v6).action == "ACCEPT"
    assert ask(on, port=546, source_port=547, **v6).action == "ACCEPT"
    assert ask(on, port=547, source_port=546, **v6).action == "ACCEPT"
    assert ask(on, port=68, source_port=67, **v6).action == "DROP"
    assert ask(on, port=545, source_port=547, **v6).action == "DROP"
    assert ask(on, port=546, source_port=548, **v6).action == "DROP"


def test_a_foreign_mac_address_is_dropped() -> None:
    """The MAC filter is on by default, so a macvlan inside a guest goes nowhere."""
    decision = ask(guest(), "vm100", "outside", source_mac=OTHER_MAC)
    assert decision == Decision("DROP", f"macfilter of guest 100: {OTHER_MAC} is not the address of net0")
    assert ask(guest(), "vm100", "outside", source_mac=MAC).action == "ACCEPT"
    assert ask(guest(options="macfilter: 0"), "vm100", "outside", source_mac=OTHER_MAC).action == "ACCEPT"


def test_an_ip_filter_limits_the_source() -> None:
    """A set ipfilter-net0 lets net0 send from its members and its link-local address, and net1 from anywhere."""
    firewall = node({"100.fw": f"{ON}[IPSET ipfilter-net0]\n10.0.0.100\n"})
    spoofed = ask(firewall, "vm100", "outside", source="10.0.0.9")
    assert spoofed == Decision("DROP", "IP filter of guest 100: 10.0.0.9 is not in ipfilter-net0")
    assert ask(firewall, "vm100", "outside", source="10.0.0.100").action == "ACCEPT"
    assert ask(firewall, "vm100i1", "outside", source="10.0.0.9").action == "ACCEPT"
    own: dict[str, Any] = {"source": "fe80::be24:11ff:fe00:1", "destination": "fe80::1"}
    assert ask(firewall, "vm100", "outside", **own).action == "ACCEPT"
    assert ask(firewall, "vm100", "outside", **(own | {"source": "fe80::2"})).action == "DROP"


def test_the_ip_filter_of_a_container_knows_its_address() -> None:
    """With `ipfilter: 1` a container sends from its own address only; a VM, whose address is unknown, from none."""
    on = f"{ON}ipfilter: 1\n"
    firewall = node({"100.fw": on, "200.fw": on})
    assert ask(firewall, "ct200", "outside", source="10.0.0.200").action == "ACCEPT"
    assert ask(firewall, "ct200", "outside", source="10.0.0.201").action == "DROP"
    assert ask(firewall, "vm100", "outside", source="10.0.0.100").action == "DROP"


V6: dict[str, Any] = {"source": "fe80::1", "destination": "fe80::2", "protocol": "icmpv6"}


@pytest.mark.parametrize("kind", ["133", "134", "135", "136"])
def test_neighbour_discovery_passes_unless_it_is_off(kind: str) -> None:
    """Neighbours and routers are found by default; `ndp: 0` ends it, also at the host."""
    assert ask(guest(), icmp_type=kind, **V6).action == "ACCEPT"
    assert ask(guest(options="ndp: 0"), icmp_type=kind, **V6).action == "DROP"
    assert ask(guest(), icmp_type=kind, **(V6 | {"protocol": "icmp"})).action == "DROP"
    assert ask(guest(), target="host", icmp_type=kind, **V6).action == "ACCEPT"
    off = node({"host.fw": "[OPTIONS]\nndp: 0\n"})
    assert ask(off, target="host", icmp_type=kind, **V6).action == "DROP"


@pytest.mark.parametrize(
    ("options", "action"),
    [
        ("", "DROP"),
        ("radv: 1", "ACCEPT"),
        ("radv: 1\nndp: 0", "DROP"),
        ("ndp: 0\npolicy_out: ACCEPT", "DROP"),
    ],
)
def test_a_guest_is_no_router_by_itself(options: str, action: str) -> None:
    """A router advertisement leaves a guest only with `radv: 1`."""
    policy = "" if "policy_out" in options else "\npolicy_out: DROP"
    firewall = guest(options=options + policy)
    assert ask(firewall, "vm100", "outside", icmp_type="134", **V6).action == action


def test_a_guest_may_look_for_neighbours() -> None:
    """What it needs to speak at all leaves it under a policy of DROP."""
    firewall = guest(options="policy_out: DROP")
    assert ask(firewall, "vm100", "outside", icmp_type="135", **V6).action == "ACCEPT"
    assert ask(firewall, "vm100", "outside", icmp_type="128", **V6).action == "DROP"
    cluster = {"cluster.fw": f"{ON}policy_out: DROP\n"}
    assert ask(node(cluster), "host", "outside", icmp_type="135", **V6).action == "ACCEPT"
    off = node(cluster | {"host.fw": "[OPTIONS]\nndp: 0\n"})
    assert ask(off, "host", "outside", icmp_type="135", **V6).action == "DROP"
