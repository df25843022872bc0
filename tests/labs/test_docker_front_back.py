"""Seed 000: the sentences and arrows of "Internal Networking & Service Isolation", asserted on the plan."""

import pytest

from lab.config.model import LabConfig
from lab.plan.records import LabPlan
from tests.labs.reading import declared, flows, networks, planned, sources, targets

FRONTEND, BACKEND = "vnet-monitoring-frontend", "vnet-monitoring-backend"
CORE = ("prometheus", "node-exporter", "cadvisor", "loki", "promtail")
GUESTS = ("site-1", "site-2", "jellyfin", "stirlingpdf", "vaultwarden")


@pytest.fixture
def lab() -> LabConfig:
    """What the lab file declares."""
    return declared("docker-front-back")


@pytest.fixture
def plan() -> LabPlan:
    """What is decided from it."""
    return planned("docker-front-back")


def test_traefik_is_the_single_ingress_point(lab: LabConfig, plan: LabPlan) -> None:
    """All traffic that enters the lab comes in by Traefik: the tunnel reaches it and nothing else, and the internet,
    which opens no connection into the lab at all, comes by the tunnel."""
    assert lab.ingress is not None
    assert lab.ingress.software == "traefik"
    assert lab.ingress.manage == "yes"
    assert targets(plan, "internet") == set()
    inward = {text for text in targets(plan, "service:tunnel/cloudflared") if not text.startswith("internet")}
    assert inward == {"ingress:443/tcp"}
    assert plan.ingress is not None
    assert plan.ingress.service is not None
    assert plan.ingress.service.published == ()


def test_services_run_on_two_hosts(lab: LabConfig) -> None:
    """Services are divided across Docker-SRV and Proxmox-SRV."""
    assert (lab.devices["docker-srv"].runs, lab.devices["docker-srv"].address) == ("docker", "10.10.0.11")
    assert lab.nodes["proxmox-srv"].address == "10.10.0.12"
    assert {stack.host for stack in lab.stacks.values()} == {"docker-srv"}
    assert {guest.node for guest in lab.guests.values()} == {"proxmox-srv"}
    assert set(lab.nodes) == {"proxmox-srv"}


def test_docker_srv_has_a_frontend_and_a_backend_network(plan: LabPlan) -> None:
    """Docker services are separated into frontend and backend networks, and these are the only two."""
    (monitoring,) = (stack for stack in plan.stacks if stack.name == "monitoring")
    assert {net.name for net in monitoring.networks} == {FRONTEND, BACKEND}


def test_both_networks_have_no_way_out(plan: LabPlan) -> None:
    """The backend is isolated, and so is the frontend: neither bridge leads out."""
    (monitoring,) = (stack for stack in plan.stacks if stack.name == "monitoring")
    assert all(net.internal for net in monitoring.networks)


@pytest.mark.parametrize("ui", ["grafana", "prometheus-ui"])
def test_the_frontend_holds_the_user_interfaces(plan: LabPlan, ui: str) -> None:
    """Grafana UI and Prometheus UI are in the frontend network."""
    assert FRONTEND in networks(plan, f"monitoring/{ui}")


@pytest.mark.parametrize("name", CORE)
def test_the_backend_is_backend_only(plan: LabPlan, name: str) -> None:
    """Prometheus core, Node Exporter, cAdvisor, Loki and Promtail are in the backend network and no other."""
    assert networks(plan, f"monitoring/{name}") == {BACKEND}


def test_the_stack_holds_nothing_else(lab: LabConfig) -> None:
    """Docker-SRV runs the seven services of the diagram."""
    assert set(lab.stacks["monitoring"].services) == {"grafana", "prometheus-ui", *CORE}


@pytest.mark.parametrize(
    "arrow",
    [
        "ingress -> service:monitoring/grafana:3000/tcp",
        "ingress -> service:monitoring/prometheus-ui:80/tcp",
        "service:monitoring/grafana -> service:monitoring/prometheus:9090/tcp",
        "service:monitoring/prometheus-ui -> service:monitoring/prometheus:9090/tcp",
        "service:monitoring/prometheus -> service:monitoring/node-exporter:9100/tcp",
        "service:monitoring/prometheus -> service:monitoring/cadvisor:8080/tcp",
        "service:monitoring/promtail -> service:monitoring/loki:3100/tcp",
        "ingress -> guest:site-1:80/tcp",
        "ingress -> guest:site-2:80/tcp",
        "ingress -> guest:jellyfin:8096/tcp",
        "ingress -> guest:stirlingpdf:8080/tcp",
        "ingress -> guest:vaultwarden:8080/tcp",
    ],
)
def test_each_arrow_of_the_diagram_is_a_flow(plan: LabPlan, arrow: str) -> None:
    """Every arrow of the diagram is a permission of the plan."""
    assert arrow in flows(plan)


def test_the_diagram_has_no_other_arrow(plan: LabPlan) -> None:
    """Traefik and the services open the twelve connections that are drawn, and no other but those of the tunnel."""
    drawn = {text for text in flows(plan) if text.startswith(("ingress -> ", "service:monitoring/"))}
    assert len(drawn) == 12


@pytest.mark.parametrize("name", CORE)
def test_backend_components_are_never_exposed(lab: LabConfig, name: str) -> None:
    """No backend component has a route or a published port."""
    service = lab.stacks["monitoring"].services[name]
    assert service.all_routes == ()
    assert service.publishes == {}
    assert not service.host_network


@pytest.mark.parametrize(
    ("vlan", "tag", "guests"),
    [
        ("wordpress", 10, {"site-1", "site-2"}),
        ("apps", 20, {"jellyfin", "stirlingpdf"}),
        ("vaultwarden", 30, {"vaultwarden"}),
    ],
)
def test_workloads_are_segmented_by_function(lab: LabConfig, vlan: str, tag: int, guests: set[str]) -> None:
    """VLAN 10 is for WordPress sites, VLAN 20 for apps, and Vaultwarden is alone in VLAN 30."""
    assert lab.vlans[vlan].id == tag
    assert {name for name, guest in lab.guests.items() if guest.vlan == vlan} == guests


def test_the_sites_are_nginx(lab: LabConfig) -> None:
    """Site-1 and Site-2 are Nginx."""
    assert lab.guests["site-1"].description == "Site-1, Nginx"
    assert lab.guests["site-2"].description == "Site-2, Nginx"


@pytest.mark.parametrize("name", GUESTS)
def test_no_lateral_movement_between_workloads(plan: LabPlan, name: str) -> None:
    """No guest may open a connection to another guest, segment or service of the lab."""
    assert {target.partition(":")[0] for target in targets(plan, f"guest:{name}")} <= {"internet"}


def test_vaultwarden_is_reached_by_traefik_alone(plan: LabPlan) -> None:
    """Vaultwarden is isolated: nothing but Traefik has a way to it."""
    assert sources(plan, "guest:vaultwarden:8080/tcp") == {"ingress"}
    assert not [text for text in flows(plan) if "-> vlan:" in text]


def test_approved_interfaces_are_the_routes(plan: LabPlan) -> None:
    """Exactly the two user interfaces and the five guests are reachable from outside."""
    assert plan.ingress is not None
    assert {str(route.target) for route in plan.ingress.routes} == {
        "service:monitoring/grafana",
        "service:monitoring/prometheus-ui",
        *(f"guest:{name}" for name in GUESTS),
    }


def test_traefik_meets_each_interface_alone(plan: LabPlan) -> None:
    """The two interfaces meet Traefik in networks of their own, in which the other is not."""
    grafana, prometheus = networks(plan, "monitoring/grafana"), networks(plan, "monitoring/prometheus-ui")
    assert grafana & prometheus == {FRONTEND, BACKEND}
    assert plan.ingress is not None
    slots = {slot.name for slot in plan.ingress.slots}
    assert len(grafana & slots) == len(prometheus & slots) == 1
