"""Each rule about packets on a Docker host, one by one; docs/isolation.md says on which engines each was seen."""

from dataclasses import replace

import pytest

from lab.flows import Port
from lab.isolation.docker import Box, Bridge, DockerGround
from lab.isolation.guards import GuardRules
from lab.isolation.verdict import Path, Verdict, any_of
from lab.plan.records import EngineFacts, GuardPlan, GuardRule, PublishedPort, ServicePlan

OLD = EngineFacts(version=20, userland_proxy=True, bridge_netfilter=True, firewall="iptables")
NEW = replace(OLD, version=28)
HOST, WORLD = "10.10.20.11", "10.10.20.12"
WEB, DNS = Port(80), Port(53, "udp")

NETWORKS = {
    "front": Bridge(name="front", interface="br-1", gateway="10.0.1.1"),
    "back": Bridge(name="back", interface="br-2", gateway="10.0.2.1", internal=True),
    "quiet": Bridge(name="quiet", interface="br-3", gateway="10.0.3.1", icc=False),
    "lone": Bridge(name="lone", interface="br-4", gateway="10.0.4.1", isolated=True),
    "other": Bridge(name="other", interface="br-5", gateway="10.0.5.1"),
    "six": Bridge(name="six", interface="br-6", gateway="10.0.6.1", icc=False, gateway6="fd00:6::1"),
    "inner-six": Bridge(
        name="inner-six", interface="br-7", gateway="10.0.7.1", internal=True, gateway6="fd00:7::1"
    ),
}


def ground(engine: EngineFacts = OLD, *rules: GuardRule, guarded: bool = False) -> DockerGround:
    """A host with all networks; with rules, or where told so, with a guard."""
    guard = None
    if rules or guarded:
        bridges = {bridge.interface: bridge.name for bridge in NETWORKS.values()}
        plan = GuardPlan(
            host="docker-1", bridges=bridges, rules=rules, service=ServicePlan(name="guard", image="")
        )
        guard = GuardRules(plan)
    return DockerGround(name="docker-1", addresses=(HOST,), engine=engine, bridges=NETWORKS, guard=guard)


def box(name: str, *networks: str, published: tuple[PublishedPort, ...] = (), last: int = 2) -> Box:
    """A container in some networks."""
    addresses = {n: NETWORKS[n].gateway.rpartition(".")[0] + f".{last}" for n in networks}
    return Box(name=name, addresses=addresses, published=published)


def at(address: str = "0.0.0.0", external: int = 8080) -> PublishedPort:
    """Port 80, published."""
    return PublishedPort(internal=80, external=external, address=address)


def verdict(paths: list[Path]) -> Verdict:
    """Of ways beside each other."""
    return any_of(path.verdict for path in paths)


def within(where: DockerGround, network: str, port: Port | None = WEB) -> Path:
    """From one member of a network to another."""
    return where.within(box("a", network), box("b", network, last=3), network, port)


@pytest.mark.parametrize("port", [WEB, DNS, None])
def test_members_of_a_network_reach_each_other_on_every_port(port: Port | None) -> None:
    """Also on ports that nobody declared, and in internal networks."""
    assert within(ground(), "front", port).verdict is Verdict.yes
    assert within(ground(), "back", port).verdict is Verdict.yes


def test_icc_off_closes_a_network_to_its_members() -> None:
    """With the reason."""
    path = within(ground(), "quiet")
    assert path.verdict is Verdict.no
    assert path.reason == "network quiet has inter-container communication off"


def test_icc_off_is_nothing_without_bridge_netfilter() -> None:
    """No packet filter sees the packets; where nobody said whether it does, nobody can tell."""
    assert within(ground(replace(OLD, bridge_netfilter=False)), "quiet").verdict is Verdict.yes
    path = within(ground(replace(OLD, bridge_netfilter=None)), "quiet")
    assert path.verdict is Verdict.unknown
    assert "net.bridge.bridge-nf-call-iptables" in path.reason


def test_containers_of_different_networks_do_not_reach_each_other() -> None:
    """By no address of the other, and nothing is said to lead there."""
    one, two = box("a", "front"), box("b", "other")
    assert ground().within(one, two, "other", WEB).verdict is Verdict.no
    assert list(ground().between(one, two, WEB)) == []
    doubtful = ground(replace(OLD, firewall="nftables")).within(one, two, "other", WEB)
    assert doubtful.verdict is Verdict.unknown


def test_the_guard_decides_within_a_network() -> None:
    """A rule for the pair and the port accepts; another port, the other direction and undeclared ports do not."""
    a, b = box("a", "front"), box("b", "front", last=3)
    rule = GuardRule(
        way="within",
        interface="br-1",
        source="10.0.1.2",
        destination="10.0.1.3",
        port=WEB,
        because="a needs b",
    )
    where = ground(OLD, rule)
    assert where.within(a, b, "front", WEB).verdict is Verdict.yes
    assert "a needs b" in where.within(a, b, "front", WEB).reason
    for closed in (
        where.within(a, b, "front", Port(81)),
        where.within(a, b, "front", None),
        where.within(b, a, "front", WEB),
    ):
        assert closed.verdict is Verdict.no
        assert "the guard of docker-1 drops" in closed.reason


def test_the_guard_opens_nothing_that_docker_closes() -> None:
    """Both have to accept: ICC stays off."""
    rule = GuardRule(way="within", interface="br-3", source="10.0.3.2", destination="10.0.3.3", port=WEB)
    assert within(ground(OLD, rule), "quiet").reason.startswith("network quiet has inter-container")


def test_the_guard_sees_nothing_within_a_network_without_bridge_netfilter() -> None:
    """And where nobody said whether it does, its silence is no proof."""
    assert within(ground(replace(OLD, bridge_netfilter=False), guarded=True), "front").verdict is Verdict.yes
    assert (
        within(ground(replace(OLD, bridge_netfilter=None), guarded=True), "front").verdict is Verdict.unknown
    )


def test_a_container_reaches_its_host_by_every_address() -> None:
    """Its own gateway, others' gateways and the host's own address; `internal` does not change its own gateway."""
    for address in ("10.0.1.1", "10.0.5.1", HOST):
        assert ground().host_at(box("a", "front"), address, WEB).verdict is Verdict.yes
    assert ground().host_at(box("a", "back"), "10.0.2.1", None).verdict is Verdict.yes
    assert ground(NEW).host_at(box("a", "back"), "10.0.2.1", None).verdict is Verdict.yes


def test_an_internal_network_has_a_default_route_before_28_only() -> None:
    """By it the host's other addresses are reached; of an engine of unknown version nobody can tell."""
    a = box("a", "back")
    assert ground(OLD).host_at(a, HOST, WEB).verdict is Verdict.yes
    assert ground(NEW).host_at(a, HOST, WEB).verdict is Verdict.no
    unknown = ground(replace(OLD, version=None)).host_at(a, HOST, WEB)
    assert unknown.verdict is Verdict.unknown
    assert "the engine's version" in unknown.reason


def test_an_isolated_network_has_no_host_in_it() -> None:
    """Not by its gateway and not behind it."""
    a = box("a", "lone")
    assert verdict(list(ground().to_host(a, WEB))) is Verdict.no
    assert ground().host_at(a, "10.0.4.1", WEB).reason == "the host has no address in network lone"
    assert ground().host_at(a, HOST, WEB).reason == "network lone has no gateway"
    assert NETWORKS["lone"].host_address == ""


def test_a_second_network_leads_to_the_host_where_the_first_does_not() -> None:
    """The default route is one of them only; the gateways of all lead to the host."""
    both = box("a", "lone", "other")
    assert verdict(list(ground().to_host(both, WEB))) is Verdict.yes


def test_a_container_without_a_network_reaches_nothing() -> None:
    """Not its host, and not the segment."""
    alone = box("a")
    assert verdict(list(ground().to_host(alone, WEB))) is Verdict.no
    assert ground().leave(alone, WORLD, WEB)[-1].reason == "a has no network"


@pytest.mark.parametrize(
    ("networks", "first"),
    [
        (("back", "front"), "front"),
        (("other", "front"), "front"),
        (("front", "six"), "six"),
        (("inner-six", "other"), "other"),
        (("back", "inner-six"), "inner-six"),
    ],
)
def test_the_default_route_is_the_first_network_with_a_way_out(networks: tuple[str, ...], first: str) -> None:
    """Not internal before internal, then with IPv6 before without, then by name."""
    leg = ground().leave_for(box("a", *networks), WORLD, WEB)[0]
    assert leg.reason == f"its default route is network {first}"


def test_a_container_leaves_for_the_segment() -> None:
    """Under its host's address; not from an internal or an isolated network."""
    assert Path(ground().leave(box("a", "front"), WORLD, None)).verdict is Verdict.yes
    assert "under the host's address" in Path(ground().leave(box("a", "front"), WORLD, None)).reason
    internal = Path(ground().leave(box("a", "back"), WORLD, WEB))
    assert (internal.verdict, internal.reason) == (Verdict.no, "network back is internal: no way out")
    assert Path(ground().leave(box("a", "lone"), WORLD, WEB)).verdict is Verdict.no


def test_the_guard_decides_what_leaves() -> None:
    """By the address in the network of the default route, the destination and the port."""
    rule = GuardRule(
        way="out", interface="br-1", source="10.0.1.2", destination=WORLD, port=WEB, because="tv"
    )
    where, a = ground(OLD, rule), box("a", "front")
    assert Path(where.leave(a, WORLD, WEB)).verdict is Verdict.yes
    assert Path(where.leave(a, WORLD, DNS)).verdict is Verdict.no
    assert Path(where.leave(a, "10.10.20.13", WEB)).verdict is Verdict.no
    assert Path(where.leave(box("b", "front", last=3), WORLD, WEB)).verdict is Verdict.no


def test_a_published_port_is_open_to_every_network_with_a_way_out() -> None:
    """By all addresses of the host, through the proxy, past `icc=false`; not from internal networks."""
    target = box("b", "front", published=(at(),))
    for name in ("other", "front", "quiet"):
        source = box("a", name, last=9)
        for address in (NETWORKS[name].gateway, HOST):
            assert ground().published_at(source, target, at(), address).verdict is Verdict.yes
    closed = ground().published_at(box("a", "back"), target, at(), "10.0.2.1")
    assert closed.reason == "Docker's isolation drops what leaves the internal network back"


def test_without_the_proxy_only_the_publishing_network_reaches_a_published_port() -> None:
    """The engine sends it back into the network, where ICC and the guard's rules within it decide."""
    engine = replace(OLD, userland_proxy=False)
    front, quiet = box("b", "front", published=(at(),)), box("b", "quiet", published=(at(),))
    assert ground(engine).published_at(box("a", "front", last=9), front, at(), HOST).verdict is Verdict.yes
    assert ground(engine).published_at(box("a", "other"), front, at(), HOST).verdict is Verdict.no
    assert ground(engine).published_at(box("a", "quiet", last=9), quiet, at(), HOST).verdict is Verdict.no
    unknown = ground(replace(OLD, userland_proxy=None)).published_at(box("a", "other"), front, at(), HOST)
    assert unknown.verdict is Verdict.unknown
    assert "whether its userland proxy is on" in unknown.reason


def test_without_proxy_and_bridge_netfilter_a_neighbours_answer_goes_past_the_host() -> None:
    """It comes from an address that was never asked, so no TCP connection opens; datagrams arrive, and the
    publisher itself is translated both ways."""
    engine = replace(OLD, userland_proxy=False, bridge_netfilter=False)
    names = PublishedPort(internal=53, external=5353, address="0.0.0.0", protocol="udp")
    source, target = box("a", "front", last=9), box("b", "front", published=(at(), names))
    tcp = ground(engine).published_at(source, target, at(), HOST)
    assert tcp.verdict is Verdict.no
    assert "past the host" in tcp.reason
    assert ground(engine).published_at(source, target, names, HOST).verdict is Verdict.yes
    assert ground(engine).published_at(target, target, at(), HOST).verdict is Verdict.yes


def test_the_guard_sees_a_published_port_as_the_hosts_or_without_the_proxy_as_the_containers() -> None:
    """The same question needs another rule."""
    source, target = box("a", "front", last=9), box("b", "front", published=(at(),))
    to_host = GuardRule(way="local", interface="br-1", source="10.0.1.9", destination=HOST, port=Port(8080))
    to_box = GuardRule(way="within", interface="br-1", source="10.0.1.9", destination="10.0.1.2", port=WEB)
    without = replace(OLD, userland_proxy=False)
    for engine, right, wrong in ((OLD, to_host, to_box), (without, to_box, to_host)):
        assert ground(engine, right).published_at(source, target, at(), HOST).verdict is Verdict.yes
        assert ground(engine, wrong).published_at(source, target, at(), HOST).verdict is Verdict.no


def test_the_guard_decides_what_reaches_the_host() -> None:
    """A rule for one address of the host opens no other one."""
    rule = GuardRule(way="local", interface="br-1", source="10.0.1.2", destination=HOST, port=WEB)
    where, a = ground(OLD, rule), box("a", "front")
    assert where.host_at(a, HOST, WEB).verdict is Verdict.yes
    assert where.host_at(a, "10.0.1.1", WEB).verdict is Verdict.no
    assert where.host_at(a, HOST, None).verdict is Verdict.no


def test_a_port_is_found_where_it_is_published() -> None:
    """On one address of the host not at the others, on loopback by the host alone."""
    target = box("b", "front")
    source = box("a", "other")
    assert ground().published_at(source, target, at(HOST), HOST).verdict is Verdict.yes
    assert ground().published_at(source, target, at(HOST), "10.0.5.1").verdict is Verdict.no
    assert verdict(list(ground().to_published(source, target, at("127.0.0.1")))) is Verdict.no
    assert ground().from_host_published(target, at("127.0.0.1"), "127.0.0.1").verdict is Verdict.yes
    assert ground().from_host_published(target, at("127.0.0.1"), HOST).verdict is Verdict.no


def test_docker_publishes_by_the_first_network_only() -> None:
    """Nothing from internal networks, and nothing usable where the host has no address in the network."""
    source = box("a", "front")
    inner, lone = box("b", "back"), box("b", "lone", "other")
    assert verdict(list(ground().to_published(source, inner, at()))) is Verdict.no
    assert verdict(list(ground().to_published(source, lone, at()))) is Verdict.no
    assert Path(ground().arrive(WORLD, lone, at())).verdict is Verdict.no
    assert ground().from_host_published(inner, at(), HOST).verdict is Verdict.no


def test_the_segment_reaches_published_ports_past_the_hosts_own_firewall() -> None:
    """On every address or the host's, not on loopback; with a guard only whom a rule names."""
    target = box("b", "front")
    for address in ("0.0.0.0", HOST):
        assert Path(ground().arrive(WORLD, target, at(address))).verdict is Verdict.yes
    assert "loopback only" in Path(ground().arrive(WORLD, target, at("127.0.0.1"))).reason
    rule = GuardRule(way="in", source=WORLD, destination=HOST, port=Port(8080), because="for the tv")
    where = ground(OLD, rule)
    assert Path(where.arrive(WORLD, target, at())).verdict is Verdict.yes
    assert Path(where.arrive("10.10.20.13", target, at())).verdict is Verdict.no
    assert Path(where.arrive(WORLD, target, at(external=8081))).verdict is Verdict.no


def test_a_published_port_is_open_at_the_containers_own_address_before_28() -> None:
    """For whoever sets a route to it, even if it is published on loopback; other ports and networks are not."""
    target = box("b", "front", "other", published=(at("127.0.0.1"),))
    assert Path(ground(OLD).arrive_routed(WORLD, target, "front", WEB)).verdict is Verdict.yes
    assert Path(ground(NEW).arrive_routed(WORLD, target, "front", WEB)).verdict is Verdict.no
    assert Path(ground(OLD).arrive_routed(WORLD, target, "front", DNS)).verdict is Verdict.no
    assert Path(ground(OLD).arrive_routed(WORLD, target, "front", None)).verdict is Verdict.no
    assert Path(ground(OLD).arrive_routed(WORLD, target, "other", WEB)).verdict is Verdict.no
    assert Path(ground(OLD, guarded=True).arrive_routed(WORLD, target, "front", WEB)).verdict is Verdict.no
    assert Path(ground(replace(OLD, version=None)).arrive_routed(WORLD, target, "front", WEB)).verdict is (
        Verdict.unknown
    )
    lone = box("b", "lone", published=(at(),))
    assert Path(ground(OLD).arrive_routed(WORLD, lone, "lone", WEB)).verdict is Verdict.no


def test_the_host_reaches_its_own_containers_unless_it_is_not_in_their_networks() -> None:
    """Whatever the guard says; by IPv6 also where it has no IPv4 address."""
    assert ground(OLD, guarded=True).from_host(box("b", "back")).verdict is Verdict.yes
    assert ground().from_host(box("b", "lone")).verdict is Verdict.no
    assert ground().from_host(box("b", "lone", "other")).verdict is Verdict.yes
    assert ground().from_host_by(box("b", "lone", "other"), "lone").verdict is Verdict.no
    networks = {**NETWORKS, "lone": replace(NETWORKS["lone"], gateway6="fd00:4::1")}
    assert replace(ground(), bridges=networks).from_host(box("b", "lone")).verdict is Verdict.yes
