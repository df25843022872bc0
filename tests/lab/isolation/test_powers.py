"""What a service can do besides opening connections, and who is root on its host because of it."""

from typing import Any

import pytest

from lab.flows import Endpoint
from lab.isolation.powers import powers, root_of
from lab.plan.directory import Directory
from tests.support.builders import has_its_host, plan, service, stack


def given(**changes: Any) -> list[tuple[bool, str]]:
    """What a service with these keys can do: whether that is root, and the key that gives it."""
    decided = plan(stacks={"web": stack(app=service(**changes))}, accept=[has_its_host("web/app")])
    return [(power.root, power.key) for power in powers(Directory(decided), Endpoint("service", "web/app"))]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"docker_socket": "yes"}, [(True, "docker-socket")]),
        ({"privileged": "yes"}, [(True, "privileged")]),
        ({"host_processes": "yes"}, []),
        ({"host_processes": "yes", "capabilities": ["CAP_SYS_PTRACE"]}, [(True, "host-processes")]),
        ({"capabilities": ["CAP_SYS_PTRACE"]}, []),
        ({"capabilities": ["CAP_SYS_ADMIN"]}, [(True, "capabilities")]),
        ({"capabilities": ["CAP_SYS_MODULE"]}, [(True, "capabilities")]),
        ({"capabilities": ["CAP_SYS_RAWIO"]}, [(True, "capabilities")]),
        ({"capabilities": ["CAP_DAC_READ_SEARCH"]}, [(True, "capabilities")]),
        ({"capabilities": ["CAP_NET_ADMIN", "CAP_CHOWN"]}, []),
        ({"host_network": "yes"}, [(False, "host-network")]),
        (
            {"host_network": "yes", "capabilities": ["CAP_NET_ADMIN"]},
            [(True, "host-network"), (False, "host-network")],
        ),
        ({"docker_api": {"rights": ["list", "events", "logs"]}}, []),
        ({"docker_api": {"rights": ["list", "create"]}}, [(True, "docker-api")]),
        ({"docker_api": {"rights": ["list", "exec"]}}, [(True, "docker-api")]),
        ({"docker_api": {"rights": ["inspect"]}}, [(False, "docker-api")]),
        ({"docker_api": {"rights": ["files"]}}, [(False, "docker-api")]),
        ({"docker_api": {"rights": ["processes"]}}, [(False, "docker-api")]),
        ({"docker_api": {"rights": ["stats", "info", "images", "networks", "volumes", "disk"]}}, []),
        ({"docker_api": {"rights": ["write"]}}, [(True, "docker-api")]),
        ({"docker_api": {"rights": ["build"]}}, [(True, "docker-api")]),
        ({"docker_api": {"rights": ["plugins"]}}, [(True, "docker-api")]),
        ({"docker_api": {"rights": ["swarm"]}}, [(True, "docker-api")]),
        ({"binds": {"/etc": "/host/etc"}}, [(False, "binds")]),
        ({"binds": {"/srv/media": "/media"}}, []),
        ({"binds": {"/var/run/docker.sock": "/var/run/docker.sock"}}, [(True, "binds")]),
        ({"binds": {"/run": "/host/run"}}, [(True, "binds")]),
    ],
)
def test_keys_give_powers(changes: dict[str, Any], found: list[tuple[bool, str]]) -> None:
    """Each key that gives more than a network is told, and whether it is as good as root."""
    assert given(**changes) == found


def test_both_rights_are_named() -> None:
    """The calls that are root are named, rights that only show things are told apart from them."""
    rights = {"rights": ["create", "exec", "inspect", "list"]}
    decided = plan(stacks={"web": stack(app=service(docker_api=rights))}, accept=[has_its_host("web/app")])
    reasons = [power.reason for power in powers(Directory(decided), Endpoint("service", "web/app"))]
    assert reasons == [
        "its rights at the Docker API include POST /containers/create and POST /containers/{id}/exec",
        "of its rights at the Docker API inspect shows the variables of every container",
    ]


def test_root_is_the_first_that_is_root() -> None:
    """Of several powers the one that is root is what makes a service root."""
    decided = plan(stacks={"web": stack(app=service(host_network="yes", privileged="yes"))})
    power = root_of(Directory(decided), Endpoint("service", "web/app"))
    assert power is not None
    assert power.key == "privileged"


def test_machines_have_no_powers() -> None:
    """What is no container has no key that gives it anything."""
    assert powers(Directory(plan()), Endpoint("guest", "docker-1")) == ()
