"""The guard and the edge: how routes and audiences pass it, wherever Traefik and the tailnet's routers are."""

from typing import Any

import pytest

from lab.plan.records import LabPlan
from tests.support.builders import TAILSCALE, guest, ingress, plan, route, service, stack
from tests.support.guards import accepted

TWO_HOSTS = {"docker-1": guest(address=11, runs="docker"), "docker-2": guest(address=12, runs="docker")}
VLANS = {
    "services": {"id": 20, "subnet": "10.10.20.0/24"},
    "iot": {"id": 30, "subnet": "10.10.30.0/24"},
}
BEHIND_AUDIENCE = "within ingress@edge-000 -> web/app@edge-000 80/tcp"


def edge(*audience: str, **changes: Any) -> LabPlan:
    """A lab with one routed service and three ways in."""
    ports = {"tailnet": {"port": 8443}, "internet": {"port": 443}, "iot": {"port": 444}}
    sections: dict[str, Any] = {
        "vlans": VLANS,
        "tailnet": {},
        "ingress": ingress(audiences=ports),
        "stacks": {"web": stack(app=service(listens=[80], route=route("www", *audience)))},
    }
    return plan(**{**sections, **changes})


@pytest.mark.parametrize(
    ("audience", "source", "port"),
    [("iot", "10.10.30.0/24", 444), ("internet", "internet", 443)],
)
def test_an_audience_comes_in_at_its_own_port(audience: str, source: str, port: int) -> None:
    """A segment and the internet reach the host's address at their entry, and no other one."""
    assert accepted(edge(audience)) == {f"in {source} -> 10.10.20.11 {port}/tcp", BEHIND_AUDIENCE}


def test_a_routed_service_meets_traefik_on_its_slot() -> None:
    """Traefik reaches each service on the slot of the two, and neither reaches the other's."""
    routed = {name: service(listens=[80], route=route(name)) for name in ("app", "ui")}
    decided = edge(stacks={"web": stack(**routed)})
    assert accepted(decided) == {BEHIND_AUDIENCE, "within ingress@edge-001 -> web/ui@edge-001 80/tcp"}


def test_a_route_to_another_host_leaves_by_the_front() -> None:
    """Traefik goes out to the port that was given out for the route, and the other host lets its host in."""
    decided = edge(
        guests=TWO_HOSTS, stacks={"web": stack("docker-2", app=service(listens=[80], route=route("www")))}
    )
    assert accepted(decided) == {"out ingress@vnet-front -> 10.10.20.12 20000/tcp"}
    assert accepted(decided, "docker-2") == {"in 10.10.20.11 -> 10.10.20.12 20000/tcp"}


def test_a_route_to_a_guest_leaves_by_the_front() -> None:
    """A guest is reached at its own port; no guard is on it."""
    guests = {**TWO_HOSTS, "siem": guest(address=30, listens=[443], route=route("siem"))}
    assert accepted(edge(guests=guests, stacks={})) == {"out ingress@vnet-front -> 10.10.20.30 443/tcp"}


def test_a_route_to_the_ingress_own_host_stays_on_it() -> None:
    """The same for the machine that Traefik runs on, whose packets never leave it."""
    guests = {"docker-1": guest(address=11, runs="docker", listens=[9090], route=route("console"))}
    assert accepted(edge(guests=guests, stacks={})) == {"local ingress@vnet-front -> 10.10.20.11 9090/tcp"}


def test_forward_authentication_is_asked_on_a_slot() -> None:
    """Traefik reaches whom it asks for permission, at the port that the software listens on."""
    signs_in = service(listens=[9091], route=route("auth"))
    found = accepted(
        edge(
            ingress=ingress(auth={"kind": "authelia", "endpoint": "service:sign-in/authelia"}),
            stacks={"sign-in": stack(authelia=signs_in)},
        )
    )
    assert "within ingress@edge-000 -> sign-in/authelia@edge-000 9091/tcp" in found


TAILNET_TO = {
    "a container on the ingress' host": (
        {"stacks": {"way": {"host": "docker-1", "tailscale": {"advertise": "ingress", "image": TAILSCALE}}}},
        {"local way/router@out-way-router -> 10.10.20.11 8443/tcp"},
        set(),
    ),
    "a container on another host": (
        {"stacks": {"way": {"host": "docker-2", "tailscale": {"advertise": "ingress", "image": TAILSCALE}}}},
        {"in 10.10.20.12 -> 10.10.20.11 8443/tcp"},
        {"out way/router@out-way-router -> 10.10.20.11 8443/tcp"},
    ),
    "a guest": (
        {"guests": {**TWO_HOSTS, "far": guest(address=13, tailscale={"advertise": "ingress"})}},
        {"in 10.10.20.13 -> 10.10.20.11 8443/tcp"},
        set(),
    ),
    "a node": (
        {"nodes": {"pve": {"address": "10.10.20.2", "tailscale": {"advertise": "ingress"}}}},
        {"in 10.10.20.2 -> 10.10.20.11 8443/tcp"},
        set(),
    ),
}


@pytest.mark.parametrize("router", TAILNET_TO)
def test_the_tailnet_comes_in_where_its_router_is(router: str) -> None:
    """Users of the tailnet appear under their subnet router's address, or come from its container."""
    changes, here, there = TAILNET_TO[router]
    web = {"web": stack(app=service(listens=[80], route=route("www")))}
    decided = edge(**{"guests": TWO_HOSTS, **changes, "stacks": {**web, **changes.get("stacks", {})}})
    found = {text for guard in decided.guards for text in accepted(decided, guard.host) if "8443" in text}
    assert found == here | there
    assert here <= accepted(decided)


def test_a_tailnet_flow_goes_through_the_router_to_a_segment() -> None:
    """A declared flow of the tailnet lets the router's container out to it."""
    router = {"host": "docker-1", "tailscale": {"advertise": "vlan:iot", "image": TAILSCALE}}
    decided = plan(
        vlans=VLANS,
        tailnet={},
        stacks={"way": router},
        flows=[{"from": "tailnet", "to": "vlan:iot:8000-8010", "because": "a test"}],
    )
    assert "out way/router@out-way-router -> 10.10.30.0/24 8000-8010/tcp" in accepted(decided)
