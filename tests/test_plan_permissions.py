"""Who may talk to whom: declared, needed, routed and derived, and the rules that guests get of it."""

from typing import Any

import pytest

from lab.plan.records import LabPlan, RulePlan
from tests.support.builders import TAILSCALE, guest, ingress, plan, route, service, stack

DERIVED_FOR_A_GUEST = {
    "guest:docker-1 -> internet:443/tcp",
    "guest:docker-1 -> internet:53/udp",
    "guest:docker-1 -> internet:123/udp",
    "operator -> guest:docker-1:22/tcp",
    "operator -> node:pve:8006/tcp",
}


def flows(decided: LabPlan) -> set[str]:
    """Every permission as text."""
    return {str(flow) for flow in decided.flows}


def rules(decided: LabPlan, name: str) -> set[tuple[str, str, str]]:
    """The rules of a guest as source, port and protocol."""
    (found,) = [g for g in decided.guests if g.name == name]
    return {(rule.source, rule.port, rule.protocol) for rule in found.rules}


def test_a_lab_without_flows_has_the_derived_ones_only() -> None:
    """Nothing is permitted but what would break without anybody having declared it."""
    decided = plan(stacks={"web": stack(app=service(listens=[80]), db=service(listens=[5432]))})
    assert flows(decided) == DERIVED_FOR_A_GUEST
    assert {flow.origin for flow in decided.flows} == {"derived"}


def test_an_observed_guest_derives_nothing() -> None:
    """A guest that is only observed is not given the permissions that we would need to set it up."""
    decided = plan(guests={"old": guest(address=11, manage="observe")})
    assert flows(decided) == {"operator -> node:pve:8006/tcp"}


def test_a_permission_is_for_every_pair_of_its_ends() -> None:
    """Several sources and targets are every pair of them, each with the reason."""
    decided = plan(
        devices={"tv": {"vlan": "services"}},
        flows=[
            {
                "from": ["device:tv", "vlan:services"],
                "to": ["internet:443", "guest:docker-1:80"],
                "because": "b",
            }
        ],
    )
    assert flows(decided) - DERIVED_FOR_A_GUEST == {
        "device:tv -> internet:443/tcp",
        "device:tv -> guest:docker-1:80/tcp",
        "vlan:services -> internet:443/tcp",
        "vlan:services -> guest:docker-1:80/tcp",
    }
    assert {flow.because for flow in decided.flows if flow.origin == "declared"} == {"b"}


def test_needs_are_permissions() -> None:
    """What a service needs it may reach, in its stack, in another and outside, and not the other way."""
    decided = plan(
        stacks={
            "web": stack(
                app=service(needs=["db:5432", "data/cache:6379", "internet:443"]), db=service(listens=[5432])
            ),
            "data": stack(cache=service(listens=[6379])),
        }
    )
    assert flows(decided) - DERIVED_FOR_A_GUEST == {
        "service:web/app -> service:web/db:5432/tcp",
        "service:web/app -> service:data/cache:6379/tcp",
        "service:web/app -> internet:443/tcp",
    }


def edge(*audience: str, **changes: Any) -> LabPlan:
    """A lab with one routed service, and four audiences."""
    ports = {
        "tailnet": {"port": 8443},
        "internet": {"port": 443},
        "family": {"port": 9443},
        "iot": {"port": 444},
    }
    sections: dict[str, Any] = {
        "vlans": {
            "services": {"id": 20, "subnet": "10.10.20.0/24"},
            "iot": {"id": 30, "subnet": "10.10.30.0/24"},
        },
        "tailnet": {},
        "audiences": {"family": ["tailnet", "iot"]},
        "ingress": ingress(audiences=ports),
        "stacks": {"web": stack(app=service(listens=[80], route=route("www", *audience)))},
    }
    return plan(**{**sections, **changes})


@pytest.mark.parametrize(
    ("audience", "ways_in"),
    [
        ("tailnet", {"tailnet -> ingress:8443/tcp"}),
        ("internet", {"internet -> ingress:443/tcp"}),
        ("iot", {"vlan:iot -> ingress:444/tcp"}),
        ("family", {"tailnet -> ingress:9443/tcp", "vlan:iot -> ingress:9443/tcp"}),
    ],
)
def test_a_route_lets_its_audience_in_and_nobody_else(audience: str, ways_in: set[str]) -> None:
    """The audience reaches its own entry of the ingress, and the ingress reaches the service."""
    found = flows(edge(audience)) - DERIVED_FOR_A_GUEST
    assert found == {"ingress -> service:web/app:80/tcp", *ways_in}


def test_an_audience_without_routes_reaches_nothing() -> None:
    """An entry that no route is meant for lets nobody in."""
    assert not [flow for flow in flows(edge("tailnet")) if flow.startswith(("internet", "vlan"))]


def test_a_certificate_lets_the_ingress_out() -> None:
    """Traefik reaches the certificate authority where there is a certificate to ask for, and only there."""
    assert "ingress -> internet:443/tcp" not in flows(edge("tailnet"))
    assert "ingress -> internet:443/tcp" in flows(edge("tailnet", certificate={"names": ["*.lab.example"]}))


@pytest.mark.parametrize(
    ("sections", "member"),
    [
        (
            {
                "stacks": {
                    "in": {"host": "docker-1", "tailscale": {"advertise": "ingress", "image": TAILSCALE}}
                }
            },
            "service:in/router",
        ),
        ({"nodes": {"pve": {"address": "10.10.20.2", "tailscale": {"advertise": "ingress"}}}}, "node:pve"),
        (
            {"guests": {"docker-1": guest(address=11, runs="docker", tailscale={"advertise": "ingress"})}},
            "guest:docker-1",
        ),
    ],
)
def test_a_subnet_router_reaches_the_control_plane(sections: dict[str, Any], member: str) -> None:
    """Whatever is a subnet router may reach Tailscale's services, wherever it runs."""
    found = flows(edge("tailnet", **{"stacks": {}, **sections}))
    assert {f"{member} -> internet:443/tcp", f"{member} -> internet:3478/udp"} <= found


def test_rules_name_addresses() -> None:
    """A guest accepts what flows to it, from the addresses of the source and at the port of the flow."""
    decided = plan(
        vlans={
            "services": {"id": 20, "subnet": "10.10.20.0/24"},
            "iot": {"id": 30, "subnet": "10.10.30.0/24"},
        },
        operator={"vlan": "services", "address": 5},
        guests={"siem": guest(address=30, listens=[1514])},
        devices={"tv": {"vlan": "iot", "address": 50}},
        flows=[
            {
                "from": ["device:tv", "vlan:iot", "nodes", "operator"],
                "to": "guest:siem:1514/udp",
                "because": "logs",
            },
            {"from": "internet", "to": "guest:siem:8000-8010", "because": "a range"},
            {"from": "vlan:iot", "to": "guest:siem", "because": "every port"},
        ],
    )
    assert rules(decided, "siem") == {
        ("10.10.30.50", "1514", "udp"),
        ("10.10.30.0/24", "1514", "udp"),
        ("10.10.20.2", "1514", "udp"),
        ("10.10.20.5", "1514", "udp"),
        ("", "8000:8010", "tcp"),
        ("10.10.30.0/24", "", ""),
    }
    assert {rule.comment for g in decided.guests for rule in g.rules} == {"logs", "a range", "every port"}


def test_guests_are_the_guests_and_not_their_segments() -> None:
    """`guests` as a source is the address of each guest, so that nothing else of their segments gets in."""
    decided = plan(
        guests={"a": guest(address=30), "b": guest(address=31), "siem": guest(address=32)},
        flows=[{"from": "guests", "to": "guest:siem:1514", "because": "logs"}],
    )
    assert rules(decided, "siem") == {("10.10.20.30", "1514", "tcp"), ("10.10.20.31", "1514", "tcp")}


def test_a_guest_speaks_from_all_its_addresses() -> None:
    """A guest in two segments is accepted from both of its addresses, because either may be the one it uses."""
    vlans = {"services": {"id": 20, "subnet": "10.10.20.0/24"}, "iot": {"id": 30, "subnet": "10.10.30.0/24"}}
    two = {"kind": "vm", "node": "pve", "vlans": {"services": 40, "iot": 41}}
    decided = plan(
        vlans=vlans,
        guests={"two": two, "siem": guest(address=30)},
        flows=[{"from": "guest:two", "to": "guest:siem:514", "because": "logs"}],
    )
    assert rules(decided, "siem") == {("10.10.20.40", "514", "tcp"), ("10.10.30.41", "514", "tcp")}


def test_a_set_is_its_members() -> None:
    """A set stands for its members as source and as target, and for the members of sets in it."""
    decided = plan(
        guests={"a": guest(address=30), "b": guest(address=31), "c": guest(address=32)},
        sets={"inner": ["guest:a"], "outer": ["set:inner", "guest:b"]},
        flows=[
            {"from": "set:outer", "to": "guest:c:80", "because": "a test"},
            {"from": "guest:c", "to": "set:outer:81", "because": "a test"},
        ],
    )
    assert rules(decided, "c") == {("10.10.20.30", "80", "tcp"), ("10.10.20.31", "80", "tcp")}
    assert rules(decided, "a") == rules(decided, "b") == {("10.10.20.32", "81", "tcp")}


def test_a_segment_is_opened_as_a_whole() -> None:
    """A flow to a VLAN is a rule of its zone, and not of the guests in it."""
    decided = plan(
        vlans={
            "services": {"id": 20, "subnet": "10.10.20.0/24"},
            "iot": {"id": 30, "subnet": "10.10.30.0/24"},
        },
        flows=[{"from": "vlan:iot", "to": "vlan:services:443", "because": "a test"}],
    )
    zones = {vlan.name: vlan.rules for vlan in decided.vlans}
    assert zones == {
        "iot": (),
        "services": (RulePlan(source="10.10.30.0/24", port="443", protocol="tcp", comment="a test"),),
    }
    assert not [rule for rule in decided.guests[0].rules if rule.comment == "a test"]


def test_the_ingress_host_accepts_audiences_at_their_ports() -> None:
    """The guest of the ingress accepts each audience at its entry, and tailnet users from their subnet router."""
    router = {"host": "docker-1", "tailscale": {"advertise": "ingress", "image": TAILSCALE}}
    guests = {
        "docker-1": guest(address=11, runs="docker"),
        "far": guest(address=12, tailscale={"advertise": "vlan:iot"}),
    }
    web = stack(app=service(listens=[80], route=route("www", "tailnet", "internet", "iot")))
    decided = edge(guests=guests, stacks={"web": web, "way-in": router})
    assert rules(decided, "docker-1") == {
        ("10.10.20.12", "8443", "tcp"),
        ("", "443", "tcp"),
        ("10.10.30.0/24", "444", "tcp"),
    }


def test_a_published_port_is_open_for_who_may_reach_the_service() -> None:
    """The guest of a service behind another host's ingress accepts just the ingress, at the published number."""
    decided = edge(
        guests={"docker-1": guest(address=11, runs="docker"), "docker-2": guest(address=12, runs="docker")},
        stacks={
            "web": stack("docker-2", app=service(listens=[80], route=route("www"))),
            "data": stack("docker-2", db=service(listens=[5432], publishes={"5432": 15432})),
            "job": stack(app=service(needs=["data/db:5432"])),
            "near": stack("docker-2", app=service(needs=["data/db:5432"])),
        },
    )
    assert rules(decided, "docker-2") == {("10.10.20.11", "20000", "tcp"), ("10.10.20.11", "15432", "tcp")}


def test_flows_are_told_once_and_in_order() -> None:
    """A permission that is declared twice is listed once, and the list is sorted."""
    flow = {"from": "vlan:services", "to": "internet:443", "because": "twice"}
    decided = plan(flows=[flow, flow])
    assert [str(f) for f in decided.flows].count("vlan:services -> internet:443/tcp") == 1
    assert [flow.source for flow in decided.flows] == sorted(flow.source for flow in decided.flows)


def test_an_operator_without_an_address_is_its_segment() -> None:
    """Where the operator's address is not said, its whole segment may reach what the operator may."""
    guests = {"docker-1": guest(address=11, runs="docker")}
    assert ("10.10.20.0/24", "22", "tcp") in rules(
        plan(operator={"vlan": "services"}, guests=guests), "docker-1"
    )
