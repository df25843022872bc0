"""A running sandbox of its own, guests without engines on it, and packets between them."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox import lifecycle
from sandbox.certificates import authority_file
from sandbox.checkout import Checkout
from sandbox.fabric.kernel import NAMESPACES
from tests.sandbox.engine_ground import left_over, real_checkout
from tests.sandbox.proxmox.doubles import Api

ROOT = Path(__file__).resolve().parents[3]
_TEMPLATE = "local:vztmpl/debian-13.tar.zst"


class Running:
    """A sandbox that was started by its command, asked through its command and its Proxmox API.

    Args:
        checkout: whose.
    """

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.api = Api(port=checkout.ports(["proxmox"])["proxmox"], ca=authority_file(checkout))
        token = checkout.credential("proxmox-token")
        self.api.session.headers["Authorization"] = f"PVEAPIToken={token}"

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What `python -m sandbox` answers."""
        return subprocess.run(
            [sys.executable, "-m", "sandbox", "--checkout", str(self.checkout.root), *words],
            capture_output=True,
            text=True,
            timeout=90,
            cwd=ROOT,
            check=False,
        )

    def status(self) -> dict[str, Any]:
        """What `status --format json` shows."""
        document: dict[str, Any] = json.loads(self.command("status", "--format", "json").stdout)
        return document

    def start(self) -> None:
        """Start it, also after a kill or a stop."""
        done = self.command("start", "--stand-ins")
        assert done.returncode == 0, done.stderr

    def guest(self, vmid: int, address: str, *, kind: str = "qemu", tag: int = 20, firewall: int = 1) -> str:
        """A running guest with one NIC; answers the path of its firewall."""
        here = f"nodes/pve-a/{kind}"
        device = f"bridge=vmbr0,firewall={firewall},tag={tag}"
        mac = f"BC:24:11:00:{tag:02X}:{vmid % 256:02X}"
        if kind == "qemu":
            nic, ip = f"model=virtio,macaddr={mac},{device}", f"ip={address}"
            self.api.done("POST", here, vmid=vmid, name=f"vm{vmid}", net0=nic, ipconfig0=ip)
        else:
            nic = f"name=eth0,hwaddr={mac},ip={address},{device}"
            self.api.done("POST", here, vmid=vmid, hostname=f"ct{vmid}", ostemplate=_TEMPLATE, net0=nic)
        self.api.done("POST", f"{here}/{vmid}/status/start")
        return f"{here}/{vmid}/firewall"

    def namespace(self, guest: str) -> Path:
        """The network namespace of a guest, by its name."""
        return NAMESPACES / f"{self.checkout.prefix}guest-{guest}"

    @property
    def fabric(self) -> Path:
        """The namespace of all segments."""
        return NAMESPACES / f"{self.checkout.prefix}net"

    def peer(self, segment: str, address: str) -> Path:
        """The network namespace of somebody on a segment."""
        done = self.command("peer", segment, address)
        assert done.returncode == 0, done.stderr
        return Path(done.stdout.strip())

    @property
    def daemon(self) -> int:
        """Its process id."""
        return int(json.loads(self.checkout.daemon_file.read_text())["pid"])


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether a condition holds within a time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def running() -> Iterator[Running]:
    """A started sandbox with an applied bridge `vmbr0`; nothing of it is left afterwards."""
    with real_checkout() as checkout:
        for name in ("sandbox", "toolchain"):
            (checkout.root / name).symlink_to(ROOT / name)
        own = Running(checkout)
        try:
            own.start()
            own.api.bridge()
            own.api.done(
                "POST",
                "nodes/pve-a/storage/local/download-url",
                content="vztmpl",
                filename=_TEMPLATE.rpartition("/")[2],
                url="https://images.example/debian-13.tar.zst",
            )
            yield own
        finally:
            own.api.session.close()
            lifecycle.stop(checkout)
        assert left_over(checkout) == []
