"""Nodes, segments, guests and the cluster's firewall: each trap of the provider has a test."""

from dataclasses import replace
from typing import Any

import pytest

import components as c
from lab.plan.records import DiskPlan, GuestPlan, NicPlan, RulePlan
from tests.components import records as r
from tests.support.engine import Recording, record


def guest(plan: GuestPlan = r.VM, **more: Any) -> Recording:
    """One guest."""
    return record(lambda: c.Guest("guest", c.GuestArgs(guest=plan, **more)))


def node(**changes: Any) -> Recording:
    """One node."""
    return record(lambda: c.ProxmoxNode("node", c.ProxmoxNodeArgs(node=replace(r.NODE, **changes))))


def test_a_vm_starts_from_its_image_and_from_no_drive() -> None:
    """It boots from the disk that the image became; the physical drive of the node is not in it."""
    inputs = guest().one("VmLegacy", "guest").inputs
    assert inputs["disks"][0]["importFrom"] == "local:import/debian-12.qcow2"
    assert inputs["cdrom"] == {"fileId": "none"}
    assert inputs["bootOrders"] == ["scsi0"]
    assert inputs["serialDevices"] == [{"device": "socket"}]


def test_no_agent_is_waited_for() -> None:
    """Waiting for an agent that no image has would take fifteen minutes, and stopping half an hour."""
    inputs = guest().one("VmLegacy", "guest").inputs
    assert inputs["agent"] == {"enabled": False}
    assert inputs["stopOnDestroy"] is True


def test_the_speed_of_every_disk_is_ignored() -> None:
    """Each disk is named: a wildcard does not help, and an unset speed is an update at every `up`."""
    found = guest().one("VmLegacy", "guest")
    assert set(found.ignore_changes) == {"disks[0].speed", "disks[1].speed", "disks[1].size"}


def test_an_old_guest_goes_before_a_new_one_comes() -> None:
    """A VMID that is still there would be adopted silently, and then deleted with the old one."""
    for found in (guest().one("VmLegacy", "guest"), guest(r.LXC).one("ContainerLegacy")):
        assert found.delete_before_replace is True


def test_every_interface_is_filtered() -> None:
    """One of three flags missing, and no rule of the guest counts: all three are set."""
    recording = guest()
    device = recording.one("VmLegacy", "guest").inputs["networkDevices"][0]
    assert (device["firewall"], device["vlanId"], device["macAddress"]) == (True, 20, "02:00:00:00:00:01")
    options = recording.one("OptionsLegacy").inputs
    assert (options["enabled"], options["inputPolicy"], options["radv"]) == (True, "DROP", False)
    lxc = guest(r.LXC).one("ContainerLegacy").inputs
    assert lxc["networkInterfaces"][0]["firewall"] is True


def test_addresses_come_by_cloud_init_and_the_role_by_its_static_file() -> None:
    """Addresses are arguments of the API; the one file is named and never written."""
    found = guest().one("VmLegacy", "guest").inputs["initialization"]
    assert found["ipConfigs"] == [{"ipv4": {"address": "10.10.20.11/24", "gateway": "10.10.20.1"}}]
    assert found["vendorDataFileId"] == "local:snippets/homelab-docker.yaml"


def test_data_disks_outlive_the_guest() -> None:
    """A holder that never starts owns them, protected and kept, and the guest borrows them by their path."""
    recording = guest()
    holder, vm = recording.one("VmLegacy", "guest-data"), recording.one("VmLegacy", "guest")
    assert (holder.protect, holder.retain_on_delete) == (True, True)
    assert (holder.inputs["started"], holder.inputs["onBoot"], holder.inputs["protection"]) == (
        False,
        False,
        True,
    )
    assert holder.inputs["vmId"] == 9000
    assert vm.inputs["disks"][1]["pathInDatastore"] == "vm-9000-disk-0"
    assert vm.inputs["disks"][1]["datastoreId"] == "tank"
    assert (vm.protect, vm.retain_on_delete) == (False, False)


def test_the_protected_set_is_the_declared_one() -> None:
    """Nothing is protected but the holder, and the guest where that is declared."""
    plain = {found.name for found in guest().resources if found.protect}
    declared = {found.name for found in guest(replace(r.VM, protect=True)).resources if found.protect}
    assert (plain, declared) == ({"guest-data"}, {"guest-data", "guest"})


def test_a_guest_without_data_has_no_holder() -> None:
    """No VM is made that holds nothing."""
    recording = guest(replace(r.VM, data_disks=(), holder_id=None))
    assert [found.name for found in recording.of("VmLegacy")] == ["guest"]


def test_an_lxc_with_data_is_protected_itself() -> None:
    """An LXC cannot borrow a disk, so what would delete its data is refused."""
    disk = DiskPlan(name="media", size_gib=50, storage="tank")
    found = guest(replace(r.LXC, data_disks=(disk,))).one("ContainerLegacy")
    assert (found.protect, found.retain_on_delete) == (True, True)
    assert found.inputs["mountPoints"] == [
        {"path": "/mnt/media", "volume": "tank", "size": "50G", "backup": True}
    ]


def test_an_lxc_without_interfaces_gets_an_empty_list() -> None:
    """The provider fails on a missing list and accepts an empty one."""
    assert guest(replace(r.LXC, nics=())).one("ContainerLegacy").inputs["networkInterfaces"] == []


def test_proxmox_configures_the_distribution_of_the_template() -> None:
    """The address inside an LXC is written for its distribution; an unknown one is left alone."""
    known = guest(r.LXC).one("ContainerLegacy").inputs["operatingSystem"]
    other = guest(replace(r.LXC, image="local:vztmpl/mine.tar.zst")).one("ContainerLegacy").inputs
    assert (known["type"], other["operatingSystem"]["type"]) == ("debian", "unmanaged")


def test_a_trunk_in_an_lxc_is_refused() -> None:
    """An LXC's interface cannot carry several VLANs, and would drop them without a word."""
    nic = NicPlan(vlan="services", bridge="vmbr1", mac="02:00:00:00:00:01", trunks=(10, 20))
    with pytest.raises(ValueError, match="cannot carry a trunk"):
        guest(replace(r.LXC, nics=(nic,)))


def test_pci_devices_are_passed_whole() -> None:
    """A device comes with its ROM, by the name of its mapping, on firmware that can use it."""
    inputs = guest(replace(r.VM, pci=("gpu",))).one("VmLegacy", "guest").inputs
    assert inputs["hostpcis"] == [{"device": "hostpci0", "mapping": "gpu", "pcie": True, "rombar": True}]
    assert (inputs["bios"], inputs["machine"], inputs["efiDisk"]["type"]) == ("ovmf", "q35", "4m")


def test_rules_follow_their_guest() -> None:
    """Proxmox drops them with the guest and no input changes, so they are replaced when it is."""
    recording = guest()
    vm = recording.one("VmLegacy", "guest").urn
    for found in (recording.one("OptionsLegacy"), recording.one("RulesLegacy")):
        assert found.replace_with == (vm,)
        assert found.deleted_with == vm
        assert vm in found.depends_on


def test_a_guest_accepts_its_rules_and_its_segment_s() -> None:
    """Its own rules come first, then the group of each segment, on the interface in it."""
    recording = guest(security_groups={"services": "dev-vlan-services", "iot": "dev-vlan-iot"})
    rules = recording.one("RulesLegacy").inputs["rules"]
    assert rules == [
        {"type": "in", "action": "ACCEPT", "source": "10.10.10.5", "dport": "22", "proto": "tcp"},
        {"securityGroup": "dev-vlan-services", "iface": "net0", "comment": "segment services"},
    ]


def test_guests_of_a_node_are_created_one_after_the_other() -> None:
    """The second waits for everything of the first, because parallel creates fail on Proxmox' lock."""

    def program() -> None:
        first = c.Guest("first", c.GuestArgs(guest=r.VM))
        c.Guest("second", c.GuestArgs(guest=replace(r.VM, name="b", vm_id=202, holder_id=9001), after=first))

    recording = record(program)
    for name in ("second", "second-data"):
        assert recording.one("VmLegacy", "first").urn in recording.one("VmLegacy", name).depends_on


def test_a_node_makes_only_the_bridge_that_is_its_own() -> None:
    """A bridge that exists is used by name; one of ours is VLAN-aware."""
    made = node().one("Bridge")
    assert (made.inputs["name"], made.inputs["vlanAware"], made.inputs["ports"]) == (
        "vmbr1",
        True,
        ["enp2s0"],
    )
    recording = node(creates_bridge=False)
    assert recording.of("Bridge") == []
    assert recording.outputs[recording.one("homelab:index:ProxmoxNode").urn]["bridge"] == "vmbr1"


def test_an_image_is_not_replaced_behind_the_lab_s_back() -> None:
    """A refresh does not fetch what upstream published since, and the checksum is split as the API wants."""
    inputs = node().one("File").inputs
    assert inputs["overwrite"] is False
    assert (inputs["checksum"], inputs["checksumAlgorithm"]) == ("abc", "sha512")
    assert (inputs["contentType"], inputs["fileName"]) == ("import", "debian-12.qcow2")


def test_settings_that_are_not_declared_are_not_made() -> None:
    """A node without resolver, time zone, devices and images keeps what it has."""
    recording = node(dns=(), time_zone=None, pci=(), images=(), creates_bridge=False)
    assert [found.type for found in recording.resources if found.custom] == [
        "proxmoxve:node/firewall:Firewall"
    ]


def test_a_node_accepts_what_flows_to_it() -> None:
    """Its own rules are of the node and of no guest; without any there is no list, which somebody else may have."""
    rule = RulePlan(source="10.10.20.11", port="8006", protocol="tcp", comment="route pve")
    made = node(rules=(rule,)).one("RulesLegacy")
    assert made.inputs["nodeName"] == "pve-a"
    assert not {"vmId", "containerId"} & made.inputs.keys()
    assert made.inputs["rules"] == [
        {
            "type": "in",
            "action": "ACCEPT",
            "source": "10.10.20.11",
            "dport": "8006",
            "proto": "tcp",
            "comment": "route pve",
        }
    ]
    assert node().of("RulesLegacy") == []


def test_nothing_is_registered_that_crashes_the_provider() -> None:
    """No SDN zone, storage definition or backup job: creating one kills the plugin (official-plugins.md)."""
    recordings = [node(), guest(), guest(r.LXC), record(lambda: c.Vlan("v", c.VlanArgs(vlan=r.VLAN)))]
    for found in (part for recording in recordings for part in recording.resources):
        assert not found.type.startswith(("proxmoxve:sdn/", "proxmoxve:storage/", "proxmoxve:backup/"))
        assert found.type not in ("proxmoxve:index/vm:Vm", "proxmoxve:cloned/vm:Vm")


def test_a_segment_is_known_under_one_name() -> None:
    """Alias, IP set and security group carry the environment, because the cluster is shared."""
    recording = record(lambda: c.Vlan("vlan-services", c.VlanArgs(vlan=r.VLAN, environment="dev")))
    names = {
        kind: recording.one(kind).inputs["name"] for kind in ("AliasLegacy", "IpsetLegacy", "GroupLegacy")
    }
    assert set(names.values()) == {"dev-vlan-services"}
    assert recording.one("GroupLegacy").inputs["rules"] == [
        {
            "type": "in",
            "action": "ACCEPT",
            "source": "10.10.10.0/24",
            "dport": "22",
            "proto": "tcp",
            "comment": "the operator",
        }
    ]


def test_the_firewall_is_switched_on_last() -> None:
    """The switch comes after the set that keeps the way in open, and after every guest's rules."""

    def program() -> None:
        guests = [c.Guest("guest", c.GuestArgs(guest=r.VM))]
        c.ClusterFirewall("fw", c.ClusterFirewallArgs(management=("10.10.10.5",), after=guests))

    recording = record(program)
    switch, management = recording.one("FirewallLegacy"), recording.one("IpsetLegacy")
    assert switch.inputs["inputPolicy"] == "DROP"
    assert management.inputs["name"] == "management"
    assert {management.urn, recording.one("RulesLegacy").urn} <= switch.depends_on


def test_a_firewall_that_locks_everybody_out_is_refused() -> None:
    """With nobody in the set, the next `up` could not reach the API."""
    with pytest.raises(ValueError, match="lock everybody out"):
        record(lambda: c.ClusterFirewall("fw", c.ClusterFirewallArgs(management=())))
