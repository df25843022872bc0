"""Checkouts for tests, with real namespaces and engines or with simulated ones; nothing of them is left afterwards."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox import lifecycle
from sandbox.checkout import Checkout, cache_dir
from sandbox.docker.packages import engine_programs
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import missing_rights
from sandbox.grounds import sweep
from sandbox.guest_tools import guest_tools
from sandbox.proxmox.description import DescriptionError, fetch
from sandbox.proxmox.guests import GuestSpec, NicSpec
from tests.support.needs import need
from tests.support.shared import ROOT

BOOTSTRAP = "homelab-docker.yaml"
PLAIN = """\
#cloud-config
packages: [docker.io]
runcmd:
  - [systemctl, enable, --now, docker]
"""
"""A guest with an engine and nothing else; what passes and what does not is Docker's own doing."""


@contextmanager
def real_checkout() -> Iterator[Checkout]:
    """An empty checkout on a machine that can run engines; skips, or fails in CI, elsewhere."""
    lacking = missing_rights()
    need(lacking is None, f"real engines: {lacking}")
    try:
        engine_programs(cache_dir())
        guest_tools(cache_dir())
    except SandboxError as error:
        need(False, str(error))
    # Sockets have short paths; pytest's own folders are long.
    with TemporaryDirectory(prefix="hl-") as folder:
        checkout = Checkout(Path(folder))
        checkout.make_dirs()
        place_snippet(checkout)
        try:
            yield checkout
        finally:
            sweep(checkout)


@contextmanager
def simulated_checkout() -> Iterator[Checkout]:
    """An empty checkout whose daemon simulates network and engines; stopped afterwards."""
    with TemporaryDirectory(prefix="hl-") as folder:
        checkout = Checkout(Path(folder))
        link_program(checkout)
        try:
            fetch(cache_dir())
        except DescriptionError as error:
            need(False, str(error))
        try:
            yield checkout
        finally:
            lifecycle.stop(checkout)


def link_program(checkout: Checkout) -> None:
    """The daemon runs the packages that lie in its checkout."""
    for name in ("sandbox", "toolchain"):
        (checkout.root / name).symlink_to(ROOT / name)


def sandbox_command(checkout: Checkout, *words: str) -> subprocess.CompletedProcess[str]:
    """`python -m sandbox` with these words for a checkout."""
    return subprocess.run(
        [sys.executable, "-m", "sandbox", "--checkout", str(checkout.root), *words],
        capture_output=True,
        text=True,
        timeout=90,
        cwd=ROOT,
        check=False,
    )


def place_snippet(checkout: Checkout, text: str = PLAIN, node: str = "pve-a") -> Path:
    """Put the file that guests with an engine name on their node, as a person does; answers where it lies."""
    path = checkout.snippets_dir(node, "local") / BOOTSTRAP
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def guest(name: str, vmid: int, address: str, *, tag: int = 20, engine: bool = False) -> GuestSpec:
    """A guest with one NIC in 10.10.<tag>.0/24."""
    octet = int(address.rsplit(".", 1)[1])
    nic = NicSpec(
        bridge="vmbr0",
        tag=tag,
        mac=f"bc:24:11:00:{tag:02x}:{octet:02x}",
        address=f"{address}/24",
        gateway=f"10.10.{tag}.1",
    )
    bootstrap = f"local:snippets/{BOOTSTRAP}" if engine else None
    return GuestSpec(kind="qemu", vmid=vmid, name=name, node="pve-a", nics=(nic,), bootstrap=bootstrap)


def host_network() -> str:
    """What the sandbox must leave alone: links, routes, forwarding and rules of the machine."""
    links = subprocess.run(["ip", "-o", "addr"], capture_output=True, text=True, check=True).stdout
    routes = subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    forwarding = Path("/proc/sys/net/ipv4/ip_forward").read_text()
    tables = Path("/proc/net/ip_tables_names")
    return "\n".join([links, routes, forwarding, tables.read_text() if tables.exists() else ""])


def left_over(checkout: Checkout) -> list[str]:
    """Namespaces, control groups and processes of a checkout that still exist."""
    found = [str(path) for path in Path("/run/netns").glob(f"{checkout.prefix}*")]
    name = checkout.prefix.rstrip("-")
    found += [str(path) for path in Path("/sys/fs/cgroup").glob(f"*/{name}")]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob(name)]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(checkout.dir) in command:
                found.append(f"{entry.name}: {command}")
    return found
