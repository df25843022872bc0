"""What follows if somebody is taken: what belongs to it, what it reaches, and what could follow from there."""

from typing import Any

import pytest

from lab.flows import Endpoint
from lab.isolation.compromise import Chain, Compromise, Compromises
from tests.support.builders import guest, has_its_host, ingress, route, service, stack
from tests.support.proofs import IOT, MANAGEMENT, SERVICES, open_node, proof, small_lab


def chained(**changes: Any) -> Compromises:
    """A front that needs a cache, which needs a database; the cache has the given keys."""
    found = proof(
        vlans={"services": SERVICES, "management": MANAGEMENT},
        nodes={"pve": {"address": "10.10.10.2"}},
        router={"kind": "none"},
        stacks={
            "shop": stack(
                front=service(needs=["cache:6379"]),
                cache=service(listens=[6379], needs=["db:5432"], **changes),
                db=service(listens=[5432]),
                agent=service(),
            ),
            "blog": stack(app=service(listens=[80])),
        },
        accept=[has_its_host("shop/cache")],
    )
    return Compromises(found.reach, found.openings)


def lost(compromises: Compromises, endpoint: str) -> Compromise:
    """What follows if an endpoint is taken."""
    return compromises.of(Endpoint.parse(endpoint))


def targets(found: Compromise) -> set[str]:
    """What is reached directly."""
    return {str(answer.target) for answer in found.reached}


def chains(found: Compromise) -> dict[str, tuple[str, ...]]:
    """What could follow, with who is taken on the way."""
    return {str(chain.target): tuple(map(str, chain.steps)) for chain in found.chains}


def test_what_is_reached_and_what_could_follow_are_two() -> None:
    """The next service is reached, the one behind it only by taking the next."""
    found = lost(chained(), "service:shop/front")
    assert targets(found) == {"service:shop/cache"}
    assert chains(found) == {"service:shop/db": ("service:shop/cache",)}
    assert (found.taken_along, found.root, found.uncertain) == ((), None, ())


def test_the_end_of_a_chain_reaches_nothing() -> None:
    """A database that needs nobody opens nothing."""
    found = lost(chained(), "service:shop/db")
    assert (found.reached, found.chains) == ((), ())


def test_root_takes_its_host_along() -> None:
    """Who is root on a Docker host has the host and every container on it, and those are not "reached"."""
    found = lost(chained(privileged="yes"), "service:shop/cache")
    assert found.root is not None
    assert set(map(str, found.taken_along)) == {
        "guest:docker-1",
        "service:shop/front",
        "service:shop/db",
        "service:shop/agent",
        "service:blog/app",
    }
    assert not targets(found) & set(map(str, found.taken_along))


def test_a_chain_through_root_opens_the_host() -> None:
    """Whoever takes somebody who is root gets that host, its containers and its segment by this step."""
    found = chains(lost(chained(privileged="yes"), "service:shop/front"))
    step = ("service:shop/cache",)
    assert found == {
        "guest:docker-1": step,
        "service:shop/db": step,
        "service:shop/agent": step,
        "service:blog/app": step,
        "vlan:services": step,
    }


def test_rights_at_the_api_are_as_good_as_root() -> None:
    """A right to create containers takes the host along, a right to list them nothing."""
    creating = chained(docker_api={"rights": ["create"]})
    listing = chained(docker_api={"rights": ["list"]})
    assert Endpoint("guest", "docker-1") in lost(creating, "service:shop/cache").taken_along
    assert lost(listing, "service:shop/cache").taken_along == ()


def test_a_docker_host_takes_its_containers_along() -> None:
    """Who has the machine has what runs on it."""
    found = lost(chained(), "guest:docker-1")
    assert Endpoint("service", "shop/db") in found.taken_along
    assert Endpoint("guest", "docker-1") not in found.taken_along


def test_a_node_takes_its_guests_along() -> None:
    """Who has a node has its guests, and their containers."""
    found = lost(chained(), "node:pve")
    assert {"guest:docker-1", "service:shop/db"} <= set(map(str, found.taken_along))


def test_sharing_a_network_is_not_owning_the_host() -> None:
    """A service on its host's network sends as the host and does not have its containers."""
    found = proof(stacks={"web": stack(agent=service(host_network="yes"), app=service(listens=[80]))})
    loss = Compromises(found.reach, found.openings).of(Endpoint("service", "web/agent"))
    assert loss.taken_along == ()
    assert "service:web/app" in targets(loss)


def test_a_segment_and_the_internet_are_not_taken() -> None:
    """Somebody whom the lab does not name is not ours to lose: what a segment may do is no pivot."""
    away = {
        "vlans": {"services": SERVICES, "iot": IOT, "management": MANAGEMENT},
        "nodes": {"pve": {"address": "10.10.10.2"}},
        "operator": {},
    }
    found = open_node(
        **away,
        guests={"siem": guest(address=12, listens=[443]), "docker-1": guest(address=11, runs="docker")},
        stacks={"web": stack(app=service(privileged="yes"))},
        flows=[{"from": "vlan:iot", "to": "guest:siem:443", "because": "alerts are looked at"}],
        devices={},
    )
    loss = Compromises(found.reach, found.openings).of(Endpoint("service", "web/app"))
    assert "vlan:iot" in targets(loss)
    assert "guest:siem" not in chains(loss)
    by_name = open_node(
        **away,
        guests={"siem": guest(address=12, listens=[443]), "docker-1": guest(address=11, runs="docker")},
        stacks={"web": stack(app=service(privileged="yes"))},
        flows=[{"from": "device:tv", "to": "guest:siem:443", "because": "alerts are looked at"}],
    )
    loss = Compromises(by_name.reach, by_name.openings).of(Endpoint("service", "web/app"))
    assert chains(loss)["guest:siem"] == ("device:tv",)


def test_a_published_port_is_its_container() -> None:
    """Who gets to a port that a container publishes reaches the container, and not the host that has the port."""
    found = small_lab(router={"kind": "none"})
    loss = Compromises(found.reach, found.openings).of(Endpoint("vlan", "services"))
    assert "ingress" in targets(loss)
    assert ("guest:docker-1", "443/tcp") not in {(str(a.target), str(a.port)) for a in loss.reached}


def test_pivots_are_found_behind_the_ingress() -> None:
    """From a segment the database is reached only by taking the ingress and the application."""
    found = small_lab(vlans={"services": SERVICES, "iot": IOT}, nodes={"pve": {"address": "10.10.30.2"}})
    chain = Compromises(found.reach, found.openings).pivot(
        Endpoint("vlan", "services"), Endpoint("service", "wiki/db")
    )
    assert chain is not None
    assert [str(step) for step in chain.steps] == ["ingress", "service:wiki/app"]
    assert str(chain.answer.source) == "service:wiki/app"


def test_there_may_be_no_way_at_all() -> None:
    """Where nobody who could be taken leads there, there is no pivot."""
    found = chained()
    assert found.pivot(Endpoint("service", "blog/app"), Endpoint("service", "shop/db")) is None


def test_what_belongs_needs_no_step() -> None:
    """What is taken along is a pivot without a step, with the reason."""
    chain = chained(privileged="yes").pivot(Endpoint("service", "shop/cache"), Endpoint("guest", "docker-1"))
    assert isinstance(chain, Chain)
    assert chain.steps == ()
    assert "privileged" in chain.answer.reason


@pytest.mark.parametrize("facts", [{}, {"version": 20, "userland-proxy": "yes", "bridge-netfilter": "yes"}])
def test_what_nobody_can_tell_is_apart(facts: dict[str, Any]) -> None:
    """Where facts of an engine are missing, neighbours are uncertain and never reached."""
    found = proof(
        vlans={"services": SERVICES, "iot": IOT},
        guests={},
        devices={"nas": {"vlan": "services", "address": 30, "runs": "docker", "engine": facts}},
        stacks={
            "web": stack(
                "nas", app=service(listens=[80], route=route("www", "services")), db=service(listens=[5432])
            )
        },
        ingress=ingress(host="nas", audiences={"services": {"port": 443}}),
    )
    loss = Compromises(found.reach, found.openings).of(Endpoint("service", "web/app"))
    assert ("service:web/db" in {str(answer.target) for answer in loss.uncertain}) == (not facts)
    assert "service:web/db" not in targets(loss)
