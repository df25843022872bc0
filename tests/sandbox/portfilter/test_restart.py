"""Enforcement and peers when the sandbox is killed, started again and stopped, and by its command."""

import os
import signal

import pytest

from sandbox.settings import is_running
from tests.sandbox.engine_ground import host_network, left_over
from tests.sandbox.portfilter.conftest import PEER, SEGMENT, Asked
from tests.sandbox.portfilter.ground import until
from tests.sandbox.portfilter.probes import Probe, ask

pytestmark = pytest.mark.engine
RULE = {"type": "in", "action": "ACCEPT", "enable": 1, "proto": "tcp", "dport": "80"}
ONLY_TCP_80 = {"tcp": ["open", "silent", "silent"], "udp": ["silent"] * 3}


def _runs(asked: Asked) -> bool:
    states = {guest["vmid"]: guest["state"] for guest in asked.sandbox.status()["guests"]}
    return bool(states[asked.vmid] == "running")


def test_rules_outlive_a_kill_and_follow_again(asked: Asked) -> None:
    """Nothing opens while nobody watches, nor when the next sandbox takes over, which follows the API again."""
    sandbox = asked.sandbox
    asked.rules(RULE)
    assert asked.answers() == ONLY_TCP_80
    os.kill(sandbox.daemon, signal.SIGKILL)
    assert until(lambda: not is_running(sandbox.checkout))
    assert asked.answers() == ONLY_TCP_80
    sandbox.start()
    assert asked.answers() == ONLY_TCP_80
    assert until(lambda: _runs(asked))
    asked.rules(RULE | {"dport": "81"})
    assert ask(Probe(asked.peer, asked.address, "tcp", 81)) == "open"
    assert [peer["namespace"] for peer in sandbox.status()["peers"]] == [str(asked.peer)]


def test_stop_leaves_nothing_and_start_brings_the_rules_back(asked: Asked) -> None:
    """No namespace, no process, no rule of the machine; afterwards guests are filtered from their first packet."""
    sandbox = asked.sandbox
    asked.rules(RULE)
    before = host_network()
    assert sandbox.command("stop").returncode == 0
    assert left_over(sandbox.checkout) == []
    sandbox.start()
    assert until(lambda: _runs(asked))
    assert sandbox.status()["peers"] == []
    peer = sandbox.peer("vmbr0.20", "10.10.20.2/24")
    # Nobody listens in the new namespace: what is let in is refused by the guest itself.
    found = asked.answers(peer)
    assert found == {"tcp": ["refused", "silent", "silent"], "udp": ["silent"] * 3}
    assert host_network() == before


def test_the_command_makes_and_removes_a_peer(asked: Asked) -> None:
    """It prints the namespace and nothing else; an address of a guest and a segment that nobody is on are refused."""
    sandbox = asked.sandbox
    again = sandbox.command("peer", SEGMENT, f"{PEER}/24")
    assert (again.returncode, again.stdout) == (0, f"{asked.peer}\n")
    taken = sandbox.command("peer", SEGMENT, f"{asked.address}/24")
    assert (taken.returncode, taken.stderr) == (
        1,
        f"{asked.address} is the address of guest vm{asked.vmid} on {SEGMENT}; give the peer another\n",
    )
    unknown = sandbox.command("peer", "vmbr7", f"{PEER}/24")
    assert unknown.stderr.startswith(f"there is no segment vmbr7: there are {SEGMENT};")
    assert sandbox.command("peer", "--remove", SEGMENT).returncode == 0
    assert not asked.peer.exists()
    gone = sandbox.command("peer", "--remove", SEGMENT)
    assert (gone.returncode, gone.stderr) == (1, f"there is no peer on {SEGMENT}; there are peers on: none\n")
