"""Random firewalls: this kernel's answers to real packets, and those of an evaluator that knows only the files.

The evaluator (`lab.simulate.proxmox`) was written by others, against Proxmox VE's own verdicts.
"""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path

import pytest

from lab.simulate.proxmox import Packet, read_firewall
from sandbox.fabric.kernel import Kernel
from sandbox.fabric.peers import Peers
from sandbox.fabric.segments import Fabric
from sandbox.portfilter.enforcement import Enforcement
from sandbox.proxmox import records
from sandbox.store import Store
from tests.sandbox.engine_ground import real_checkout
from tests.sandbox.portfilter.firewall_files import firewall_files
from tests.sandbox.portfilter.probes import Probe, answering, ask_all
from tests.sandbox.portfilter.random_firewalls import PORTS, SEGMENTS, RandomFirewall, random_firewall
from tests.sandbox.portfilter.state import write

pytestmark = pytest.mark.engine
SEEDS = range(24)
OBSERVED = {"ACCEPT": "open", "DROP": "silent", "REJECT": "refused"}


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """The state of the API."""
    own = Store(":memory:")
    yield own
    own.close()


@pytest.fixture(scope="module")
def places(store: Store) -> Iterator[Mapping[str, Path]]:
    """The namespace of everybody on a segment; what the store holds is in force between them."""
    with real_checkout() as checkout, ExitStack() as stack:
        kernel = Kernel(checkout.prefix)
        fabric = Fabric(kernel)
        Enforcement(store, fabric.filter).start()
        for record in random_firewall(0).guests:
            fabric.plug(records.spec(record))
        # Else only the first refusals of each second would be heard of.
        kernel.write_sysctls(fabric.namespace, [("net/ipv4/icmp_ratelimit", "0")])
        peers = Peers(kernel, fabric)
        found = {f"vm201{nic}": fabric.guest_path("vm201") for nic in ("", "i1")}
        found["ct202"] = fabric.guest_path("ct202")
        for segment, name in (("vmbr0.20", "peer20"), ("vmbr0.30", "peer30")):
            found[name] = peers.put(segment, f"{SEGMENTS[segment][name]}/24").namespace
        for namespace in set(found.values()):
            stack.enter_context(answering(namespace, PORTS))
        yield found


def _put(store: Store, firewall: RandomFirewall) -> None:
    write(store, *firewall.guests, scopes=firewall.scopes, named=firewall.named)


def _disagreements(places: Mapping[str, Path], firewall: RandomFirewall) -> list[str]:
    """What the packets got, where the evaluator of the files says otherwise."""
    files = firewall_files(firewall.scopes, firewall.named)
    nics = {
        str(record["vmid"]): {
            f"net{number}": text for number, text in records.numbered(record["config"], "net")
        }
        for record in firewall.guests
    }
    evaluator = read_firewall(files, nics, local_network="192.0.2.0/24")
    asked = {}
    for segment in SEGMENTS.values():
        for (source, own), (target, address) in itertools.permutations(segment.items(), 2):
            for protocol, port in itertools.product(("tcp", "udp"), PORTS):
                probe = Probe(places[source], address, protocol, port)
                asked[probe] = Packet(
                    from_zone="nfvm" if source.startswith("peer") else source,
                    to_zone="nfvm" if target.startswith("peer") else target,
                    source=ip_address(own),
                    destination=ip_address(address),
                    protocol=protocol,
                    source_port=probe.source_port,
                    destination_port=port,
                )
    found = []
    for probe, answer in ask_all(asked).items():
        decision = evaluator.verdict(asked[probe])
        if answer != OBSERVED[decision.action]:
            found.append(f"{asked[probe]}: {answer}, and the evaluator says {decision}")
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_packets_get_what_the_files_say(store: Store, places: Mapping[str, Path], seed: int) -> None:
    """Every pair on a segment, in both directions, over TCP and UDP: accepted, dropped or refused."""
    firewall = random_firewall(seed)
    _put(store, firewall)
    assert _disagreements(places, firewall) == [], firewall_files(firewall.scopes, firewall.named)


def test_a_difference_would_be_seen(store: Store, places: Mapping[str, Path]) -> None:
    """The files of one firewall do not fit the packets of another."""
    _put(store, random_firewall(1))
    assert _disagreements(places, random_firewall(2)) != []


def test_the_firewalls_are_no_easy_ones() -> None:
    """All actions, directions, kinds of rules and flags are among them."""
    firewalls = [random_firewall(seed) for seed in SEEDS]
    rules = [rule for one in firewalls for scope in one.scopes.values() for rule in scope["rules"]]
    assert {rule["type"] for rule in rules} == {"in", "out", "group"}
    assert {"ACCEPT", "DROP", "REJECT"} <= {rule["action"] for rule in rules}
    assert {key for rule in rules for key in rule} >= {"source", "dest", "dport", "sport", "macro", "iface"}
    flags = {
        scope["options"]["enable"] for one in firewalls for key, scope in one.scopes.items() if key != "node"
    }
    assert flags == {0, 1}
