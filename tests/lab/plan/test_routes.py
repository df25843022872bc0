"""Routes, certificates and public names: where a visitor comes in and ends up."""

from typing import Any

import pytest

from lab.names import certifies
from lab.plan.records import IngressPlan, LabPlan, RoutePlan
from tests.support.builders import guest, ingress, plan, route, service, stack


def edge(decided: LabPlan) -> IngressPlan:
    """The ingress of a plan."""
    assert decided.ingress is not None
    return decided.ingress


def routed(**changes: Any) -> LabPlan:
    """A lab with one routed service."""
    sections: dict[str, Any] = {
        "tailnet": {},
        "ingress": ingress(),
        "stacks": {"web": stack(app=service(listens=[80], route=route("www")))},
    }
    return plan(**{**sections, **changes})


def only(decided: LabPlan) -> RoutePlan:
    """The one route of a plan."""
    (found,) = edge(decided).routes
    return found


@pytest.mark.parametrize(
    ("name", "host", "covered"),
    [
        ("*.lab.example", "vault.lab.example", True),
        ("*.lab.example", "a.vault.lab.example", False),
        ("*.lab.example", "lab.example", False),
        ("*.lab.example", "vault.lab.example.org", False),
        ("lab.example", "lab.example", True),
        ("lab.example", "vault.lab.example", False),
    ],
)
def test_a_wildcard_covers_one_level(name: str, host: str, covered: bool) -> None:
    """A wildcard covers exactly one label, and any other name only itself."""
    assert certifies(name, host) is covered


@pytest.mark.parametrize(
    ("host", "full"),
    [
        ("vault", "vault.lab.example"),
        ("lab.example", "lab.example"),
        ("www.other.example", "www.other.example"),
    ],
)
def test_a_host_is_below_the_domain_unless_it_is_whole(host: str, full: str) -> None:
    """A single label is a name of the lab; a name with a dot is kept."""
    decided = routed(stacks={"web": stack(app=service(listens=[80], route=route(host)))})
    assert only(decided).host == full


def test_a_route_leads_to_the_edge_slot() -> None:
    """Traefik sends requests to the address that the service has on the slot that the two share."""
    found = only(routed())
    assert (found.url, str(found.target), str(found.port)) == (
        "http://10.144.0.3:80",
        "service:web/app",
        "80/tcp",
    )


def test_a_route_to_another_host_is_a_published_port() -> None:
    """A service of another Docker host publishes one port for the ingress, and the route leads to it."""
    decided = routed(
        guests={"docker-1": guest(address=11, runs="docker"), "docker-2": guest(address=12, runs="docker")},
        stacks={"web": stack("docker-2", app=service(listens=[80], route=route("www")))},
    )
    found = only(decided)
    assert (found.url, str(found.port)) == ("http://10.10.20.12:20000", "80/tcp")
    (published,) = decided.stacks[0].services[0].published
    assert (published.internal, published.external, published.address) == (80, 20000, "10.10.20.12")


def test_a_port_that_is_published_anyway_is_used() -> None:
    """Where the routed port is published already, no second one is opened."""
    decided = routed(
        guests={"docker-1": guest(address=11, runs="docker"), "docker-2": guest(address=12, runs="docker")},
        stacks={
            "web": stack("docker-2", app=service(listens=[80], publishes={"80": 8080}, route=route("www")))
        },
    )
    assert only(decided).url == "http://10.10.20.12:8080"
    assert [port.external for port in decided.stacks[0].services[0].published] == [8080]


def test_a_guest_without_docker_is_routed_to_its_address() -> None:
    """A route of a guest leads to the guest itself, by the scheme that it speaks."""
    siem = guest(address=30, listens=[443], route=route("siem", scheme="https", verify="no"))
    decided = routed(guests={"docker-1": guest(address=11, runs="docker"), "siem": siem}, stacks={})
    assert only(decided).url == "https://10.10.20.30:443"


def test_a_group_without_an_entry_is_its_members() -> None:
    """A named group of audiences stands for its members, unless it has an entry of its own."""
    audiences = {"family": ["tailnet", "services"]}
    entries = {"tailnet": {"port": 8443}, "services": {"port": 443}}
    stacks = {"web": stack(app=service(listens=[80], route=route("www", "family")))}
    members = routed(audiences=audiences, ingress=ingress(audiences=entries), stacks=stacks)
    assert only(members).audiences == ("tailnet", "services")
    own = routed(audiences=audiences, ingress=ingress(audiences={"family": {"port": 8443}}), stacks=stacks)
    assert only(own).audiences == ("family",)


AUTH = {"kind": "authelia", "endpoint": "service:sign-in/authelia", "default": "two-factor"}


def test_authentication_is_asked_unless_a_route_says_none() -> None:
    """A route that says nothing gets the ingress' default, and one that says none is open."""
    decided = routed(
        ingress=ingress(auth=AUTH),
        stacks={
            "sign-in": stack(authelia=service(listens=[9091], route=route("auth", auth="none"))),
            "web": stack(
                app=service(listens=[80], route=route("www")),
                api=service(listens=[80], route=route("api", auth="one-factor")),
            ),
        },
    )
    assert {r.host.partition(".")[0]: r.auth for r in edge(decided).routes} == {
        "auth": "none",
        "www": "two-factor",
        "api": "one-factor",
    }
    assert edge(decided).auth_url == "http://10.144.0.3:9091/api/authz/forward-auth"


def test_authentication_may_be_a_guest_s() -> None:
    """Forward authentication that runs on a guest is asked at the guest's address, at its own port."""
    decided = routed(ingress=ingress(auth={"kind": "authentik", "endpoint": "guest:docker-1", "port": 9443}))
    assert edge(decided).auth_url == "http://10.10.20.11:9443/outpost.goauthentik.io/auth/traefik"


def test_traefik_publishes_one_port_for_each_audience() -> None:
    """Each audience has its own port on the ingress host's address, and nothing else is published."""
    decided = routed(ingress=ingress(audiences={"tailnet": {"port": 8443}, "internet": {"port": 443}}))
    traefik = edge(decided).service
    assert traefik is not None
    assert sorted((p.external, p.internal, p.address) for p in traefik.published) == [
        (443, 443, "10.10.20.11"),
        (8443, 8443, "10.10.20.11"),
    ]
    assert (traefik.docker_socket, traefik.read_only) == (False, True)


def test_a_certificate_name_may_be_short() -> None:
    """A single label among the certificate's names is below the domain, for coverage and in the request alike."""
    decided = routed(
        certificate={"names": ["www", "*.other.example"]},
        dns={"provider": "cloudflare", "zones": ["other.example"]},
    )
    assert decided.certificate is not None
    assert decided.certificate.names == ("www.lab.example", "*.other.example")
    assert only(decided).covered_by == "www.lab.example"
