"""The field's own Python client, proxmoxer, through the life of a VM and of a container, and as a limited user."""

from collections.abc import Iterator
from typing import Any

import pytest
from proxmoxer import ProxmoxAPI
from proxmoxer.core import ResourceException
from proxmoxer.tools import Tasks

from tests.sandbox.proxmox.doubles import TOKEN, Api, as_token


def client(api: Api, token: str) -> ProxmoxAPI:
    """proxmoxer with an API token, `user@realm!name=value`."""
    who, _, value = token.partition("=")
    user, _, name = who.partition("!")
    return ProxmoxAPI(
        "127.0.0.1", port=api.port, user=user, token_name=name, token_value=value, verify_ssl=str(api.ca)
    )


@pytest.fixture
def proxmox(api: Api) -> Iterator[ProxmoxAPI]:
    """proxmoxer with every right, and a node with a bridge."""
    api.bridge()
    found = client(api, TOKEN)
    yield found
    # proxmoxer has no call that closes its connections.
    found._store["session"].close()


def done(proxmox: ProxmoxAPI, upid: str) -> dict[str, Any]:
    """A task, waited for by proxmoxer's own tool, that must end well."""
    status: dict[str, Any] = Tasks.blocking_status(proxmox, upid, timeout=10, polling_interval=0.01)
    assert status["exitstatus"] == "OK", status
    parts = Tasks.decode_upid(upid)
    assert (parts["type"], parts["user"], parts["node"]) == (status["type"], status["user"], status["node"])
    return status


def test_the_life_of_a_vm(proxmox: ProxmoxAPI) -> None:
    """Made, configured, grown, started, rebooted, stopped, copied and destroyed, each step a task with a UPID."""
    vms = proxmox.nodes("pve-a").qemu
    made = done(
        proxmox,
        vms.post(vmid=201, name="app", cores=2, memory=1024, scsi0="local-lvm:8", net0="virtio,bridge=vmbr0"),
    )
    assert made["type"] == "qmcreate"
    vm = vms(201)
    vm.config.put(cores=4, description="an app", tags="b;a")
    done(proxmox, vm.resize.put(disk="scsi0", size="+2G"))
    config = vm.config.get()
    assert (config["cores"], config["description"], config["tags"]) == (4, "an app", "a;b")
    assert config["scsi0"] == "local-lvm:vm-201-disk-0,size=10G"
    done(proxmox, vm.status.start.post())
    assert vm.status.current.get()["status"] == "running"
    with pytest.raises(ResourceException, match="VM 201 is running - destroy failed"):
        vm.delete()
    done(proxmox, vm.status.reboot.post())
    done(proxmox, vm.status.stop.post())
    done(proxmox, vm.clone.post(newid=202, name="copy", full=1))
    assert proxmox.nodes("pve-a").qemu(202).config.get()["scsi0"] == "local-lvm:vm-202-disk-0,size=10G"
    for vmid in (201, 202):
        done(proxmox, vms(vmid).delete())
    assert vms.get() == []
    with pytest.raises(ResourceException, match=r"qemu-server/201\.conf' does not exist"):
        vm.config.get()


def test_the_life_of_a_container(proxmox: ProxmoxAPI) -> None:
    """From a downloaded template to its end."""
    node = proxmox.nodes("pve-a")
    name = "debian-13.tar.zst"
    url = f"https://images.example/{name}"
    done(proxmox, node.storage("local")("download-url").post(content="vztmpl", filename=name, url=url))
    net = "name=eth0,bridge=vmbr0,ip=10.0.20.7/24,gw=10.0.20.1"
    values = {
        "vmid": 301,
        "hostname": "c1",
        "ostemplate": f"local:vztmpl/{name}",
        "rootfs": "local-lvm:4",
        "net0": net,
    }
    done(proxmox, node.lxc.post(**values))
    container = node.lxc(301)
    done(proxmox, container.status.start.post())
    loopback, eth0 = container.interfaces.get()
    assert (loopback["name"], eth0["inet"]) == ("lo", "10.0.20.7/24")
    container.config.put(memory=256)
    assert container.config.get()["memory"] == 256
    done(proxmox, container.status.shutdown.post(forceStop=1))
    done(proxmox, container.delete())
    assert proxmox.cluster.resources.get(type="vm") == []
    kinds = [task["type"] for task in node.tasks.get()]
    assert kinds == ["vzdestroy", "vzshutdown", "vzstart", "vzcreate", "download", "srvreload"]


def test_a_limited_token_is_told_what_it_lacks(api: Api, proxmox: ProxmoxAPI) -> None:
    """It gets Proxmox VE's own text, as every script in the field has seen it."""
    done(proxmox, proxmox.nodes("pve-a").qemu.post(vmid=201))
    with as_token(api, "/vms", "PVEAuditor") as limited:
        weak = client(api, str(limited.session.headers["Authorization"]).partition("=")[2])
        vm = weak.nodes("pve-a").qemu(201)
        assert vm.status.current.get()["status"] == "stopped"
        for refused, text in (
            (vm.status.start.post, r"/vms/201, VM\.PowerMgmt"),
            (vm.delete, r"/vms/201, VM\.Allocate"),
            (weak.nodes("pve-a").dns.get, r"/nodes/pve-a, Sys\.Audit"),
        ):
            with pytest.raises(ResourceException, match=rf"403 .*Permission check failed \({text}\)"):
                refused()
        weak._store["session"].close()
    assert proxmox.nodes("pve-a").qemu(201).status.current.get()["status"] == "stopped"
