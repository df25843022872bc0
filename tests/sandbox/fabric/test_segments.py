"""Real namespaces: who is on one wire with whom."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.checkout import Checkout
from sandbox.fabric.kernel import FabricError, Kernel, inside
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
    assert fabric.segments() == {"vmbr0.20", "vmbr0.30"}
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


def test_guests_that_start_side_by_side_share_their_segment(fabric: Fabric) -> None:
    """Whichever comes first makes the fabric and the bridge, for all."""
    specs = [guest(f"g{n}", 200 + n, f"10.10.20.{n}") for n in range(1, 9)]
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(fabric.plug, specs))
    assert all(fabric.is_plugged(spec) for spec in specs)
    assert _reaches(fabric, specs[0], specs[7])


RULES = """
table bridge proxmox {{
  chain forward {{
    type filter hook forward priority filter; policy {0};
  }}
}}
"""


def test_rules_are_in_force_before_the_first_port(fabric: Fabric) -> None:
    """Those that were given before there was a fabric, and those given later; none is a state of its own."""
    one, two = guest("one", 201, "10.10.20.11"), guest("two", 202, "10.10.20.12")
    fabric.filter(RULES.format("drop"))
    for each in (one, two):
        fabric.plug(each)
    assert not _reaches(fabric, one, two)
    fabric.filter(RULES.format("accept"))
    assert _reaches(fabric, one, two)
    fabric.filter(RULES.format("drop"))
    assert not _reaches(fabric, one, two)
    fabric.filter("")
    assert _reaches(fabric, one, two)


def test_a_fabric_that_is_made_again_has_its_rules(fabric: Fabric) -> None:
    """They are in force in the new namespace, too, before its first port."""
    one, two = guest("one", 201, "10.10.20.11"), guest("two", 202, "10.10.20.12")
    fabric.filter(RULES.format("drop"))
    fabric.plug(one)
    fabric.remove_all()
    for each in (one, two):
        fabric.plug(each)
    assert not _reaches(fabric, one, two)


def test_no_guest_is_plugged_past_rules_that_are_refused(fabric: Fabric) -> None:
    """The earlier rules stay in force, and the next that are taken let guests in again."""
    one, two = guest("one", 201, "10.10.20.11"), guest("two", 202, "10.10.20.12")
    fabric.filter(RULES.format("drop"))
    for each in (one, two):
        fabric.plug(each)
    with pytest.raises(FabricError, match="perhaps"):
        fabric.filter(RULES.format("perhaps"))
    assert not _reaches(fabric, one, two)
    with pytest.raises(FabricError, match="perhaps"):
        fabric.plug(two)
    fabric.filter(RULES.format("accept"))
    fabric.plug(two)
    assert _reaches(fabric, one, two)


def test_settings_are_the_guests_own(fabric: Fabric) -> None:
    """A setting holds in the guest alone; one that this kernel lacks is a sentence, and the others are set."""
    spec = guest("one", 201, "10.10.20.11")
    fabric.plug(spec)
    machine = Path("/proc/sys/net/ipv4/conf/lo/arp_announce").read_text()
    problems = fabric.apply_settings(
        "one", [("net/ipv4/nothing", "1"), ("net/ipv4/conf/lo/arp_announce", "2")]
    )
    assert problems == ["net/ipv4/nothing could not be set to 1: No such file or directory"]
    seen = inside(fabric.guest_path("one"), Path("/proc/sys/net/ipv4/conf/lo/arp_announce").read_text)
    assert seen == "2\n"
    assert Path("/proc/sys/net/ipv4/conf/lo/arp_announce").read_text() == machine != seen


@pytest.mark.parametrize("path", ["kernel/hostname", "net/../kernel/hostname"])
def test_a_setting_of_the_machine_is_never_written(fabric: Fabric, path: str) -> None:
    """What is not a network namespace's own would change the machine."""
    fabric.plug(guest("one", 201, "10.10.20.11"))
    with pytest.raises(ValueError, match=f"{path} is no setting of a network namespace"):
        fabric.apply_settings("one", [(path, "changed")])
