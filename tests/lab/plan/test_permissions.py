"""Who may talk to whom: declared, needed, routed and derived."""

from typing import Any

import pytest

from lab.plan.records import MANAGEMENT_PORTS, LabPlan
from tests.support.builders import TAILSCALE, guest, ingress, plan, route, service, stack
from tests.support.pairs import shown_names

MANAGEMENT = {f"vlan:services -> node:pve:{port}" for port in MANAGEMENT_PORTS}
DERIVED_FOR_A_GUEST = {
    *MANAGEMENT,
    "guest:docker-1 -> internet:443/tcp",
    "guest:docker-1 -> internet:53/tcp",
    "guest:docker-1 -> internet:53/udp",
    "guest:docker-1 -> internet:123/udp",
    "operator -> guest:docker-1:22/tcp",
    "operator -> node:pve:8006/tcp",
}


def flows(decided: LabPlan) -> set[str]:
    """Every permission as text."""
    return {str(flow) for flow in decided.flows}


def test_a_lab_without_flows_has_the_derived_ones_only() -> None:
    """Nothing is permitted but what would break without anybody having declared it."""
    decided = plan(stacks={"web": stack(app=service(listens=[80]), db=service(listens=[5432]))})
    assert flows(decided) == DERIVED_FOR_A_GUEST
    assert {flow.origin for flow in decided.flows} == {"derived"}


def test_a_certificate_needs_names_of_the_whole_internet() -> None:
    """Traefik asks public resolvers and the zone's name servers for its own challenge, whoever resolves for the lab."""
    nodes = {"pve": {"address": "10.10.20.2", "dns": ["10.10.20.1"]}}
    lab: dict[str, Any] = {
        "nodes": nodes,
        "ingress": ingress(),
        "dns": {"provider": "cloudflare", "zone": "lab.example"},
    }
    asked = {f"ingress -> internet:{port}" for port in ("53/tcp", "53/udp", "443/tcp")}
    assert asked <= flows(plan(**lab, certificate={"names": ["*.lab.example"]}))
    assert not asked & flows(plan(**lab))
    assert not asked & flows(plan(**lab, certificate=shown_names(["*.lab.example"])))


def test_an_observed_guest_derives_nothing() -> None:
    """A guest that is only observed is not given the permissions that we would need to set it up."""
    decided = plan(guests={"old": guest(address=11, manage="observe")})
    assert flows(decided) == {*MANAGEMENT, "operator -> node:pve:8006/tcp"}


def test_the_segment_of_a_node_manages_it() -> None:
    """Proxmox opens a node to its own segment by itself, wherever the cluster's firewall is ours to switch on."""
    two = {"pve": {"address": "10.10.20.2"}, "old": {"address": "10.10.20.3", "manage": "observe"}}
    assert {
        text for text in flows(plan(nodes=two)) if text.startswith("vlan:services -> node:")
    } == MANAGEMENT
    assert not [text for text in flows(plan(owns=[])) if text.startswith("vlan:services -> node:")]


def test_the_nodes_of_a_cluster_speak_to_each_other() -> None:
    """Several nodes are a cluster, whose members Proxmox lets meet by corosync; one alone has nobody to meet."""
    two = {"pve": {"address": "10.10.20.2"}, "other": {"address": "10.10.20.3"}}
    assert "nodes -> nodes:5404-5405/udp" in flows(plan(nodes=two))
    assert not [text for text in flows(plan()) if text.startswith("nodes -> ")]


def test_a_segment_with_internet_reaches_it() -> None:
    """A segment that is declared to have the internet is permitted to use it, and no other one is."""
    vlans = {
        "services": {"id": 20, "subnet": "10.10.20.0/24"},
        "iot": {"id": 30, "subnet": "10.10.30.0/24", "internet": "yes"},
    }
    found = {text for text in flows(plan(vlans=vlans)) if text.startswith("vlan:") and "internet" in text}
    assert found == {"vlan:iot -> internet"}


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
        "service:web/app -> internet:53/tcp",
        "service:web/app -> internet:53/udp",
    }


def test_the_docker_api_is_a_need() -> None:
    """Who asks the Docker API reaches its proxy; who holds no right does not."""
    decided = plan(stacks={"web": stack(app=service(docker_api={"rights": ["list"]}), other=service())})
    assert flows(decided) - DERIVED_FOR_A_GUEST == {"service:web/app -> service:web/app-docker-api:2375/tcp"}


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
    assert not [flow for flow in flows(edge("tailnet")) if flow.startswith(("internet", "vlan:iot"))]


@pytest.mark.parametrize(
    ("auth", "port"),
    [
        ({"kind": "authelia"}, 9091),
        ({"kind": "authentik"}, 9000),
        ({"kind": "authentik", "port": 9443}, 9443),
    ],
)
def test_whom_the_ingress_asks_it_reaches(auth: dict[str, Any], port: int) -> None:
    """Forward authentication is a permission, at the declared port or at the software's own."""
    asked = {**auth, "endpoint": "service:sign-in/server"}
    ports = {"tailnet": {"port": 8443}}
    decided = edge(
        ingress=ingress(audiences=ports, auth=asked),
        stacks={"sign-in": stack(server=service(listens=[9000, 9091, 9443]))},
    )
    assert flows(decided) - DERIVED_FOR_A_GUEST == {f"ingress -> service:sign-in/server:{port}/tcp"}


def test_an_observed_ingress_asks_by_itself() -> None:
    """What somebody else's proxy asks is not ours to permit."""
    decided = edge(
        ingress=ingress(manage="observe", auth={"kind": "authelia", "endpoint": "guest:docker-1"}), stacks={}
    )
    assert flows(decided) == DERIVED_FOR_A_GUEST


def test_a_certificate_lets_the_ingress_out() -> None:
    """Traefik reaches the certificate authority where there is a certificate to ask for, and only there."""
    assert "ingress -> internet:443/tcp" not in flows(edge("tailnet"))
    assert "ingress -> internet:443/tcp" in flows(
        edge("tailnet", certificate={"names": ["*.lab.example"]}, dns={"provider": "cloudflare"})
    )


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


def test_flows_are_told_once_and_in_order() -> None:
    """A permission that is declared twice is listed once, and the list is sorted."""
    flow = {"from": "vlan:services", "to": "internet:443", "because": "twice"}
    decided = plan(flows=[flow, flow])
    assert [str(f) for f in decided.flows].count("vlan:services -> internet:443/tcp") == 1
    assert [flow.source for flow in decided.flows] == sorted(flow.source for flow in decided.flows)
