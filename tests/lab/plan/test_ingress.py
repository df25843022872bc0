"""The ingress' ports, whom it asks, and what requests pass on the way to services, guests, devices and nodes."""

import pytest

from lab.flows import Endpoint, Port
from lab.plan.records import CrowdsecPlan, HeadersPlan, SecretRef, TargetTlsPlan
from tests.lab.plan.test_routes import edge, routed
from tests.support.builders import guest, ingress, plan, route, service, service_of, stack


def test_nodes_and_devices_are_routed_to() -> None:
    """A node's interface and a device's are served like a guest's, each with how its certificate is checked."""
    decided = routed(
        nodes={
            "pve": {
                "address": "10.10.20.2",
                "route": route("pve", scheme="https", ca="proxmox-ca", server_name="pve.lab.example"),
            }
        },
        devices={"tv": {"vlan": "services", "address": 40, "listens": [80], "route": route("tv")}},
        stacks={},
    )
    device, node = edge(decided).routes
    assert (device.url, device.port, device.target_tls) == ("http://10.10.20.40:80", Port(80), None)
    assert (node.url, node.port) == ("https://10.10.20.2:8006", Port(8006))
    assert node.target_tls == TargetTlsPlan(ca=SecretRef("proxmox-ca"), server_name="pve.lab.example")
    assert {str(flow) for flow in decided.flows} >= {
        "ingress -> node:pve:8006/tcp",
        "ingress -> device:tv:80/tcp",
    }
    assert SecretRef("proxmox-ca") in decided.secrets


GAME = {
    "web": stack(
        game=service(
            listens=[25565, "19132/udp"],
            routes=[
                route("mc", "tailnet", "services", protocol="tcp", entry=7000),
                route("mc", protocol="udp", entry=7000),
            ],
        )
    )
}


def test_tcp_and_udp_have_ports_of_their_own() -> None:
    """Such a route is published, let in by the guard and granted to the tailnet on its own port, for its audience."""
    decided = routed(stacks=GAME)
    traefik = edge(decided).service
    assert traefik is not None
    assert {(p.external, p.protocol) for p in traefik.published} == {
        (8443, "tcp"),
        (7000, "tcp"),
        (7000, "udp"),
    }
    into = {str(flow) for flow in decided.flows if flow.target.endpoint == Endpoint("ingress")}
    assert into == {
        "tailnet -> ingress:7000/tcp",
        "tailnet -> ingress:7000/udp",
        "vlan:services -> ingress:7000/tcp",
    }
    onward = {str(flow) for flow in decided.flows if flow.source == Endpoint("ingress")}
    assert onward == {
        "ingress -> service:web/game:25565/tcp",
        "ingress -> service:web/game:19132/udp",
    }
    assert {r.port for r in decided.guards[0].rules if r.way == "in" and r.source == "10.10.20.0/24"} == {
        Port(7000)
    }
    assert decided.tailnet is not None
    assert {port for grant in decided.tailnet.grants for port in grant.ports} == {"tcp:7000", "udp:7000"}


def test_an_ingress_elsewhere_reaches_udp_too() -> None:
    """A routed UDP port of a service on another host is published there as UDP, under a number of its own."""
    guests = {
        "docker-1": guest(address=11, runs="docker"),
        "docker-2": guest(address=12, runs="docker"),
    }
    stacks = {"web": {**GAME["web"], "host": "docker-2"}}
    decided = routed(guests=guests, stacks=stacks)
    published = {(p.internal, p.protocol): p.external for p in service_of(decided, "web/game").published}
    assert set(published) == {(25565, "tcp"), (19132, "udp")}
    assert {r.url for r in edge(decided).routes} == {f"10.10.20.12:{port}" for port in published.values()}


def test_a_redirect_is_a_port_of_its_audience() -> None:
    """The port for plain HTTP is published and let in for whom the audience is."""
    decided = routed(ingress=ingress(audiences={"tailnet": {"port": 8443, "redirect": 8080}}))
    assert "tailnet -> ingress:8080/tcp" in {str(flow) for flow in decided.flows}
    traefik = edge(decided).service
    assert traefik is not None
    assert {p.external for p in traefik.published} == {8443, 8080}


def test_a_terminator_is_for_the_internet_alone() -> None:
    """Packets of the internet's port come from the terminator only; every other audience has TLS of its own."""
    decided = routed(
        ingress=ingress(
            audiences={"internet": {"port": 80}, "services": {"port": 8443}},
            tls="upstream",
            trusted_upstreams=["10.10.20.9"],
        ),
        stacks={"web": stack(app=service(listens=[80], route=route("www", "internet", "services")))},
    )
    assert [(e.audience, e.tls) for e in edge(decided).entry_points] == [
        ("internet", "upstream"),
        ("services", "own"),
    ]
    into = {(r.source, r.port) for r in decided.guards[0].rules if r.way == "in"}
    assert into == {("10.10.20.9", Port(80)), ("10.10.20.0/24", Port(8443))}


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("10.10.20.30", "guest:edge"),
        ("10.10.20.50", "device:box"),
        ("10.10.20.2", "node:pve"),
        ("10.10.20.9", "vlan:services"),
        ("104.16.0.1", "internet"),
    ],
)
def test_a_terminator_is_whoever_has_its_address(address: str, whose: str) -> None:
    """It and not the internet connects, and both filters let in its one address at the one port, whoever it is."""
    decided = plan(
        guests={"docker-1": guest(address=11, runs="docker"), "edge": guest(address=30)},
        devices={"box": {"vlan": "services", "address": 50}},
        ingress=ingress(audiences={"internet": {"port": 80}}, tls="upstream", trusted_upstreams=[address]),
        stacks={"web": stack(app=service(listens=[80], route=route("www", "internet")))},
    )
    assert edge(decided).carriers == {address: Endpoint.parse(whose)}
    into = [flow for flow in decided.flows if flow.target.endpoint == Endpoint("ingress")]
    assert [(str(flow.source), flow.because) for flow in into] == [
        (whose, "the terminator passes on audience internet")
    ]
    (host,) = [g for g in decided.guests if g.name == "docker-1"]
    assert [r.source for r in host.rules if r.port == "80"] == [address]
    assert [r.source for r in decided.guards[0].rules if r.way == "in"] == [address]


def test_an_observed_ingress_may_have_a_terminator_that_nobody_named() -> None:
    """Then it is the internet that is let in, as before there was a word for terminators."""
    decided = plan(
        devices={"proxy": {"vlan": "services", "address": 50, "listens": [80]}},
        ingress={
            "manage": "observe",
            "host": "proxy",
            "tls": "upstream",
            "audiences": {"internet": {"port": 80}},
        },
        stacks={
            "web": stack(app=service(listens=[80], publishes={"80": 8080}, route=route("www", "internet")))
        },
    )
    assert edge(decided).carriers == {}
    into = [str(flow.source) for flow in decided.flows if flow.target.endpoint == Endpoint("ingress")]
    assert into == ["internet"]


def test_a_tunnel_needs_no_rule_of_its_guest() -> None:
    """Its packets never leave the host, so the Proxmox firewall lets nobody in for it."""
    decided = plan(
        guests={"docker-1": guest(address=11, runs="docker")},
        ingress=ingress(audiences={"internet": {"port": 80}}, tls="tunnel", tunnel="service:web/tunnel"),
        stacks={
            "web": stack(
                app=service(listens=[80], route=route("www", "internet")), tunnel=service(needs=["internet"])
            )
        },
    )
    (host,) = decided.guests
    assert [r for r in host.rules if r.port == "80"] == []
    assert [r for r in decided.guards[0].rules if r.way == "in"] == []


def test_the_chain_of_an_audience_is_in_order() -> None:
    """Headers, compression, rate limit, intrusion prevention, and then what the audience names."""
    decided = routed(
        ingress=ingress(
            audiences={"tailnet": {"port": 8443, "middlewares": ["at-home"]}},
            rate_limit=9,
            ips={"endpoint": "service:web/app", "port": 80, "key": "crowdsec-key"},
            middlewares={"at-home": {"allow": ["10.10.20.0/24"]}},
        )
    )
    (entry,) = edge(decided).entry_points
    assert entry.middlewares == ("secure-headers", "compression", "rate-limit", "crowdsec", "at-home")
    assert edge(decided).crowdsec == CrowdsecPlan(
        address="10.144.0.3:80", key_file="/run/homelab/secrets/crowdsec-key"
    )
    assert SecretRef("crowdsec-key") in decided.secrets


def test_a_built_in_middleware_may_be_replaced() -> None:
    """A middleware with the name of a built-in one is it, in the built-in one's place."""
    decided = routed(ingress=ingress(middlewares={"secure-headers": {"headers": {"hsts": 60}}}))
    assert edge(decided).middlewares["secure-headers"] == HeadersPlan(hsts=60)
    assert edge(decided).entry_points[0].middlewares == ("secure-headers", "compression")
