"""The output `lab`: what others may know about what is deployed."""

import json
from dataclasses import replace
from typing import Any

from components.deployed import VERSION, deployed
from lab.isolation import prove
from lab.isolation.difference import open_paths, read
from lab.plan.records import LabPlan
from tests.components import records as r

PLAN = LabPlan(
    environment="dev",
    domain="dev.lab.example",
    guests=(r.VM, replace(r.LXC, managed=False)),
    docker_hosts=(r.HOST,),
    stacks=(r.stack_with(secret_files=(r.SECRET_FILE,)),),
    ingress=r.INGRESS,
    subnet_routers=(r.ROUTER,),
)


def _deployed(plan: LabPlan) -> dict[str, Any]:
    return deployed(plan, prove(plan))


def test_the_output_is_plain_json_of_a_known_version() -> None:
    """A reader that knows JSON and the version needs nothing of this program."""
    assert json.loads(json.dumps(_deployed(PLAN))) == _deployed(PLAN)
    assert _deployed(PLAN)["version"] == VERSION == 3


def test_every_container_is_an_endpoint_with_its_addresses() -> None:
    """A probe finds each container's networks, addresses and ports under its endpoint."""
    found = {part["endpoint"]: part for part in _deployed(PLAN)["endpoints"]}
    assert set(found) == {"service:web/app", "ingress", str(r.ROUTER.service.endpoint)}
    assert found["service:web/app"]["listens"] == ["53/udp", "80/tcp", "443/tcp"]
    assert found["service:web/app"]["addresses"] == {"vnet-web": "10.128.0.2"}


def test_a_path_is_one_line() -> None:
    """Pulumi prints the output after every update, so a path takes one line of it, and is read as it was written."""
    paths = open_paths(prove(PLAN))
    lines = _deployed(PLAN)["reach"]
    assert "ingress | guest:docker-1 | 22/tcp | yes" in lines
    assert read(lines) == {key: (verdict, "") for key, (verdict, _) in paths.items()}


def test_urls_are_what_a_visitor_types() -> None:
    """The port is in a URL only where it is not the usual one, once for each audience."""
    entry = replace(r.INGRESS.entry_points[0], audience="lan", port=8443)
    route = replace(r.INGRESS.routes[0], audiences=("tailnet", "lan", "nobody"))
    ingress = replace(r.INGRESS, entry_points=(*r.INGRESS.entry_points, entry), routes=(route,))
    assert _deployed(replace(PLAN, ingress=ingress))["urls"] == [
        "https://www.dev.lab.example/",
        "https://www.dev.lab.example:8443/",
    ]


def test_what_is_observed_is_not_deployed() -> None:
    """The output holds what this lab created and nothing that was there before."""
    assert [guest["name"] for guest in _deployed(PLAN)["guests"]] == ["docker-1"]
    observed = replace(PLAN, stacks=(replace(r.STACK, managed=False),), ingress=None, subnet_routers=())
    assert _deployed(observed)["endpoints"] == []
