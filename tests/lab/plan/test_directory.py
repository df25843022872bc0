"""Who is who in a plan: what an endpoint stands for, and under which addresses it is seen."""

from dataclasses import replace

import pytest

from lab.flows import Endpoint
from lab.plan.directory import Directory
from tests.support.builders import TAILSCALE, guest, ingress, plan, service, stack

VLANS = {
    "services": {"id": 20, "subnet": "10.10.20.0/24"},
    "iot": {"id": 30, "subnet": "10.10.30.0/24"},
}
PLAN = plan(
    vlans=VLANS,
    nodes={"pve": {"address": "10.10.20.2"}, "far": {"address": "10.10.30.2"}},
    operator={"vlan": "services", "address": 5},
    devices={"tv": {"vlan": "iot", "address": 50}, "phone": {"vlan": "iot"}},
    guests={
        "docker-1": guest(address=11, runs="docker"),
        "two": {"kind": "vm", "node": "pve", "vlans": {"services": 31, "iot": 32}},
        "router": {
            "kind": "vm",
            "node": "pve",
            "vlans": {"services": 13, "iot": 13},
            "tailscale": {"advertise": "vlan:iot"},
        },
    },
    tailnet={},
    ingress=ingress(),
    sets={"inner": ["device:tv", "stack:web"], "outer": ["set:inner", "guest:two", "device:tv"]},
    stacks={
        "web": stack(app=service(listens=[80], publishes={"80": 8080}), db=service()),
        "way": {"host": "docker-1", "tailscale": {"advertise": "ingress", "image": TAILSCALE}},
    },
)
DIRECTORY = Directory(PLAN)


@pytest.mark.parametrize(
    ("endpoint", "members"),
    [
        ("device:tv", ["device:tv"]),
        ("internet", ["internet"]),
        ("guests", ["guest:docker-1", "guest:router", "guest:two"]),
        ("nodes", ["node:far", "node:pve"]),
        ("stack:web", ["service:web/app", "service:web/db"]),
        ("stack:way", ["service:way/router"]),
        ("set:outer", ["device:tv", "guest:two", "service:web/app", "service:web/db"]),
    ],
)
def test_an_endpoint_stands_for_its_members(endpoint: str, members: list[str]) -> None:
    """Sets, stacks, `guests` and `nodes` are their members, each once; everything else is itself."""
    assert sorted(map(str, DIRECTORY.members(Endpoint.parse(endpoint)))) == members


def test_a_set_within_itself_ends() -> None:
    """A bad lab is planned to its end, so that all its problems are told: no circle is followed for ever."""
    circle = {"a": (Endpoint("set", "b"),), "b": (Endpoint("set", "a"), Endpoint("internet"))}
    assert Directory(replace(PLAN, sets=circle)).members(Endpoint("set", "a")) == (Endpoint("internet"),)


@pytest.mark.parametrize(
    ("endpoint", "addresses"),
    [
        ("guest:two", ("10.10.20.31", "10.10.30.32")),
        ("device:tv", ("10.10.30.50",)),
        ("device:phone", ()),
        ("node:far", ("10.10.30.2",)),
        ("vlan:iot", ("10.10.30.0/24",)),
        ("internet", ("",)),
        ("operator", ("10.10.20.5",)),
        ("ingress", ("10.10.20.11",)),
        ("service:web/app", ("10.10.20.11",)),
        ("stack:web", ("10.10.20.11",)),
        ("tailnet", ("10.10.20.11", "10.10.20.13")),
        ("set:outer", ("10.10.20.31", "10.10.30.32", "10.10.30.50", "10.10.20.11")),
    ],
)
def test_packets_carry_the_addresses_of_their_machine(endpoint: str, addresses: tuple[str, ...]) -> None:
    """A container is seen as its host and the tailnet as its routers; a leased address is nobody's."""
    assert DIRECTORY.addresses(Endpoint.parse(endpoint)) == addresses


@pytest.mark.parametrize(
    "endpoint", ["guest:nobody", "service:web/none", "vlan:none", "node:none", "set:none", "stack:none"]
)
def test_who_is_not_there_has_no_address(endpoint: str) -> None:
    """A name that leads to nobody is refused elsewhere, and stops nothing here."""
    assert DIRECTORY.addresses(Endpoint.parse(endpoint)) == ()


def test_an_operator_without_an_address_is_its_segment() -> None:
    """Where pulumi runs is one address if it was said, else any of its segment, else nowhere."""
    segment = replace(PLAN, operator_address=None)
    assert Directory(segment).addresses(Endpoint("operator")) == ("10.10.20.0/24",)
    assert Directory(replace(segment, operator_vlan=None)).addresses(Endpoint("operator")) == ()


def test_without_an_ingress_nobody_is_it() -> None:
    """A lab without a way in has nobody who comes from it."""
    assert Directory(replace(PLAN, ingress=None)).addresses(Endpoint("ingress")) == ()


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("10.10.30.32", "guest:two"),
        ("10.10.30.50", "device:tv"),
        ("10.10.30.2", "node:far"),
        ("10.10.20.99", "None"),
    ],
)
def test_an_address_has_an_owner(address: str, owner: str) -> None:
    """Each fixed address leads to its machine, and every other one to nobody."""
    assert str(DIRECTORY.owner(address)) == owner


def test_every_container_and_network_is_found() -> None:
    """Stacks, subnet routers and Traefik are containers of a host, and their networks are its networks."""
    assert {str(endpoint) for endpoint in DIRECTORY.containers} == {
        "service:web/app",
        "service:web/db",
        "service:way/router",
        "ingress",
    }
    assert {c.host for c in DIRECTORY.containers.values()} == {"docker-1"}
    for container in DIRECTORY.containers.values():
        for attachment in container.service.attachments:
            assert ("docker-1", attachment.network) in DIRECTORY.networks


def test_routers_are_containers_guests_and_nodes() -> None:
    """Whatever advertises to the tailnet is one of its routers."""
    nodes = {"pve": {"address": "10.10.20.2", "tailscale": {"advertise": "vlan:services"}}}
    assert {str(router) for router in DIRECTORY.routers} == {"service:way/router", "guest:router"}
    assert [str(router) for router in Directory(plan(nodes=nodes, tailnet={})).routers] == ["node:pve"]
