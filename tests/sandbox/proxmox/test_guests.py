"""Guests: what configurations become, and when the host is asked to start, stop and destroy."""

from pathlib import Path

import pytest

from sandbox.proxmox.guests import GuestSpec, NicSpec
from sandbox.store import Store
from tests.sandbox.proxmox.doubles import Api, RecordingHost

MISSING = "Configuration file 'nodes/pve-a/qemu-server/201.conf' does not exist"


@pytest.fixture(autouse=True)
def _node(api: Api) -> None:
    api.bridge()
    api.image()


def test_a_vm_is_echoed_in_proxmox_form(api: Api) -> None:
    """Drives get volumes and sizes, devices put the model first, booleans and numbers stay unquoted."""
    config = api.vm(tags="Prod;apps", onboot=1, description="made by Pulumi")
    assert config["scsi0"] == "local-lvm:vm-201-disk-0,discard=on,size=2G"
    assert config["ide2"] == "local-lvm:vm-201-cloudinit,media=cdrom"
    assert config["net0"] == "virtio=BC:24:11:00:20:01,bridge=vmbr0,firewall=1,tag=20"
    assert config["tags"] == "apps;prod"
    assert config["onboot"] == 1
    assert config["cores"] == 2
    assert config["description"] == "made by Pulumi"
    assert config["smbios1"].startswith("uuid=")
    api.done("PUT", "nodes/pve-a/qemu/201/resize", disk="scsi0", size=str(20 * 2**30))
    assert api.ok("GET", "nodes/pve-a/qemu/201/config")["scsi0"].endswith("size=20G")
    volume = api.ok("GET", "nodes/pve-a/storage/local-lvm/content/local-lvm%3Avm-201-disk-0")
    assert volume["size"] == 20 * 2**30
    shrink = api.refused("PUT", "nodes/pve-a/qemu/201/resize", disk="scsi0", size="1G")
    assert shrink[1] == "shrinking disks is not supported"


def test_the_life_of_a_vm(api: Api, host: RecordingHost) -> None:
    """Start hands the host the guest with its addresses, name servers and bootstrap; delete leaves nothing."""
    api.vm(nameserver="10.0.10.1 9.9.9.9")
    api.done("POST", "nodes/pve-a/qemu/201/status/start", timeout=1800)
    nic = NicSpec(
        bridge="vmbr0", tag=20, mac="BC:24:11:00:20:01", address="10.0.20.5/24", gateway="10.0.20.1"
    )
    assert host.specs[201] == GuestSpec(
        kind="qemu", vmid=201, name="vm201", node="pve-a", nics=(nic,),
        bootstrap="local:snippets/homelab-docker.yaml", name_servers=("10.0.10.1", "9.9.9.9"),
    )  # fmt: skip
    assert api.ok("GET", "nodes/pve-a/qemu/201/status/current")["status"] == "running"
    assert api.refused("POST", "nodes/pve-a/qemu/201/status/start")[1] == "VM 201 already running"
    assert api.refused("DELETE", "nodes/pve-a/qemu/201/")[1] == "VM 201 is running - destroy failed"
    api.done("POST", "nodes/pve-a/qemu/201/status/shutdown", forceStop=1, timeout=60)
    api.done("DELETE", "nodes/pve-a/qemu/201/?destroy-unreferenced-disks=1&purge=1")
    assert host.calls == [("start", 201), ("stop", 201), ("destroy", 201)]
    assert api.refused("GET", "nodes/pve-a/qemu/201/status/current")[:2] == (500, MISSING)
    assert api.ok("GET", "cluster/resources", type="vm") == []
    assert api.ok("GET", "nodes/pve-a/storage/local-lvm/content") == []


def test_an_id_is_taken_whatever_the_kind_and_node(api: Api) -> None:
    """A second guest of the same id is refused with Proxmox's text, and nextid steps over it."""
    api.vm(100)
    text = "unable to create VM 100 - VM 100 already exists on node 'pve-a'"
    assert api.refused("POST", "nodes/pve-b/qemu", vmid=100)[:2] == (500, text)
    assert api.ok("GET", "cluster/nextid") == "101"
    assert api.refused("GET", "cluster/nextid", vmid=100)[0] == 400


def test_a_failed_start_is_the_tasks_text(api: Api, host: RecordingHost) -> None:
    """What the host says becomes the exit status; the guest stays stopped."""
    api.vm()
    host.fail = "no room for a Docker Engine"
    upid = api.ok("POST", "nodes/pve-a/qemu/201/status/start")
    assert api.wait(upid) == "no room for a Docker Engine"
    log = api.ok("GET", f"nodes/pve-a/tasks/{upid.replace('!', '%21')}/log")
    assert log[-1]["t"] == "TASK ERROR: no room for a Docker Engine"
    assert api.ok("GET", "nodes/pve-a/qemu/201/status/current")["status"] == "stopped"


def test_a_missing_bridge_stops_the_start(api: Api) -> None:
    """A guest starts only on bridges that the node has applied."""
    api.ok("POST", "nodes/pve-a/network", iface="vmbr9", type="bridge")
    api.vm(net0="model=virtio,bridge=vmbr9")
    start = "nodes/pve-a/qemu/201/status/start"
    assert api.wait(api.ok("POST", start)) == "bridge 'vmbr9' does not exist"
    api.done("PUT", "nodes/pve-a/network")
    api.done("POST", start)


def test_a_create_that_fails_leaves_nothing(api: Api) -> None:
    """An import from an image that is not there fails the task, and no volume or record stays."""
    scsi = "file=local-lvm:0,import-from=local:import/other.qcow2"
    ide = "file=local-lvm:cloudinit,media=cdrom"
    status = api.wait(api.ok("POST", "nodes/pve-a/qemu", vmid=201, ide0=ide, scsi0=scsi))
    assert "volume 'local:import/other.qcow2' does not exist" in status
    assert api.refused("GET", "nodes/pve-a/qemu/201/config")[1] == MISSING
    assert api.ok("GET", "nodes/pve-a/storage/local-lvm/content") == []


def test_configuration_changes(api: Api) -> None:
    """Keys change and go, a detached disk becomes unused and is then deleted, MACs stay."""
    config = api.vm(scsi1="file=local-lvm:8", protection=1)
    here = "nodes/pve-a/qemu/201/config"
    api.ok("PUT", here, memory="4096", net0="model=virtio,bridge=vmbr0", delete="scsi1,cicustom")
    changed = api.ok("GET", here)
    assert changed["memory"] == "4096"
    assert changed["net0"] == "virtio=BC:24:11:00:20:01,bridge=vmbr0"
    assert "cicustom" not in changed
    assert "scsi1" not in changed
    assert changed["unused0"] == "local-lvm:vm-201-disk-1"
    assert changed["digest"] != config["digest"]
    assert "modified configuration" in api.refused("PUT", here, cores=1, digest=config["digest"])[1]
    assert "protection mode enabled" in api.refused("DELETE", "nodes/pve-a/qemu/201")[1]
    api.ok("PUT", here, delete="unused0")
    volumes = [one["volid"] for one in api.ok("GET", "nodes/pve-a/storage/local-lvm/content")]
    assert volumes == ["local-lvm:vm-201-cloudinit", "local-lvm:vm-201-disk-0"]


def test_a_foreign_volume_is_attached_and_survives(api: Api) -> None:
    """A disk of another VM can be attached by name; destroying the borrower keeps it."""
    api.vm(900, scsi0="file=local-zfs:4", net0="model=virtio,bridge=vmbr0")
    api.vm(201, scsi1="file=local-zfs:vm-900-disk-0,backup=0")
    api.done("DELETE", "nodes/pve-a/qemu/201")
    assert api.ok("GET", "nodes/pve-a/storage/local-zfs/content")[0]["volid"] == "local-zfs:vm-900-disk-0"


def test_a_container(api: Api, host: RecordingHost) -> None:
    """A container starts with its create, is echoed in Proxmox's form, and ends with its delete."""
    url = "https://images.example/debian-13.tar.zst"
    template = {"content": "vztmpl", "filename": "debian-13.tar.zst", "url": url}
    values = {
        "vmid": 301, "hostname": "wazuh", "ostemplate": "local:vztmpl/debian-13.tar.zst", "start": 1,
        "rootfs": "volume=local-lvm:8", "memory": 1024, "swap": 0, "description": "a container",
        "net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:30:01,ip=10.0.20.9/24,gw=10.0.20.1,tag=20",
        "features": "nesting=1", "unprivileged": 1,
    }  # fmt: skip
    failed = api.wait(api.ok("POST", "nodes/pve-a/lxc", **values))
    assert failed == "unable to create CT 301 - volume 'local:vztmpl/debian-13.tar.zst' does not exist"
    api.done("POST", "nodes/pve-a/storage/local/download-url", **template)
    api.done("POST", "nodes/pve-a/lxc", **values)
    config = api.ok("GET", "nodes/pve-a/lxc/301/config")
    assert config["rootfs"] == "local-lvm:vm-301-disk-0,size=8G"
    assert config["description"] == "a container\n"
    assert config["net0"].startswith("name=eth0,bridge=vmbr0,gw=10.0.20.1,hwaddr=BC:24:11:00:30:01")
    tasks = [one["upid"] for one in api.ok("GET", "nodes/pve-a/tasks")]
    assert api.wait(next(upid for upid in tasks if "vzstart" in upid)) == "OK"
    assert host.specs[301].nics[0].address == "10.0.20.9/24"
    loopback, shown = api.ok("GET", "nodes/pve-a/lxc/301/interfaces")
    assert loopback["name"] == "lo"
    assert shown["ip-addresses"] == [{"ip-address": "10.0.20.9", "ip-address-type": "inet", "prefix": 24}]
    api.done("POST", "nodes/pve-a/lxc/301/status/shutdown", forceStop=1, timeout=55)
    api.done("DELETE", "nodes/pve-a/lxc/301")
    missing = "Configuration file 'nodes/pve-a/lxc/301.conf' does not exist"
    assert api.refused("GET", "nodes/pve-a/lxc/301/status/current")[1] == missing


def test_the_agent_answers_static_addresses(api: Api) -> None:
    """Only a running VM with the agent enabled answers, with the addresses of its cloud-init data."""
    call = "nodes/pve-a/qemu/201/agent/network-get-interfaces"
    api.vm()
    assert api.refused("GET", call)[1] == "No QEMU guest agent configured"
    api.ok("PUT", "nodes/pve-a/qemu/201/config", agent="enabled=1,type=virtio")
    assert api.refused("GET", call)[1] == "VM 201 is not running"
    api.done("POST", "nodes/pve-a/qemu/201/status/start")
    (eth0,) = api.ok("GET", call)["result"]
    assert eth0["ip-addresses"][0]["ip-address"] == "10.0.20.5"


def test_a_task_of_a_dead_daemon_is_over(tmp_path: Path) -> None:
    """A task that ran when the daemon died reads as Proxmox shows a worker that vanished."""
    from sandbox.proxmox import tasks

    store = Store(tmp_path / "state.db")
    with store.transaction() as t:
        upid, _ = tasks.Tasks.worker(_Unstarted(), t, "pve-a", "qmstart", "100", "u@pve!t", lambda log: None)  # type: ignore[arg-type]
    tasks.Tasks(store).close()
    with store.transaction() as t:
        assert tasks.find(t, "pve-a", upid)["exitstatus"] == "unexpected status"
    store.close()


class _Unstarted:
    """A `Tasks` whose worker is never started."""
