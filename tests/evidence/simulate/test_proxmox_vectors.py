"""The Proxmox firewall evaluator against Proxmox's own verdicts, and against a kernel with Proxmox's rules.

Both sets lie beside the checkout and are read there. The first is the test data of pve-firewall: firewall
files and what becomes of each packet; the second one worked example whose rules Proxmox's compiler made, with
the verdicts of its simulator and of real connections.
"""

import json
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

import pytest

from lab.simulate.proxmox import Decision, Firewall, Packet, read_firewall
from tests.support.shared import shared_path

HOST, LOCAL_NETWORK = "172.16.1.2", "172.16.1.0/24"
SOURCE, DESTINATION = "100.100.1.2", "100.200.3.4"
ZONES = ("host", "outside", "nfvm", "vm100", "ct200")
"""Where a vector begins and ends that does not say so (all of these: `meta` of the file)."""

SUITES = {
    "test-basic1": 45,
    "test-default-rules1": 36,
    "test-errors1": 3,
    "test-errors2": 3,
    "test-group1": 13,
    "test-ipset1": 12,
    "test-unconfigured": 4,
    "test-vm-ipfilter1": 12,
}

# The file has no corosync.conf, and says that there was one: its verdicts tell these addresses.
COROSYNC = """
nodelist {
  node { name: own
    ring0_addr: 172.16.1.2
    ring1_addr: 172.16.2.2
  }
  node { name: second
    ring0_addr: 172.16.1.3
    ring1_addr: 172.16.2.3
  }
  node { name: third
    ring0_addr: 172.16.1.11
    ring1_addr: 172.16.2.11
  }
}
"""


def upstream() -> Any:
    """The vectors of pve-firewall."""
    return json.loads(shared_path("schemas/pve-firewall-upstream-tests.json").read_text())


def packets(vector: Mapping[str, str]) -> Iterator[Packet]:
    """Every packet that a vector stands for."""
    protocol, port = vector.get("proto", "tcp"), vector.get("dport", "")
    is_icmp = protocol.startswith("icmp")
    for source in [vector["from"]] if "from" in vector else ZONES:
        for target in [vector["to"]] if "to" in vector else ZONES:
            if source == target:
                continue
            yield Packet(
                from_zone=source,
                to_zone=target,
                source=ip_address(vector.get("source", HOST if source == "host" else SOURCE)),
                destination=ip_address(vector.get("dest", HOST if target == "host" else DESTINATION)),
                protocol=protocol,
                destination_port=int(port) if port and not is_icmp else None,
                icmp_type=port if is_icmp else "",
                destination_type=vector.get("dsttype"),  # type: ignore[arg-type]
            )


def test_there_are_128_vectors_in_eight_suites() -> None:
    """No suite is left out, and none has lost a vector."""
    assert {name: len(suite["tests"]) for name, suite in upstream()["suites"].items()} == SUITES
    assert sum(SUITES.values()) == 128


@pytest.mark.parametrize("name", SUITES)
def test_every_packet_gets_the_verdict_of_proxmox(name: str) -> None:
    """Each vector holds, for each zone that it stands for."""
    data = upstream()
    suite = data["suites"][name]
    files = suite["files"] | ({"corosync.conf": COROSYNC} if name == "test-default-rules1" else {})
    firewall = read_firewall(files, data["meta"]["guests"], local_network=LOCAL_NETWORK, node="own")
    asked = [(vector, packet) for vector in suite["tests"] for packet in packets(vector)]
    wrong = [
        f"{packet} must be {vector['action']}, and is {decision.action} by {decision.reason}"
        for vector, packet in asked
        if (decision := firewall.verdict(packet)).action != vector["action"]
    ]
    assert wrong == []
    assert len(asked) >= len(suite["tests"])


@pytest.mark.parametrize(
    ("name", "ignored"),
    [
        ("test-errors1", ["100.fw rule 1"]),
        ("test-errors2", ["100.fw rule 1", "100.fw rule 2"]),
        ("test-basic1", []),
    ],
)
def test_what_proxmox_skips_is_told(name: str, ignored: list[str]) -> None:
    """A rule that Proxmox skips decides nothing, and is named."""
    data = upstream()
    found = read_firewall(data["suites"][name]["files"], data["meta"]["guests"], local_network=LOCAL_NETWORK)
    assert [issue.path for issue in found.ignored] == ignored


class Example:
    """The worked example: its firewall, and the verdict on each pair and port."""

    def __init__(self) -> None:
        self.data = json.loads(shared_path("schemas/pve-firewall-golden-example.json").read_text())

    def firewall(self, **changes: Any) -> Firewall:
        """Its firewall, perhaps with other files or guests."""
        data = self.data | changes
        return read_firewall(data["files"], data["guests"], local_network=data["local_network"])

    def verdict(self, firewall: Firewall, key: str) -> Decision:
        """The answer to `vm100>vm101:5432`."""
        ends, _, port = key.partition(":")
        source, _, target = ends.partition(">")
        addresses = self.data["addresses"]
        return firewall.verdict(
            Packet(
                from_zone=source,
                to_zone=target,
                source=ip_address(addresses[source]),
                destination=ip_address(addresses[target]),
                destination_port=int(port),
            )
        )


@pytest.mark.parametrize("column", ["verdicts_kernel", "verdicts_simulator"])
def test_every_verdict_of_the_worked_example(column: str) -> None:
    """All 60 are those of Proxmox's simulator, and of real connections through the compiled rules."""
    example = Example()
    firewall, expected = example.firewall(), example.data[column]
    assert len(expected) == 60
    assert {key: example.verdict(firewall, key).action for key in expected} == expected


def test_without_the_cluster_flag_everything_passes() -> None:
    """With the cluster's firewall off all 60 connect, as they do with the rules flushed."""
    example = Example()
    files = example.data["files"]
    open_files = files | {"cluster.fw": files["cluster.fw"].replace("enable: 1", "enable: 0")}
    firewall = example.firewall(files=open_files)
    found = {example.verdict(firewall, key).action for key in example.data["verdicts_kernel"]}
    assert found == {"ACCEPT"}
