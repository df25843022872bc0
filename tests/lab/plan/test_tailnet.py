"""The tailnet: what is advertised, and which grants follow from routes and flows."""

from typing import Any

import pytest

from lab.flows import Endpoint, Flow, Port, Target
from lab.isolation import prove
from lab.isolation.limits import limits_of
from lab.isolation.verdict import Verdict
from lab.plan.records import SplitDnsPlan, SshRulePlan, TailnetPlan
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
    assert decided.tailnet.routes == {"10.10.20.11/32": "tag:stack-way-in-test"}
    assert decided.subnet_routers[0].tag == "tag:stack-way-in-test"
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
    assert found.routes == dict.fromkeys(routes, "tag:guest-docker-1-test")


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


VLANS = {"services": {"id": 20, "subnet": "10.10.20.0/24"}, "iot": {"id": 30, "subnet": "10.10.30.0/24"}}
ENGINE = guest(address=11, runs="docker")
WAY_IN = {"host": "docker-1", "tailscale": {"advertise": "ingress", "image": TAILSCALE}}


def test_a_group_has_its_own_way_in() -> None:
    """An audience with one group in it has an entry point of its own, which that group alone is granted."""
    web = stack(
        app=service(listens=[80], route=route("www")),
        panel=service(listens=[81], route=route("panel", "staff")),
    )
    decided = plan(
        tailnet=GROUPS,
        audiences={"staff": ["tailnet:admins"]},
        ingress=ingress(audiences={"tailnet": {"port": 8443}, "staff": {"port": 9443}}),
        stacks={"web": web},
    )
    assert decided.tailnet is not None
    assert grants(decided.tailnet) == [
        (("group:admins",), "10.10.20.11/32", ("tcp:9443",)),
        (("group:admins", "group:family"), "10.10.20.11/32", ("tcp:8443",)),
    ]
    staff = Target(Endpoint("ingress"), Port(9443))
    assert Flow(Endpoint("tailnet", "admins"), staff, "audience staff", "route") in decided.flows


def test_the_proof_knows_which_group_gets_in() -> None:
    """A group reaches the entry point that is its own, and the other group does not."""
    decided = plan(
        tailnet=GROUPS,
        audiences={"staff": ["tailnet:admins"]},
        ingress=ingress(audiences={"staff": {"port": 9443}}),
        stacks={"way-in": WAY_IN, "web": stack(panel=service(listens=[81], route=route("panel", "staff")))},
    )
    found = prove(decided)
    verdicts = {
        group: found.answer(Endpoint("tailnet", group), Endpoint("ingress"), Port(9443)).verdict
        for group in ("admins", "family")
    }
    assert verdicts == {"admins": Verdict.yes, "family": Verdict.no}
    assert not found.violations


def test_several_routers_have_several_tags() -> None:
    """Each route is approved for its own router alone, whose tag says what it is and of which environment."""
    found = tailnet(
        ingress=ingress(),
        vlans=VLANS,
        guests={"docker-1": ENGINE, "edge": guest(address=12, tailscale={"advertise": "vlan:iot"})},
        stacks={"way-in": WAY_IN},
    )
    assert found.routes == {
        "10.10.20.11/32": "tag:stack-way-in-test",
        "10.10.30.0/24": "tag:guest-edge-test",
    }
    assert found.tags == ("tag:guest-edge-test", "tag:stack-way-in-test")


def test_routers_of_other_environments_are_approved_where_the_policy_is() -> None:
    """Who owns the policy lists their tags, since nothing else can define them."""
    found = tailnet(tailnet={**GROUPS, "approves": {"tag:stack-way-in-prod": ["10.20.0.0/24"]}})
    assert found.routes == {"10.20.0.0/24": "tag:stack-way-in-prod"}
    assert found.tags == ("tag:stack-way-in-prod",)


def warned(**sections: Any) -> list[str]:
    """What is said about the tailnet of a lab."""
    return [warning.problem for warning in plan(**{"tailnet": GROUPS, **sections}).warnings]


def test_a_grant_without_a_route_is_told() -> None:
    """A grant that leads to an address which nobody advertises lets nobody in, and that is said."""
    flow = {"from": "tailnet:admins", "to": "guest:docker-1:22", "because": "repairs"}
    said = "10.10.20.11/32 is granted and no subnet router advertises it, so nobody of the tailnet gets there"
    assert warned(flows=[flow]) == [said]
    edge = guest(address=12, tailscale={"advertise": "vlan:services"})
    assert warned(flows=[flow], guests={"docker-1": ENGINE, "edge": edge}) == []


def test_a_route_without_a_grant_is_told() -> None:
    """A route that no grant uses is there for nothing, and that is said."""
    guests = {"docker-1": guest(address=11, tailscale={"advertise": "guest:docker-1"})}
    assert warned(guests=guests) == ["10.10.20.11/32 is advertised and no grant uses it"]


def test_a_router_under_another_labs_policy_is_told_what_it_needs() -> None:
    """Where another environment owns the policy, that one has to approve the router, and what to write is said."""
    said = warned(owns=[], ingress=ingress(), stacks={"way-in": WAY_IN})
    assert said == [
        "another environment owns the tailnet's policy, which has to approve 10.10.20.11/32 for tag:stack-way-in-test"
    ]


SPLIT = {**GROUPS, "split-dns": True}


def test_the_tailnet_asks_the_labs_resolver() -> None:
    """With split DNS whoever is in the tailnet may ask the resolver, over UDP and TCP, for the zone that it has."""
    dns = guest(address=53, listens=["53/udp", 53], tailscale={"advertise": "guest:dns"})
    decided = plan(
        tailnet=SPLIT,
        guests={"docker-1": ENGINE, "dns": dns},
        dns={"internal": {"software": "bind9", "endpoint": "guest:dns", "zone": "in.lab.example"}},
    )
    assert decided.tailnet is not None
    assert decided.tailnet.split_dns == SplitDnsPlan(domain="in.lab.example", nameserver="10.10.20.53")
    everybody = ("group:admins", "group:family")
    assert grants(decided.tailnet) == [(everybody, "10.10.20.53/32", ("udp:53", "tcp:53"))]
    asked = {str(flow) for flow in decided.flows if flow.source == Endpoint("tailnet")}
    assert asked == {"tailnet -> guest:dns:53/udp", "tailnet -> guest:dns:53/tcp"}


@pytest.mark.parametrize(
    "change", [{"publishes": {"53/udp": 53, "53/tcp": 53}}, {"host_network": True}], ids=str
)
def test_a_resolver_in_a_container_is_asked_at_its_host(change: dict[str, Any]) -> None:
    """A service that publishes port 53 for both protocols is found at the address of its Docker host."""
    decided = plan(
        tailnet=SPLIT,
        guests={"docker-1": guest(address=11, runs="docker", tailscale={"advertise": "guest:docker-1"})},
        stacks={"dns": stack(bind=service(listens=["53/udp", 53], **change))},
        dns={"internal": {"software": "bind9", "endpoint": "service:dns/bind"}},
    )
    assert decided.tailnet is not None
    assert decided.tailnet.split_dns == SplitDnsPlan(domain="lab.example", nameserver="10.10.20.11")


def test_without_being_asked_for_there_is_no_split_dns() -> None:
    """A resolver alone opens nothing to the tailnet."""
    found = tailnet(dns={"internal": {"software": "bind9", "endpoint": "guest:docker-1"}})
    assert (found.split_dns, grants(found)) == (None, [])


def test_shells_are_for_declared_groups_on_machines_of_the_tailnet() -> None:
    """A rule of SSH names machines by their tags, and asks for a sign-in unless it says otherwise."""
    ssh = {"from": ["admins"], "to": ["node:pve", "guest:edge"], "as": ["root"], "because": "repairs"}
    found = tailnet(
        tailnet={**GROUPS, "members": ["node:pve"], "ssh": [ssh]},
        guests={"docker-1": ENGINE, "edge": guest(address=12, tailscale={"advertise": "vlan:services"})},
    )
    machines = ("tag:node-pve-test", "tag:guest-edge-test")
    assert found.ssh == (SshRulePlan(sources=("group:admins",), tags=machines, users=("root",)),)
    assert set(machines) <= set(found.tags)


def test_the_proof_says_that_shells_are_not_in_it() -> None:
    """Who gets a shell is decided where no packet filter sees it, and that is printed with the proof."""
    ssh = {"from": ["admins"], "to": ["node:pve"], "as": ["root"], "because": "repairs"}
    said = "Tailscale SSH: who gets a shell on tag:node-pve-test is decided by the policy alone"
    assert said in limits_of(plan(tailnet={**GROUPS, "members": ["node:pve"], "ssh": [ssh]}))
    assert said not in limits_of(plan(tailnet={**GROUPS, "members": ["node:pve"]}))
