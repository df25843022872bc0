"""Where a peer of `lab verify` stands: at an address that is nobody's, and only while it is needed."""

from collections.abc import Sequence

import pytest

from cli import peers as module
from cli.peers import Peer, free_address, peers
from lab.flows import Endpoint
from lab.plan.directory import Directory
from lab.plan.records import LabPlan
from probe.spaces import CannotEnter
from tests.support.builders import guest, plan

SERVICES = Endpoint("vlan", "services")


def _plan(subnet: str = "10.10.20.0/24", **vlan: object) -> LabPlan:
    vlans = {
        "services": {"id": 20, "subnet": subnet, **vlan},
        "iot": {"id": 30, "subnet": "10.10.30.0/24"},
    }
    return plan(vlans=vlans)


def _free(decided: LabPlan) -> str:
    [vlan] = [vlan for vlan in decided.vlans if vlan.name == "services"]
    return free_address(Directory(decided), vlan)


def test_the_last_address_is_taken_first() -> None:
    """People count machines from the beginning."""
    assert _free(_plan()) == "10.10.20.254/24"


def test_what_the_plan_gives_to_somebody_is_not_free() -> None:
    """Guests, devices, nodes, the gateway and the operator keep theirs."""
    decided = plan(
        guests={"docker-1": guest(address=11, runs="docker"), "siem": guest(address=254)},
        devices={"tv": {"vlan": "services", "address": 253}},
        operator={"vlan": "services", "address": 252},
    )

    assert _free(decided) == "10.10.20.251/24"


def test_leased_addresses_come_last() -> None:
    """Somebody may have one of them, of whom nobody here knows."""
    assert _free(_plan(dhcp=".100-.254")) == "10.10.20.99/24"
    assert _free(_plan(dhcp=".12-.254")) == "10.10.20.10/24"


def test_a_full_subnet_is_said() -> None:
    """The message names the VLAN."""
    decided = plan(
        vlans={"services": {"id": 20, "subnet": "10.10.20.0/30", "dhcp": "none"}},
        nodes={"pve": {"address": "10.10.20.2"}},
        guests={},
    )
    with pytest.raises(CannotEnter, match=r"no address of vlan services \(10\.10\.20\.0/30\) is free"):
        _free(decided)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the sandbox was asked for; it makes every peer."""
    words: list[list[str]] = []

    def sandbox(said: Sequence[str]) -> str:
        words.append(list(said))
        return "/run/netns/peer\n"

    monkeypatch.setattr(module, "_sandbox", sandbox)
    return words


def test_a_peer_is_made_on_each_segment_that_exists_and_removed(asked: list[list[str]]) -> None:
    """A VLAN without a guest has no segment here, and nobody can stand on it."""
    with peers(_plan(), {"10.10.20.11": "vmbr0.20"}, {}) as found:
        assert found == {SERVICES: Peer("10.10.20.254", "/run/netns/peer")}
        assert asked == [["vmbr0.20", "10.10.20.254/24"]]
    assert asked[1:] == [["vmbr0.20", "--remove"]]


def test_a_peer_is_removed_when_the_run_fails(asked: list[list[str]]) -> None:
    """Whatever happened in between."""
    with pytest.raises(ValueError, match="on purpose"), peers(_plan(), {"10.10.20.11": "vmbr0.20"}, {}):
        raise ValueError("on purpose")
    assert asked[-1] == ["vmbr0.20", "--remove"]


def test_somebodys_own_peer_is_used_and_stays(asked: list[list[str]]) -> None:
    """A person who put one there may be looking at something from it."""
    own = Peer("10.10.20.77", "/run/netns/own")
    with peers(_plan(), {"10.10.20.11": "vmbr0.20"}, {"vmbr0.20": own}) as found:
        assert found == {SERVICES: own}
    assert asked == []


def test_without_a_sandbox_there_are_none(asked: list[list[str]]) -> None:
    """A real lab's segments are not on this machine."""
    with peers(_plan(), {}, {}) as found:
        assert found == {}
    assert asked == []
