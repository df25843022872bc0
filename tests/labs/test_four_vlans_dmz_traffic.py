"""Seed 003: who talks to whom in the Alliance lab: ingress, sign-on, remote access, detection, monitoring."""

import pytest

from lab.config.model import LabConfig
from lab.plan.records import LabPlan
from tests.labs.reading import declared, flows, planned, service, sources, targets


@pytest.fixture
def lab() -> LabConfig:
    """What the lab file declares."""
    return declared("four-vlans-dmz")


@pytest.fixture
def plan() -> LabPlan:
    """What is decided from it."""
    return planned("four-vlans-dmz")


def test_the_dmz_is_the_only_public_surface(lab: LabConfig, plan: LabPlan) -> None:
    """The internet reaches Nginx Proxy Manager in the DMZ and nothing else."""
    assert lab.ingress is not None
    assert (lab.ingress.host, lab.ingress.software, lab.ingress.manage) == (
        "npm",
        "nginx-proxy-manager",
        "observe",
    )
    assert targets(plan, "internet") == {"ingress:443/tcp"}
    assert {name for name, guest in lab.guests.items() if guest.vlan == "dmz"} == {"npm"}


def test_npm_terminates_tls_and_limits_rates(lab: LabConfig) -> None:
    """Nginx Proxy Manager terminates TLS and limits rates."""
    assert lab.ingress is not None
    assert lab.ingress.tls == "own"
    assert "rate limiting" in lab.ingress.description


def test_authentik_is_asked_before_every_service(plan: LabPlan) -> None:
    """A request passes Authentik with two factors on its way to every service but Authentik itself."""
    assert plan.ingress is not None
    assert plan.ingress.auth_kind == "authentik"
    asked = {str(route.target): route.auth for route in plan.ingress.routes}
    assert asked.pop("service:authentik/server") == "none"
    assert set(asked.values()) == {"two-factor"}


@pytest.mark.parametrize(
    "arrow",
    [
        "internet -> ingress:443/tcp",
        "ingress -> service:authentik/server:9000/tcp",
        "ingress -> guest:grafana:3000/tcp",
        "ingress -> service:n8n/n8n:5678/tcp",
        "ingress -> guest:vaultwarden:80/tcp",
        "ingress -> guest:homepage:3000/tcp",
    ],
)
def test_each_arrow_of_the_external_request(plan: LabPlan, arrow: str) -> None:
    """Internet, proxy, single sign-on, backend: each arrow of the traffic flow is a permission."""
    assert arrow in flows(plan)


def test_chat_is_a_backend_of_the_proxy(plan: LabPlan) -> None:
    """OpenWebUI is one of the backend services behind the proxy."""
    assert plan.ingress is not None
    assert "service:ai/open-webui" in {str(route.target) for route in plan.ingress.routes}


def test_sso_has_two_factors(lab: LabConfig) -> None:
    """Authentik proves who somebody is, with MFA, for Grafana, n8n, Vaultwarden, OpenWebUI and Wazuh."""
    assert lab.identity is not None
    assert (lab.identity.kind, lab.identity.factors) == ("authentik", 2)
    assert {str(client) for client in lab.identity.clients} == {
        "guest:grafana",
        "service:n8n/n8n",
        "guest:vaultwarden",
        "service:ai/open-webui",
        "guest:wazuh",
    }


def test_mfa_is_totp_and_webauthn(lab: LabConfig) -> None:
    """The factors are TOTP and WebAuthn."""
    assert lab.ingress is not None
    assert lab.ingress.auth is not None
    assert "TOTP and WebAuthn" in lab.ingress.auth.description


def test_node_c_is_the_subnet_router(plan: LabPlan) -> None:
    """Node-C advertises the management subnet, and no other node advertises anything."""
    advertised = {node.name: node.advertises for node in plan.nodes if node.advertises}
    assert advertised == {"node-c": ("192.168.1.0/24",)}


def test_tailscale_members_are_the_nodes(lab: LabConfig) -> None:
    """All three nodes are in the tailnet, at 100.x.x.10 to .12, and selected guests from .20 on."""
    assert lab.tailnet is not None
    assert {str(member) for member in lab.tailnet.members} == {"node:node-a", "node:node-b", "node:node-c"}
    assert "100.x.x.10 to .12" in lab.tailnet.description
    assert "100.x.x.20" in lab.tailnet.description


def test_authorized_clients_reach_management(plan: LabPlan) -> None:
    """Authorized Tailscale clients, and they alone, reach the management subnet."""
    assert sources(plan, "vlan:management") == {"tailnet:authorized"}


def test_adguard_filters_names(plan: LabPlan) -> None:
    """AdGuard on Node-C is the resolver and filters."""
    assert plan.dns.resolver is not None
    assert plan.dns.resolver.software == "adguard"
    assert str(plan.dns.resolver.endpoint) == "guest:adguard"
    assert plan.dns.resolver.filters


@pytest.mark.parametrize(
    "arrow",
    [
        "nodes -> guest:influxdb:8086/tcp",
        "guest:grafana -> guest:influxdb:8086/tcp",
        "set:agents -> guest:wazuh:1514/tcp",
        "set:agents -> guest:wazuh:1515/tcp",
        "guest:wazuh -> service:n8n/n8n:5678/tcp",
        "service:n8n/n8n -> internet",
        "service:n8n/n8n -> guest:homeassistant:8123/tcp",
        "guest:uptimekuma -> guest:grafana:3000/tcp",
    ],
)
def test_detection_alerting_and_monitoring(plan: LabPlan, arrow: str) -> None:
    """Telegraf, InfluxDB, Grafana; agents, Wazuh, n8n, Discord; Home Assistant; UptimeKuma: each arrow."""
    assert arrow in flows(plan)


def test_wazuh_sees_nodes_and_logins(lab: LabConfig) -> None:
    """Agents run on all nodes, and the login audit trail of Authentik is forwarded."""
    assert {"nodes", "guest:authentik"} <= {str(member) for member in lab.sets["agents"]}


def test_metrics_are_ten_seconds_fine(lab: LabConfig, plan: LabPlan) -> None:
    """Metrics of all three nodes are written every 10 seconds into InfluxDB 2.x."""
    because = next(
        flow.because
        for flow in plan.flows
        if str(flow.target) == "guest:influxdb:8086/tcp" and str(flow.source) == "nodes"
    )
    assert "every 10 seconds" in because
    assert "InfluxDB 2.x" in lab.guests["influxdb"].description


@pytest.mark.parametrize(
    ("member", "inside", "outside"),
    [
        ("ai/open-webui", 8080, 3000),
        ("ai/anythingllm", 3001, 3001),
        ("ai/comfyui", 8188, 8188),
        ("authentik/server", 9000, 9000),
        ("n8n/n8n", 5678, 5678),
    ],
)
def test_backends_keep_their_published_ports(plan: LabPlan, member: str, inside: int, outside: int) -> None:
    """Backends in containers are published on the ports that the proxy of the origin knows."""
    assert {(port.internal, port.external) for port in service(plan, member).published} == {(inside, outside)}


def test_only_the_siem_is_not_for_the_internet(plan: LabPlan) -> None:
    """Every backend is for the internet, behind single sign-on; the dashboard of Wazuh is for Management."""
    assert plan.ingress is not None
    audiences = {str(route.target): route.audiences for route in plan.ingress.routes}
    assert audiences.pop("guest:wazuh") == ("management",)
    assert set(audiences.values()) == {("internet",)}
    assert len(audiences) == 9
