"""Name resolution: everybody who may go out asks somebody for names, and just whom its machine asks."""

from typing import Any

import pytest

from lab.plan.records import LabPlan
from tests.support.builders import TAILSCALE, guest, ingress, plan, service, stack

NAMES = {"names": ["*.lab.example"]}


def asked(decided: LabPlan, source: str) -> set[str]:
    """Whom a source may ask for its names, where it may by both protocols."""
    found = {
        str(flow.target)
        for flow in decided.flows
        if str(flow.source) == source and flow.target.port and flow.because == "name resolution"
    }
    both = {text.rpartition(":")[0] for text in found if text.endswith(":53/udp")}
    assert both == {text.rpartition(":")[0] for text in found if text.endswith(":53/tcp")}
    return both


def with_servers(*servers: str, **sections: Any) -> LabPlan:
    """A lab whose node names these name servers."""
    return plan(
        **{
            "nodes": {"pve": {"address": "10.10.20.2", "dns": list(servers)}},
            "vlans": {
                "services": {"id": 20, "subnet": "10.10.20.0/24", "gateway": 1},
                "iot": {"id": 30, "subnet": "10.10.30.0/24"},
            },
            "devices": {"pi": {"vlan": "iot", "address": 53}},
            "guests": {"docker-1": guest(address=11, runs="docker"), "dns": guest(address=53)},
            **sections,
        }
    )


@pytest.mark.parametrize(
    ("server", "who"),
    [
        ("10.10.20.53", "guest:dns"),
        ("10.10.30.53", "device:pi"),
        ("10.10.20.2", "node:pve"),
        ("9.9.9.9", "internet"),
        ("10.10.30.77", "vlan:iot"),
    ],
)
def test_a_guest_asks_the_servers_of_its_node(server: str, who: str) -> None:
    """A name server is the machine that has its address, a segment's unknown machine, or somewhere outside."""
    assert asked(with_servers(server), "guest:docker-1") == {who}


@pytest.mark.parametrize(
    ("router", "who"),
    [
        ({"kind": "guest", "guest": "dns"}, "guest:dns"),
        ({"kind": "unifi", "device": "pi"}, "device:pi"),
        ({"kind": "none"}, "vlan:services"),
    ],
)
def test_a_gateway_is_the_router(router: dict[str, Any], who: str) -> None:
    """Who asks a gateway asks the router, where one is declared."""
    assert asked(with_servers("10.10.20.1", router=router), "guest:docker-1") == {who}


def test_a_router_answers_for_its_own_address_only() -> None:
    """A server somewhere else is not asked at the router, although its packets pass there."""
    router = {"kind": "unifi", "device": "pi"}
    assert asked(with_servers("9.9.9.9", router=router), "guest:docker-1") == {"internet"}
    assert asked(with_servers("10.10.20.77", router=router), "guest:docker-1") == {"vlan:services"}


def test_several_servers_are_all_asked() -> None:
    """A machine may ask each of its name servers."""
    decided = with_servers("10.10.20.53", "9.9.9.9", "1.1.1.1")
    assert asked(decided, "guest:docker-1") == {"guest:dns", "internet"}


def test_without_a_server_somebody_outside_is_asked() -> None:
    """Where nothing says who answers, it is somewhere on the internet."""
    assert asked(plan(), "guest:docker-1") == {"internet"}


@pytest.mark.parametrize(
    ("source", "sections"),
    [
        ("service:web/app", {"stacks": {"web": stack(app=service(egress="yes"))}}),
        ("service:web/app", {"stacks": {"web": stack(app=service(needs=["internet:443"]))}}),
        (
            "service:way/router",
            {
                "tailnet": {},
                "ingress": ingress(),
                "stacks": {
                    "way": {"host": "docker-1", "tailscale": {"advertise": "ingress", "image": TAILSCALE}}
                },
            },
        ),
        (
            "ingress",
            {"tailnet": {}, "ingress": ingress(), "certificate": NAMES, "dns": {"provider": "cloudflare"}},
        ),
    ],
)
def test_a_container_that_goes_out_asks_whom_its_host_asks(source: str, sections: dict[str, Any]) -> None:
    """Docker asks the resolvers of the host with the container's own packets."""
    assert asked(with_servers("10.10.20.53", **sections), source) == {"guest:dns"}


def test_a_container_that_stays_inside_asks_nobody() -> None:
    """Names of neighbours are Docker's own, so nothing else needs a way to a name server."""
    decided = with_servers(
        "10.10.20.53",
        stacks={"web": stack(app=service(needs=["db:80", "device:pi:443"]), db=service(listens=[80]))},
    )
    assert asked(decided, "service:web/app") == asked(decided, "service:web/db") == set()
