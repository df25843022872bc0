"""What the API does alike for VMs and containers."""

from typing import Any

import pytest

from tests.sandbox.proxmox.doubles import Api

BOTH = pytest.mark.parametrize("kind", ["qemu", "lxc"])


@pytest.fixture
def here(api: Api, kind: str) -> str:
    """The path of a guest that is stopped."""
    values: dict[str, Any] = {"vmid": 301, "description": "a guest", "tags": "Prod;apps", "onboot": 1}
    if kind == "lxc":
        template = {"filename": "debian-13.tar.zst", "url": "https://images.example/debian-13.tar.zst"}
        api.done("POST", "nodes/pve-a/storage/local/download-url", content="vztmpl", **template)
        values |= {"ostemplate": "local:vztmpl/debian-13.tar.zst", "rootfs": "volume=local-lvm:8"}
    api.done("POST", f"nodes/pve-a/{kind}", **values)
    return f"nodes/pve-a/{kind}/301"


@BOTH
def test_a_setting_is_taken_out(api: Api, here: str) -> None:
    """One that is deleted and one that is written empty are gone; the others stay."""
    api.ok("PUT", f"{here}/config", delete="onboot", description="")
    config = api.ok("GET", f"{here}/config")
    assert "onboot" not in config
    assert "description" not in config
    assert config["tags"] == "apps;prod"


@BOTH
def test_a_change_that_is_not_played_is_refused(api: Api, here: str) -> None:
    """What the sandbox would have to ignore is an error, and nothing is written."""
    refused = api.refused("PUT", f"{here}/config", revert="onboot", description="another")
    assert refused[1] == "the sandbox does not play parameter 'revert' of this call"
    assert api.ok("GET", f"{here}/config")["description"].rstrip() == "a guest"


@BOTH
def test_a_resize_of_another_configuration_is_refused(api: Api, here: str, kind: str) -> None:
    """A digest of an older state of the configuration stops it."""
    disk = {"qemu": "scsi0", "lxc": "rootfs"}[kind]
    if kind == "qemu":
        api.ok("PUT", f"{here}/config", scsi0="local-lvm:8")
    old = api.ok("GET", f"{here}/config")["digest"]
    api.ok("PUT", f"{here}/config", tags="other")
    refused = api.refused("PUT", f"{here}/resize", disk=disk, size="20G", digest=old)
    assert "detected modified configuration" in refused[1]
    assert "size=8G" in api.ok("GET", f"{here}/config")[disk]
    api.done("PUT", f"{here}/resize", disk=disk, size="20G")
    assert "size=20G" in api.ok("GET", f"{here}/config")[disk]


@BOTH
@pytest.mark.parametrize("action", ["shutdown", "reboot"])
def test_only_a_guest_that_runs_ends(api: Api, here: str, kind: str, action: str) -> None:
    """Shutting down or rebooting one that is stopped is an error."""
    word = {"qemu": "VM", "lxc": "CT"}[kind]
    assert api.refused("POST", f"{here}/status/{action}")[1] == f"{word} 301 not running"
