"""Who has the gateway's address: it answers on its own addresses, and forwards nothing."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from sandbox.checkout import Checkout
from sandbox.fabric.kernel import Kernel, inside
from sandbox.fabric.peers import Peers
from sandbox.fabric.router import Router
from sandbox.fabric.segments import Fabric
from sandbox.proxmox.guests import GuestSpec
from tests.sandbox.engine_ground import guest, host_network, left_over, real_checkout

pytestmark = pytest.mark.engine
ONE = replace(guest("one", 201, "10.10.20.11"), name_servers=("10.10.10.1", "10.10.20.53", "127.0.0.1"))
OTHER = guest("other", 301, "10.10.30.11", tag=30)


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    """A checkout of its own, swept afterwards."""
    with real_checkout() as own:
        yield own


@pytest.fixture
def kernel(checkout: Checkout) -> Kernel:
    """What changes its namespaces."""
    return Kernel(checkout.prefix)


@pytest.fixture
def fabric(kernel: Kernel) -> Fabric:
    """The fabric of that checkout."""
    return Fabric(kernel)


@pytest.fixture
def router(kernel: Kernel, fabric: Fabric) -> Router:
    """The router of that fabric, with a guest on each of two segments."""
    own = Router(kernel, fabric)
    for each in (ONE, OTHER):
        _start(fabric, own, each)
    return own


def _start(fabric: Fabric, router: Router, spec: GuestSpec) -> None:
    fabric.plug(spec)
    assert router.attach(spec)
    assert router.serves(spec)


def _reaches(source: Path, target: Path, address: str) -> bool:
    """Whether a connection passes from one namespace to an address of another one."""
    with inside(target, partial(socket.create_server, (address, 7777))):
        try:
            inside(source, partial(socket.create_connection, (address, 7777), 0.7)).close()
        except OSError:
            return False
        return True


def _addresses(kernel: Kernel, router: Router) -> dict[str, list[str]]:
    return {link: found for link, found in kernel.all_addresses(router.namespace.name).items() if found}


def test_the_internet_lies_behind_it(kernel: Kernel, fabric: Fabric) -> None:
    """Its addresses are on no leg, a guest reaches them, and one that a guest has is left to that guest."""
    own = Router(kernel, fabric, ("172.64.32.53", "10.10.30.11"))
    _start(fabric, own, OTHER)
    _start(fabric, own, ONE)
    assert _addresses(kernel, own)["lo"] == ["172.64.32.53/32", "10.10.10.1/32", "10.10.20.53/32"]
    assert _reaches(fabric.guest_path("one"), own.namespace, "172.64.32.53")
    assert not Router(kernel, fabric, ("172.64.32.54",)).serves(ONE)


def test_a_leg_has_the_gateway_and_the_name_servers_beside_it(router: Router, kernel: Kernel) -> None:
    """Name servers that are no neighbours lie behind it; a guest's own loopback is nobody else's."""
    assert _addresses(kernel, router) == {
        "lo": ["10.10.10.1/32", "10.10.20.53/32"],
        "vmbr0.20": ["10.10.20.1/24", "10.10.20.53/24"],
        "vmbr0.30": ["10.10.30.1/24"],
    }


def test_a_guest_reaches_its_gateway_and_its_name_servers(router: Router, fabric: Fabric) -> None:
    """All of them, by TCP as an example."""
    for address in ("10.10.20.1", "10.10.10.1", "10.10.20.53"):
        assert _reaches(fabric.guest_path("one"), router.namespace, address)
    assert _reaches(fabric.guest_path("other"), router.namespace, "10.10.30.1")


def test_nothing_is_forwarded(router: Router, fabric: Fabric) -> None:
    """Not between guests of two segments, whose default routes both lead to it, in neither direction."""
    assert not _reaches(fabric.guest_path("one"), fabric.guest_path("other"), "10.10.30.11")
    assert not _reaches(fabric.guest_path("other"), fabric.guest_path("one"), "10.10.20.11")
    read = partial(Path("/proc/sys/net/ipv4/conf/vmbr0.20/forwarding").read_text)
    assert inside(router.namespace, read) == "0\n"


def test_the_addresses_of_other_legs_are_not_on_a_segment(router: Router, fabric: Fabric) -> None:
    """Who only claims to be of another subnet finds nobody of it here."""
    fabric.plug(guest("stranger", 302, "10.10.20.66", tag=30))
    with inside(router.namespace, partial(_udp, "10.10.20.1")) as leg:
        for name, heard in (("one", True), ("stranger", False)):
            with inside(fabric.guest_path(name), partial(_udp, "0.0.0.0")) as sender:
                sender.sendto(b"hello", ("10.10.20.1", 7777))
                assert _hears(leg) is heard


def _udp(address: str) -> socket.socket:
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.bind((address, 7777))
    own.settimeout(1)
    return own


def _hears(listening: socket.socket) -> bool:
    try:
        return listening.recv(100) == b"hello"
    except TimeoutError:
        return False


def test_a_guest_that_is_the_gateway_stays_it(router: Router, fabric: Fabric, kernel: Kernel) -> None:
    """When it starts later, the leg goes; the next guest of the segment gets none."""
    gateway = guest("gateway", 203, "10.10.20.1")
    fabric.plug(gateway)
    router.attach(gateway)
    assert _addresses(kernel, router)["vmbr0.20"] == ["10.10.20.53/24"]
    assert router.serves(gateway)
    assert _reaches(fabric.guest_path("one"), fabric.guest_path("gateway"), "10.10.20.1")
    own = guest("name-server", 204, "10.10.20.53")
    _start(fabric, router, own)
    assert list(_addresses(kernel, router)) == ["lo", "vmbr0.30"]
    assert _addresses(kernel, router)["lo"] == ["10.10.10.1/32"]


def test_a_peer_that_is_the_gateway_stays_it(router: Router, fabric: Fabric, kernel: Kernel) -> None:
    """Also when it was made by another process, as the command does."""
    peer = Peers(kernel, fabric).put("vmbr0.30", "10.10.30.1/24")
    assert list(_addresses(kernel, router)) == ["lo", "vmbr0.20"]
    assert _reaches(fabric.guest_path("other"), peer.namespace, "10.10.30.1")


def test_what_a_killed_process_left_is_finished(router: Router, fabric: Fabric, kernel: Kernel) -> None:
    """A leg that is not plugged in, or has no address yet, is what another router makes whole."""
    kernel.batch(router.namespace.name, ["address flush dev vmbr0.20", "link set vmbr0.20 down"])
    kernel.delete_link(router.namespace.name, "vmbr0.30")
    second = Router(kernel, fabric)
    for each in (ONE, OTHER):
        assert not second.serves(each)
        second.attach(each)
        assert second.serves(each)
    assert _reaches(fabric.guest_path("one"), second.namespace, "10.10.10.1")
    assert _reaches(fabric.guest_path("other"), second.namespace, "10.10.30.1")


def test_without_a_gateway_there_is_no_router(fabric: Fabric, kernel: Kernel) -> None:
    """A guest that can ask nobody needs nobody."""
    lonely = guest("lonely", 201, "10.10.20.11")
    lonely = replace(lonely, nics=(replace(lonely.nics[0], gateway=None),), name_servers=("10.10.10.1",))
    own = Router(kernel, fabric)
    fabric.plug(lonely)
    assert not own.attach(lonely)
    assert own.serves(lonely)
    assert not own.namespace.exists()


def test_it_goes_with_the_fabric(checkout: Checkout, router: Router, fabric: Fabric) -> None:
    """And the machine never sees it; afterwards it can be made again."""
    before = host_network()
    fabric.remove_all()
    assert left_over(checkout) == []
    _start(fabric, router, ONE)
    assert host_network() == before
