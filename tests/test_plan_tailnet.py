"""The tailnet: what is advertised, and which grants follow from routes and flows."""

from typing import Any

import pytest

from lab.plan.records import TailnetPlan
from tests.support.builders import TAILSCALE, guest, ingress, plan, route, service, stack

GROUPS = {"groups": {"admins": ["a@example.com"], "family": ["b@example.com", "c@example.com"]}}


def tailnet(**sections: Any) -> TailnetPlan:
    """The tailnet of a lab with two groups."""
    found = plan(**{"tailnet": GROUPS, **sections}).tailnet
    assert found is not None
    return found


def grants(found: TailnetPlan) -> list[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    """Every grant as plain values."""
    return [(grant.sources, grant.destination, grant.ports) for grant in found.grants]


def test_the_ingress_is_advertised_and_not_its_segment() -> None:
    """A subnet router advertises the one address of the ingress, and that route is approved."""
    router = {"host": "docker-1", "tailscale": {"advertise": "ingress", "image": TAILSCALE}}
    decided = plan(tailnet=GROUPS, ingress=ingress(), stacks={"way-in": router})
    assert decided.subnet_routers[0].advertises == ("10.10.20.11/32",)
    assert decided.tailnet is not None
    assert decided.tailnet.routes == ("10.10.20.11/32",)
    assert decided.subnet_routers[0].service.environment["TS_ROUTES"] == "10.10.20.11/32"


@pytest.mark.parametrize(
    ("advertise", "routes"),
    [
        ("vlan:services", ("10.10.20.0/24",)),
        ("guest:docker-1", ("10.10.20.11/32",)),
        (["device:tv", "guest:docker-1"], ("10.10.20.11/32", "10.10.20.50/32")),
    ],
)
def test_whole_segments_only_where_declared(advertise: Any, routes: tuple[str, ...]) -> None:
    """A segment or a machine is advertised when it is named."""
    guests = {"docker-1": guest(address=11, tailscale={"advertise": advertise})}
    found = tailnet(guests=guests, devices={"tv": {"vlan": "services", "address": 50}})
    assert found.routes == routes


def test_every_group_may_use_tailnet_routes() -> None:
    """A route for the tailnet is a grant for all its groups, at the entry of the tailnet."""
    stacks = {"web": stack(app=service(listens=[80], route=route("www")))}
    found = tailnet(ingress=ingress(), stacks=stacks)
    assert grants(found) == [(("group:admins", "group:family"), "10.10.20.11/32", ("tcp:8443",))]


def test_an_audience_with_the_tailnet_in_it_is_granted_too() -> None:
    """A group of audiences that holds the tailnet is a way in for its users as well."""
    stacks = {"web": stack(app=service(listens=[80], route=route("www", "everyone")))}
    entries = {"everyone": {"port": 9443}}
    found = tailnet(
        audiences={"everyone": ["tailnet", "services"]}, ingress=ingress(audiences=entries), stacks=stacks
    )
    assert grants(found) == [(("group:admins", "group:family"), "10.10.20.11/32", ("tcp:9443",))]


def test_without_groups_every_member_is_meant() -> None:
    """Where no group is declared, the tailnet's members are the ones who may."""
    stacks = {"web": stack(app=service(listens=[80], route=route("www")))}
    assert grants(tailnet(tailnet={}, ingress=ingress(), stacks=stacks))[0][0] == ("autogroup:member",)


def test_without_routes_nothing_is_granted() -> None:
    """An entry that no route is meant for is not granted."""
    assert grants(tailnet(ingress=ingress())) == []


def test_flows_of_users_are_grants() -> None:
    """A declared flow from the tailnet is a grant, for one group or for all, to every address of its target."""
    found = tailnet(
        vlans={
            "services": {"id": 20, "subnet": "10.10.20.0/24"},
            "iot": {"id": 30, "subnet": "10.10.30.0/24"},
        },
        sets={"both": ["guest:docker-1", "node:pve"]},
        flows=[
            {"from": "tailnet:admins", "to": "vlan:iot", "because": "everything"},
            {
                "from": "tailnet",
                "to": ["vlan:iot:8000-8010", "guest:docker-1:53/udp"],
                "because": "ranges and udp",
            },
            {"from": "tailnet:family", "to": "set:both:22", "because": "sets"},
            {"from": "vlan:iot", "to": "internet:443", "because": "no user"},
        ],
    )
    everybody = ("group:admins", "group:family")
    assert grants(found) == [
        (("group:admins",), "10.10.30.0/24", ("*",)),
        (everybody, "10.10.30.0/24", ("tcp:8000-8010",)),
        (everybody, "10.10.20.11/32", ("udp:53",)),
        (("group:family",), "10.10.20.11/32", ("tcp:22",)),
        (("group:family",), "10.10.20.2/32", ("tcp:22",)),
    ]


def test_a_policy_that_another_lab_owns_is_left_alone() -> None:
    """Without owning the policy the tailnet is planned and not changed."""
    assert tailnet().managed
    assert not tailnet(owns=["dns-zone"]).managed
