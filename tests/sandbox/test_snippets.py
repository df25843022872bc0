"""Files that are placed on a node: found, missing, or not what a guest may name."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sandbox.checkout import Checkout
from sandbox.errors import SandboxError
from sandbox.grounds import SimulatedGround
from sandbox.machine import Machine
from sandbox.proxmox.guests import GuestError
from sandbox.snippets import LARGEST, Snippets
from tests.sandbox.engine_ground import guest, place_snippet

SPEC = guest("docker-1", 201, "10.10.20.11", engine=True)
MISSING = "volume 'local:snippets/homelab-docker.yaml' does not exist"


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    """An empty checkout with a path that is short enough for sockets."""
    with TemporaryDirectory(prefix="hl-") as folder:
        own = Checkout(Path(folder))
        own.make_dirs()
        yield own


@pytest.fixture
def machine(checkout: Checkout) -> Iterator[Machine]:
    """Guests on simulated ground."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    own = Machine(checkout, SimulatedGround(checkout, loop), loop)
    yield own
    own.lower_all()
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_a_guest_starts_only_with_its_file(checkout: Checkout, machine: Machine) -> None:
    """Without it the task fails in Proxmox VE's words and the guest stays down; once it is placed it starts."""
    with pytest.raises(GuestError) as caught:
        machine.start(SPEC)
    assert str(caught.value) == MISSING
    assert not machine.running(SPEC.vmid)
    assert machine.listing()[0]["state"] == "stopped"
    place_snippet(checkout)
    machine.start(SPEC)
    assert machine.running(SPEC.vmid)


def test_a_running_guest_needs_its_file_no_more(checkout: Checkout, machine: Machine) -> None:
    """It is read when a guest starts, not when one that runs is asked to."""
    path = place_snippet(checkout)
    machine.start(SPEC)
    path.unlink()
    machine.start(SPEC)
    machine.stop(SPEC.vmid)
    with pytest.raises(GuestError, match="does not exist"):
        machine.start(SPEC)


def test_the_log_says_where_the_file_belongs(checkout: Checkout, caplog: pytest.LogCaptureFixture) -> None:
    """Proxmox VE's words do not tell the place."""
    with caplog.at_level(logging.ERROR), pytest.raises(SandboxError):
        Snippets(checkout).boot(SPEC)
    wanted = checkout.dir / "nodes" / "pve-a" / "local" / "snippets" / "homelab-docker.yaml"
    assert caplog.messages == [f"guest docker-1: its node pve-a has no file {wanted}; place it there"]


def test_the_file_is_looked_for_on_the_guests_own_node(checkout: Checkout) -> None:
    """A file on another node does not help."""
    place_snippet(checkout, node="pve-b")
    with pytest.raises(SandboxError, match="does not exist"):
        Snippets(checkout).boot(SPEC)
    Snippets(checkout).boot(replace(SPEC, node="pve-b"))


@pytest.mark.parametrize(
    "volume", ["local:iso/x.yaml", "local:snippets/../../x", "local:snippets/..", "..:snippets/x", "x.yaml"]
)
def test_only_snippets_are_read(checkout: Checkout, volume: str) -> None:
    """A volume that is no file of a snippets folder is refused, whatever lies there."""
    (checkout.dir / "x.yaml").write_text("#cloud-config\na: 1\n")
    with pytest.raises(SandboxError, match="is not in the snippets directory"):
        Snippets(checkout).boot(replace(SPEC, bootstrap=volume))


def test_a_file_that_no_node_would_read_is_refused(checkout: Checkout) -> None:
    """Proxmox VE reads one MiB."""
    place_snippet(checkout, "#cloud-config\n" + "#" * LARGEST)
    with pytest.raises(SandboxError, match=f"has more than {LARGEST} bytes"):
        Snippets(checkout).boot(SPEC)


def test_what_is_not_done_is_in_the_log(checkout: Checkout, caplog: pytest.LogCaptureFixture) -> None:
    """Each with the guest's name."""
    place_snippet(checkout, "#cloud-config\npackages: [vim]\nruncmd: [[reboot]]\n")
    with caplog.at_level(logging.INFO):
        Snippets(checkout).boot(SPEC)
    assert caplog.messages == [
        "guest docker-1: packages are not installed, the sandbox brings its own: vim",
        "guest docker-1: not run: reboot",
    ]
