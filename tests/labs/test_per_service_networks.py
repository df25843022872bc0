"""Seed 002: the rules, subnets and patterns of Omakase's "Network Architecture", asserted on the plan."""

from ipaddress import IPv4Network

import pytest

from lab.config.model import LabConfig
from lab.docker_api import root_calls
from lab.plan.records import LabPlan
from tests.labs.reading import (
    declared,
    flows,
    networks,
    planned,
    service,
    share_a_network,
    subnet_of,
    targets,
)

INGRESS, SOCKET = "vnet-ingress", "vnet-socket"
DATABASES = ("authelia/db", "immich/db", "myservice/myservice-db")
TOOLS = ("socket/dozzle", "socket/portainer", "socket/homepage")
WEB = (
    "authelia/authelia",
    "immich/server",
    "local-ai/open-webui",
    "local-ai/anythingllm",
    "myservice/myservice",
    *TOOLS,
)


@pytest.fixture
def lab() -> LabConfig:
    """What the lab file declares."""
    return declared("per-service-networks")


@pytest.fixture
def plan() -> LabPlan:
    """What is decided from it."""
    return planned("per-service-networks")


def test_the_ingress_network_is_shared(lab: LabConfig, plan: LabPlan) -> None:
    """vnet-ingress is one shared network, 192.168.90.0/24, with Traefik in it."""
    assert lab.ingress is not None
    assert lab.ingress.attachment == "shared"
    assert str(lab.ingress.subnet) == "192.168.90.0/24"
    assert plan.ingress is not None
    assert plan.ingress.service is not None
    assert INGRESS in {attachment.network for attachment in plan.ingress.service.attachments}


def test_the_ingress_is_protected_and_watched(lab: LabConfig) -> None:
    """What is public is protected by Authelia and monitored by CrowdSec."""
    assert lab.ingress is not None
    assert lab.ingress.auth is not None
    assert lab.ingress.ips is not None
    assert (lab.ingress.auth.kind, str(lab.ingress.auth.endpoint)) == (
        "authelia",
        "service:authelia/authelia",
    )
    assert (lab.ingress.ips.kind, str(lab.ingress.ips.endpoint)) == ("crowdsec", "service:traefik/crowdsec")


@pytest.mark.parametrize(
    ("network", "subnet"),
    [
        ("vnet-socket", "192.168.91.0/24"),
        ("vnet-traefik", "192.168.10.0/29"),
        ("vnet-authelia", "192.168.20.16/29"),
        ("vnet-immich", "192.168.20.32/29"),
        ("vnet-local-ai", "192.168.21.16/28"),
    ],
)
def test_the_allocation_is_kept(plan: LabPlan, network: str, subnet: str) -> None:
    """The subnets that the text allocates are the subnets of the plan, out of sequence as they are."""
    assert subnet_of(plan, network) == subnet


def test_a_new_service_gets_a_free_subnet(plan: LabPlan) -> None:
    """A service that names only its size gets a /29 that overlaps nobody's."""
    mine = IPv4Network(subnet_of(plan, "vnet-myservice"))
    others = [
        IPv4Network(net.subnet)
        for stack in plan.stacks
        for net in stack.networks
        if net.name != "vnet-myservice"
    ]
    assert mine.prefixlen == 29
    assert not any(mine.overlaps(other) for other in others)


def test_shared_networks_are_large(plan: LabPlan) -> None:
    """Shared networks are /24, the networks of services /29 or /28."""
    assert IPv4Network(subnet_of(plan, SOCKET)).prefixlen == 24
    own = [
        net
        for stack in plan.stacks
        for net in stack.networks
        if net.name.startswith("vnet-") and net.name != SOCKET
    ]
    assert {IPv4Network(net.subnet).prefixlen for net in own} == {28, 29}


def test_a_28_is_for_three_containers_or_more(lab: LabConfig) -> None:
    """The one network that is a /28 holds three containers; a /29 holds three at most."""
    assert len(lab.stacks["local-ai"].services) == 3
    small = [stack for name, stack in lab.stacks.items() if name not in ("local-ai", "socket")]
    assert all(len(stack.services) <= 3 for stack in small)


def test_each_service_has_its_own_network(lab: LabConfig, plan: LabPlan) -> None:
    """Each service has an isolated network vnet-SERVICE."""
    for name, stack in lab.stacks.items():
        for member in stack.services:
            assert f"vnet-{name}" in networks(plan, f"{name}/{member}")


@pytest.mark.parametrize("member", WEB)
def test_web_services_are_on_ingress_and_their_own(plan: LabPlan, member: str) -> None:
    """A web service is in vnet-ingress and in its own network, and in no other but that of its proxy."""
    shared = {name for name in networks(plan, member) if not name.startswith("socket-")}
    assert shared == {INGRESS, f"vnet-{member.partition('/')[0]}"}


@pytest.mark.parametrize("member", DATABASES)
def test_databases_are_on_their_own_network_only(plan: LabPlan, member: str) -> None:
    """A database is in its service's network: never on ingress, never in another service's."""
    assert networks(plan, member) == {f"vnet-{member.partition('/')[0]}"}


def test_the_database_pattern_is_there(lab: LabConfig, plan: LabPlan) -> None:
    """The pattern "Service with Database": postgres 16, found by the name that DB_HOST holds."""
    pattern = lab.stacks["myservice"].services
    assert pattern["myservice"].environment == {"DB_HOST": "myservice-db"}
    assert pattern["myservice-db"].image.startswith("docker.io/library/postgres:16")
    aliases = {alias for a in service(plan, "myservice/myservice-db").attachments for alias in a.aliases}
    assert "myservice-db" in aliases


def test_one_service_cannot_reach_another_ones_database(plan: LabPlan) -> None:
    """Service A cannot reach service B's database although both run on the same host."""
    for member in WEB:
        for database in DATABASES:
            if member.partition("/")[0] != database.partition("/")[0]:
                assert not share_a_network(plan, member, database)


def test_services_run_on_one_host(lab: LabConfig) -> None:
    """Everything runs on the same host, the server."""
    assert {stack.host for stack in lab.stacks.values()} == {"omakase"}


@pytest.mark.parametrize("member", TOOLS)
def test_monitoring_tools_ask_cetusguard(plan: LabPlan, member: str) -> None:
    """Dozzle, Portainer and Homepage are in vnet-socket, and each reaches the Docker API at a Cetusguard of its own."""
    tool, proxy = service(plan, member), service(plan, f"{member}-docker-api")
    name = member.partition("/")[2]
    assert networks(plan, f"{member}-docker-api") == {f"socket-socket-{name}"}
    assert {SOCKET, f"socket-socket-{name}"} <= networks(plan, member)
    assert tool.environment["DOCKER_HOST"] == f"tcp://{name}-docker-api:2375"
    assert f"service:{member}-docker-api:2375/tcp" in targets(plan, f"service:{member}")
    assert proxy.image.startswith("docker.io/hectorm/cetusguard:v1.1.2@")
    assert proxy.docker_filter is not None
    assert (proxy.docker_filter.consumer, proxy.docker_filter.rights) == (member, tool.docker_rights)


@pytest.mark.parametrize("member", TOOLS)
def test_monitoring_tools_are_not_root(plan: LabPlan, member: str) -> None:
    """No tool may create containers or run commands in them by the proxy."""
    assert not root_calls(service(plan, member).docker_rights)


def test_monitoring_tools_are_in_no_services_network(plan: LabPlan) -> None:
    """Monitoring tools are never directly in a service's network."""
    for tool in TOOLS:
        assert networks(plan, tool) == {INGRESS, SOCKET, tool.replace("socket/", "socket-socket-")}


def test_only_cetusguard_holds_the_socket(plan: LabPlan) -> None:
    """Nobody but a Cetusguard mounts the Docker socket, and none is on ingress."""
    holders = {
        f"{stack.name}/{member.name}"
        for stack in plan.stacks
        for member in stack.services
        if member.docker_socket
    }
    assert holders == {f"{tool}-docker-api" for tool in TOOLS}
    assert all(INGRESS not in networks(plan, holder) for holder in holders)
    mounts = [path for stack in plan.stacks for member in stack.services for path in member.binds]
    assert not [path for path in mounts if "docker.sock" in path]


def test_a_request_comes_in_on_port_80(lab: LabConfig, plan: LabPlan) -> None:
    """An external request reaches Traefik on port 80; TLS ends in front of it."""
    assert lab.ingress is not None
    assert {name: entry.port for name, entry in lab.ingress.audiences.items()} == {"internet": 80}
    assert lab.ingress.tls == "upstream"
    assert lab.ingress.trusted_upstreams == (lab.devices["tls-terminator"].address,)
    assert lab.certificate is None
    assert targets(plan, "device:tls-terminator") == {"ingress:80/tcp"}
    assert targets(plan, "internet") == set()


@pytest.mark.parametrize(
    "step",
    [
        "device:tls-terminator -> ingress:80/tcp",
        "ingress -> service:traefik/crowdsec:8080/tcp",
        "ingress -> service:authelia/authelia:9091/tcp",
        "ingress -> service:immich/server:2283/tcp",
        "service:immich/server -> service:immich/db:5432/tcp",
        "ingress -> service:myservice/myservice:80/tcp",
        "service:myservice/myservice -> service:myservice/myservice-db:5432/tcp",
        "ingress -> service:socket/dozzle:8080/tcp",
        "ingress -> service:socket/homepage:3000/tcp",
        "ingress -> service:socket/portainer:9000/tcp",
    ],
)
def test_each_step_of_the_request_flow_is_a_flow(plan: LabPlan, step: str) -> None:
    """Request, CrowdSec, Authelia, service, database: each step is a permission of the plan."""
    assert step in flows(plan)


def test_every_service_asks_authelia_first(plan: LabPlan) -> None:
    """Every route but Authelia's own portal asks who the visitor is."""
    assert plan.ingress is not None
    assert {str(route.target) for route in plan.ingress.routes if route.auth == "none"} == {
        "service:authelia/authelia"
    }


def test_dns_is_one_wildcard(lab: LabConfig) -> None:
    """One wildcard name leads to the server, and Traefik tells hosts apart."""
    assert lab.dns.records == "wildcard"


def test_no_private_network_has_a_way_out(plan: LabPlan) -> None:
    """Small networks keep the attack surface small: none of them has a way out."""
    assert all(net.internal for stack in plan.stacks for net in stack.networks)


@pytest.mark.parametrize(
    "need",
    [
        "service:authelia/authelia -> service:authelia/db:5432/tcp",
        "service:authelia/authelia -> service:authelia/redict:6379/tcp",
        "service:local-ai/open-webui -> service:local-ai/ollama:11434/tcp",
        "service:local-ai/anythingllm -> service:local-ai/ollama:11434/tcp",
    ],
)
def test_services_reach_what_is_in_their_network(plan: LabPlan, need: str) -> None:
    """Inside its own network a service reaches what it needs."""
    assert need in flows(plan)
