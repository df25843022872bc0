"""Each rule about IPv6 on a Docker host, one by one; docs/isolation.md says on which engines each was seen."""

from dataclasses import replace

import pytest

from lab.flows import Protocol
from lab.isolation.verdict import Path, Verdict, any_of
from lab.plan.records import EngineFacts
from tests.lab.isolation.test_docker import HOST, NETWORKS, OLD, WEB, WORLD, at, box, ground

GATEWAY = "fd00:6::1"


def test_icc_and_internal_mean_nothing_over_ipv6() -> None:
    """Neighbours reach each other with ICC off, and an internal network has a way out."""
    assert any_of(p.verdict for p in ground().between(box("a", "six"), box("b", "six", last=3), None)) is (
        Verdict.yes
    )
    assert Path(ground().leave(box("a", "inner-six"), WORLD, WEB)).verdict is Verdict.yes


def test_the_host_forwards_between_networks_with_ipv6() -> None:
    """Docker's isolation of networks from each other is about IPv4."""
    one, other = box("a", "six"), box("b", "inner-six")
    assert ground().ipv6.within(one, other, "inner-six", "tcp").verdict is Verdict.yes
    assert ground().ipv6.arrive_routed(other, None).verdict is Verdict.yes


def test_a_container_in_networks_without_ipv6_has_none() -> None:
    """It reaches no address of any network or host."""
    plain = box("a", "front")
    assert list(ground().ipv6.between(plain, box("b", "six"), None)) == []
    assert (
        ground().ipv6.host_at(plain, GATEWAY).reason
        == "a is in no network with IPv6, and has it switched off"
    )
    assert ground().ipv6.leave(plain).verdict is Verdict.no


def test_ipv6_leaves_by_the_default_route_only() -> None:
    """A container whose default route is a network without IPv6 speaks it on the link alone."""
    both = box("a", "inner-six", "other")
    assert ground().ipv6.leave(both).reason == "the default route of a is a network without IPv6"
    assert ground().ipv6.host_at(both, "fd00:7::1").verdict is Verdict.yes
    assert ground().ipv6.host_at(both, "fe80::1").verdict is Verdict.yes
    assert ground().ipv6.host_at(both, GATEWAY).verdict is Verdict.no


def test_a_datagram_needs_no_way_back() -> None:
    """A container that cannot answer is reached by UDP, and opens no TCP connection."""
    mute = box("b", "inner-six", "other")
    expected: dict[Protocol | None, Verdict] = {"tcp": Verdict.no, "udp": Verdict.yes, None: Verdict.yes}
    for protocol, verdict in expected.items():
        assert ground().ipv6.arrive_routed(mute, protocol).verdict is verdict
        assert ground().ipv6.within(box("a", "six"), mute, "inner-six", protocol).verdict is verdict
    near = box("b", "inner-six", "six", "other")
    assert ground().ipv6.within(box("a", "six"), near, "inner-six", "tcp").verdict is Verdict.yes


def test_the_guard_drops_ipv6() -> None:
    """Between neighbours it does so where it sees them; from and to everybody else always."""
    where, a, b = ground(OLD, guarded=True), box("a", "six"), box("b", "six", last=3)
    assert where.ipv6.within(a, b, "six", "tcp").reason == "the guard of docker-1 drops IPv6"
    assert where.ipv6.leave(a).verdict is Verdict.no
    assert where.ipv6.host_at(a, GATEWAY).verdict is Verdict.no
    assert where.ipv6.arrive_routed(a, "udp").verdict is Verdict.no
    blind = ground(replace(OLD, bridge_netfilter=False), guarded=True)
    assert blind.ipv6.within(a, b, "six", "tcp").verdict is Verdict.yes


def test_a_port_published_on_no_address_is_published_over_ipv6_past_the_guard() -> None:
    """The proxy answers on the host itself, where no rule of the guard is about the segment."""
    target = box("b", "front")
    for where in (ground(), ground(OLD, guarded=True)):
        assert Path(where.arrive(WORLD, target, at(""))).verdict is Verdict.yes
    assert Path(ground(OLD, guarded=True).arrive(WORLD, target, at("0.0.0.0"))).verdict is Verdict.no
    assert Path(ground(OLD, guarded=True).arrive(WORLD, target, at(HOST))).verdict is Verdict.no
    without = ground(replace(OLD, userland_proxy=False), guarded=True)
    assert Path(without.arrive(WORLD, target, at(""))).verdict is Verdict.no
    assert ground().ipv6.published_at(box("a", "six"), target, at(""), GATEWAY).verdict is Verdict.yes
    guarded = ground(OLD, guarded=True).ipv6.published_at(box("a", "six"), target, at(""), GATEWAY)
    assert guarded.verdict is Verdict.no
    assert ground().ipv6.arrive(box("b", "back"), at("")).verdict is Verdict.no
    assert ground().ipv6.arrive(box("b", "lone"), at("")).verdict is Verdict.no
    networks = {**NETWORKS, "lone": replace(NETWORKS["lone"], gateway6="fd00:4::1")}
    assert replace(ground(), bridges=networks).ipv6.arrive(box("b", "lone"), at("")).verdict is Verdict.yes


@pytest.mark.parametrize("version", [27, 28, None])
def test_newer_engines_were_not_measured(version: int | None) -> None:
    """What would be open before 27 is "cannot tell"; what the guard drops stays "no"."""
    engine = EngineFacts(version=version, userland_proxy=True, bridge_netfilter=True, firewall="iptables")
    path = ground(engine).ipv6.leave(box("a", "six"))
    assert path.verdict is Verdict.unknown
    assert "27" in path.reason
    assert ground(engine, guarded=True).ipv6.leave(box("a", "six")).verdict is Verdict.no
    near = ground(engine).ipv6.within(box("a", "six"), box("b", "six", last=3), "six", "tcp")
    assert near.verdict is Verdict.unknown
