"""Requests that the ingress passes on: by which route, for whom, and never by another port."""

from typing import Any

from lab.flows import Endpoint, Port
from lab.isolation import Proof, Verdict
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


def test_a_foreign_router_leaves_it_open() -> None:
    """Whether the internet gets to the entry point is not ours to know, so neither is what is passed on."""
    lab = proof(
        router={"kind": "unifi"},
        guests={"docker-1": guest(address=11, runs="docker")},
        stacks={"web": stack(app=service(listens=[80], route=route("www", "internet")))},
        ingress=ingress(audiences={"internet": {"port": 443}}),
    )
    assert "internet -> www.lab.example -> service:web/app:80/tcp cannot tell" in told(lab)
