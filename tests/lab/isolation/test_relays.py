"""Requests that the ingress passes on: by which route, for whom, and never by another port."""

from dataclasses import replace
from typing import Any

import pytest

from lab.flows import Endpoint, Port
from lab.isolation import Proof, Verdict, prove
from lab.isolation.findings import findings
from lab.isolation.limits import limits_of
from lab.isolation.relays import relays
from tests.support.builders import guest, ingress, route, service, stack
from tests.support.proofs import IOT, SERVICES, proof, small_lab


def told(found: Proof) -> set[str]:
    """Each request that is passed on, or may be."""
    return {
        f"{r.source} -> {r.route.host}{r.route.path or ''} -> {r.target}:{r.port} {r.path.verdict}"
        for r in relays(found, found.openings.sources)
    }


def web(**changes: Any) -> Proof:
    """A web front with the given route, for the segment."""
    return proof(
        vlans={"services": SERVICES, "iot": IOT},
        stacks={"web": stack(app=service(listens=[80, 9090], **changes))},
        ingress=ingress(audiences={"services": {"port": 443}, "iot": {"port": 8443}}),
        router={"kind": "none"},
    )


def test_an_audience_is_passed_on() -> None:
    """Whoever is on the segment of the audience gets to the web front, nobody else does."""
    found = {line for line in told(web(route=route("www", "services", port=80))) if "docker-1" not in line}
    end = "www.lab.example -> service:web/app:80/tcp yes"
    assert found == {f"vlan:services -> {end}", f"node:pve -> {end}"}


def test_another_audience_is_not() -> None:
    """A route for one segment passes on nothing from the other, although both get to the ingress."""
    lab = web(routes=[route("www", "services", port=80), route("metrics", "iot", port=9090)])
    assert not any(line.startswith("vlan:iot -> www") for line in told(lab))
    app, port = Endpoint("service", "web/app"), Port(80)
    assert {way.verdict for way in lab.reach.relayed(Endpoint("vlan", "iot"), app, port)} == {Verdict.no}
    assert {way.verdict for way in lab.reach.relayed(Endpoint("vlan", "services"), app, port)} == {
        Verdict.yes
    }
    assert not any(line.startswith("vlan:services -> metrics") for line in told(lab))


def test_two_routes_to_one_port_are_two() -> None:
    """Each route is told by itself, with what it asks for."""
    lab = web(routes=[route("www", "services", port=80), route("www", "services", port=80, path="/api")])
    hosts = {f"{r.route.host}{r.route.path or ''}" for r in relays(lab, lab.openings.sources)}
    assert hosts == {"www.lab.example", "www.lab.example/api"}


def test_the_legs_go_by_the_ingress() -> None:
    """A request goes into the ingress, is passed on, and goes on from there; each leg says why."""
    lab = web(route=route("www", "services", port=80))
    found = next(r for r in relays(lab, lab.openings.machines) if str(r.source) == "vlan:services")
    assert [str(step) for step in found.path.through] == ["ingress"]
    assert any("Traefik passes www.lab.example on by route web-app" in leg.reason for leg in found.path.legs)
    assert found.path.verdict is Verdict.yes


def test_where_nothing_is_served_nothing_is_passed_on() -> None:
    """A lab without an ingress relays nothing."""
    assert told(small_lab(ingress=None, stacks={"web": stack(app=service(listens=[80]))})) == set()


UPSTREAM = ingress(audiences={"internet": {"port": 80}}, tls="upstream", trusted_upstreams=["10.10.20.50"])
TUNNEL = ingress(audiences={"internet": {"port": 80}}, tls="tunnel", tunnel="service:web/tunnel")


def carried(how: dict[str, Any], **sections: Any) -> Proof:
    """A web front for the internet, which has no way of its own to the ingress."""
    members = {
        "app": service(listens=[80], route=route("www", "internet")),
        "tunnel": service(needs=["internet"]),
        "db": service(listens=[5432]),
    }
    return proof(
        **{
            "guests": {"docker-1": guest(address=11, runs="docker")},
            "devices": {"box": {"vlan": "services", "address": 50}},
            "router": {"kind": "none"},
            "stacks": {"web": stack(**members)},
            "ingress": how,
            **sections,
        }
    )


@pytest.mark.parametrize(("how", "who"), [(UPSTREAM, "device:box"), (TUNNEL, "service:web/tunnel")])
def test_the_internet_s_requests_are_brought_by_who_ends_their_tls(how: dict[str, Any], who: str) -> None:
    """No packet of the internet gets to Traefik, and yet a visitor from there gets to the service, by name."""
    lab = carried(how)
    assert lab.answer(Endpoint("internet"), Endpoint("ingress"), Port(80)).verdict is Verdict.no
    assert "internet -> www.lab.example -> service:web/app:80/tcp yes" in told(lab)
    (best, *_) = lab.reach.relayed(Endpoint("internet"), Endpoint("service", "web/app"), Port(80))
    assert best.legs[0].reason == f"{who} passes on what the internet asks it for"
    assert not any(line.startswith("internet -> www.lab.example -> service:web/db") for line in told(lab))


@pytest.mark.parametrize("how", [UPSTREAM, TUNNEL])
def test_a_sentence_about_the_internet_counts_what_is_brought(how: dict[str, Any]) -> None:
    """`internet does not reach` is violated by a route for it, however its requests come."""
    sentence = {"from": "internet", "to": "service:web/app", "reach": "no", "because": "it is private"}
    (outcome,) = carried(how, expect=[sentence]).expectations
    assert outcome.verdict is Verdict.no


@pytest.mark.parametrize("how", [UPSTREAM, TUNNEL])
def test_a_lab_with_a_terminator_has_no_closed_flow(how: dict[str, Any]) -> None:
    """Nobody is said to be let in who is not: the internet has no flow to the ingress."""
    lab = carried(how, router={"kind": "node"})
    assert not [f for f in findings(lab) if f.kind in ("blocked-flow", "layers-disagree")]


def test_who_brings_them_may_be_nobody_s_to_know() -> None:
    """An ingress that is only observed need not name its terminator; nobody can tell then."""
    seen = {"manage": "observe", "host": "proxy", "tls": "upstream", "audiences": {"internet": {"port": 80}}}
    app = service(listens=[80], publishes={"80": 8080}, route=route("www", "internet"))
    lab = carried(
        seen,
        devices={"proxy": {"vlan": "services", "address": 50, "listens": [80]}},
        stacks={"web": stack(app=app)},
    )
    assert "internet -> www.lab.example -> service:web/app:80/tcp cannot tell" in told(lab)


@pytest.mark.parametrize(("how", "who"), [(UPSTREAM, "device:box"), (TUNNEL, "service:web/tunnel")])
def test_the_proof_says_that_it_rests_on_them(how: dict[str, Any], who: str) -> None:
    """What they pass on is nobody's rule here."""
    assert f"taken to pass on whatever the internet asks for: {who}" in limits_of(carried(how).plan)
    assert not any(
        "taken to pass on" in line for line in limits_of(web(route=route("www", "services", port=80)).plan)
    )


def test_nobody_else_is_brought() -> None:
    """A terminator speaks for the internet alone, and a closed one for nobody."""
    lab = carried(
        UPSTREAM,
        devices={"box": {"vlan": "services", "address": 50}, "tv": {"vlan": "services", "address": 51}},
    )
    assert not any(line.startswith("device:tv ->") for line in told(lab))
    shut = replace(lab.plan, guards=tuple(replace(guard, rules=()) for guard in lab.plan.guards))
    assert not any(line.startswith("internet ->") for line in told(prove(shut)))


def test_a_foreign_router_leaves_it_open() -> None:
    """Whether the internet gets to the entry point is not ours to know, so neither is what is passed on."""
    lab = proof(
        router={"kind": "unifi"},
        guests={"docker-1": guest(address=11, runs="docker")},
        stacks={"web": stack(app=service(listens=[80], route=route("www", "internet")))},
        ingress=ingress(audiences={"internet": {"port": 443}}),
    )
    assert "internet -> www.lab.example -> service:web/app:80/tcp cannot tell" in told(lab)
