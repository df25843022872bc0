"""A host that remembers what it was asked, and a raw client of the API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import requests

from sandbox.proxmox.guests import GuestError, GuestSpec

TOKEN = "pulumi@pve!sandbox=11111111-2222-4333-8444-555555555555"
WAIT_SECONDS = 10


class RecordingHost:
    """Runs nothing; `fail` is the text of the error that the next starts raise."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        self.specs: dict[int, GuestSpec] = {}
        self.fail = ""
        self._running: set[int] = set()
        self._wanted: set[int] = set()

    def start(self, guest: GuestSpec) -> None:
        """Remember the guest."""
        if self.fail:
            raise GuestError(self.fail)
        self.calls.append(("start", guest.vmid))
        self.specs[guest.vmid] = guest
        self._running.add(guest.vmid)
        self._wanted.add(guest.vmid)

    def stop(self, vmid: int) -> None:
        """Forget that it runs."""
        self.calls.append(("stop", vmid))
        self._running.discard(vmid)
        self._wanted.discard(vmid)

    def destroy(self, vmid: int) -> None:
        """Remember that it is gone."""
        self.calls.append(("destroy", vmid))
        self._running.discard(vmid)
        self._wanted.discard(vmid)

    def running(self, vmid: int) -> bool:
        """Whether it was started last."""
        return vmid in self._running

    def wanted(self, vmid: int) -> bool:
        """Whether it was started and not stopped, crashed or not."""
        return vmid in self._wanted

    def crash(self) -> None:
        """All guests stop without being asked."""
        self._running.clear()


class Api:
    """Raw requests, and the status, reason and JSON of what comes back."""

    def __init__(self, *, port: int, ca: Path) -> None:
        self.port = port
        self.ca = ca
        self.session = requests.Session()
        self.session.verify = str(ca)
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"PVEAPIToken={TOKEN}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    @property
    def endpoint(self) -> str:
        """The address without the path."""
        return f"https://127.0.0.1:{self.port}"

    def raw(self, method: str, path: str, /, **parameters: Any) -> requests.Response:
        """One request; keys are written with `_` for `-` and values are sent as they are."""
        where: dict[str, Any] = (
            {"params": parameters} if method in ("GET", "DELETE") else {"data": parameters}
        )
        return self.session.request(method, f"{self.endpoint}/api2/json/{path}", timeout=10, **where)

    def ok(self, method: str, path: str, /, **parameters: Any) -> Any:
        """The data of a request that must succeed."""
        answer = self.raw(method, path, **parameters)
        assert answer.status_code == 200, (method, path, answer.reason, answer.text)
        return answer.json()["data"]

    def refused(self, method: str, path: str, /, **parameters: Any) -> tuple[int, str, dict[str, str]]:
        """Status, reason and errors per field of a request that must fail."""
        answer = self.raw(method, path, **parameters)
        assert answer.status_code != 200, (method, path, answer.text)
        return answer.status_code, answer.reason, answer.json().get("errors", {})

    def wait(self, upid: str) -> str:
        """The exit status of a task, once it is over."""
        node = upid.split(":")[1]
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            status = self.ok("GET", f"nodes/{node}/tasks/{upid.replace('!', '%21')}/status")
            if status["status"] == "stopped":
                return str(status["exitstatus"])
            time.sleep(0.01)
        raise AssertionError(f"{upid} did not end in {WAIT_SECONDS} s")

    def done(self, method: str, path: str, /, **parameters: Any) -> None:
        """A request whose task must end well."""
        assert self.wait(self.ok(method, path, **parameters)) == "OK"

    def bridge(self, node: str = "pve-a", name: str = "vmbr0") -> None:
        """An applied VLAN-aware bridge."""
        self.ok("POST", f"nodes/{node}/network", iface=name, type="bridge", autostart=1, bridge_vlan_aware=1)
        self.done("PUT", f"nodes/{node}/network")

    def image(self, node: str = "pve-a") -> str:
        """A downloaded cloud image."""
        url = "https://images.example/debian-13.qcow2"
        here = f"nodes/{node}/storage/local"
        self.done("POST", f"{here}/download-url", content="import", filename="debian-13.qcow2", url=url)
        return "local:import/debian-13.qcow2"

    def vm(self, vmid: int = 201, node: str = "pve-a", **more: Any) -> dict[str, Any]:
        """A VM as the official plugin asks for one (bridge and image must exist)."""
        values = {
            "vmid": vmid,
            "name": f"vm{vmid}",
            "cores": 2,
            "memory": 2048,
            "net0": "model=virtio,bridge=vmbr0,firewall=1,macaddr=BC:24:11:00:20:01,tag=20",
            "ide2": "file=local-lvm:cloudinit,",
            "scsi0": "file=local-lvm:0,import-from=local:import/debian-13.qcow2,size=21474836480,discard=on",
            "ipconfig0": "gw=10.0.20.1,ip=10.0.20.5/24",
            "cicustom": "vendor=local:snippets/homelab-docker.yaml",
            **more,
        }
        self.done("POST", f"nodes/{node}/qemu", **values)
        found: dict[str, Any] = self.ok("GET", f"nodes/{node}/qemu/{vmid}/config")
        return found


@contextmanager
def as_token(api: Api, path: str, role: str) -> Iterator[Api]:
    """A second client: a user with one role at one path, and its token, which has the same."""
    user, token = "limited@pve", "limited@pve!test"
    api.ok("POST", "access/users", userid=user)
    made = api.ok("POST", f"access/users/{user}/token/test")
    api.ok("PUT", "access/acl", path=path, roles=role, users=user, tokens=token)
    with Api(port=api.port, ca=api.ca) as client:
        client.session.headers["Authorization"] = f"PVEAPIToken={token}={made['value']}"
        yield client
