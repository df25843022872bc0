"""Seed 003: the machines, tables and topology of the Alliance lab, asserted on the plan."""

import pytest

from lab.config.model import LabConfig
from lab.plan.records import LabPlan
from tests.labs.reading import declared, flows, planned, targets

GIB = 2**30


@pytest.fixture
def lab() -> LabConfig:
    """What the lab file declares."""
    return declared("four-vlans-dmz")


@pytest.fixture
def plan() -> LabPlan:
    """What is decided from it."""
    return planned("four-vlans-dmz")


@pytest.mark.parametrize(
    ("name", "address", "codename", "cpu", "memory", "disk", "role"),
    [
        (
            "node-a",
            "192.168.1.10",
            "Millennium Falcon (FCM2250)",
            "Intel Core Ultra 9",
            64,
            2_000,
            "AI/ML Compute",
        ),
        (
            "node-b",
            "192.168.1.11",
            "CR90 Corvette (QCM1255)",
            "AMD Ryzen 7 PRO",
            64,
            4_000,
            "Data & Operations",
        ),
        (
            "node-c",
            "192.168.1.12",
            "Gozanti Cruiser (OptiPlex 7050)",
            "Intel i7-7700",
            32,
            1_512,
            "Network & Security",
        ),
    ],
)
def test_the_three_nodes(
    lab: LabConfig, name: str, address: str, codename: str, cpu: str, memory: int, disk: int, role: str
) -> None:
    """Each of the three nodes has the address, name, processor, memory, storage and role of the text."""
    node = lab.nodes[name]
    assert (node.address, node.cpu, node.role) == (address, cpu, role)
    assert node.description.startswith(codename)
    assert node.memory == memory * GIB
    assert node.disk == disk * 10**9


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("node-a", ["DDR5", "NVMe Gen4"]),
        ("node-b", ["DDR5 ECC"]),
        ("node-c", ["DDR4", "512 GB NVMe", "1 TB SATA", "2.5GbE NIC (modded)"]),
    ],
)
def test_the_hardware_of_the_nodes(lab: LabConfig, name: str, words: list[str]) -> None:
    """Memory kinds, drives and the modified NIC are told where no key holds them."""
    assert all(word in lab.nodes[name].description for word in words)


def test_there_are_three_nodes(lab: LabConfig) -> None:
    """The cluster has exactly three nodes."""
    assert len(lab.nodes) == 3


def test_corosync_keeps_quorum(plan: LabPlan) -> None:
    """The nodes keep quorum by corosync."""
    assert "nodes -> nodes:5405-5412/udp" in flows(plan)


def test_the_gpu_is_passed_through(lab: LabConfig) -> None:
    """Node-A's RTX 4000 Ada (20 GB) is passed to Tantive-III, with the two kernel mitigations."""
    node = lab.nodes["node-a"]
    assert node.pci["gpu"].description == "RTX 4000 Ada, 20 GB, by VFIO"
    assert lab.guests["tantive-iii"].pci == ("gpu",)
    assert node.kernel_arguments == ("pcie_aspm=off", "pci=noaer")


@pytest.mark.parametrize(
    ("vlan", "tag", "subnet", "gateway", "dhcp", "purpose"),
    [
        ("management", 10, "192.168.1.0/24", "192.168.1.1", None, "Hypervisor & infrastructure management"),
        ("services", 20, "192.168.20.0/24", "192.168.20.1", (100, 200), "Application workloads"),
        ("iot", 30, "192.168.30.0/24", "192.168.30.1", (100, 200), "Smart home, fully isolated"),
        ("dmz", 40, "192.168.40.0/24", "192.168.40.1", None, "Public-facing reverse proxy"),
    ],
)
def test_the_vlan_table(
    lab: LabConfig, vlan: str, tag: int, subnet: str, gateway: str, dhcp: tuple[int, int] | None, purpose: str
) -> None:
    """Each row of the VLAN table is a segment: id, subnet, gateway, DHCP and purpose."""
    found = lab.vlans[vlan]
    assert (found.id, str(found.subnet), found.gateway) == (tag, subnet, gateway)
    assert (found.dhcp, found.purpose) == (dhcp, purpose)


def test_there_are_four_vlans(lab: LabConfig) -> None:
    """There are four VLANs and no more."""
    assert set(lab.vlans) == {"management", "services", "iot", "dmz"}


def test_iot_is_leased_and_may_go_out(plan: LabPlan) -> None:
    """IoT is leased .100-.200 and may go out."""
    iot = next(vlan for vlan in plan.vlans if vlan.name == "iot")
    assert iot.dhcp == ("192.168.30.100", "192.168.30.200")
    assert iot.internet


def test_iot_cannot_begin_anything_inside(plan: LabPlan) -> None:
    """Nothing in IoT may open a connection to Management, Services or any other part of the lab."""
    inside = {"vlan:iot", "device:smart-home", "guest:homeassistant"}
    for source in inside:
        assert {target.partition(":")[0] for target in targets(plan, source)} <= {"internet"}


@pytest.mark.parametrize(
    ("name", "vlan", "address"),
    [
        ("authentik", "services", "192.168.20.10"),
        ("tantive-iii", "services", "192.168.20.20"),
        ("wazuh", "services", "192.168.20.30"),
        ("grafana", "services", "192.168.20.40"),
        ("influxdb", "services", "192.168.20.41"),
        ("n8n", "services", "192.168.20.50"),
        ("vaultwarden", "services", "192.168.20.51"),
        ("homeassistant", "iot", "192.168.30.10"),
        ("npm", "dmz", "192.168.40.10"),
    ],
)
def test_the_addresses_of_guests(lab: LabConfig, name: str, vlan: str, address: str) -> None:
    """Each guest of the topology has its segment and its address."""
    assert (lab.guests[name].vlan, lab.guests[name].address) == (vlan, address)


@pytest.mark.parametrize(
    ("node", "guests"),
    [
        ("node-a", {"tantive-iii"}),
        (
            "node-b",
            {"authentik", "n8n", "influxdb", "grafana", "vaultwarden", "homeassistant", "homepage"},
        ),
        ("node-c", {"wazuh", "adguard", "npm", "uptimekuma"}),
    ],
)
def test_where_guests_run(lab: LabConfig, node: str, guests: set[str]) -> None:
    """Each node runs the guests that the architecture draws in it."""
    assert {name for name, guest in lab.guests.items() if guest.node == node} == guests


def test_postgresql_is_on_node_b(lab: LabConfig) -> None:
    """PostgreSQL runs on Node-B, and Authentik has it and Redis beside it."""
    assert lab.guests[lab.stacks["authentik"].host].node == "node-b"
    assert {"postgresql", "redis"} <= set(lab.stacks["authentik"].services)


def test_tantive_iii_runs_the_ai(lab: LabConfig) -> None:
    """Tantive-III runs Ollama, OpenWebUI, ComfyUI and AnythingLLM."""
    assert lab.stacks["ai"].host == "tantive-iii"
    assert set(lab.stacks["ai"].services) == {"ollama", "open-webui", "comfyui", "anythingllm"}


def test_ai_needs_nobody_outside(lab: LabConfig, plan: LabPlan) -> None:
    """Inference has no external API dependency: no service of the stack may go out."""
    assert not any(service.egress for service in lab.stacks["ai"].services.values())
    assert "service:ai/anythingllm -> service:ai/ollama:11434/tcp" in flows(plan)


@pytest.mark.parametrize(
    ("name", "address", "model", "words"),
    [
        (
            "gateway",
            "192.168.1.1",
            "UniFi Dream Machine",
            ["outing", "inter-VLAN firewall", "threat management"],
        ),
        ("switch", "192.168.1.2", "UniFi US-8-150W", ["PoE managed switch", "VLAN trunking to all nodes"]),
        ("wifi", None, "UniFi Beacon HD", ["Wireless connectivity"]),
    ],
)
def test_the_network_hardware(
    lab: LabConfig, name: str, address: str | None, model: str, words: list[str]
) -> None:
    """Gateway, switch and access point have the models, addresses and roles of the text."""
    device = lab.devices[name]
    assert (device.address, device.model) == (address, model)
    assert all(word in device.description for word in words)


def test_the_udm_routes(lab: LabConfig) -> None:
    """The UniFi Dream Machine is the single gateway and firewall, and it is not ours."""
    assert (lab.router.kind, lab.router.device) == ("unifi", "gateway")
    assert {vlan.manage for vlan in lab.vlans.values()} == {"observe"}
    assert "OPNsense" in lab.router.description


def test_the_kernel_is_told(lab: LabConfig) -> None:
    """The nodes run kernel 6.17.x-pve."""
    assert "kernel 6.17.x-pve" in lab.description


def test_backup_is_only_planned(lab: LabConfig) -> None:
    """Backups are on the text's list of plans, so the file declares none."""
    assert lab.backup == ()
