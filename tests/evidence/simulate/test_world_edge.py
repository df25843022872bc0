"""The tailnet by the text of its policy, and requests that Traefik passes on by its files."""

import json
from typing import Any

import pytest

from lab.errors import LabError
from lab.flows import Port
from lab.simulate.world import World
from tests.evidence.simulate.small_world import (
    Data,
    box,
    docker,
    guest,
    lab,
    network,
    node,
    published,
    verdict,
)

YES, NO, UNKNOWN = "yes", "no", "cannot tell"
ROUTE = "192.168.1.0/24"


def policy(**changes: Any) -> str:
    """A policy that approves the segment's route and grants one port of it to group admins."""
    found: Data = {
        "groups": {"group:admins": ["a@example.com"], "group:guests": ["b@example.com"]},
        "autoApprovers": {"routes": {ROUTE: ["tag:router"]}},
        "grants": [{"src": ["group:admins"], "dst": ["192.168.1.50/32"], "ip": ["tcp:80"]}],
        **changes,
    }
    return json.dumps(found)


def tailnet(text: str | None, *routes: str, through: str = "device:nas", **changes: Any) -> Data:
    """A lab in which a machine advertises routes."""
    return lab(tailnet={"policy": text, "advertised": {through: list(routes or (ROUTE,))}}, **changes)


def test_a_route_and_a_grant_are_both_needed() -> None:
    """For the group, the address, the protocol and the port of the grant."""
    data = tailnet(policy())
    assert verdict(data, "tailnet:admins", "device:tv", 80) == YES
    assert verdict(data, "tailnet:admins", "device:tv", 81) == NO
    assert verdict(data, "tailnet:admins", "device:tv", "80/udp") == NO
    assert verdict(data, "tailnet:admins", "vlan:lan", 80) == NO
    assert verdict(data, "tailnet:guests", "device:tv", 80) == NO
    assert verdict(tailnet(policy(), "192.168.2.0/24"), "tailnet:admins", "device:tv", 80) == NO


def test_a_route_that_nobody_approved_is_not_known() -> None:
    """Somebody may approve it by hand."""
    assert (
        verdict(tailnet(policy(autoApprovers={"routes": {}})), "tailnet:admins", "device:tv", 80) == UNKNOWN
    )


def test_a_wider_approval_holds_narrower_routes() -> None:
    """A subnet of an approved route is approved with it, and not the other way round."""
    narrow = {"routes": {"192.168.1.50/32": ["tag:router"]}}
    assert verdict(tailnet(policy(), "192.168.1.50/32"), "tailnet:admins", "device:tv", 80) == YES
    assert verdict(tailnet(policy(autoApprovers=narrow)), "tailnet:admins", "device:tv", 80) == UNKNOWN


def test_a_policy_of_somebody_else_is_not_guessed() -> None:
    """What is not advertised is closed all the same."""
    assert verdict(tailnet(None), "tailnet", "device:tv") == UNKNOWN
    assert verdict(tailnet(None, "192.168.2.0/24"), "tailnet", "device:tv") == NO


@pytest.mark.parametrize("source", ["*", "autogroup:member"])
def test_a_grant_for_everybody(source: str) -> None:
    """Is one for every group."""
    grants = [{"src": [source], "dst": [ROUTE], "ip": ["*"]}]
    assert verdict(tailnet(policy(grants=grants)), "tailnet:guests", "device:tv", 61000) == YES


def test_filters_see_the_router() -> None:
    """It masquerades, so a guest behind it is opened by a rule for the router's address."""
    everything = policy(
        grants=[{"src": ["*"], "dst": ["192.168.2.0/24"], "ip": ["*"]}],
        autoApprovers={"routes": {"192.168.2.0/24": []}},
    )
    for address, expected in (("192.168.1.10", YES), ("100.64.0.0/10", NO)):
        rules = f"IN ACCEPT -source {address} -p tcp -dport 443\n"
        proxmox = {"nodes": [node()], "guests": [guest(rules=rules)]}
        router = {"kind": "node", "endpoint": None}
        data = tailnet(everything, "192.168.2.0/24", proxmox=proxmox, router=router)
        assert verdict(data, "tailnet:admins", "guest:web", 443) == expected


def test_what_is_for_the_router_itself_passes_no_interface() -> None:
    """Tailscale delivers it on the spot, before any firewall of the guest."""
    text = policy(
        grants=[{"src": ["*"], "dst": ["192.168.2.20/32"], "ip": ["*"]}],
        autoApprovers={"routes": {"192.168.2.20/32": []}},
    )
    proxmox = {
        "nodes": [node()],
        "guests": [
            guest(),
            guest(
                "other",
                101,
                config={
                    "net0": "virtio=02:00:00:00:00:02,bridge=vmbr0,firewall=1,tag=2",
                    "ipconfig0": "ip=192.168.2.21/24",
                },
            ),
        ],
    }
    data = tailnet(text, "192.168.2.20/32", through="guest:web", proxmox=proxmox)
    assert verdict(data, "tailnet:admins", "guest:web", 22) == YES
    assert verdict(data, "guest:other", "guest:web", 22) == NO


def test_a_container_routes_into_its_own_host() -> None:
    """Under its own address in its network, which the host sees."""
    inside = docker(box("router", a="10.128.1.2"), networks=[network("a", 1)])
    text = policy(grants=[{"src": ["*"], "dst": ["192.168.1.10/32"], "ip": ["tcp:22"]}])
    data = tailnet(text, through="service:s/router", docker=[inside])
    assert verdict(data, "tailnet:admins", "device:nas", 22) == YES
    assert verdict(data, "tailnet:admins", "device:nas", 23) == NO


def test_the_lab_does_not_reach_the_tailnet() -> None:
    """Nobody's devices there are targets."""
    assert verdict(tailnet(policy()), "device:tv", "tailnet:admins", 22) == NO


def test_an_older_policy_is_refused() -> None:
    """What `acls` say is not evaluated, so nothing is claimed of them."""
    with pytest.raises(LabError, match=r"tailnet\.policy: what acls means is not known here"):
        World(tailnet(policy(acls=[])))


STATIC = (
    'entryPoints: {lan: {address: ":443"}, tailnet: {address: ":8443"}, ping: {address: "127.0.0.1:8082"}}\n'
)


def relayed(url: str = "http://10.128.1.3:80", entries: str = "[lan]", static: str = STATIC) -> World:
    """Traefik on nas, published on 443 and not on 8443, with one router to service app."""
    dynamic = (
        f"http: {{routers: {{web: {{rule: x, entryPoints: {entries}, service: web}}}},"
        f" services: {{web: {{loadBalancer: {{servers: [{{url: '{url}'}}]}}}}}}}}\n"
    )
    proxy = {**box("traefik", ports=[published(443, 443)], a="10.128.1.2"), "endpoint": "ingress"}
    inside = docker(proxy, box("app", a="10.128.1.3"), box("db", a="10.128.1.4"), networks=[network("a", 1)])
    ingress = {"endpoint": "ingress", "static": static, "dynamic": dynamic}
    return World(lab(docker=[inside], ingress=ingress))


def relay(world: World, source: str, target: str, port: int = 80) -> str | None:
    """Whether requests are passed on."""
    found = world.relay(source, target, Port(port))
    return None if found is None else str(found.verdict)


def test_traefik_passes_on_what_reaches_it() -> None:
    """From who reaches the entry point of the router, to where its service is."""
    assert relay(relayed(), "device:tv", "service:s/app") == YES
    assert relay(relayed(entries="[tailnet]"), "device:tv", "service:s/app") == NO
    assert relay(relayed(entries="[tailnet, lan]"), "device:tv", "service:s/app") == YES


def test_the_internet_s_requests_come_by_whom_traefik_trusts() -> None:
    """By the machine, the container or the unnamed neighbour that has a trusted address; nobody else is meant."""
    entry = 'entryPoints: {lan: {address: ":443", forwardedHeaders: {trustedIPs: ["%s"]}}}\n'
    assert relay(relayed(), "internet", "service:s/app") == NO
    for address in ("192.168.1.50", "10.128.1.4", "192.168.1.77"):
        assert relay(relayed(static=entry % address), "internet", "service:s/app") == YES, address
    assert relay(relayed(static=entry % "104.16.0.1"), "internet", "service:s/app") == NO
    assert relay(relayed(static=entry % "192.168.1.50"), "vlan:dmz", "service:s/app") == NO


def test_traefik_passes_nothing_else_on() -> None:
    """Neither to another port nor to another service; and what it sends itself is not passed on."""
    assert relay(relayed(), "device:tv", "service:s/app", 81) is None
    assert relay(relayed(), "device:tv", "service:s/db") is None
    assert relay(relayed(), "ingress", "service:s/app") is None


def test_traefik_has_to_reach_what_it_passes_on() -> None:
    """A router whose service is closed to it opens nothing."""
    assert relay(relayed("http://192.168.2.9:80"), "device:tv", "service:s/app") is None
    assert relay(relayed("http://192.168.1.50:80"), "vlan:dmz", "device:tv") == NO


def test_a_router_without_its_entry_point_is_refused() -> None:
    """It would be answered by nobody, and is a mistake of the files."""
    with pytest.raises(LabError, match=r"http\.routers\.web: service web or one of \['wan'\] does not exist"):
        relayed(entries="[wan]")
