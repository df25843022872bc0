"""Somebody on a segment beside its guests."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from sandbox.checkout import Checkout
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import Kernel, inside
from sandbox.fabric.peers import Peers
from sandbox.fabric.segments import Fabric
from tests.sandbox.engine_ground import guest, host_network, left_over, real_checkout

pytestmark = pytest.mark.engine
GUEST = guest("one", 201, "10.10.20.11")


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    """A checkout of its own, swept afterwards."""
    with real_checkout() as own:
        yield own


@pytest.fixture
def fabric(checkout: Checkout) -> Fabric:
    """The fabric of that checkout, with a guest on segment vmbr0.20."""
    own = Fabric(Kernel(checkout.prefix))
    own.plug(GUEST)
    return own


@pytest.fixture
def peers(checkout: Checkout, fabric: Fabric) -> Peers:
    """The peers of that fabric."""
    return Peers(Kernel(checkout.prefix), fabric)


def _reaches(namespace: Path, fabric: Fabric) -> bool:
    listener = inside(fabric.guest_path("one"), partial(socket.create_server, ("10.10.20.11", 7777)))
    with listener:
        try:
            inside(namespace, partial(socket.create_connection, ("10.10.20.11", 7777), 0.7)).close()
        except OSError:
            return False
        return True


def test_a_peer_is_on_the_wire(peers: Peers, fabric: Fabric) -> None:
    """It reaches the segment's guests; the peer of another segment does not."""
    fabric.plug(guest("two", 301, "10.10.30.11", tag=30))
    here, elsewhere = peers.put("vmbr0.20", "10.10.20.2/24"), peers.put("vmbr0.30", "10.10.20.2/24")
    assert _reaches(here.namespace, fabric)
    assert not _reaches(elsewhere.namespace, fabric)
    assert peers.listing() == [here, elsewhere]


def test_the_same_peer_stays_and_another_replaces_it(peers: Peers, fabric: Fabric) -> None:
    """Asking again is no change; another address is another peer, with what ran in the first one ended."""
    first = peers.put("vmbr0.20", "10.10.20.2/24")
    inode = first.namespace.stat().st_ino
    assert peers.put("vmbr0.20", "10.10.20.2/24") == first
    assert first.namespace.stat().st_ino == inode
    with subprocess.Popen(["nsenter", f"--net={first.namespace}", "sleep", "60"]) as process:
        _until_inside(process.pid, first.namespace)
        second = peers.put("vmbr0.20", "10.10.20.3/24")
        assert process.wait(5) != 0
    assert peers.listing() == [second]
    assert _reaches(second.namespace, fabric)


def _until_inside(pid: int, namespace: Path) -> None:
    while Path(f"/proc/{pid}/ns/net").stat().st_ino != namespace.stat().st_ino:
        pass


def test_a_peer_may_have_an_ipv6_address(peers: Peers) -> None:
    """At once, without asking whether anybody has it."""
    peer = peers.put("vmbr0.20", "fd00:20::2/64")
    assert peers.listing() == [peer]
    inside(
        peer.namespace, partial(socket.create_server, ("fd00:20::2", 7777), family=socket.AF_INET6)
    ).close()


@pytest.mark.parametrize(
    ("segment", "address", "sentence"),
    [
        ("vmbr9", "10.10.20.2/24", "there is no segment vmbr9: there are vmbr0.20; a segment is there once"),
        (
            "vmbr0.20",
            "10.10.20.2",
            "no address of a peer: 10.10.20.2 has no length; write it with its length",
        ),
        ("vmbr0.20", "10.10.20.2/33", "no address of a peer: '10.10.20.2/33' does not appear to be"),
        ("tap201i0", "10.10.20.2/24", "there is no segment tap201i0: there are vmbr0.20;"),
    ],
)
def test_what_cannot_be_a_peer_is_refused(peers: Peers, segment: str, address: str, sentence: str) -> None:
    """With a sentence, and nothing is made."""
    with pytest.raises(SandboxError) as refused:
        peers.put(segment, address)
    assert str(refused.value).startswith(sentence)
    assert peers.listing() == []


def test_peers_go_alone_or_with_everything(checkout: Checkout, fabric: Fabric, peers: Peers) -> None:
    """The machine never sees them, and nothing is left."""
    before = host_network()
    peers.put("vmbr0.20", "10.10.20.2/24")
    assert peers.remove("vmbr0.20")
    assert not peers.remove("vmbr0.20")
    assert peers.listing() == []
    peers.put("vmbr0.20", "10.10.20.2/24")
    assert host_network() == before
    fabric.remove_all()
    assert left_over(checkout) == []


def test_a_stopped_sandbox_has_no_peers(checkout: Checkout) -> None:
    """Both forms of the command say how to have one; misuse is its own exit code."""

    def command(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", "--checkout", str(checkout.root), "peer", *words],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stderr

    stopped = "the sandbox is stopped; start it with `python -m sandbox start`\n"
    assert command("vmbr0.20", "10.10.20.2/24") == (1, stopped)
    assert command("--remove", "vmbr0.20") == (1, stopped)
    assert command("vmbr0.20")[0] == command("--remove", "vmbr0.20", "10.10.20.2/24")[0] == 2
