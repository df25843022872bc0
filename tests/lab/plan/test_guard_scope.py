"""What is guarded: the hosts and networks on which something is created, by a container that says what it is."""

from typing import Any

import pytest

from lab.errors import PlanError
from lab.flows import Endpoint
from lab.plan.records import LabPlan
from tests.support.builders import TAILSCALE, guest, ingress, plan, route, service, stack
from tests.support.guards import accepted, guard_of, networks

TWO_HOSTS = {"docker-1": guest(address=11, runs="docker"), "docker-2": guest(address=12, runs="docker")}


def with_observed(**changes: Any) -> LabPlan:
    """A host with a stack of ours, an observed one beside it and an observed subnet router."""
    old = stack(app=service(needs=["db:80"], egress="yes"), db=service(listens=[80], publishes={"80": 8080}))
    router = {
        "host": "docker-1",
        "tailscale": {"advertise": "ingress", "image": TAILSCALE},
        "manage": "observe",
    }
    stacks = {
        "old": {**old, "manage": "observe"},
        "way": router,
        "web": stack(
            app=service(listens=[80], route=route("www"), needs=["db:5432"]), db=service(listens=[5432])
        ),
    }
    return plan(**{"tailnet": {}, "ingress": ingress(), "stacks": stacks, **changes})


def test_observed_networks_are_not_guarded() -> None:
    """Bridges that somebody else made are not this guard's business, whichever names a plan gives them."""
    decided = with_observed()
    every = {network.name for _, network in networks(decided)}
    guarded = set(guard_of(decided).bridges.values())
    assert every - guarded == {"vnet-old", "out-old-app", "out-old-db", "out-way-router"}
    assert guarded < every


def test_beside_what_is_observed_our_own_rules_stay() -> None:
    """A stack has the same rules with an observed neighbour and without one."""
    ours = {text for text in accepted(with_observed()) if "@vnet-web" in text or "@edge" in text}
    assert ours == {
        "within ingress@edge-000 -> web/app@edge-000 80/tcp",
        "within web/app@vnet-web -> web/db@vnet-web 5432/tcp",
    }


def test_a_flow_to_a_host_without_a_guard_is_none_of_ours() -> None:
    """What is only observed on another host gets no rule there; the way out to it is the source's."""
    old = {**stack("docker-2", db=service(listens=[5432], publishes={"5432": 5432})), "manage": "observe"}
    decided = plan(guests=TWO_HOSTS, stacks={"old": old, "web": stack(app=service(needs=["old/db:5432"]))})
    assert [guard.host for guard in decided.guards] == ["docker-1"]
    assert accepted(decided) == {"out web/app@out-web-app -> 10.10.20.12 5432/tcp"}


@pytest.mark.parametrize(
    ("stacks", "guarded"),
    [
        ({}, []),
        ({"old": {**stack(app=service()), "manage": "observe"}}, []),
        ({"web": stack(app=service())}, ["docker-1"]),
        ({"web": stack("docker-2", app=service()), "b": stack(app=service())}, ["docker-1", "docker-2"]),
        ({"home": stack(hub=service(host_network=True))}, ["docker-1"]),
    ],
)
def test_a_host_is_guarded_where_something_is_created(stacks: dict[str, Any], guarded: list[str]) -> None:
    """Only a host with a container of ours has a guard, and every such host has."""
    assert [guard.host for guard in plan(guests=TWO_HOSTS, stacks=stacks).guards] == guarded


def test_a_host_that_is_not_there_is_told() -> None:
    """A bad lab is planned to its end, also where a service is said to be in the network of an unknown host."""
    hub = service(listens=[8123], host_network=True)
    with pytest.raises(PlanError, match='there is no Docker host "docker-9"'):
        plan(stacks={"home": stack("docker-9", hub=hub, app=service(needs=["hub:8123"]))})


def test_the_guard_is_a_container_that_is_root_on_its_host() -> None:
    """It has the two capabilities it needs, the host's network and files, a read-only root, and says what it is."""
    loader = guard_of(plan(stacks={"web": stack(app=service())})).service
    assert loader.endpoint == Endpoint("service", "guard/docker-1")
    assert set(loader.capabilities) == {"CAP_NET_ADMIN", "CAP_SYS_CHROOT"}
    assert (loader.host_network, loader.read_only, loader.privileged, loader.docker_socket) == (
        *(True, True),
        *(False, False),
    )
    assert loader.binds == {"/": "/host"}
    assert (loader.attachments, loader.published) == ((), ())
    assert "root" in loader.description
