"""The worked example whose verdicts come from Proxmox VE's own rules in a kernel, through the sandbox's."""

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sandbox.fabric.kernel import Kernel
from sandbox.fabric.peers import Peers
from sandbox.fabric.segments import Fabric
from sandbox.portfilter.enforcement import Enforcement
from sandbox.proxmox import records
from sandbox.store import Store
from tests.sandbox.engine_ground import real_checkout
from tests.sandbox.portfilter.firewall_files import firewall_files
from tests.sandbox.portfilter.probes import Probe, answering, ask_all
from tests.sandbox.portfilter.state import guest, rule, scope, write
from tests.support.shared import shared_path

pytestmark = pytest.mark.engine
PORTS = (22, 80, 443, 5432, 8006)
NAMED = {"admin-ssh": [rule("in", "ACCEPT", source="+management", proto="tcp", dport="22")]}
SCOPES = {
    "cluster": scope(
        rule("in", "ACCEPT", source="+management", proto="tcp", dport="8006"),
        rule("group", "admin-ssh"),
        aliases={"web": "10.10.0.100", "db": "10.10.0.101", "local_network": "10.10.0.0/24"},
        ipset={"management": ["10.10.0.250"]},
        policy_in="DROP",
        policy_out="ACCEPT",
    ),
    "node/pve-a": scope(),
    "guest/100": scope(
        rule("in", "ACCEPT", proto="tcp", dport="443"),
        rule("group", "admin-ssh"),
        policy_in="DROP",
        policy_out="ACCEPT",
    ),
    "guest/101": scope(
        rule("in", "ACCEPT", proto="tcp", dport="5432", source="web"),
        rule("out", "ACCEPT", proto="tcp", dport="443"),
        policy_in="DROP",
        policy_out="DROP",
    ),
}


@pytest.fixture
def example() -> dict[str, Any]:
    """The example."""
    found: dict[str, Any] = json.loads(shared_path("schemas/pve-firewall-golden-example.json").read_text())
    return found


@pytest.fixture
def places(example: dict[str, Any]) -> Iterator[Mapping[str, Path]]:
    """The namespaces of its guests and of somebody on their bridge, with its firewall in force."""
    with real_checkout() as checkout, ExitStack() as stack:
        kernel, store = Kernel(checkout.prefix), Store(":memory:")
        stack.callback(store.close)
        fabric = Fabric(kernel)
        addresses = example["addresses"]
        guests = [
            guest(int(vmid), **nics, name=f"vm{vmid}", ipconfig0=f"ip={addresses[f'vm{vmid}']}/24")
            for vmid, nics in example["guests"].items()
        ]
        write(store, *guests, scopes=SCOPES, named=NAMED)
        Enforcement(store, fabric.filter).start()
        for record in guests:
            fabric.plug(records.spec(record))
        found = {name: fabric.guest_path(name) for name in ("vm100", "vm101")}
        found["outside"] = Peers(kernel, fabric).put("vmbr0", f"{addresses['outside']}/24").namespace
        for namespace in found.values():
            stack.enter_context(answering(namespace, PORTS, ("tcp",)))
        yield found


def test_the_state_is_the_examples(example: dict[str, Any]) -> None:
    """Each of its rules is in the state that is written here, and no other."""
    written = firewall_files(SCOPES, NAMED)
    for name, text in example["files"].items():
        lines = {line.strip() for line in text.splitlines() if line.startswith(("IN ", "OUT ", "GROUP "))}
        assert {_sorted(line) for line in lines} == {
            _sorted(line) for line in written[name].splitlines() if line.startswith(("IN ", "OUT ", "GROUP "))
        }


def _sorted(line: str) -> str:
    """A rule with its options in one order."""
    action, *options = line.split(" -")
    return " -".join([action, *sorted(options)])


def test_packets_get_the_verdicts_of_proxmox(example: dict[str, Any], places: Mapping[str, Path]) -> None:
    """Between guests and the wire; the example's own node has no network here."""
    probes = {
        f"{source}>{target}:{port}": Probe(places[source], example["addresses"][target], "tcp", port)
        for source, target in itertools.permutations(places, 2)
        for port in PORTS
    }
    answers = ask_all(probes.values())
    expected = {name: example["verdicts_kernel"][name] for name in probes}
    found = {
        name: {"open": "ACCEPT", "silent": "DROP"}.get(answers[p], answers[p]) for name, p in probes.items()
    }
    assert found == expected
    assert len(expected) == 30
