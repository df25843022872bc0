"""The resolver inside: the names it answers, who may ask it, and where its files go."""

from typing import Any

import pytest

from lab.plan.records import LabPlan, ResolverPlan
from tests.support.builders import guest, ingress, plan, route, service, stack

INSIDE = {"software": "bind9", "endpoint": "guest:dns"}


def lab(inside: dict[str, Any] | None = None, **sections: Any) -> LabPlan:
    """A lab with a router, a resolver on a guest, and one route for the internet."""
    return plan(
        **{
            "tailnet": {},
            "guests": {"docker-1": guest(address=11, runs="docker"), "dns": guest(address=53)},
            "devices": {"tv": {"vlan": "services", "address": 50}},
            "ingress": ingress(audiences={"internet": {"port": 443}, "tailnet": {"port": 8443}}),
            "stacks": {"web": stack(app=service(listens=[80], route=route("www", "internet")))},
            "dns": {
                "provider": "cloudflare",
                "address": "203.0.113.7",
                "internal": {**INSIDE, **(inside or {})},
            },
            **sections,
        }
    )


def resolver(decided: LabPlan) -> ResolverPlan:
    """The resolver of a plan."""
    assert decided.dns.resolver is not None
    return decided.dns.resolver


def names(decided: LabPlan) -> dict[str, str]:
    """What each name leads to inside."""
    return {name.name: name.address for name in resolver(decided).names}


def test_every_machine_and_every_route_has_a_name() -> None:
    """Nodes, guests and devices answer with their addresses, a route with that of the ingress."""
    assert names(lab()) == {
        "dns.lab.example": "10.10.20.53",
        "docker-1.lab.example": "10.10.20.11",
        "pve.lab.example": "10.10.20.2",
        "tv.lab.example": "10.10.20.50",
        "www.lab.example": "10.10.20.11",
    }


def test_a_name_leads_elsewhere_inside_than_outside() -> None:
    """Split horizon: the internet goes to the public address, the lab straight to the ingress."""
    decided = lab()
    assert [r.content for r in decided.dns.records] == ["203.0.113.7"]
    assert names(decided)["www.lab.example"] == "10.10.20.11"


def test_a_name_that_is_not_published_is_answered_inside() -> None:
    """Without a public record a route is still found by those inside."""
    stacks = {"web": stack(app=service(listens=[80], route=route("www", dns="none")))}
    decided = lab(stacks=stacks)
    assert decided.dns.records == ()
    assert "www.lab.example" in names(decided)


def test_a_machine_with_a_leased_address_has_no_name() -> None:
    """Nobody knows in the morning what it is called at night."""
    assert "tv.lab.example" not in names(lab(devices={"tv": {"vlan": "services"}}))


def test_a_route_comes_before_a_machine_of_its_name() -> None:
    """What people type leads to the ingress; that the machine lost its name is said."""
    stacks = {"web": stack(app=service(listens=[80], route=route("dns", "internet")))}
    decided = lab(stacks=stacks)
    assert names(decided)["dns.lab.example"] == "10.10.20.11"
    assert [w.path for w in decided.warnings] == ["lab.guests.dns"]
    assert "does not lead to guest:dns" in decided.warnings[0].problem


def test_a_route_may_be_called_as_the_machine_that_it_leads_to() -> None:
    """Whoever gives both one name means that; nothing has to be renamed."""
    machine = guest(address=12, listens=[443], route=route("siem", "internet"))
    guests = {"docker-1": guest(address=11, runs="docker"), "dns": guest(address=53), "siem": machine}
    decided = lab(guests=guests)
    assert names(decided)["siem.lab.example"] == "10.10.20.11"
    assert decided.warnings == ()


def test_one_name_for_one_address_is_no_conflict() -> None:
    """A guest that is the ingress may be called as one of its routes."""
    stacks = {"web": stack(app=service(listens=[80], route=route("docker-1", "internet")))}
    assert lab(stacks=stacks).warnings == ()


def test_the_segments_may_ask() -> None:
    """Everybody who is on a segment of the lab, and nobody else."""
    assert resolver(lab()).asked_from == ("10.10.20.0/24",)


@pytest.mark.parametrize(
    ("endpoint", "found_at"), [("guest:dns", "dns.lab.example"), ("service:dns/bind", "docker-1.lab.example")]
)
def test_it_is_found_at_its_machine(endpoint: str, found_at: str) -> None:
    """A guest is its own machine, a service is found at its host."""
    published = {"53/udp": 53, "53": 53}
    stacks = {"dns": stack(bind=service(listens=["53/udp", 53], publishes=published))}
    found = resolver(lab({"endpoint": endpoint}, stacks=stacks))
    assert (found.name, found.address) == (found_at, names(lab())[found_at])


def test_containers_of_its_own_host_may_ask_too() -> None:
    """They come under the gateway's address of the resolver's network, because Docker masquerades them."""
    published = {"53/udp": 53, "53": 53}
    stacks = {"dns": stack(bind=service(listens=["53/udp", 53], publishes=published))}
    decided = lab({"endpoint": "service:dns/bind"}, stacks=stacks)
    gateways = {n.gateway for s in decided.stacks for n in s.networks}
    assert gateways <= set(resolver(decided).asked_from)


def test_its_zone_follows_from_the_domain() -> None:
    """What is not said is the lab's domain; for other software nobody knows."""
    assert resolver(lab()).zone == "lab.example"
    assert resolver(lab({"zone": "home.arpa"})).zone == "home.arpa"
    other = resolver(lab({"software": "other"}))
    assert (other.zone, other.names, other.folder) == (None, (), "")
