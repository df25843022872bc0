"""Packets between machines: switches, routers, the Proxmox firewall at the interfaces, and who nobody named."""

from typing import Any

import pytest

from lab.errors import LabError
from lab.simulate.world import World
from tests.evidence.simulate.small_world import (
    CLUSTER_ON,
    Data,
    ask,
    box,
    device,
    docker,
    guest,
    lab,
    network,
    node,
    published,
    segment,
    verdict,
)

YES, NO, UNKNOWN = "yes", "no", "cannot tell"


def routed(kind: str = "node", **changes: Any) -> Data:
    """A lab whose segments are routed by somebody."""
    return lab(router={"kind": kind, "endpoint": "device:gateway" if kind == "unifi" else None}, **changes)


def filtered(
    rules: str | None = "", *, kind: str = "node", cluster: Any = CLUSTER_ON, **changes: Any
) -> Data:
    """A lab with guest web behind the firewall of node pve."""
    proxmox = {"nodes": [node()], "guests": [guest(rules=rules, **changes)], "cluster.fw": cluster}
    return routed(kind, proxmox=proxmox)


def test_a_switch_filters_nothing() -> None:
    """Two machines on one segment reach each other on every port."""
    assert verdict(lab(), "device:tv", "device:nas", 61000) == YES


@pytest.mark.parametrize(("kind", "expected"), [("none", NO), ("node", YES), ("unifi", UNKNOWN)])
def test_a_router_decides_between_segments(kind: str, expected: str) -> None:
    """A node routes everything; a router that is not ours is not guessed."""
    assert verdict(routed(kind), "vlan:dmz", "device:tv") == expected
    assert verdict(routed(kind), "vlan:dmz", "internet", 443) == expected


@pytest.mark.parametrize(("kind", "expected"), [("none", NO), ("node", UNKNOWN), ("unifi", UNKNOWN)])
def test_nobody_knows_what_is_forwarded_from_the_internet(kind: str, expected: str) -> None:
    """Unless nothing routes at all."""
    assert verdict(routed(kind), "internet", "device:tv") == expected


def test_a_closed_guest_is_closed_whatever_the_router_does() -> None:
    """One hop that drops is enough."""
    assert verdict(filtered(kind="unifi"), "internet", "guest:web", 443) == NO


def test_the_guest_s_rules_decide_at_its_interface() -> None:
    """By source, protocol and port."""
    data = filtered("IN ACCEPT -source 192.168.1.50 -p tcp -dport 443\n")
    assert verdict(data, "device:tv", "guest:web", 443) == YES
    assert verdict(data, "device:nas", "guest:web", 443) == NO
    assert verdict(data, "device:tv", "guest:web", 444) == NO
    assert verdict(data, "device:tv", "guest:web", "443/udp") == NO


def test_each_of_three_flags_has_to_be_there() -> None:
    """Without the cluster's, the guest's or the interface's, everything passes."""
    unfiltered = {"net0": "virtio=02:00:00:00:00:01,bridge=vmbr0,tag=2", "ipconfig0": "ip=192.168.2.20/24"}
    for data in (
        filtered(cluster=""),
        filtered(firewall="[RULES]\n"),
        filtered(config=unfiltered),
    ):
        assert verdict(data, "device:tv", "guest:web", 61000) == YES


@pytest.mark.parametrize(
    "proxmox",
    [
        {"nodes": [node()], "guests": [guest(rules=None)]},
        {"nodes": [node()], "guests": [guest()], "switch_known": False, "cluster.fw": ""},
    ],
)
def test_a_firewall_of_somebody_else_is_not_guessed(proxmox: Data) -> None:
    """A guest that is only observed, or a cluster whose switch another environment owns."""
    assert verdict(routed(proxmox=proxmox), "device:tv", "guest:web", 443) == UNKNOWN


def test_what_a_guest_may_not_send_ends_at_its_own_interface() -> None:
    """The sender's firewall comes first, where it is known."""
    data = filtered("OUT DROP -p tcp -dport 80\n")
    assert verdict(data, "guest:web", "device:tv", 80) == NO
    assert verdict(data, "guest:web", "device:tv", 81) == YES


def test_the_set_management_keeps_access_to_a_node() -> None:
    """Its members and the node's own segment, to Proxmox' ports and no others."""
    data = filtered()
    assert verdict(data, "device:tv", "node:pve", 8006) == YES
    assert verdict(data, "vlan:dmz", "node:pve", 8006) == NO
    assert verdict(data, "device:tv", "node:pve", 80) == NO


def test_a_node_that_is_only_observed_opens_what_proxmox_opens() -> None:
    """What else it lets in is in a file that is not this lab's."""
    data = lab(proxmox={"nodes": [{**node(), "host.fw": None}]})
    assert verdict(data, "device:tv", "node:pve", 8006) == YES
    assert verdict(data, "device:tv", "node:pve", 80) == UNKNOWN


def test_corosync_is_between_nodes() -> None:
    """The nodes of one cluster speak to each other, and nobody else does on those ports."""
    conf = "".join(
        f"node {{\n name: {n}\n ring0_addr: 192.168.1.{a}\n}}\n" for n, a in (("pve", 2), ("b", 3))
    )
    nodes = [node(), node("b", "192.168.1.3")]
    data = lab(proxmox={"nodes": nodes, "corosync.conf": conf})
    assert verdict(data, "node:b", "node:pve", "5405/udp") == YES
    assert verdict(data, "device:tv", "node:pve", "5405/udp") == NO


def test_a_range_is_open_when_its_ends_are() -> None:
    """A rule for a part of it is not enough."""
    data = filtered("IN ACCEPT -p tcp -dport 8000:8010\n")
    assert verdict(data, "device:tv", "guest:web", "8000-8010") == YES
    assert verdict(data, "device:tv", "guest:web", "8000-8011") == NO


def test_a_masquerading_node_puts_its_own_address_there() -> None:
    """What leaves its segment is filtered under the node's address, and what stays is not."""
    data = filtered("IN ACCEPT -source 192.168.2.1 -p tcp -dport 443\n")
    segments = {part["name"]: part for part in data["segments"]}
    segments["dmz"]["gateway"] = "192.168.2.1"
    assert verdict(data, "device:tv", "guest:web", 443) == NO
    segments["lan"]["masqueraded"] = True
    assert verdict(data, "device:tv", "guest:web", 443) == YES
    assert verdict(data, "vlan:dmz", "guest:web", 443) == NO


def trunk(net0: str, **changes: Any) -> Data:
    """Guest web with another interface, on a bridge that the lab made VLAN-aware or that was there."""
    config = {"net0": f"virtio=02:00:00:00:00:01,bridge=vmbr0,firewall=1{net0}", "ipconfig0": "ip=dhcp"}
    return lab(proxmox={"nodes": [node(**changes)], "guests": [guest(config=config)]})


def test_no_filter_sees_the_frames_of_a_trunk() -> None:
    """They are tagged, so the firewall of the guest and its rules mean nothing there."""
    assert verdict(trunk(",trunks=2"), "vlan:dmz", "guest:web", 61000) == YES
    assert verdict(trunk(",tag=2"), "vlan:dmz", "guest:web", 61000) == NO


def test_a_trunk_has_the_addresses_that_it_gives_itself() -> None:
    """They are those of the segments in which they are, and nobody unnamed has them."""
    data = trunk(",trunks=2")
    data["proxmox"]["guests"][0]["addresses"] = ["192.168.2.20"]
    data["proxmox"]["guests"].append(
        guest(
            "other",
            101,
            "IN ACCEPT -source 192.168.2.20\n",
            config={
                "net0": "virtio=02:00:00:00:00:02,bridge=vmbr0,firewall=1,tag=2",
                "ipconfig0": "ip=192.168.2.21/24",
            },
        )
    )
    assert verdict(data, "guest:web", "guest:other") == YES
    assert verdict(data, "vlan:dmz", "guest:other") == NO


@pytest.mark.parametrize(("aware", "expected"), [(True, YES), (False, UNKNOWN)])
def test_an_interface_without_a_tag_carries_every_vlan(aware: bool, expected: str) -> None:
    """Where its bridge is VLAN-aware; of one that was there before nobody said so."""
    assert verdict(trunk("", vlan_aware=aware), "guest:web", "vlan:dmz") == expected
    assert verdict(trunk(",tag=2", vlan_aware=aware), "guest:web", "vlan:lan") == NO


def test_untagged_segments_on_one_bridge_are_one_wire() -> None:
    """However many subnets are written down for it."""
    guests = [
        guest(
            config={"net0": f"virtio=02:00:00:00:00:0{n},bridge=vmbr1", "ipconfig0": f"ip=10.0.{n}.20/24"},
            vmid=100 + n,
            name=f"g{n}",
        )
        for n in (1, 2)
    ]
    segments = [segment(f"s{n}", f"10.0.{n}.0/24", bridge="vmbr1") for n in (1, 2)]
    data = lab(segments=segments, devices=[], proxmox={"nodes": [node(segment=None)], "guests": guests})
    assert verdict(data, "vlan:s1", "vlan:s2") == YES
    segments[1]["bridge"] = "vmbr2"
    guests[1]["config"]["net0"] = "virtio=02:00:00:00:00:02,bridge=vmbr2"
    assert verdict(data, "vlan:s1", "vlan:s2") == NO


def test_somebody_unnamed_may_have_the_address_that_a_rule_expects() -> None:
    """A rule for one address that is nobody's opens the guest to whoever takes it; a device's own does not."""
    spoken = "IN ACCEPT -source 192.168.1.77 -p tcp -dport 443\n"
    assert verdict(filtered(spoken), "vlan:lan", "guest:web", 443) == YES
    named = "IN ACCEPT -source 192.168.1.50 -p tcp -dport 443\n"
    assert verdict(filtered(named), "vlan:lan", "guest:web", 443) == NO


def test_a_part_of_a_segment_is_somebody_on_it() -> None:
    """A rule for half of it opens the guest to somebody there."""
    assert verdict(filtered("IN ACCEPT -source 192.168.1.128/25\n"), "vlan:lan", "guest:web", 443) == YES


def test_containers_come_under_their_host_s_address() -> None:
    """A guest's firewall cannot tell them from the host."""
    inside = docker(box("app", a="10.128.1.2"), networks=[network("a", 1)])
    data = filtered("IN ACCEPT -source 192.168.1.10 -p tcp -dport 443\n") | {"docker": [inside]}
    assert verdict(data, "app", "guest:web", 443) == YES
    assert "masqueraded as 192.168.1.10" in str(ask(data, "app", "guest:web", 443).trace)


def test_a_published_port_is_behind_the_firewall_of_its_guest() -> None:
    """By the port of the host, which is what the packet carries there."""
    inside = docker(
        box("app", ports=[published(80, 8080, "192.168.2.20")], a="10.128.1.2"), networks=[network("a", 1)]
    )
    docker_guest = {**inside, "machine": "guest:web"}
    rule = "IN ACCEPT -p tcp -dport {}\n"
    assert verdict(filtered(rule.format(8080)) | {"docker": [docker_guest]}, "device:tv", "app") == YES
    assert verdict(filtered(rule.format(80)) | {"docker": [docker_guest]}, "device:tv", "app") == NO


def test_an_observed_ingress_is_its_machine() -> None:
    """It has no container here, and its name stands for the machine."""
    assert World(lab(names={"ingress": "device:tv"})).machine("ingress") == "device:tv"


def test_an_interface_on_no_segment_is_refused() -> None:
    """With the guest, the interface, and what to do."""
    config = {
        "net0": "virtio=02:00:00:00:00:01,bridge=vmbr0,firewall=1,tag=9",
        "ipconfig0": "ip=192.168.2.20/24",
    }
    data = lab(proxmox={"nodes": [node()], "guests": [guest(config=config)]})
    with pytest.raises(LabError, match=r"guest:web net0.*no segment that holds 192\.168\.2\.20"):
        verdict(data, "device:tv", "guest:web")


def test_an_unknown_endpoint_is_refused_with_the_known_ones() -> None:
    """A question about nobody is no `no`."""
    with pytest.raises(LabError, match=r"device:toaster: no artefact knows it(.|\n)*device:tv"):
        verdict(lab(), "device:toaster", "device:tv")


def test_artefacts_of_another_shape_are_refused() -> None:
    """Every part that is unknown, missing or of the wrong kind, at once."""
    data = {**lab(), "switches": [], "devices": [device("tv", "lan", "not an address")]}
    del data["router"]
    with pytest.raises(LabError) as caught:
        World(data)
    assert {issue.path for issue in caught.value.issues} == {"switches", "router", "devices.0.address"}
