"""Public names: which records there are, in which zone, and where each leads."""

from typing import Any

import pytest

from lab.errors import PlanError
from lab.names import owned_comment
from lab.plan.records import DnsRecordPlan, LabPlan
from tests.support.builders import ingress, plan, route, service, stack

TUNNEL = "2f5d8d58-5d8a-4d0a-9b3a-7f2f1d6c0a11"
ROUTES = {"www": route("www", "internet"), "admin": route("admin")}


def lab(routes: dict[str, Any] = ROUTES, *, edge: dict[str, Any] | None = None, **dns: Any) -> LabPlan:
    """A lab with one service for each route, and these keys under dns."""
    services = {name: service(listens=[80], route=part) for name, part in routes.items()}
    services |= {"cloudflared": service(egress=True)} if edge else {}
    entries = {"tailnet": {"port": 8443}, "internet": {"port": 443}}
    return plan(
        tailnet={},
        ingress=ingress(audiences=entries, **(edge or {})),
        stacks={"web": stack(**services)},
        dns={"provider": "cloudflare", **dns},
    )


def records(routes: dict[str, Any] = ROUTES, **dns: Any) -> dict[str, tuple[str, str, bool]]:
    """What each name leads to: the record's type and content, and whether it is proxied."""
    return {r.name: (r.type, r.content, r.proxied) for r in lab(routes, **dns).dns.records}


def refused(routes: dict[str, Any] = ROUTES, **dns: Any) -> str:
    """Why a lab cannot be planned."""
    with pytest.raises(PlanError) as caught:
        lab(routes, **dns)
    return str(caught.value)


def test_every_host_name_is_one_record() -> None:
    """A host name with two routes is one record, at the ingress' address."""
    routes = {**ROUTES, "api": route("admin", path="/api")}
    assert records(routes) == {
        "admin.lab.example": ("A", "10.10.20.11", False),
        "www.lab.example": ("A", "10.10.20.11", False),
    }


def test_only_internet_routes_are_proxied() -> None:
    """Cloudflare stands in front of routes for the internet, never of those for the tailnet."""
    found = records(mode="proxied")
    assert (found["www.lab.example"][2], found["admin.lab.example"][2]) == (True, False)


def test_internet_routes_lead_to_the_address_that_the_internet_sees() -> None:
    """Behind a router the internet finds the ingress at another address than the lab does."""
    found = records(address="203.0.113.7")
    assert found["www.lab.example"][1] == "203.0.113.7"
    assert found["admin.lab.example"][1] == "10.10.20.11"


def test_a_tunnel_is_a_name_of_cloudflares() -> None:
    """A tunnelled name is a proxied CNAME to the tunnel's own name."""
    assert records(mode="tunnel", tunnel=TUNNEL)["www.lab.example"] == (
        "CNAME",
        f"{TUNNEL}.cfargotunnel.com",
        True,
    )


def test_where_the_ingress_is_behind_a_tunnel_so_are_its_names() -> None:
    """TLS that ends in the tunnel needs no other word for the records of internet routes."""
    edge = {"tls": "tunnel", "tunnel": "service:web/cloudflared"}
    found = {r.name: r.type for r in lab(edge=edge, tunnel=TUNNEL).dns.records}
    assert found == {"admin.lab.example": "A", "www.lab.example": "CNAME"}


def test_a_route_may_say_otherwise() -> None:
    """What a route says of its own name comes before what the lab says of all."""
    routes = {"www": route("www", "internet", dns="direct"), "admin": route("admin", dns="none")}
    assert records(routes, mode="proxied") == {"www.lab.example": ("A", "10.10.20.11", False)}


def test_there_may_be_no_records() -> None:
    """Without public records nothing of the lab is in the zone, but what a route asks for itself."""
    assert records(records="none") == {}
    assert records(provider="none") == {}
    routes = {**ROUTES, "blog": route("blog", "internet", dns="proxied")}
    assert records(routes, records="none") == {"blog.lab.example": ("A", "10.10.20.11", True)}


def test_one_record_may_stand_for_all() -> None:
    """A wildcard record hides which names there are."""
    assert records(records="wildcard") == {"*.lab.example": ("A", "10.10.20.11", False)}


def test_a_name_that_the_wildcard_misses_has_a_record_of_its_own() -> None:
    """The one record is below the lab's domain; a name elsewhere is not covered by it."""
    routes = {**ROUTES, "blog": route("blog.example.org", "internet")}
    found = records(routes, records="wildcard", zones=["example.org"])
    assert set(found) == {"*.lab.example", "blog.example.org"}


def test_one_proxied_record_for_all_is_for_the_internet_only() -> None:
    """One record cannot lead some visitors through Cloudflare and others not."""
    assert "which is for tailnet" in refused(records="wildcard", mode="proxied")
    routes = {"www": route("www", "internet")}
    assert records(routes, records="wildcard", mode="proxied") == {
        "*.lab.example": ("A", "10.10.20.11", True)
    }


def test_a_name_goes_to_the_longest_zone_that_holds_it() -> None:
    """A zone may lie in another, and the inner one is asked for its names."""
    routes = {
        "inner": route("a.sub.example.org", "internet"),
        "outer": route("a.example.org", "internet"),
        "own": route("www", "internet"),
        "not-inner": route("asub.example.org", "internet"),
    }
    found = lab(routes, zones=["example.org", "sub.example.org"]).dns.records
    assert {r.name: r.zone for r in found} == {
        "a.example.org": "example.org",
        "a.sub.example.org": "sub.example.org",
        "asub.example.org": "example.org",
        "www.lab.example": "lab.example",
    }


def test_who_may_sign_is_said_in_the_zone_of_each_name() -> None:
    """Each base name of the certificate has its CAA records in the zone that holds it."""
    routes = {"own": route("www", "internet"), "other": route("a.example.org", "internet")}
    decided = plan(
        tailnet={},
        ingress=ingress(audiences={"internet": {"port": 443}}),
        stacks={"web": stack(**{name: service(listens=[80], route=part) for name, part in routes.items()})},
        dns={"provider": "cloudflare", "zones": ["example.org"]},
        certificate={"names": ["*.lab.example", "*.example.org"]},
    )
    assert decided.certificate is not None
    assert [(r.name, r.zone, r.content) for r in decided.certificate.caa] == [
        ("example.org", "example.org", "issue letsencrypt.org"),
        ("example.org", "example.org", "issuewild letsencrypt.org"),
        ("lab.example", "lab.example", "issue letsencrypt.org"),
        ("lab.example", "lab.example", "issuewild letsencrypt.org"),
    ]


def test_every_record_says_whose_it_is() -> None:
    """The comment begins with the environment, and fits what a free plan holds."""
    assert {r.comment for r in lab().dns.records} == {
        "homelab/test: route to service:web/admin",
        "homelab/test: route to service:web/www",
    }
    assert len(owned_comment("test", "a" * 200)) == 100


def test_removing_a_route_removes_its_record_and_no_other() -> None:
    """What is left is what it was, to the letter."""
    before: tuple[DnsRecordPlan, ...] = lab().dns.records
    after = lab({"admin": ROUTES["admin"]}).dns.records
    assert set(before) - set(after) == {r for r in before if r.name == "www.lab.example"}
    assert set(after) <= set(before)
