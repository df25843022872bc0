"""Seed 001: the sentences of "Security" (Talos behind a MikroTik router), asserted on the plan."""

import pytest

from lab.config.model import LabConfig
from lab.plan.records import LabPlan
from tests.labs.reading import declared, flows, planned, sources, targets

GATEWAYS = {
    "gateway-family": "192.168.33.2",
    "gateway-personal": "192.168.33.3",
    "gateway-infrastructure": "192.168.33.4",
    "gateway-friends": "192.168.33.7",
}


@pytest.fixture
def lab() -> LabConfig:
    """What the lab file declares."""
    return declared("audience-gateways")


@pytest.fixture
def plan() -> LabPlan:
    """What is decided from it."""
    return planned("audience-gateways")


def test_there_is_no_hypervisor(lab: LabConfig) -> None:
    """The cluster is bare metal: no Proxmox node, no guest and no stack is declared."""
    assert (lab.nodes, lab.guests, lab.stacks) == ({}, {}, {})


def test_the_router_controls_traffic_between_vlans(lab: LabConfig) -> None:
    """Security between VLANs is the router's, a MikroTik that is not ours."""
    assert lab.router.kind == "mikrotik"
    assert lab.devices[lab.router.device or ""].model == "MikroTik"


def test_rules_are_kept_in_step_with_gateways(lab: LabConfig) -> None:
    """The helper controller that keeps the router's rules in step is named where its work is done here."""
    assert "helper controller" in lab.router.description


@pytest.mark.parametrize("layer", ["Router:", "network policies", "Cilium's host firewall", "Talos Linux"])
def test_the_three_layers_are_named(lab: LabConfig, layer: str) -> None:
    """Router firewall, in-cluster policies (pods and hosts) and the host system are the three layers."""
    assert layer in lab.description


@pytest.mark.parametrize("word", ["observed", "shell", "package manager", "SSH", "read-only", "API"])
def test_what_the_layers_are_made_of(lab: LabConfig, word: str) -> None:
    """Policies come from observed flows; Talos has no shell or SSH, is read-only and run by its API."""
    assert word in lab.description


@pytest.mark.parametrize(
    ("vlan", "tag", "subnet"),
    [
        ("family", 8, "192.168.8.0/24"),
        ("personal", 16, "192.168.16.0/24"),
        ("infrastructure", 32, "192.168.32.0/23"),
        ("friends", 40, "192.168.40.0/24"),
    ],
)
def test_the_network_is_split_into_vlans(lab: LabConfig, vlan: str, tag: int, subnet: str) -> None:
    """The network is split into VLANs."""
    assert (lab.vlans[vlan].id, str(lab.vlans[vlan].subnet)) == (tag, subnet)


def test_the_homelab_occupies_infrastructure(lab: LabConfig) -> None:
    """Every machine and gateway of the homelab is in the Infrastructure VLAN."""
    assert {device.vlan for device in lab.devices.values()} == {"infrastructure"}


def test_trusted_has_full_access_to_infrastructure(lab: LabConfig, plan: LabPlan) -> None:
    """Trusted reaches the whole of Infrastructure, on every port."""
    assert "set:trusted -> vlan:infrastructure" in flows(plan)
    assert [str(member) for member in lab.sets["trusted"]] == ["vlan:personal"]


def test_trusted_alone_has_it(plan: LabPlan) -> None:
    """Nobody but Trusted reaches Infrastructure as a whole."""
    assert sources(plan, "vlan:infrastructure") == {"set:trusted"}


def test_general_is_family_and_friends(lab: LabConfig) -> None:
    """General are the machines of the family and of visitors."""
    assert [str(member) for member in lab.sets["general"]] == ["vlan:family", "vlan:friends"]


def test_general_is_restricted_to_matched_gateways(plan: LabPlan) -> None:
    """The family reaches its own gateway and its friends', friends reach theirs, and neither more of the lab."""
    family, friends = (targets(plan, vlan) - {"internet"} for vlan in ("vlan:family", "vlan:friends"))
    assert family == {"device:gateway-family:443/tcp", "device:gateway-friends:443/tcp"}
    assert friends == {"device:gateway-friends:443/tcp"}


def test_public_traffic_reaches_gateways_only(lab: LabConfig, plan: LabPlan) -> None:
    """Public traffic reaches the gateways of the cluster, and nothing else, by destination NAT."""
    assert targets(plan, "internet") == {"set:gateways:443/tcp"}
    assert {member.name for member in lab.sets["gateways"]} == set(GATEWAYS)
    because = next(flow.because for flow in plan.flows if str(flow.source) == "internet")
    assert "destination NAT" in because


@pytest.mark.parametrize(("name", "address"), GATEWAYS.items())
def test_each_audience_has_a_gateway(lab: LabConfig, name: str, address: str) -> None:
    """There is one gateway for each audience, at an address of its own."""
    assert lab.devices[name].address == address
    assert [str(port) for port in lab.devices[name].listens] == ["443/tcp"]


def test_the_cluster_runs_talos(lab: LabConfig) -> None:
    """All five cluster nodes run Talos Linux and listen on its API and nothing like SSH."""
    members = [lab.devices[member.name] for member in lab.sets["cluster"]]
    assert len(members) == 5
    assert {member.model for member in members} == {"Talos Linux"}
    assert {str(port) for member in members for port in member.listens} == {"6443/tcp", "50000/tcp"}


def test_nobody_general_reaches_a_host(plan: LabPlan) -> None:
    """Untrusted traffic never reaches a cluster node."""
    for source in ("vlan:family", "vlan:friends", "internet"):
        assert all("gateway" in target for target in targets(plan, source) - {"internet"})


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("control-plane-1", "192.168.32.2"),
        ("worker-1", "192.168.32.3"),
        ("worker-2", "192.168.32.4"),
        ("worker-3", "192.168.32.5"),
        ("worker-4", "192.168.32.6"),
        ("nas", "192.168.32.7"),
    ],
)
def test_the_machines_of_the_origin(lab: LabConfig, name: str, address: str) -> None:
    """Five cluster nodes and the storage are at the origin's addresses."""
    assert lab.devices[name].address == address


def test_who_may_go_out(lab: LabConfig, plan: LabPlan) -> None:
    """The segments of people may go out; of Infrastructure, only cluster nodes may."""
    assert {name for name, vlan in lab.vlans.items() if vlan.internet} == {"family", "personal", "friends"}
    assert sources(plan, "internet") == {"set:cluster", "vlan:family", "vlan:personal", "vlan:friends"}
