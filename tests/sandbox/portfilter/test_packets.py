"""Real packets to and from guests, and the rules that came through the API."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sandbox.fabric.kernel import inside
from tests.sandbox.docker.rules import tables
from tests.sandbox.engine_ground import host_network
from tests.sandbox.portfilter.conftest import PEER, SEGMENT, Asked
from tests.sandbox.portfilter.probes import Probe, ask

pytestmark = pytest.mark.engine
OPEN = {"tcp": ["open"] * 3, "udp": ["open"] * 3}
SILENT = {"tcp": ["silent"] * 3, "udp": ["silent"] * 3}
REFUSED = {"tcp": ["refused"] * 3, "udp": ["refused"] * 3}
ONLY_TCP_80 = {"tcp": ["open", "silent", "silent"], "udp": ["silent"] * 3}


def accept(proto: str = "tcp", dport: str = "80", **more: Any) -> dict[str, Any]:
    """A rule that accepts, and is on."""
    return {"type": "in", "action": "ACCEPT", "enable": 1, "proto": proto, "dport": dport, **more}


def test_a_guest_answers_what_its_rules_accept(asked: Asked) -> None:
    """Exactly these ports of these protocols, and no other."""
    assert asked.answers() == SILENT
    asked.rules(accept(), accept("udp", "81:82"))
    assert asked.answers() == {"tcp": ["open", "silent", "silent"], "udp": ["silent", "open", "open"]}
    assert asked.gets() == OPEN


@pytest.mark.parametrize("flag", ["cluster", "guest", "NIC"])
def test_each_missing_flag_opens_everything(asked: Asked, flag: str) -> None:
    """At once, also while the guest runs; and setting it closes again."""
    api, cluster = asked.sandbox.api, "cluster/firewall/options"
    config = f"nodes/pve-a/qemu/{asked.vmid}/config"
    nic = api.ok("GET", config)["net0"]

    def set_to(value: int) -> None:
        if flag == "cluster":
            api.ok("PUT", cluster, enable=value)
        elif flag == "guest":
            asked.options(enable=value)
        else:
            api.ok("PUT", config, net0=nic.replace("firewall=1", f"firewall={value}"))

    assert asked.answers() == SILENT
    set_to(0)
    try:
        assert asked.answers() == OPEN
    finally:
        set_to(1)
    assert asked.answers() == SILENT


@contextmanager
def _connection(asked: Asked, port: int) -> Iterator[socket.socket]:
    with inside(asked.peer, partial(socket.create_connection, (asked.address, port), 3)) as stream:
        yield stream


def _still_answers(stream: socket.socket) -> bool:
    stream.sendall(b"?")
    return stream.recv(16) == b"answer"


def test_a_change_counts_at_once_and_cuts_nothing(asked: Asked) -> None:
    """When the API has answered, the rule counts; a connection whose path is still allowed goes on."""
    api = asked.sandbox.api
    asked.rules(accept())
    with _connection(asked, 80) as stream:
        assert _still_answers(stream)
        for _ in range(3):
            asked.rules(accept(dport="81"))
            assert ask(Probe(asked.peer, asked.address, "tcp", 81)) == "open"
            assert _still_answers(stream)
            api.ok("DELETE", f"{asked.firewall}/rules/0")
            assert ask(Probe(asked.peer, asked.address, "tcp", 81)) == "silent"
            assert _still_answers(stream)


def test_a_connection_outlives_its_rule(asked: Asked) -> None:
    """As on Proxmox VE, where a known connection passes before any rule; a new one does not."""
    asked.rules(accept())
    with _connection(asked, 80) as stream:
        assert _still_answers(stream)
        asked.sandbox.api.ok("DELETE", f"{asked.firewall}/rules/0")
        assert ask(Probe(asked.peer, asked.address, "tcp", 80)) == "silent"
        assert _still_answers(stream)


def test_no_packet_slips_through_while_rules_are_replaced(asked: Asked) -> None:
    """A closed port hears nothing of a flood that goes on meanwhile, and an open one never stops answering."""
    asked.rules(accept())
    datagrams = partial(socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
    heard, sender = inside(asked.namespace, datagrams), inside(asked.peer, datagrams)
    ended, sent = threading.Event(), 0

    def flood() -> None:
        nonlocal sent
        while not ended.is_set():
            sender.sendto(b"flood", (asked.address, 9))
            sent += 1

    with heard, sender:
        heard.bind((asked.address, 9))
        heard.setblocking(False)
        flooding = threading.Thread(target=flood)
        flooding.start()
        try:
            for number in range(20):
                asked.rules(accept(dport=str(1000 + number)))
                assert ask(Probe(asked.peer, asked.address, "tcp", 80)) == "open"
        finally:
            ended.set()
            flooding.join()
        assert sent > 1000
        with pytest.raises(BlockingIOError):
            heard.recv(16)


def test_a_group_counts_where_it_is_included(asked: Asked) -> None:
    """Its rules stand in the place of the one that includes it, and a change of the group counts at once."""
    api, name = asked.sandbox.api, f"web{asked.vmid}"
    api.ok("POST", "cluster/firewall/groups", group=name)
    api.ok("POST", f"cluster/firewall/groups/{name}", **accept())
    asked.rules(
        accept(dport="80", action="DROP"),
        {"type": "group", "action": name, "enable": 1, "iface": "net0"},
        accept(dport="81", action="DROP"),
    )
    assert asked.answers() == SILENT
    api.ok("PUT", f"cluster/firewall/groups/{name}/0", dport="81:82")
    assert asked.answers() == {"tcp": ["silent", "open", "open"], "udp": ["silent"] * 3}
    asked.rules({"type": "group", "action": name, "enable": 1, "iface": "net1"})
    api.ok("DELETE", f"{asked.firewall}/rules/2")
    assert asked.answers() == SILENT


def test_ip_sets_and_aliases_are_sources(asked: Asked) -> None:
    """Of the cluster and of the guest, with exceptions; a changed member counts at once."""
    api, name = asked.sandbox.api, f"set{asked.vmid}"
    api.ok("POST", "cluster/firewall/ipset", name=name)
    api.ok("POST", f"{asked.firewall}/aliases", name="one", cidr="10.10.20.77")
    asked.rules(accept(source=f"+dc/{name}"), accept(dport="81", source="guest/one"))
    assert asked.answers() == SILENT
    api.ok("POST", f"cluster/firewall/ipset/{name}", cidr="10.10.20.0/24")
    assert asked.answers() == ONLY_TCP_80
    api.ok("POST", f"cluster/firewall/ipset/{name}", cidr=PEER, nomatch=1)
    assert asked.answers() == SILENT
    api.ok("PUT", f"{asked.firewall}/aliases/one", cidr="10.10.20.0/30")
    assert asked.answers() == {"tcp": ["silent", "open", "silent"], "udp": ["silent"] * 3}


@pytest.mark.parametrize(("policy", "other"), [("ACCEPT", OPEN), ("DROP", SILENT), ("REJECT", REFUSED)])
def test_a_policy_is_for_what_no_rule_takes(asked: Asked, policy: str, other: dict[str, list[str]]) -> None:
    """In both directions: it lets pass, it is silent, or it answers; a rule before it decides otherwise."""
    asked.rules(accept(), accept("udp", "82", action="DROP"), accept(action="REJECT", type="out"))
    asked.options(policy_in=policy, policy_out="ACCEPT")
    assert asked.answers() == {
        "tcp": ["open", *other["tcp"][1:]],
        "udp": [*other["udp"][:2], "silent"],
    }
    asked.options(policy_in="DROP", policy_out=policy)
    assert asked.gets() == {"tcp": ["refused", *other["tcp"][1:]], "udp": other["udp"]}
    assert asked.answers() == ONLY_TCP_80


def test_both_ends_decide(asked: Asked) -> None:
    """From guest to guest: out of the first, then into the second, on one segment."""
    other = asked.sandbox.guest(199, "10.10.20.199/24")
    asked.sandbox.api.ok("PUT", f"{other}/options", enable=1)
    asked.rules(accept(), accept("udp"))
    source = asked.sandbox.namespace("vm199")
    assert asked.answers(source) == {"tcp": ["open", *["silent"] * 2], "udp": ["open", *["silent"] * 2]}
    rule = {"type": "out", "action": "REJECT", "enable": 1, "proto": "tcp", "dest": asked.address}
    asked.sandbox.api.ok("POST", f"{other}/rules", **rule)
    assert asked.answers(source) == {"tcp": ["refused"] * 3, "udp": ["open", *["silent"] * 2]}
    assert asked.answers() == {"tcp": ["open", *["silent"] * 2], "udp": ["open", *["silent"] * 2]}


def test_ipv6_has_the_same_rules(asked: Asked) -> None:
    """A rule without addresses is for both families; one with addresses for theirs."""
    for namespace, address in ((asked.namespace, "fd00:20::1"), (asked.peer, "fd00:20::2")):
        _ip(namespace, "address", "replace", f"{address}/64", "dev", "eth0", "nodad")
    asked.rules(accept(), accept(dport="81", source=PEER), accept(dport="82", source="fd00:20::/64"))
    assert asked.answers() == {"tcp": ["open", "open", "silent"], "udp": ["silent"] * 3}
    assert asked.answers(target="fd00:20::1") == {"tcp": ["open", "silent", "open"], "udp": ["silent"] * 3}
    asked.options(ndp=0)
    asked.rules({"type": "in", "action": "DROP", "enable": 1, "proto": "icmpv6"})
    _ip(asked.peer, "neigh", "flush", "dev", "eth0")
    assert asked.answers(target="fd00:20::1") == SILENT


def _ip(namespace: Path, *words: str) -> None:
    inside(namespace, partial(subprocess.run, ["ip", *words], check=True))


def test_a_guest_starts_filtered(asked: Asked) -> None:
    """What was configured before its start is in force with its first packet."""
    firewall = asked.sandbox.guest(198, "10.10.20.198/24")
    api, here = asked.sandbox.api, "nodes/pve-a/qemu/198/status"
    api.ok("PUT", f"{firewall}/options", enable=1)
    api.done("POST", f"{here}/stop")
    api.done("POST", f"{here}/start")
    assert asked.answers(target="10.10.20.198") == SILENT
    api.ok("PUT", f"{firewall}/options", enable=0)
    # Nobody listens there, and the guest itself says so.
    assert asked.answers(target="10.10.20.198") == REFUSED


def test_the_machine_has_no_part_in_it(asked: Asked) -> None:
    """Neither its rules nor its settings change, whatever is configured."""
    before, rules = host_network(), tables(None)
    switch = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
    setting = switch.read_text()
    asked.rules(accept(), accept(action="REJECT", type="out"))
    assert inside(asked.sandbox.fabric, switch.read_text).strip() == "1"
    assert tables(asked.sandbox.fabric) == ["proxmox"]
    assert tables(asked.namespace) == tables(asked.peer) == []
    assert (host_network(), tables(None), switch.read_text()) == (before, rules, setting)


def test_status_says_what_is_filtered(asked: Asked) -> None:
    """The ports, the segments, the peer, what has no effect, and what is never enforced."""
    asked.rules({"type": "in", "action": "DROP", "enable": 1, "source": "+sdn/x"})
    status = asked.sandbox.status()
    firewall = status["firewall"]
    assert f"tap{asked.vmid}i0" in firewall["ports"]
    assert firewall["enforced"]
    assert f"guest {asked.vmid} rule 0 is skipped: +sdn/x does not exist" in firewall["ignored"]
    (guest,) = [one for one in status["guests"] if one["vmid"] == asked.vmid]
    assert guest["nics"] == [
        {"segment": SEGMENT, "address": f"{asked.address}/24", "port": f"tap{asked.vmid}i0"}
    ]
    assert status["peers"] == [{"segment": SEGMENT, "address": f"{PEER}/24", "namespace": str(asked.peer)}]
    text = asked.sandbox.command("status").stdout
    assert f"peer        {PEER}/24 on {SEGMENT}: {asked.peer}" in text
    assert "rules of nodes and of the cluster itself" in text
