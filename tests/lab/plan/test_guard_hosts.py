"""The guard and everything that is no container of its own bridges: the world, machines, the host itself."""

from typing import Any

import pytest

from tests.support.builders import TAILSCALE, guest, ingress, plan, service, stack
from tests.support.guards import accepted

TWO_HOSTS = {"docker-1": guest(address=11, runs="docker"), "docker-2": guest(address=12, runs="docker")}
VLANS = {
    "services": {"id": 20, "subnet": "10.10.20.0/24"},
    "iot": {"id": 30, "subnet": "10.10.30.0/24"},
}
APP_OUT = "web/app@out-web-app"


def needing(*needs: str, **sections: Any) -> set[str]:
    """The rules of a host with one service that needs something, without its neighbours' and name resolution."""
    decided = plan(**{"stacks": {"web": stack(app=service(needs=list(needs)))}, **sections})
    return {text for text in accepted(decided) if not text.endswith((" 53/tcp", " 53/udp"))}


def test_egress_is_the_internet_and_its_names() -> None:
    """A service that may go out reaches every port of the internet, and whom its host asks for names."""
    decided = plan(
        nodes={"pve": {"address": "10.10.20.2", "dns": ["10.10.20.53"]}},
        devices={"resolver": {"vlan": "services", "address": 53}},
        stacks={"web": stack(app=service(egress="yes"), db=service())},
    )
    assert accepted(decided) == {
        f"out {APP_OUT} -> internet every port",
        f"out {APP_OUT} -> 10.10.20.53 53/tcp",
        f"out {APP_OUT} -> 10.10.20.53 53/udp",
    }


def test_names_are_asked_of_the_host_itself_where_it_answers() -> None:
    """A host that is its own resolver is asked without a packet leaving it."""
    decided = plan(
        nodes={"pve": {"address": "10.10.20.2", "dns": ["10.10.20.11"]}},
        stacks={"web": stack(app=service(needs=["internet:443"]))},
    )
    assert accepted(decided) == {
        f"out {APP_OUT} -> internet 443/tcp",
        f"local {APP_OUT} -> 10.10.20.11 53/tcp",
        f"local {APP_OUT} -> 10.10.20.11 53/udp",
    }


def test_a_subnet_router_reaches_its_control_plane() -> None:
    """The router's container may go out for what Tailscale needs, and for nothing else."""
    router = {"host": "docker-1", "tailscale": {"advertise": "ingress", "image": TAILSCALE}}
    decided = plan(tailnet={}, ingress=ingress(), stacks={"way": router})
    ports = ("443/tcp", "3478/udp", "53/tcp", "53/udp")
    assert accepted(decided) == {f"out way/router@out-way-router -> internet {port}" for port in ports}


@pytest.mark.parametrize(
    ("need", "ways"),
    [
        ("device:tv:8009", {"out {} -> 10.10.30.50 8009/tcp"}),
        ("guest:siem:1514/udp", {"out {} -> 10.10.20.30 1514/udp"}),
        ("guest:two:80", {"out {} -> 10.10.20.31 80/tcp", "out {} -> 10.10.30.31 80/tcp"}),
        ("guest:docker-1:9100", {"local {} -> 10.10.20.11 9100/tcp"}),
        ("node:pve:8006", {"out {} -> 10.10.20.2 8006/tcp"}),
        ("vlan:iot:8000-8010", {"out {} -> 10.10.30.0/24 8000-8010/tcp"}),
        ("operator:22", {"out {} -> 10.10.20.5 22/tcp"}),
        (
            "guests:80",
            {
                "local {} -> 10.10.20.11 80/tcp",
                "out {} -> 10.10.20.30 80/tcp",
                "out {} -> 10.10.20.31 80/tcp",
                "out {} -> 10.10.30.31 80/tcp",
            },
        ),
        ("nodes:8006", {"out {} -> 10.10.20.2 8006/tcp"}),
        ("set:watched:161/udp", {"out {} -> 10.10.30.50 161/udp", "out {} -> 10.10.20.30 161/udp"}),
        # Nobody of the tailnet is reached through its routers.
        ("tailnet:443", set()),
    ],
)
def test_machines_are_reached_at_their_addresses(need: str, ways: set[str]) -> None:
    """What is no container is reached at every address it has, and the own host without leaving it."""
    found = needing(
        need,
        vlans=VLANS,
        operator={"vlan": "services", "address": 5},
        devices={"tv": {"vlan": "iot", "address": 50}},
        guests={
            "docker-1": guest(address=11, runs="docker"),
            "siem": guest(address=30, tailscale={"advertise": "vlan:iot"}),
            "two": {"kind": "vm", "node": "pve", "vlans": {"services": 31, "iot": 31}},
        },
        sets={"watched": ["device:tv", "guest:siem"]},
        tailnet={},
    )
    assert found == {way.format(APP_OUT) for way in ways}


def test_a_segment_named_like_the_host_is_no_host() -> None:
    """What stays on the host is told by addresses, because a segment or node may have a host's name."""
    vlans = {"services": VLANS["services"], "docker-1": VLANS["iot"]}
    assert needing("vlan:docker-1:80", vlans=vlans) == {f"out {APP_OUT} -> 10.10.30.0/24 80/tcp"}


def test_an_observed_ingress_on_the_host_is_the_host() -> None:
    """A proxy that somebody else runs here is reached at the host's own address."""
    edge = {"host": "docker-1", "software": "nginx", "manage": "observe"}
    assert needing("ingress:443", ingress=edge) == {f"local {APP_OUT} -> 10.10.20.11 443/tcp"}


def test_a_service_in_the_host_network_is_its_host() -> None:
    """It is reached at its host's address and own port: from the same host and from another one."""
    decided = plan(
        guests=TWO_HOSTS,
        stacks={
            "home": stack(hub=service(listens=[8123], host_network=True)),
            "near": stack(app=service(needs=["home/hub:8123"])),
            "far": stack("docker-2", app=service(needs=["home/hub:8123"])),
        },
    )
    assert accepted(decided) == {"local near/app@out-near-app -> 10.10.20.11 8123/tcp"}
    assert accepted(decided, "docker-2") == {"out far/app@out-far-app -> 10.10.20.11 8123/tcp"}


def test_a_service_in_the_host_network_speaks_as_its_host() -> None:
    """Nothing guards what its own host sends; another host lets its address in."""
    decided = plan(
        guests=TWO_HOSTS,
        stacks={
            "home": stack(hub=service(host_network=True, needs=["near/db:5432", "far/db:5432"])),
            "near": stack(db=service(listens=[5432])),
            "far": stack("docker-2", db=service(listens=[5432], publishes={"5432": 5432})),
        },
    )
    assert accepted(decided) == set()
    assert accepted(decided, "docker-2") == {"in 10.10.20.11 -> 10.10.20.12 5432/tcp"}


@pytest.mark.parametrize(
    ("source", "sources"),
    [
        ("stack:job", {"10.10.20.12"}),
        ("guests", {"10.10.20.12", "10.10.20.30"}),
        ("nodes", {"10.10.20.2"}),
        ("set:both", {"10.10.20.12", "10.10.30.0/24"}),
        ("guest:docker-1", set()),
        ("operator", {"10.10.20.0/24"}),
    ],
)
def test_sources_are_who_they_stand_for(source: str, sources: set[str]) -> None:
    """Sets, stacks, `guests` and `nodes` are let in one by one; the host itself needs no rule."""
    decided = plan(
        vlans=VLANS,
        operator={"vlan": "services"},
        guests={**TWO_HOSTS, "siem": guest(address=30)},
        sets={"both": ["service:job/app", "vlan:iot"]},
        stacks={
            "job": stack("docker-2", app=service(), ui=service()),
            "data": stack(db=service(listens=[5432], publishes={"5432": 15432})),
        },
        flows=[{"from": source, "to": "service:data/db:5432", "because": "a test"}],
    )
    assert accepted(decided) == {f"in {address} -> 10.10.20.11 15432/tcp" for address in sources}


def test_nothing_guards_the_host_network() -> None:
    """What is in the host's own network crosses no bridge, so that no rule about a port of it would ever match."""
    hub = service(listens=[8123], host_network=True, publishes={"8123": 8123})
    decided = plan(
        devices={"tv": {"vlan": "services", "address": 50}},
        stacks={"home": stack(hub=hub)},
        flows=[{"from": "device:tv", "to": "service:home/hub:8123", "because": "a test"}],
    )
    assert accepted(decided) == set()


def test_a_stack_as_a_target_is_its_services() -> None:
    """A flow to a stack opens what each of its services publishes."""
    decided = plan(
        devices={"tv": {"vlan": "services", "address": 50}},
        stacks={
            "web": stack(
                app=service(listens=[80], publishes={"80": 8080}),
                ui=service(listens=[80], publishes={"80": 8081}),
            )
        },
        flows=[{"from": "device:tv", "to": "stack:web:80", "because": "a test"}],
    )
    assert accepted(decided) == {
        "in 10.10.20.50 -> 10.10.20.11 8080/tcp",
        "in 10.10.20.50 -> 10.10.20.11 8081/tcp",
    }
