"""The vocabulary: what an endpoint, a port and a target are, and what they are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.flows import NAMED_KINDS, SINGLE_KINDS, Endpoint, Flow, Port, Target


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("443", Port(443)),
        (443, Port(443)),
        ("443/tcp", Port(443)),
        ("1900/udp", Port(1900, "udp")),
        ("47998-48000/udp", Port(47998, "udp", 48000)),
        ("1", Port(1)),
        ("65535", Port(65535)),
    ],
)
def test_ports_are_read(text: str | int, port: Port) -> None:
    """A port is a number or a range, TCP unless it says UDP."""
    assert Port.parse(text) == port


@pytest.mark.parametrize(
    "text", ["0", "65536", "-1", "", "http", "80/icmp", "90-80", "80-80", "1-65536", "80 ", "\uff18\uff10"]
)
def test_what_is_no_port_is_refused(text: str) -> None:
    """Anything outside 1 to 65535, and a range that does not rise, is refused."""
    with pytest.raises(ValueError, match=r"is not a (port|range); write"):
        Port.parse(text)


@given(st.integers(1, 65535), st.integers(1, 65535), st.sampled_from(("tcp", "udp")))
def test_a_port_is_written_as_it_is_read(first: int, last: int, protocol: str) -> None:
    """The text of a port is read back as the same port."""
    text = f"{first}-{last}/{protocol}" if last > first else f"{first}/{protocol}"
    assert str(Port.parse(text)) == text


@pytest.mark.parametrize("kind", SINGLE_KINDS)
def test_some_endpoints_are_one_word(kind: str) -> None:
    """The internet, the operator and such need no name."""
    assert str(Endpoint.parse(kind)) == kind


@pytest.mark.parametrize("kind", NAMED_KINDS)
def test_other_endpoints_have_a_name(kind: str) -> None:
    """A kind and a name are an endpoint; a service is named with its stack."""
    name = "media/player" if kind == "service" else "media"
    assert Endpoint.parse(f"{kind}:{name}") == Endpoint(kind, name)


@pytest.mark.parametrize(
    "text", ["", "vlan", "vlan:", "everybody", "internet:x", "service:web", "service:a/b/c", ":x"]
)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    """A kind that is not known, a missing name and a name too much are refused."""
    with pytest.raises(ValueError, match="; write "):
        Endpoint.parse(text)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("vlan:iot", Target(Endpoint("vlan", "iot"))),
        ("internet:443", Target(Endpoint("internet"), Port(443))),
        ("service:media/player:8096", Target(Endpoint("service", "media/player"), Port(8096))),
        ("guest:siem:1514/udp", Target(Endpoint("guest", "siem"), Port(1514, "udp"))),
    ],
)
def test_a_target_is_an_endpoint_with_a_port(text: str, target: Target) -> None:
    """What follows the last colon is the port, where it is one."""
    assert Target.parse(text) == target


def test_a_flow_reads_from_left_to_right() -> None:
    """A flow is written from its source to its target, with the protocol."""
    flow = Flow(Endpoint("vlan", "iot"), Target(Endpoint("service", "media/player"), Port(8096)), "the TV")
    assert str(flow) == "vlan:iot -> service:media/player:8096/tcp"
