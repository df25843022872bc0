"""What `python -m sandbox status` prints."""

from typing import Any

from sandbox.portfilter.limits import NOT_ENFORCED
from sandbox.portfilter.report import report
from sandbox.status_text import status_text

GUEST = {"name": "docker-1", "vmid": 201, "node": "pve-a", "state": "running"}
NIC = {"segment": "vmbr0.20", "address": "10.10.20.11/24", "port": "tap201i0"}


def _document(**changes: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {
        "services": [],
        "guests": [],
        "peers": [],
        "forwards": [],
        "authority": {"problem": None, "roots": "/x/roots.pem"},
        "firewall": report(None),
    }
    return {"running": True, "simulated": None} | nothing | changes


def _lines(**changes: Any) -> list[str]:
    return status_text(_document(**changes)).splitlines()


def test_a_guest_is_where_its_nics_are() -> None:
    """Each address with its segment; a NIC without an address, and a guest without a NIC, say so."""
    other = NIC | {"segment": "vmbr1", "address": None}
    lines = _lines(guests=[GUEST | {"nics": [NIC, other]}, GUEST | {"nics": []}])
    here = "docker-1 (201 on pve-a): running"
    assert lines[0] == f"guest       {here}, 10.10.20.11/24 on vmbr0.20, no address on vmbr1"
    assert lines[1] == f"guest       {here}, no network"


def test_peers_and_forwards_are_listed() -> None:
    """With what a person needs to use them."""
    peer = {"segment": "vmbr0.20", "address": "10.10.20.2/24", "namespace": "/run/netns/x"}
    forward = {"listen": "127.0.0.1:2000", "guest": "edge", "address": "10.10.40.11", "port": 443}
    lines = _lines(peers=[peer], forwards=[forward])
    assert lines[0] == "peer        10.10.20.2/24 on vmbr0.20: /run/netns/x"
    assert lines[1] == "forward     127.0.0.1:2000 -> edge 10.10.40.11:443"


def test_the_authority_says_where_its_root_is_or_why_it_is_not_there() -> None:
    """What a person has to trust, or has to repair."""
    assert _lines()[0] == "authority   Pebble answers as Let's Encrypt; its root is in /x/roots.pem"
    lines = _lines(authority={"problem": "it has ended", "roots": None})
    assert lines[0] == "authority   nobody signs certificates: it has ended"


def test_the_firewall_says_what_it_does_not_do() -> None:
    """Where it is in force or why not, rules without effect, and always what is never enforced."""
    off = "firewall    off: the cluster's firewall is not enabled, so no port is filtered"
    assert _lines()[1] == off
    assert _lines(firewall=report(None, enabled=True))[1] == "firewall    at no port"
    assert _lines(firewall=report("why"))[1] == "firewall    not enforced: why"
    lines = _lines(firewall=report(None, enabled=True, ports=["tap1i0", "tap2i0"], ignored=["rule 1 is"]))
    assert lines[1:4] == ["firewall    at tap1i0, tap2i0", "rules without effect:", "  - rule 1 is"]
    assert lines[5:] == [f"  - {sentence}" for sentence in NOT_ENFORCED]


def test_a_simulated_network_has_no_firewall() -> None:
    """One line says what is not real; a stopped sandbox says how to start it."""
    lines = _lines(simulated="no root", firewall=report("there are no packets"))
    assert lines == ["not real: network and Docker Engines are simulated (no root)"]
    stopped = status_text(_document(running=False))
    assert stopped == "the sandbox is stopped; start it with `python -m sandbox start`"
