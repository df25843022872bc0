"""Packets on one Docker host: each row of the measured matrix, and where the guard's text decides."""

from typing import Any

import pytest

from tests.evidence.simulate.small_world import (
    DROP_FORWARD,
    DROP_INPUT,
    NEW,
    OLD,
    Data,
    ask,
    box,
    docker,
    lab,
    network,
    published,
    verdict,
)

YES, NO, UNKNOWN = "yes", "no", "cannot tell"
IN_A: dict[str, Any] = {"a": "10.128.1.2"}
IN_B: dict[str, Any] = {"b": "10.128.2.2"}


def host(*containers: Data, internal: tuple[str, ...] = (), **changes: Any) -> Data:
    """A lab whose Docker host has networks a, b and c, of which some are internal."""
    networks = [
        network(name, number, internal=name in internal) for number, name in enumerate("abc", start=1)
    ]
    return lab(docker=[docker(*containers, networks=networks, **changes)])


@pytest.mark.parametrize("engine", [OLD, NEW])
def test_members_of_a_network_reach_each_other(engine: Data) -> None:
    """On every port, whether somebody declared it or not, internal or not."""
    data = host(box("one", **IN_A), box("two", a="10.128.1.3"), internal=("a",), engine=engine)
    assert verdict(data, "one", "two", 61000) == YES


def test_the_guard_sees_neighbours_by_bridge_netfilter() -> None:
    """Without it no rule of the host is asked about what members of a network send each other."""
    containers = box("one", **IN_A), box("two", a="10.128.1.3")
    assert verdict(host(*containers, guard=DROP_FORWARD), "one", "two") == NO
    without = {**OLD, "bridge_netfilter": False}
    assert verdict(host(*containers, guard=DROP_FORWARD, engine=without), "one", "two") == YES


def test_networks_are_isolated_from_each_other() -> None:
    """A container's own address is reached from its networks only."""
    assert verdict(host(box("one", **IN_A), box("two", **IN_B)), "one", "two") == NO


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        ({**OLD, "firewall": "nftables"}, UNKNOWN),
        ({**OLD, "firewall": None}, NO),
        ({**NEW, "firewall": None}, NO),
        ({**NEW, "version": 29, "firewall": None}, UNKNOWN),
        ({**NEW, "version": 29}, NO),
    ],
)
def test_what_docker_drops_was_measured_in_iptables(engine: Data, expected: str) -> None:
    """Where an engine may keep its rules in nftables, its isolation is not claimed."""
    assert verdict(host(box("one", **IN_A), box("two", **IN_B), engine=engine), "one", "two") == expected


@pytest.mark.parametrize(
    ("proxy", "target", "expected"), [(True, IN_B, YES), (False, IN_B, NO), (True, {"a": "10.128.1.3"}, YES)]
)
def test_published_ports_by_the_userland_proxy(proxy: bool, target: dict[str, Any], expected: str) -> None:
    """With it every bridge reaches what any container publishes; without it only the publisher's own."""
    data = host(
        box("one", **IN_A),
        box("two", ports=[published(80, 8080)], **target),
        engine={**OLD, "userland_proxy": proxy},
        guard=DROP_FORWARD,
    )
    assert verdict(data, "one", "two") == expected


def test_without_a_proxy_the_own_network_comes_back_through_the_forward_hook() -> None:
    """Translated back into the bridge, so a guard on forward decides and one on input does not."""
    containers = box("one", **IN_A), box("two", ports=[published(80, 8080)], a="10.128.1.3")
    engine = {**OLD, "userland_proxy": False}
    target = "device:nas"
    assert verdict(host(*containers, engine=engine, guard=DROP_INPUT), "one", target, 8080) == YES
    assert verdict(host(*containers, engine=engine, guard=DROP_FORWARD), "one", target, 8080) == NO


def test_without_bridge_netfilter_an_answer_misses_the_translation() -> None:
    """TCP to a neighbour by its published port ends there, a datagram does not, and nobody misses itself."""
    tcp, udp = published(80, 8080), published(53, 53, protocol="udp")
    containers = box("one", **IN_A), box("two", ports=[tcp, udp], a="10.128.1.3")
    data = host(*containers, engine={**OLD, "userland_proxy": False, "bridge_netfilter": False})
    assert verdict(data, "one", "device:nas", 8080) == NO
    assert verdict(data, "one", "device:nas", "53/udp") == YES
    assert verdict(data, "two", "device:nas", 8080) == YES


def test_the_proxy_is_met_in_the_input_hook() -> None:
    """A drop of what comes from bridges closes the host and all that it publishes, and nothing between members."""
    data = host(
        box("one", **IN_A),
        box("two", ports=[published(80, 8080)], **IN_B),
        box("three", a="10.128.1.3"),
        guard=DROP_INPUT,
    )
    assert verdict(data, "one", "two") == NO
    assert verdict(data, "one", "device:nas", 22) == NO
    assert verdict(data, "one", "three") == YES


def test_internal_networks_reach_no_published_port() -> None:
    """They are translated and then isolated, by their own gateway too."""
    data = host(
        box("one", **IN_A), box("two", ports=[published(80, 8080, "0.0.0.0")], **IN_B), internal=("a",)
    )
    assert verdict(data, "one", "two") == NO


def test_who_is_in_internal_networks_only_publishes_nothing() -> None:
    """The port is silently not there, for the segment as for the host's bridges."""
    data = host(box("one", ports=[published(80, 8080)], **IN_A), box("two", **IN_B), internal=("a",))
    assert verdict(data, "device:tv", "one") == NO
    assert verdict(data, "two", "one") == NO


@pytest.mark.parametrize("engine", [OLD, NEW])
def test_every_network_reaches_the_host(engine: Data) -> None:
    """By its gateway, although it is internal."""
    data = host(box("one", **IN_A), internal=("a",), engine=engine)
    assert verdict(data, "one", "device:nas", 22) == YES


@pytest.mark.parametrize("internal", [(), ("a",)])
def test_internal_networks_have_no_way_out(internal: tuple[str, ...]) -> None:
    """The others reach the segment."""
    data = host(box("one", **IN_A), internal=internal)
    assert verdict(data, "one", "device:tv") == (NO if internal else YES)


def test_what_is_said_about_internal_networks_depends_on_the_version() -> None:
    """Before 28 they have a default route and Docker drops what takes it; then they have none."""
    old, new = (
        ask(host(box("one", **IN_A), internal=("a",), engine=e), "one", "device:tv") for e in (OLD, NEW)
    )
    assert "Docker drops it" in str(old.trace)
    assert "no default route" in str(new.trace)


def test_the_default_route_is_the_first_network_with_a_way_out() -> None:
    """By name among those that are not internal."""
    data = host(box("one", a="10.128.1.2", b="10.128.2.2", c="10.128.3.2"), internal=("a",))
    assert "sends by b" in str(ask(data, "one", "device:tv").trace)


def test_the_guard_knows_the_original_destination() -> None:
    """What comes from the segment is translated before the forward hook, which still sees the port that it had."""
    rule = "ct original ip daddr 192.168.1.10 ct original proto-dst 8080 ip saddr 192.168.1.50 accept"
    guard = DROP_FORWARD.replace("policy drop;", f"policy drop; {rule};")
    data = host(box("one", ports=[published(80, 8080), published(90, 8090)], **IN_A), guard=guard)
    assert verdict(data, "device:tv", "one", 80) == YES
    assert verdict(data, "device:tv", "one", 90) == NO
    assert verdict(data, "vlan:lan", "one", 80) == NO


@pytest.mark.parametrize(("engine", "expected"), [(OLD, YES), (NEW, NO)])
def test_a_neighbour_may_take_the_host_for_a_router(engine: Data, expected: str) -> None:
    """Before 28 Docker opens towards a container's own address what it publishes, even on loopback only."""
    data = host(box("one", ports=[published(80, 8080, "127.0.0.1")], **IN_A), engine=engine)
    assert verdict(data, "device:tv", "one", 80) == expected
    assert verdict(data, "device:tv", "one", 81) == NO


def test_nobody_routes_to_docker_networks_from_elsewhere() -> None:
    """Only who is on the host's own wire may send to a container's address."""
    data = host(box("one", ports=[published(80, 8080, "127.0.0.1")], **IN_A))
    data["router"] = {"kind": "node", "endpoint": None}
    assert verdict(data, "vlan:dmz", "one", 80) == NO


def test_a_host_reaches_its_containers() -> None:
    """On every port, by every network, whatever guards the others."""
    data = host(box("one", **IN_A), internal=("a",), guard=DROP_FORWARD)
    assert verdict(data, "device:nas", "one", 61000) == YES


def test_who_shares_the_host_s_network_is_the_host() -> None:
    """As a source and as a target."""
    data = host(box("one", **IN_A), box("two", host_network=True), guard=DROP_INPUT)
    assert verdict(data, "two", "one", 61000) == YES
    assert verdict(data, "one", "two", 9100) == NO
    assert verdict(data, "device:tv", "two", 9100) == YES


def test_a_published_port_of_a_host_is_whoever_is_behind_it() -> None:
    """The host's own ports are the others."""
    data = host(box("one", ports=[published(80, 8080)], **IN_A), guard=DROP_FORWARD)
    assert verdict(data, "device:tv", "device:nas", 8080) == NO
    assert verdict(data, "device:tv", "device:nas", 8081) == YES


@pytest.mark.parametrize(
    ("missing", "expected"), [("userland_proxy", UNKNOWN), ("bridge_netfilter", YES), ("version", YES)]
)
def test_an_unknown_fact_counts_where_it_decides(missing: str, expected: str) -> None:
    """Nobody can tell only where the answer differs with it, and the answer names it."""
    data = host(
        box("one", **IN_A), box("two", ports=[published(80, 8080)], **IN_B), engine={**OLD, missing: None}
    )
    found = ask(data, "one", "two")
    assert str(found.verdict) == expected
    assert (found.depends_on == "the userland proxy of device:nas") == (expected == UNKNOWN)


def test_both_engines_lead_to_the_same_end() -> None:
    """An internal network lets nothing out, by rules before 28 and for want of a route since."""
    data = host(box("one", **IN_A), internal=("a",), engine={**OLD, "version": None, "firewall": None})
    assert verdict(data, "one", "device:tv") == NO


def test_udp_and_tcp_are_two_ports() -> None:
    """What is published for one protocol is not for the other."""
    data = host(box("one", ports=[published(53, 53, protocol="udp")], **IN_A), box("two", **IN_B))
    assert verdict(data, "two", "one", "53/udp") == YES
    assert verdict(data, "two", "one", "53/tcp") == NO


def test_a_container_sets_no_route_of_its_host() -> None:
    """What a neighbour of another host may do, a container on that neighbour may not."""
    data = host(box("one", ports=[published(80, 8080, "127.0.0.1")], **IN_A))
    other = docker(
        box("two", d="10.129.0.2"),
        networks=[{**network("d", 9), "subnet": "10.129.0.0/24", "gateway": "10.129.0.1"}],
    )
    data["docker"].append({**other, "machine": "device:tv"})
    assert verdict(data, "device:tv", "one", 80) == YES
    assert verdict(data, "two", "one", 80) == NO


@pytest.mark.parametrize(
    ("address", "near", "far"),
    [("192.168.1.10", YES, YES), ("0.0.0.0", YES, YES), ("10.128.3.1", YES, NO), ("127.0.0.1", NO, NO)],
)
def test_a_port_is_published_where_it_is_published(address: str, near: str, far: str) -> None:
    """On one address of the host, which may be one that only neighbours have a route to, on all, or on loopback."""
    data = host(box("one", ports=[published(80, 8080, address)], **IN_A), engine=NEW, guard=DROP_INPUT)
    data["router"] = {"kind": "node", "endpoint": None}
    assert verdict(data, "vlan:lan", "one") == near
    assert verdict(data, "vlan:dmz", "one") == far


def test_a_port_of_the_other_protocol_is_the_host_s() -> None:
    """A guard that closes what is published for TCP says nothing of the host's own UDP."""
    data = host(box("one", ports=[published(80, 8080)], **IN_A), guard=DROP_FORWARD)
    assert verdict(data, "device:tv", "device:nas", "8080/tcp") == NO
    assert verdict(data, "device:tv", "device:nas", "8080/udp") == YES


def test_a_port_of_a_host_is_published_on_its_addresses_only() -> None:
    """From another segment it is not reached by an address that it is not published on."""
    data = host(box("one", ports=[published(80, 8080, "10.128.3.1")], **IN_A))
    data["router"] = {"kind": "node", "endpoint": None}
    assert verdict(data, "vlan:lan", "device:nas", 8080) == YES
    assert verdict(data, "vlan:dmz", "device:nas", 8080) == NO
