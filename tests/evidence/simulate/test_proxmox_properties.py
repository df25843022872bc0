"""Rule lists and IP sets, generated, against second formulations that are too slow to use."""

from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evidence.simulate.proxmox_node import ON, ask, node, rules

SOURCES = tuple(f"192.0.2.{n}" for n in range(5))
PORTS = (1, 2, 3)
PROTOCOLS = ("tcp", "udp")
NIC_ZONES = {"net0": "vm100", "net1": "vm100i1"}

Probe = tuple[str, str, int, str]
PROBES: tuple[Probe, ...] = tuple(
    (source, protocol, port, nic)
    for source in SOURCES
    for protocol in PROTOCOLS
    for port in PORTS
    for nic in NIC_ZONES
)


@dataclass(frozen=True)
class Line:
    """A rule as a test means it."""

    action: str
    direction: str
    disabled: bool
    sources: tuple[int, int]
    protocol: str
    ports: tuple[int, int]
    nic: str
    grouped: bool

    @property
    def text(self) -> str:
        """The rule as Proxmox writes it, without a NIC, which the rule of a group cannot name."""
        first, last = self.sources
        words = [f"{self.direction} {self.action} -source {SOURCES[first]}-{SOURCES[last]}"]
        if self.protocol:
            words.append(f"-p {self.protocol} -dport {self.ports[0]}:{self.ports[1]}")
        return ("|" if self.disabled else "") + " ".join(words)

    def means(self, probe: Probe) -> bool:
        """Whether the probe is what the rule is about."""
        source, protocol, port, nic = probe
        low, high = self.sources
        return (
            not self.disabled
            and self.direction == "IN"
            and source in SOURCES[low : high + 1]
            and self.protocol in ("", protocol)
            and (not self.protocol or port in range(self.ports[0], self.ports[1] + 1))
            and self.nic in ("", nic)
        )


def rising(last: int, first: int = 0) -> st.SearchStrategy[tuple[int, int]]:
    """Two numbers, the lower one first."""
    number = st.integers(first, last)
    return st.tuples(number, number).map(lambda pair: (min(pair), max(pair)))


LINES = st.lists(
    st.builds(
        Line,
        action=st.sampled_from(("ACCEPT", "DROP", "REJECT")),
        direction=st.sampled_from(("IN", "IN", "IN", "OUT")),
        disabled=st.sampled_from((False, False, False, True)),
        sources=rising(len(SOURCES) - 1),
        protocol=st.sampled_from(("", *PROTOCOLS)),
        ports=rising(PORTS[-1], PORTS[0]),
        nic=st.sampled_from(("", "", *NIC_ZONES)),
        grouped=st.booleans(),
    ),
    max_size=7,
)


@settings(max_examples=50, deadline=None)
@given(LINES, st.sampled_from(("ACCEPT", "DROP", "REJECT")))
def test_rule_lists_agree_with_painting_backwards(lines: list[Line], policy: str) -> None:
    """The first rule that matches decides: what painting all packets over from the last rule to the first leaves."""
    expected = dict.fromkeys(PROBES, policy)
    for line in reversed(lines):
        expected |= {probe: line.action for probe in PROBES if line.means(probe)}
    own, groups = [], [ON]
    for number, line in enumerate(lines):
        nic = f" -i {line.nic}" if line.nic else ""
        if line.grouped:
            groups.append(f"[group g{number}]\n{line.text}")
            own.append(f"GROUP g{number}{nic}")
        else:
            own.append(line.text + nic)
    files = {"cluster.fw": "\n".join(groups), "100.fw": rules(*own, options=f"policy_in: {policy}")}
    firewall = node(files)
    found = {
        (source, protocol, port, nic): ask(
            firewall, "nfvm", NIC_ZONES[nic], port, source=source, protocol=protocol
        ).action
        for source, protocol, port, nic in PROBES
    }
    assert found == expected


NETWORKS = st.builds(
    lambda number, prefix: ip_network((int(ip_address("192.0.2.0")) + number, prefix), strict=False),
    st.integers(0, 15),
    st.integers(28, 32),
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(NETWORKS, st.booleans(), max_size=6))
def test_ip_sets_agree_with_painting_by_size(entries: dict[IPv4Network, bool]) -> None:
    """The most specific entry decides: what painting the networks over, widest first, leaves."""
    expected = {f"192.0.2.{n}": False for n in range(16)}
    for network in sorted(entries, key=lambda network: -network.num_addresses):
        for address in network:
            expected[str(address)] = entries[network]
    lines = [f"{'' if inside else '!'}{network}" for network, inside in entries.items()]
    firewall = node({"100.fw": "\n".join(["[IPSET some]", *lines, rules("IN ACCEPT -source +some")])})
    found = {address: ask(firewall, source=address).action == "ACCEPT" for address in expected}
    assert found == expected
