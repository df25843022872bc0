"""VMs and containers through the stand-in and the sandbox's API."""

import pytest

from sandbox.plugins.proxmoxve.connection import ApiFailure, Client
from sandbox.plugins.proxmoxve.guest_requests import start
from sandbox.plugins.resource import CallError, PartialFailure
from sandbox.plugins.values import Values
from tests.sandbox.plugins_proxmoxve.life import Life, at, unchanged
from tests.sandbox.proxmox.doubles import Api, RecordingHost

VM: Values = {
    "agent": {"enabled": True, "timeout": "20s", "waitForIp": {"disabled": True}},
    "bios": "seabios",
    "bootOrders": ["scsi0"],
    "cdrom": {"fileId": "none"},
    "cpu": {"cores": 4, "type": "x86-64-v2-AES"},
    "description": "docker-1",
    "disks": [
        {"datastoreId": "local-zfs", "discard": "on", "importFrom": "local:import/debian-13.qcow2",
         "interface": "scsi0", "iothread": True, "size": 20, "ssd": True},
        {"datastoreId": "local-zfs", "interface": "scsi1", "size": 100, "serial": "data"},
    ],
    "initialization": {
        "datastoreId": "local-zfs",
        "dns": {"domain": "dev.lab.example", "servers": ["10.10.20.1"]},
        "ipConfigs": [{"ipv4": {"address": "10.10.20.11/24", "gateway": "10.10.20.1"}}],
        "userAccount": {"keys": ["ssh-ed25519 AAAA me@example"], "username": "lab"},
        "vendorDataFileId": "local:snippets/homelab-docker.yaml",
    },
    "memory": {"dedicated": 8192},
    "name": "docker-1",
    "networkDevices": [
        {"bridge": "vmbr0", "vlanId": 20, "macAddress": "BC:24:11:00:20:01", "firewall": True},
    ],
    "nodeName": "pve-a",
    "operatingSystem": {"type": "l26"},
    "scsiHardware": "virtio-scsi-single",
    "serialDevices": [{"device": "socket"}],
    "startup": {"order": 2},
    "stopOnDestroy": True,
    "tags": ["docker", "dev"],
    "vmId": 201,
}  # fmt: skip
SPEED = ("disks[0].speed", "disks[1].speed")

CONTAINER: Values = {
    "description": "wazuh",
    "disk": {"datastoreId": "local-zfs", "size": 60},
    "features": {"nesting": True},
    "initialization": {
        "dns": {"domain": "dev.lab.example", "servers": ["10.10.20.1"]},
        "hostname": "wazuh",
        "ipConfigs": [{"ipv4": {"address": "10.10.20.10/24", "gateway": "10.10.20.1"}}],
        "userAccount": {"keys": ["ssh-ed25519 AAAA me@example"]},
    },
    "memory": {"dedicated": 8192},
    "mountPoints": [{"path": "/data", "volume": "local-zfs", "size": "10G"}],
    "networkInterfaces": [
        {"name": "eth0", "bridge": "vmbr0", "vlanId": 20, "macAddress": "BC:24:11:00:20:02"}
    ],
    "nodeName": "pve-a",
    "operatingSystem": {"templateFileId": "local:vztmpl/debian-13.tar.zst", "type": "debian"},
    "tags": ["siem"],
    "unprivileged": True,
    "vmId": 110,
}


@pytest.fixture(autouse=True)
def _node(api: Api) -> None:
    api.bridge()
    api.image()
    url = "https://images.example/debian-13.tar.zst"
    here = "nodes/pve-a/storage/local/download-url"
    api.done("POST", here, content="vztmpl", filename="debian-13.tar.zst", url=url)


def test_a_vm_is_stable_and_runs(client: Client, host: RecordingHost) -> None:
    """A VM is created, started with its addresses and bootstrap, and wants no change afterwards."""
    life = Life(client, "index/vmLegacy:VmLegacy", VM)
    assert life.id == "201"
    assert at(life.state, "disks", 0, "pathInDatastore") == "vm-201-disk-0"
    assert at(life.state, "disks", 0, "size") == 20
    assert host.specs[201].bootstrap == "local:snippets/homelab-docker.yaml"
    assert host.specs[201].nics[0].address == "10.10.20.11/24"
    unchanged(life, VM, *SPEED)
    life.delete()
    assert not life.refresh()
    assert [name for name, _ in host.calls] == ["start", "stop", "destroy"]


def test_disks_without_speed_update_for_ever_unless_ignored(client: Client) -> None:
    """The official plugin's eternal update is there, and the official remedy silences it."""
    life = Life(client, "index/vmLegacy:VmLegacy", VM)
    assert life.diff(VM).changed == ("disks",)
    assert life.diff(VM, *SPEED).changed == ()


def test_what_replaces_a_vm(client: Client) -> None:
    """Id, node and vendor data replace, the old VM first; memory and tags do not."""
    life = Life(client, "index/vmLegacy:VmLegacy", VM)
    initialization = dict(at(VM, "initialization"), vendorDataFileId="local:snippets/other.yaml")
    changes: tuple[Values, ...] = (
        {"vmId": 202},
        {"nodeName": "pve-b"},
        {"initialization": initialization},
    )
    for change in changes:
        found = life.diff({**VM, **change}, *SPEED)
        assert found.replaces
        assert found.delete_before_replace
    assert not life.diff({**VM, "memory": {"dedicated": 4096}, "tags": ["x"]}, *SPEED).replaces


def test_a_vm_changes_in_place(client: Client, host: RecordingHost, api: Api) -> None:
    """Quiet changes keep it running, others cycle its power; disks grow; a detached disk is kept."""
    life = Life(client, "index/vmLegacy:VmLegacy", VM)
    quiet: Values = {**VM, "description": "other", "tags": ["b", "a"], "onBoot": False}
    life.update(quiet)
    assert [name for name, _ in host.calls] == ["start"]
    unchanged(life, quiet, *SPEED)
    (root, _) = at(VM, "disks")
    loud: Values = {
        **VM,
        "memory": {"dedicated": 4096},
        "disks": [{**root, "size": 30}],
        "bootOrders": ["scsi0"],
    }
    life.update(loud)
    assert [name for name, _ in host.calls] == ["start", "stop", "start"]
    unchanged(life, loud, *SPEED)
    config = api.ok("GET", "nodes/pve-a/qemu/201/config")
    assert "size=30G" in config["scsi0"].split(",")
    assert config["unused0"] == "local-zfs:vm-201-disk-1"
    life.update({**loud, "started": False})
    assert life.state["started"] is False


def test_a_vm_that_cannot_start_is_kept_with_the_reason(client: Client, host: RecordingHost) -> None:
    """A failed start leaves the VM in the state, so that nothing is orphaned."""
    host.fail = "no room for a Docker Engine"
    with pytest.raises(PartialFailure) as caught:
        Life(client, "index/vmLegacy:VmLegacy", VM)
    assert caught.value.id == "201"
    assert "no room for a Docker Engine" in caught.value.reasons[0]


def test_a_missing_image_fails_the_create(client: Client, api: Api) -> None:
    """The task's text reaches the user and no VM stays."""
    disks = [{"interface": "scsi0", "importFrom": "local:import/none.qcow2", "size": 8}]
    with pytest.raises(CallError, match=r"none\.qcow2' does not exist"):
        Life(client, "index/vmLegacy:VmLegacy", {**VM, "disks": disks})  # type: ignore[dict-item]
    assert api.ok("GET", "cluster/resources", type="vm") == []


def test_a_vm_is_imported_by_node_and_id(client: Client) -> None:
    """Node and id find it; a bare id finds nothing, as officially."""
    life = Life(client, "index/vmLegacy:VmLegacy", VM)
    found = life.imported("pve-a/201")
    assert found is not None
    assert found["name"] == "docker-1"
    assert life.imported("201") is None


def test_a_container(client: Client, host: RecordingHost) -> None:
    """A container is created running, is stable, changes in place, and is deleted."""
    life = Life(client, "index/containerLegacy:ContainerLegacy", CONTAINER)
    assert life.state["ipv4"] == {"eth0": "10.10.20.10"}
    assert host.specs[110].nics[0].mac == "BC:24:11:00:20:02"
    unchanged(life, CONTAINER)
    bigger: Values = {
        **CONTAINER,
        "disk": {"datastoreId": "local-zfs", "size": 80},
        "memory": {"dedicated": 4096},
    }
    assert not life.diff(bigger).replaces
    life.update(bigger)
    assert at(life.state, "disk", "size") == 80
    assert [name for name, _ in host.calls] == ["start", "stop", "start"]
    unchanged(life, bigger)
    life.update({**bigger, "tags": ["a"], "description": "x"})
    assert [name for name, _ in host.calls] == ["start", "stop", "start"]
    assert life.diff({**CONTAINER, "mountPoints": []}).replaces
    life.delete()
    assert not life.refresh()


def test_a_container_without_a_list_of_interfaces_fails_in_the_preview(client: Client) -> None:
    """As with the official plugin, the list must be given, and may be empty."""
    without = {key: value for key, value in CONTAINER.items() if key != "networkInterfaces"}
    with pytest.raises(CallError, match="Null value found in list"):
        Life(client, "index/containerLegacy:ContainerLegacy", without)
    initialization = {"hostname": "x", "ipConfigs": []}
    empty: Values = {**without, "networkInterfaces": [], "initialization": initialization}  # type: ignore[dict-item]
    unchanged(Life(client, "index/containerLegacy:ContainerLegacy", empty), empty)


@pytest.mark.parametrize(
    ("kind", "token", "inputs"),
    [
        ("qemu", "index/vmLegacy:VmLegacy", VM),
        ("lxc", "index/containerLegacy:ContainerLegacy", CONTAINER),
    ],
)
def test_a_guest_that_somebody_else_started_is_started(
    client: Client, host: RecordingHost, kind: str, token: str, inputs: Values
) -> None:
    """To start what runs by now is fine; every other refusal is told."""
    life = Life(client, token, inputs)
    start(client, kind, "pve-a", int(life.id), 60)
    assert [name for name, _ in host.calls] == ["start"]
    with pytest.raises(ApiFailure, match="does not exist"):
        start(client, kind, "pve-a", 999, 60)


@pytest.mark.parametrize(
    ("token", "inputs"),
    [("index/vmLegacy:VmLegacy", VM), ("index/containerLegacy:ContainerLegacy", CONTAINER)],
)
def test_a_vm_id_that_is_taken_is_adopted(client: Client, token: str, inputs: Values) -> None:
    """Creating a guest whose id is taken adopts the one that is there, as the official plugin does."""
    first = Life(client, token, inputs)
    second = Life(client, token, inputs)
    assert second.id == first.id
