"""Real namespaces: who is on one wire with whom."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.checkout import Checkout
from sandbox.fabric.kernel import Kernel, inside
from sandbox.fabric.segments import Fabric
from sandbox.proxmox.guests import GuestSpec
from tests.sandbox.engine_ground import guest, host_network, left_over, real_checkout

pytestmark = pytest.mark.engine


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    """A checkout of its own, swept afterwards."""
    with real_checkout() as own:
        yield own


@pytest.fixture
def fabric(checkout: Checkout) -> Fabric:
    """The fabric of that checkout."""
    return Fabric(Kernel(checkout.prefix))


def _reaches(fabric: Fabric, source: GuestSpec, target: GuestSpec) -> bool:
    address = str(target.nics[0].address).partition("/")[0]
    listener = inside(fabric.guest_path(target.name), lambda: socket.create_server((address, 7777)))
    with listener:
        client = inside(fabric.guest_path(source.name), lambda: socket.socket(socket.AF_INET))
        with client:
            client.settimeout(0.7)
            try:
                client.connect((address, 7777))
            except OSError:
                return False
            return True


def test_one_vlan_is_one_wire_and_two_are_two(fabric: Fabric) -> None:
    """Guests of one VLAN reach each other, a guest of another VLAN on the same bridge does not."""
    one, two = guest("one", 201, "10.10.20.11"), guest("two", 202, "10.10.20.12")
    other = guest("other", 301, "10.10.30.11", tag=30)
    for each in (one, two, other):
        fabric.plug(each)
    assert fabric.segments() >= {"vmbr0.20", "vmbr0.30"}
    assert _reaches(fabric, one, two)
    assert not _reaches(fabric, other, two)


def test_a_guest_has_its_mac_and_address(fabric: Fabric) -> None:
    """The NIC inside has the declared MAC address, and the default route goes to the gateway."""
    spec = guest("one", 201, "10.10.20.11")
    fabric.plug(spec)
    mac = inside(fabric.guest_path("one"), lambda: _mac("eth0"))
    assert mac == spec.nics[0].mac
    routes = inside(fabric.guest_path("one"), lambda: Path("/proc/thread-self/net/route").read_text())
    assert "01140A0A" in routes


def _mac(link: str) -> str:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((link, 0))
        return ":".join(f"{byte:02x}" for byte in raw.getsockname()[4])


def test_plugging_again_replaces_the_guest(fabric: Fabric) -> None:
    """A guest that is plugged twice, as after a crash, works as after the first time."""
    one, two = guest("one", 201, "10.10.20.11"), guest("two", 202, "10.10.20.12")
    for each in (one, two, one, two):
        fabric.plug(each)
    assert fabric.is_plugged(one)
    assert _reaches(fabric, one, two)
    fabric.unplug("one")
    fabric.unplug("one")
    assert not fabric.is_plugged(one)


def test_nothing_of_the_machine_changes_and_nothing_is_left(checkout: Checkout, fabric: Fabric) -> None:
    """The machine's links, routes and forwarding never change, and all namespaces are gone."""
    before = host_network()
    fabric.plug(guest("one", 201, "10.10.20.11"))
    assert host_network() == before
    fabric.remove_all()
    fabric.remove_all()
    assert left_over(checkout) == []
    assert host_network() == before


def test_a_guest_named_net_is_not_the_fabric(fabric: Fabric) -> None:
    """A guest may have any name, also that of the fabric's own namespace."""
    fabric.plug(guest("net", 201, "10.10.20.11"))
    assert fabric.guest_namespace("net") != fabric.namespace
    fabric.unplug("net")
    assert "vmbr0.20" in fabric.segments()
