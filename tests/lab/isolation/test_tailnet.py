"""The two legs that the tailnet's policy decides: whether a router's route is there, and who may use it."""

from dataclasses import replace

import pytest

from lab.flows import Endpoint, Port
from lab.isolation import Verdict
from lab.isolation.tailnet import advertised, granted, granted_port
from lab.plan.records import GrantPlan, LabPlan, TailnetPlan
from tests.support.builders import TAILSCALE, guest, ingress, plan

ROUTERS = {
    "service:way-in/router": "10.10.20.11",
    "guest:edge": "10.10.20.12",
    "node:pve": "10.10.20.13",
}
"""What each advertises, and no other."""
WEB = GrantPlan(sources=("group:admins",), destination="10.10.20.0/24", ports=("tcp:443", "udp:8000-8010"))
MEMBERS = GrantPlan(sources=("autogroup:member",), destination="10.10.30.5/32", ports=("*",))
POLICY = TailnetPlan(grants=(WEB, MEMBERS))


def routed() -> LabPlan:
    """A service, a guest and a node that are subnet routers, with a route each; the node's is approved nowhere."""
    router = {"host": "docker-1", "tailscale": {"advertise": "ingress", "image": TAILSCALE}}
    decided = plan(
        tailnet={},
        ingress=ingress(),
        stacks={"way-in": router},
        guests={"docker-1": guest(address=11, runs="docker"), "edge": guest(address=12)},
    )
    routes = {name: (f"{address}/32",) for name, address in ROUTERS.items()}
    (own,) = decided.subnet_routers
    assert own.advertises == routes[str(own.service.endpoint)]
    return replace(
        decided,
        guests=tuple(
            replace(g, advertises=routes["guest:edge"] if g.name == "edge" else ()) for g in decided.guests
        ),
        nodes=tuple(replace(n, advertises=routes["node:pve"]) for n in decided.nodes),
        tailnet=TailnetPlan(routes={"10.10.20.11/32": "tag:a", "10.10.20.12/32": "tag:b"}),
    )


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("address", ROUTERS.values())
def test_a_router_leads_to_what_it_advertises_itself(router: str, address: str) -> None:
    """Another router's route is none of its own, and one that nobody approves may be there or not."""
    leg = advertised(routed(), Endpoint.parse(router), address)
    approved = Verdict.unknown if router == "node:pve" else Verdict.yes
    assert leg.verdict is (approved if ROUTERS[router] == address else Verdict.no)


@pytest.mark.parametrize(
    ("source", "address", "port", "verdict"),
    [
        ("tailnet:admins", "10.10.20.11", Port(443), Verdict.yes),
        ("tailnet:admins", "10.10.20.11", Port(443, "udp"), Verdict.no),
        ("tailnet:admins", "10.10.20.11", Port(8005, "udp"), Verdict.yes),
        ("tailnet:admins", "10.10.20.11", None, Verdict.no),
        ("tailnet:admins", "10.10.30.5", Port(9), Verdict.yes),
        ("tailnet:admins", "10.10.30.5", None, Verdict.yes),
        ("tailnet:family", "10.10.20.11", Port(443), Verdict.no),
        ("tailnet:family", "10.10.30.5", Port(9), Verdict.yes),
        ("tailnet", "10.10.20.11", Port(443), Verdict.yes),
        ("tailnet", "10.10.30.6", Port(443), Verdict.no),
    ],
)
def test_a_grant_is_for_its_sources_addresses_and_ports(
    source: str, address: str, port: Port | None, verdict: Verdict
) -> None:
    """All users together are whoever any group is; without a port only a grant of every port counts."""
    leg = granted(replace(routed(), tailnet=POLICY), Endpoint.parse(source), address, port)
    assert leg.verdict is verdict


@pytest.mark.parametrize("policy", [None, replace(POLICY, managed=False)])
def test_somebody_else_s_policy_is_not_known(policy: TailnetPlan | None) -> None:
    """What another environment's policy grants is no guess of this lab's."""
    leg = granted(replace(routed(), tailnet=policy), Endpoint("tailnet"), "10.10.30.5", Port(9))
    assert leg.verdict is Verdict.unknown


@pytest.mark.parametrize(
    ("text", "port"),
    [("*", None), ("tcp:443", Port(443)), ("udp:8000-8010", Port(8000, "udp", 8010))],
)
def test_the_port_of_a_grant_is_read(text: str, port: Port | None) -> None:
    """As the policy writes it."""
    assert granted_port(text) == port
