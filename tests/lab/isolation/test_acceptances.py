"""Paths that a lab puts up with: which ones an entry covers, and that none may cover nothing."""

from typing import Any

import pytest

from lab.errors import AcceptanceError
from lab.isolation import Proof
from lab.isolation.acceptances import refuse_idle
from tests.support.builders import guest, service, stack
from tests.support.proofs import open_node, proof, small_lab, text

SIEM_TO_TV = "guest:siem -> device:tv:*"


def accepting(*entries: dict[str, Any], **sections: Any) -> Proof:
    """A lab in which the node lets everything through, and that puts up with some of it."""
    return open_node(accept=[{"because": "it is so", **entry} for entry in entries], **sections)


def violations(found: Proof) -> set[str]:
    """What nobody declared or accepted."""
    return set(map(text, found.violations))


def test_without_an_entry_it_is_a_violation() -> None:
    """A path that nobody declared is one, whatever its reason."""
    assert SIEM_TO_TV in violations(accepting())


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("guest:siem", "device:tv"),
        ("guests", "device:tv"),
        ("vlan:services", "device:tv"),
        ("guest:siem", "vlan:iot"),
        (["operator", "guest:siem"], ["vlan:services:80", "vlan:iot"]),
    ],
)
def test_an_entry_covers_whom_it_means(source: Any, target: Any) -> None:
    """A set, a segment or a name covers the path of whoever is meant, and the reason is repeated."""
    found = accepting({"from": source, "to": target})
    assert SIEM_TO_TV not in violations(found)
    (path,) = [path for path in found.accepted if text(path) == SIEM_TO_TV]
    assert path.permission is not None
    assert (path.permission.kind, path.permission.because) == ("accepted", "it is so")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("operator", "device:tv"),
        ("vlan:iot", "device:tv"),
        ("guest:siem", "vlan:services"),
        ("guest:siem", "device:tv:8009"),
        ("device:tv", "guest:siem"),
    ],
)
def test_an_entry_covers_nobody_else(source: str, target: str) -> None:
    """Another source, target, port or direction is not covered."""
    assert SIEM_TO_TV in violations(accepting({"from": source, "to": target}))


def test_a_port_covers_only_itself() -> None:
    """An entry for one port leaves the others violations."""
    found = violations(accepting({"from": "guest:siem", "to": "device:tv:8009"}))
    assert "guest:siem -> device:tv:8009/tcp" not in found
    assert SIEM_TO_TV in found


def test_an_open_segment_says_nothing_about_a_guest() -> None:
    """Who puts up with an open segment has not put up with a path to a guest behind a firewall; that is named."""
    sections: dict[str, Any] = {
        "operator": {"vlan": "iot"},
        "guests": {"siem": guest(address=12), "docker-1": guest(address=11, runs="docker")},
    }
    ssh = "device:tv -> guest:docker-1:22/tcp"
    wide = accepting({"from": "vlan:iot", "to": "vlan:services"}, **sections)
    named = accepting({"from": "vlan:iot", "to": "guest:docker-1:22"}, **sections)
    assert "device:tv -> vlan:services:*" in set(map(text, wide.accepted))
    assert ssh in violations(wide)
    assert ssh not in violations(named)


def test_an_uncertain_path_is_no_violation_to_accept() -> None:
    """Of a path of which nobody can tell there is nothing to put up with, so an entry about it covers nothing."""
    found = small_lab(
        router={"kind": "unifi"}, accept=[{"from": "device:tv", "to": "operator", "because": "perhaps"}]
    )
    assert list(found.idle_acceptances) == [0]


def test_entries_that_cover_something_are_not_idle() -> None:
    """Each entry that covers a path is in use, also beside one that covers the same."""
    both = ({"from": "guest:siem", "to": "device:tv"}, {"from": "guests", "to": "vlan:iot"})
    found = accepting(*both)
    assert list(found.idle_acceptances) == []
    refuse_idle(found.plan.accepted, found.idle_acceptances)


def test_an_entry_for_who_is_root_is_in_use() -> None:
    """That a service has its host by its rights at the Docker API is accepted without a packet that gets there."""
    entry = {"from": "service:web/app", "to": "guest:docker-1", "because": "it manages the host"}

    def idle(right: str) -> list[int]:
        asks = service(docker_api={"rights": [right]})
        return list(proof(stacks={"web": stack(app=asks)}, accept=[entry]).idle_acceptances)

    assert idle("exec") == []
    assert idle("inspect") == [0]


def test_an_entry_for_nothing_is_refused() -> None:
    """An accepted path that is not open any more is an error that names the entry and says to remove it."""
    found = accepting(
        {"from": "guest:siem", "to": "device:tv"},
        {"from": "device:tv", "to": ["guest:siem:443", "guest:siem:80"], "because": "the old television did"},
    )
    with pytest.raises(AcceptanceError) as caught:
        refuse_idle(found.plan.accepted, found.idle_acceptances)
    assert str(caught.value) == (
        "the lab accepts what is not there: it has one problem; nothing was created\n"
        "  - lab.accept[1]: no path that it covers is open any more "
        '(from device:tv to guest:siem:443/tcp, guest:siem:80/tcp, because "the old television did")\n'
        "      repair: remove the entry: what is not there needs no acceptance, and would be hidden if it came back"
    )
