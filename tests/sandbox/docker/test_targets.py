"""Which places outside a guest's engine may reach."""

import socket
from collections.abc import Sequence

import pytest

from sandbox.docker.targets import NOWHERE, RefusedError, Targets, is_public


def _named(*addresses: str) -> Targets:
    return Targets(resolve=lambda host, port: addresses)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.127.255.254", "198.18.0.1", "192.0.2.1", "203.0.113.9",
        "224.0.0.251", "240.0.0.1", "255.255.255.255",
    ],
)  # fmt: skip
def test_an_address_of_the_users_own_is_refused(address: str) -> None:
    """Loopback, private, link-local, shared, multicast, reserved and documentation addresses are not public."""
    assert not is_public(address)
    with pytest.raises(RefusedError, match=r"name\.test has no public address"):
        _named(address).addresses("name.test", 443)


def test_public_addresses_are_kept_and_others_dropped() -> None:
    """Of a name with addresses of both kinds only the public ones may be reached."""
    assert _named("10.0.0.1", "8.8.8.8", "127.0.0.1", "1.1.1.1").addresses("name.test", 443) == [
        "8.8.8.8",
        "1.1.1.1",
    ]


@pytest.mark.parametrize("port", [0, 22, 80, 5000, 8443, 65535, 99999])
def test_only_the_port_of_https_is_reached(port: int) -> None:
    """Another port is refused before the name is looked up."""

    def resolve(host: str, number: int) -> Sequence[str]:
        raise AssertionError("it was looked up")

    with pytest.raises(RefusedError, match=f"port {port} is not 443"):
        Targets(resolve=resolve).addresses("name.test", port)


@pytest.mark.parametrize(
    "host", ["", ".", "a..b", "-a.test", "[::1]", "::1", "a b", "a" * 64, "\ufffd", "a\0"]
)
def test_what_is_no_name_is_refused(host: str) -> None:
    """IPv6 addresses and malformed names are never looked up."""
    with pytest.raises(RefusedError, match="no host name and no IPv4 address"):
        _named("8.8.8.8").addresses(host, 443)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "localhost"])
def test_other_ways_to_write_loopback_are_loopback(host: str) -> None:
    """Whatever the system's resolver reads as an address is judged by that address."""
    with pytest.raises(RefusedError, match="has no public address"):
        Targets().addresses(host, 443)


def test_a_name_is_resolved_once_and_the_checked_address_connected() -> None:
    """A name that changes its address after the check leads nowhere else."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        targets = Targets(
            ports=frozenset({port}),
            resolve=lambda host, number: next(answers),
            allowed=lambda address: address == "127.0.0.1",
        )
        with targets.connect("name.test", port, 2.0) as stream:
            assert stream.getpeername() == ("127.0.0.1", port)
    assert next(answers) == ["10.0.0.1"]


def test_the_next_address_is_tried() -> None:
    """An address that refuses the connection is followed by the next one."""
    with socket.create_server(("127.0.0.2", 0)) as server:
        port = server.getsockname()[1]
        targets = Targets(
            ports=frozenset({port}),
            resolve=lambda host, number: ["127.0.0.1", "127.0.0.2"],
            allowed=lambda address: True,
        )
        with targets.connect("name.test", port, 2.0) as stream:
            assert stream.getpeername()[0] == "127.0.0.2"


def test_nowhere_refuses_with_the_reason() -> None:
    """A sandbox that was asked for stand-ins reaches no registry, and says why."""
    with pytest.raises(RefusedError, match="as was asked for with --stand-ins"):
        NOWHERE.addresses("registry.example", 443)
