"""The guard of a Docker host: which flow between services becomes which rule, on which host."""

from typing import Any

import pytest

from tests.support.builders import guest, plan, service, stack
from tests.support.guards import accepted, guard_of

TWO_HOSTS = {"docker-1": guest(address=11, runs="docker"), "docker-2": guest(address=12, runs="docker")}
VLANS = {
    "services": {"id": 20, "subnet": "10.10.20.0/24"},
    "iot": {"id": 30, "subnet": "10.10.30.0/24"},
}
WITHIN_STACK = "within web/app@vnet-web -> web/db@vnet-web"


def flow(source: Any, target: Any) -> dict[str, Any]:
    """A declared flow."""
    return {"from": source, "to": target, "because": "a test"}


def test_a_need_opens_one_port_of_one_neighbour() -> None:
    """What a service needs of its stack it reaches at that port, and nobody reaches anything else."""
    decided = plan(
        stacks={
            "web": stack(
                app=service(needs=["db:5432"]), db=service(listens=[5432, 8008]), other=service(listens=[80])
            )
        }
    )
    assert accepted(decided) == {f"{WITHIN_STACK} 5432/tcp"}


def test_services_of_one_stack_do_not_meet_by_themselves() -> None:
    """A network in common is no permission."""
    decided = plan(stacks={"web": stack(app=service(listens=[80]), db=service(listens=[5432]))})
    assert guard_of(decided).rules == ()


def test_a_need_of_another_stack_goes_over_the_link() -> None:
    """Two stacks meet on their link alone."""
    decided = plan(
        stacks={
            "web": stack(app=service(needs=["data/db:53/udp"])),
            "data": stack(db=service(listens=["53/udp"])),
        }
    )
    assert accepted(decided) == {
        "within web/app@link-web-app--data-db -> data/db@link-web-app--data-db 53/udp"
    }


def test_a_declared_flow_between_services_goes_over_the_link() -> None:
    """A flow that a person wrote is like a need."""
    decided = plan(
        stacks={"web": stack(app=service()), "data": stack(db=service(listens=[5432]))},
        flows=[flow("service:web/app", "service:data/db:5432")],
    )
    link = "link-web-app--data-db"
    assert accepted(decided) == {f"within web/app@{link} -> data/db@{link} 5432/tcp"}


def test_every_network_in_common_is_a_way() -> None:
    """Two services that share two networks may use either, because Docker's names lead to both."""
    two = {"host": "docker-1", "networks": {"a": {}, "b": {}}}
    decided = plan(
        stacks={
            "web": {**two, "services": {"app": service(needs=["db:5432"]), "db": service(listens=[5432])}}
        }
    )
    assert accepted(decided) == {
        "within web/app@vnet-web-a -> web/db@vnet-web-a 5432/tcp",
        "within web/app@vnet-web-b -> web/db@vnet-web-b 5432/tcp",
    }


def test_who_shares_a_network_goes_no_other_way() -> None:
    """A neighbour's published port is for those who are no neighbours."""
    decided = plan(
        stacks={
            "web": stack(
                app=service(needs=["db:5432"], egress="yes"),
                db=service(listens=[5432], publishes={"5432": 5432}),
            )
        }
    )
    assert {text for text in accepted(decided) if "5432" in text} == {f"{WITHIN_STACK} 5432/tcp"}


@pytest.mark.parametrize(
    ("target", "port"),
    [("service:web/db", "every port"), ("service:web/db:8000-8010", "8000-8010/tcp")],
)
def test_a_flow_says_how_much_of_a_service_it_opens(target: str, port: str) -> None:
    """A flow without a port is every port, and one with a range the range."""
    decided = plan(
        stacks={"web": stack(app=service(), db=service(listens=["8000-8010"]))},
        flows=[flow("service:web/app", target)],
    )
    assert accepted(decided) == {f"{WITHIN_STACK} {port}"}


def test_a_member_of_a_set_has_no_rule_about_itself() -> None:
    """A set that may reach itself is its members reaching each other, and none of them itself."""
    decided = plan(
        sets={"pair": ["service:web/app", "service:web/db"]},
        stacks={"web": stack(app=service(), db=service(listens=[5432]))},
        flows=[flow("set:pair", "set:pair:5432")],
    )
    assert accepted(decided) == {
        f"{WITHIN_STACK} 5432/tcp",
        "within web/db@vnet-web -> web/app@vnet-web 5432/tcp",
    }


def test_the_docker_api_is_asked_at_its_proxy() -> None:
    """Who may ask the Docker API reaches the proxy's port, and a neighbour without the right does not."""
    decided = plan(stacks={"web": stack(app=service(docker_api={"rights": ["list"]}), other=service())})
    assert accepted(decided) == {
        "within web/app@socket-web-app -> web/app-docker-api@socket-web-app 2375/tcp"
    }


def test_a_service_of_another_host_is_reached_where_it_is_published() -> None:
    """The source's host lets it out to the published port, and the target's host lets that host in, because
    containers leave masqueraded."""
    decided = plan(
        guests=TWO_HOSTS,
        stacks={
            "job": stack(app=service(needs=["data/db:5432"])),
            "data": stack(
                "docker-2", db=service(listens=[5432, 9000], publishes={"5432": 15432, "9000": 19000})
            ),
        },
    )
    assert accepted(decided) == {"out job/app@out-job-app -> 10.10.20.12 15432/tcp"}
    assert accepted(decided, "docker-2") == {"in 10.10.20.11 -> 10.10.20.12 15432/tcp"}


def test_a_host_with_two_addresses_is_let_in_from_both() -> None:
    """Which of its addresses a host masquerades with is its routing's choice."""
    two = {"kind": "vm", "node": "pve", "vlans": {"services": 11, "iot": 11}, "runs": "docker"}
    decided = plan(
        vlans=VLANS,
        guests={**TWO_HOSTS, "docker-1": two},
        stacks={
            "job": stack(app=service(needs=["data/db:53/udp"])),
            "data": stack("docker-2", db=service(listens=["53/udp"], publishes={"53/udp": 5353})),
        },
    )
    assert accepted(decided, "docker-2") == {
        "in 10.10.20.11 -> 10.10.20.12 5353/udp",
        "in 10.10.30.11 -> 10.10.20.12 5353/udp",
    }


@pytest.mark.parametrize(
    ("target", "ports"),
    [
        ("service:web/app", {"8080/tcp", "5353/udp"}),
        ("service:web/app:80", {"8080/tcp"}),
        ("service:web/app:53/udp", {"5353/udp"}),
        ("service:web/app:70-90", {"8080/tcp"}),
        ("service:web/app:70-90/udp", set()),
        ("service:web/app:8080", set()),
    ],
)
def test_published_ports_open_by_what_they_lead_to(target: str, ports: set[str]) -> None:
    """A flow names the container's own port; what is opened is the host's port that leads there."""
    decided = plan(
        devices={"tv": {"vlan": "services", "address": 50}},
        stacks={"web": stack(app=service(listens=[80, "53/udp"], publishes={"80": 8080, "53/udp": 5353}))},
        flows=[flow("device:tv", target)],
    )
    assert accepted(decided) == {f"in 10.10.20.50 -> 10.10.20.11 {port}" for port in ports}
