"""What a guest may send: by its options, and whatever it forges."""

import socket
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from sandbox.fabric.kernel import inside
from tests.sandbox.portfilter.conftest import PEER, Asked
from tests.sandbox.portfilter.frames import Ear, frame, icmpv6, mac, send, udp

pytestmark = pytest.mark.engine
SO_MARK = 36
FORGED = "02:00:00:00:00:66"


@pytest.fixture
def ear(asked: Asked) -> Iterator[Ear]:
    """The peer hears."""
    with Ear(asked.peer) as own:
        yield own


@pytest.fixture
def inner(asked: Asked) -> Iterator[Ear]:
    """The guest hears."""
    with Ear(asked.namespace) as own:
        yield own


def _sends(asked: Asked, ear: Ear, packet: bytes, body: bytes, **how: Any) -> bool:
    source = how.pop("source", mac(asked.namespace))
    send(asked.namespace, frame(mac(asked.peer), source, packet, **how))
    return ear.hears(body)


def _packet(asked: Asked, body: bytes, source: str = "", ports: tuple[int, int] = (9, 9)) -> bytes:
    return udp(source or asked.address, PEER, *ports, body)


def test_a_guest_sends_from_its_own_mac_address(asked: Asked, ear: Ear) -> None:
    """Unless `macfilter` is off; DHCP comes before that."""
    assert _sends(asked, ear, _packet(asked, b"own"), b"own")
    assert not _sends(asked, ear, _packet(asked, b"forged"), b"forged", source=FORGED)
    dhcp = _packet(asked, b"lease", ports=(68, 67))
    assert _sends(asked, ear, dhcp, b"lease", source=FORGED)
    asked.options(macfilter=0)
    assert _sends(asked, ear, _packet(asked, b"again"), b"again", source=FORGED)


def test_dhcp_passes_by_its_option(asked: Asked, ear: Ear, inner: Ear) -> None:
    """Out of a guest that may send nothing else, and into it."""

    def asks(body: bytes, source: str, port: int = 68) -> bool:
        return _sends(asked, ear, _packet(asked, body, source, (port, 67)), body)

    def is_offered(body: bytes, server: str) -> bool:
        packet = udp(server, asked.address, 67, 68, body)
        send(asked.peer, frame(mac(asked.namespace), mac(asked.peer), packet))
        return inner.hears(body)

    asked.options(policy_out="DROP", dhcp=1)
    assert asks(b"please", "10.10.20.240")
    assert not asks(b"no client", "10.10.20.240", 69)
    assert is_offered(b"here", "10.10.20.241")
    # Other addresses each time, because a known connection passes.
    asked.options(dhcp=0)
    assert not asks(b"please again", "10.10.20.242")
    assert not is_offered(b"here again", "10.10.20.243")


def test_a_guest_is_no_router_unless_it_may(asked: Asked, ear: Ear) -> None:
    """Router advertisements are dropped even with `ndp` on; with `radv` they pass."""
    advertisement = partial(icmpv6, "fe80::1", "ff02::1", 134)
    assert not _sends(asked, ear, advertisement(b"I am a router"), b"I am a router")
    asked.options(radv=1)
    assert _sends(asked, ear, advertisement(b"so I am"), b"so I am")


def test_sources_may_be_limited(asked: Asked, ear: Ear) -> None:
    """With a set of the NIC's name only its members; with the option alone none but the link-local address."""
    other = "10.10.20.250"
    assert _sends(asked, ear, _packet(asked, b"free", other), b"free")
    asked.sandbox.api.ok("POST", f"{asked.firewall}/ipset", name="ipfilter-net0")
    assert not _sends(asked, ear, _packet(asked, b"none"), b"none")
    asked.sandbox.api.ok("POST", f"{asked.firewall}/ipset/ipfilter-net0", cidr=asked.address)
    assert _sends(asked, ear, _packet(asked, b"own"), b"own")
    assert not _sends(asked, ear, _packet(asked, b"other", other), b"other")


def test_blacklisted_and_smurf_sources_are_dropped_before_any_rule(asked: Asked, inner: Ear) -> None:
    """Also where the guest's own firewall is off, because its NIC's flag is enough for them."""
    api = asked.sandbox.api
    asked.rules({"type": "in", "action": "ACCEPT", "enable": 1})

    def arrives(source: str, body: bytes) -> bool:
        packet = udp(source, asked.address, 9, 9, body)
        send(asked.peer, frame(mac(asked.namespace), mac(asked.peer), packet))
        return inner.hears(body)

    api.ok("POST", "cluster/firewall/ipset", name="blacklist")
    api.ok("POST", "cluster/firewall/ipset/blacklist", cidr="10.9.9.0/24")
    assert arrives("10.9.8.1", b"unlisted")
    assert not arrives("10.9.9.1", b"listed")
    assert not arrives("224.0.0.1", b"smurf")
    asked.options(enable=0)
    assert not arrives("10.9.9.1", b"still listed")
    api.ok("DELETE", "cluster/firewall/ipset/blacklist", force=1)
    api.ok("PUT", "nodes/pve-a/firewall/options", nosmurfs=0)
    assert arrives("10.9.9.1", b"no more listed")
    assert arrives("224.0.0.1", b"smurf again")
    api.ok("PUT", "nodes/pve-a/firewall/options", delete="nosmurfs")


def test_a_tag_hides_nothing(asked: Asked, ear: Ear) -> None:
    """Here a VLAN is a bridge of its own: a frame with a tag is dropped, it does not pass unseen."""
    assert not _sends(asked, ear, _packet(asked, b"tagged"), b"tagged", tagged=True)
    asked.options(policy_out="DROP")
    assert not _sends(asked, ear, _packet(asked, b"tagged"), b"tagged", tagged=True)


@pytest.mark.parametrize("mark", [1, 2, 3])
def test_a_mark_is_not_carried_in(asked: Asked, mark: int) -> None:
    """The fabric's own marks mean something to its rules; a sender's are gone before they are read."""

    def connect() -> None:
        with socket.socket() as stream:
            stream.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
            stream.settimeout(0.7)
            stream.connect((asked.address, 80))

    with pytest.raises(TimeoutError):
        inside(asked.peer, connect)
    asked.rules({"type": "in", "action": "ACCEPT", "enable": 1})
    inside(asked.peer, connect)
