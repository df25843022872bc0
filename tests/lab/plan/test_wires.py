"""Who is in which Docker network: the isolation of a lab, by example."""

from collections.abc import Iterator
from typing import Any

import pytest

from lab.ledger import Ledger
from lab.plan.records import LabPlan, NetworkPlan
from tests.support.builders import TAILSCALE, guest, ingress, plan, route, service, service_of, stack


def networks(decided: LabPlan) -> dict[str, NetworkPlan]:
    """Every Docker network by its name."""
    found = [network for part in decided.stacks for network in part.networks]
    found += [router.network for router in decided.subnet_routers]
    if decided.ingress is not None:
        found += [*decided.ingress.slots, *([decided.ingress.front] if decided.ingress.front else [])]
    return {network.name: network for network in found}


def members(decided: LabPlan) -> dict[str, set[str]]:
    """Who is in each network."""
    everyone = [(f"{part.name}/{s.name}", s) for part in decided.stacks for s in part.services]
    everyone += [(f"{router.name}/router", router.service) for router in decided.subnet_routers]
    if decided.ingress is not None and decided.ingress.service is not None:
        everyone.append(("ingress/traefik", decided.ingress.service))
    return {
        name: {member for member, s in everyone if any(a.network == name for a in s.attachments)}
        for name in networks(decided)
    }


def meeting(decided: LabPlan) -> set[frozenset[str]]:
    """Every pair that shares a network."""
    return {
        frozenset((first, second))
        for inside in members(decided).values()
        for first in inside
        for second in inside
        if first < second
    }


def pairs(*names: str) -> set[frozenset[str]]:
    """Pairs written `a + b`."""
    return {frozenset(name.split(" + ")) for name in names}


def test_a_stack_has_a_network_without_a_way_out() -> None:
    """One stack is one internal network with all of its services, each under its own name."""
    decided = plan(stacks={"web": stack(app=service(), db=service())})
    assert members(decided) == {"vnet-web": {"web/app", "web/db"}}
    assert networks(decided)["vnet-web"].internal
    assert service_of(decided, "web/db").attachments[0].aliases == ("db",)


def test_two_stacks_never_meet() -> None:
    """Services of two stacks share no network."""
    assert meeting(plan(stacks={"web": stack(app=service()), "mail": stack(app=service())})) == set()


def test_a_need_of_another_stack_is_one_link() -> None:
    """A service that needs one of another stack shares a network with just that one."""
    decided = plan(
        stacks={
            "web": stack(app=service(needs=["data/db:5432"]), other=service()),
            "data": stack(db=service(listens=[5432]), cache=service()),
        }
    )
    assert meeting(decided) == pairs("web/app + web/other", "data/db + data/cache", "web/app + data/db")
    link = networks(decided)["link-web-app--data-db"]
    assert (link.internal, link.subnet.rpartition("/")[2]) == (True, "29")
    assert service_of(decided, "data/db").attachments[0].aliases == ("db",)


def test_a_mutual_need_is_one_link() -> None:
    """Two services that need each other share one network, whichever is written first."""
    one = stack(app=service(listens=[80], needs=["b/app:80"]))
    two = stack(app=service(listens=[80], needs=["a/app:80"]))
    names = [sorted(networks(plan(stacks=stacks))) for stacks in ({"a": one, "b": two}, {"b": two, "a": one})]
    assert names == [["link-a-app--b-app", "vnet-a", "vnet-b"]] * 2


def test_each_service_meets_its_own_proxy_of_the_docker_api() -> None:
    """A service that asks the Docker API shares a network with its proxy, which is in no other."""
    asks = service(docker_api={"rights": ["list"]})
    decided = plan(stacks={"web": stack(app=asks, admin=asks, db=service())})
    found = members(decided)
    assert found["socket-web-app"] == {"web/app", "web/app-docker-api"}
    assert found["socket-web-admin"] == {"web/admin", "web/admin-docker-api"}
    assert found["vnet-web"] == {"web/app", "web/admin", "web/db"}
    socket = networks(decided)["socket-web-app"]
    assert (socket.internal, socket.subnet.rpartition("/")[2]) == (True, "29")
    (attachment,) = service_of(decided, "web/app-docker-api").attachments
    assert attachment.aliases == ("app-docker-api",)


def test_a_routed_service_meets_traefik_alone() -> None:
    """Each routed service is alone with Traefik on its edge slot, and a service without a route on none."""
    decided = plan(
        tailnet={},
        ingress=ingress(slots=3),
        stacks={
            "web": stack(app=service(listens=[80], route=route("a")), db=service()),
            "mail": stack(app=service(listens=[80], route=route("b"))),
        },
    )
    assert meeting(decided) == pairs(
        "web/app + web/db", "web/app + ingress/traefik", "mail/app + ingress/traefik"
    )
    assert members(decided)["edge-002"] == {"ingress/traefik"}


def test_traefik_is_in_every_slot_from_the_start() -> None:
    """Adding a routed service leaves Traefik's networks as they are, because a change would replace it."""
    sections: dict[str, Any] = {"tailnet": {}, "ingress": ingress(slots=2)}
    before = plan(stacks={"web": stack(app=service(listens=[80]))}, **sections)
    after = plan(stacks={"web": stack(app=service(listens=[80], route=route("a")))}, **sections)
    assert before.ingress is not None
    assert after.ingress is not None
    assert before.ingress.service is not None
    assert before.ingress.service == after.ingress.service
    assert [a.network for a in before.ingress.service.attachments] == ["edge-000", "edge-001", "vnet-front"]


def test_a_shared_ingress_is_one_network() -> None:
    """With `attachment: shared` all routed services meet, because that is what was declared."""
    decided = plan(
        tailnet={},
        ingress=ingress(attachment="shared"),
        stacks={
            "web": stack(app=service(listens=[80], route=route("a"))),
            "mail": stack(app=service(listens=[80], route=route("b"))),
        },
    )
    assert members(decided)["vnet-ingress"] == {"ingress/traefik", "web/app", "mail/app"}


def ways_out() -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Services, and whether each has a way out."""
    yield "nothing declared", {}, False
    yield "egress", {"egress": "yes"}, True
    yield "a published port", {"publishes": {"80": 8080}}, True
    yield "a need of the internet", {"needs": ["internet:443"]}, True
    yield "a need of a guest", {"needs": ["guest:docker-1:22"]}, True
    yield "a need inside the stack", {"needs": ["db:5432"]}, False
    yield "the host's network", {"egress": "yes", "host_network": "yes"}, False


@pytest.mark.parametrize(("changes", "out"), [c[1:] for c in ways_out()], ids=[c[0] for c in ways_out()])
def test_only_what_is_declared_goes_out(changes: dict[str, Any], out: bool) -> None:
    """A service has a network with a way out exactly when something of its declaration needs one."""
    decided = plan(stacks={"web": stack(app=service(**changes), db=service(listens=[5432]))})
    found = [network for network in networks(decided).values() if not network.internal]
    assert [network.name for network in found] == (["out-web-app"] if out else [])
    if out:
        assert members(decided)["out-web-app"] == {"web/app"}


@pytest.mark.parametrize(
    ("source", "target", "out"),
    [
        ("service:web/app", "vlan:services:514/udp", True),
        ("service:web/app", "internet:443", True),
        ("stack:web", "guest:docker-1:9100", True),
        ("set:fronts", "device:nas:445", True),
        ("service:web/app", "set:screens", True),
        ("service:web/app", "service:wiki/app:80", False),
        ("service:wiki/app", "vlan:services:514/udp", False),
        ("vlan:services", "service:web/app:80", False),
    ],
)
def test_what_a_flow_declares_has_a_way_out(source: str, target: str, out: bool) -> None:
    """A flow that leaves the host gives its services the network for it, as a need would; a set by its members."""
    decided = plan(
        devices={"nas": {"vlan": "services", "address": 30, "listens": [445]}},
        stacks={"web": stack(app=service(listens=[80])), "wiki": stack(app=service(listens=[80]))},
        sets={"fronts": ["service:web/app"], "screens": ["device:nas"]},
        flows=[{"from": source, "to": target, "because": "it is wanted"}],
    )
    assert ("out-web-app" in networks(decided)) == out


def test_a_flow_lays_nothing_for_a_service_on_the_hosts_network() -> None:
    """It leaves as its host, and is in no network of its own."""
    decided = plan(
        stacks={"web": stack(app=service(listens=[80], host_network="yes"))},
        flows=[{"from": "service:web/app", "to": "vlan:services:514/udp", "because": "it is wanted"}],
    )
    assert "out-web-app" not in networks(decided)


def test_a_service_of_another_host_is_reached_from_outside() -> None:
    """A need across hosts is a way out for who needs and a published port of who is needed, and no network."""
    decided = plan(
        guests={"docker-1": guest(address=11, runs="docker"), "docker-2": guest(address=12, runs="docker")},
        stacks={
            "web": stack(app=service(needs=["data/db:5432"])),
            "data": stack("docker-2", db=service(listens=[5432], publishes={"5432": 5432})),
        },
    )
    assert members(decided)["out-web-app"] == {"web/app"}
    assert meeting(decided) == set()
    assert [str(p.external) for p in service_of(decided, "data/db").published] == ["5432"]


def test_a_service_on_the_host_s_network_has_no_other() -> None:
    """What shares the network of its host is in no Docker network, not even by a link or a route."""
    decided = plan(
        tailnet={},
        ingress=ingress(),
        stacks={
            "watch": stack(app=service(listens=[9100], host_network="yes", route=route("watch"))),
            "web": stack(app=service(needs=["watch/app:9100"])),
        },
    )
    assert service_of(decided, "watch/app").attachments == ()
    assert decided.ingress is not None
    assert [r.url for r in decided.ingress.routes] == ["http://10.10.20.11:9100"]
    assert "out-web-app" in networks(decided)


def test_several_networks_hold_who_says_so() -> None:
    """With several networks a service is in those that it names, or in all of them."""
    decided = plan(
        stacks={
            "web": {
                "host": "docker-1",
                "networks": ["front", "back"],
                "services": {
                    "ui": service(networks=["front"]),
                    "db": service(networks=["back"]),
                    "app": service(),
                },
            }
        }
    )
    assert members(decided) == {
        "vnet-web-back": {"web/app", "web/db"},
        "vnet-web-front": {"web/app", "web/ui"},
    }


def test_a_subnet_router_is_alone() -> None:
    """A subnet router has one network with a way out and nobody else in it."""
    router = {"host": "docker-1", "tailscale": {"advertise": "ingress", "image": TAILSCALE}}
    decided = plan(tailnet={}, ingress=ingress(), stacks={"way-in": router, "web": stack(app=service())})
    assert members(decided)["out-way-in-router"] == {"way-in/router"}


def test_an_observed_ingress_has_no_networks() -> None:
    """An ingress that is only observed is given nothing."""
    observed = {"host": "docker-1", "software": "nginx", "manage": "observe"}
    decided = plan(ingress=observed, stacks={"web": stack(app=service(listens=[80], route=route("a")))})
    assert sorted(networks(decided)) == ["vnet-web"]


def test_a_declared_subnet_is_used() -> None:
    """A subnet that is written is the network's, however small, and is not recorded."""
    decided = plan(
        stacks={"web": {"host": "docker-1", "subnet": "10.9.0.0/29", "services": {"app": service()}}}
    )
    assert networks(decided)["vnet-web"].subnet == "10.9.0.0/29"
    assert service_of(decided, "web/app").attachments[0].address == "10.9.0.2"
    assert "networks/docker-1/vnet-web" not in decided.unrecorded


@pytest.mark.parametrize(("services", "prefix"), [(1, 28), (6, 28), (7, 27), (14, 27), (15, 26)])
def test_a_network_has_room_for_twice_its_services(services: int, prefix: int) -> None:
    """A new network is at least a /28 and holds twice what is in it."""
    decided = plan(stacks={"web": stack(**{f"s{number}": service() for number in range(services)})})
    assert networks(decided)["vnet-web"].subnet.endswith(f"/{prefix}")


def test_a_network_does_not_grow_by_itself() -> None:
    """More services in a recorded network leave its subnet alone, because a new one replaces all containers."""
    ledger = Ledger({"networks": {"docker-1/vnet-web": "10.128.7.0/28"}})
    decided = plan(ledger, stacks={"web": stack(**{f"s{number:02}": service() for number in range(13)})})
    assert networks(decided)["vnet-web"].subnet == "10.128.7.0/28"


def test_a_new_size_is_a_new_network() -> None:
    """An explicit size other than the recorded one gives the network out anew, clear of the old place."""
    ledger = Ledger({"networks": {"docker-1/vnet-web": "10.128.0.0/28"}})
    decided = plan(ledger, stacks={"web": {"host": "docker-1", "size": 27, "services": {"app": service()}}})
    assert networks(decided)["vnet-web"].subnet == "10.128.0.32/27"
    assert "networks/docker-1/vnet-web" in decided.unrecorded


def test_bridges_have_names_that_fit_the_kernel() -> None:
    """Every bridge is `br-` and eight hex digits, different for each network, host and environment."""
    decided = plan(tailnet={}, ingress=ingress(slots=40), stacks={"web": stack(app=service())})
    names = [network.interface for network in networks(decided).values()]
    assert len(set(names)) == len(names) == 42
    assert all(len(name) == 11 and name.startswith("br-") for name in names)
