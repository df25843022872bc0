"""The Proxmox firewall: the three flags, the rules of a guest, and the reason that a verdict gives."""

import pytest

from lab.simulate.proxmox import NOT_MODELLED, Decision
from tests.evidence.simulate.proxmox_node import ON, OTHER_MAC, ask, guest, node, rules, unflagged

CLUSTER_OFF = "cluster.fw does not set enable: 1, so nothing is filtered anywhere"


def test_a_rule_is_the_reason() -> None:
    """A rule that decides is named with its file, its number from 1 and its text."""
    firewall = guest("IN DROP -p udp", "IN ACCEPT  -p tcp -dport 443 # web")
    assert ask(firewall, port=443) == Decision("ACCEPT", "100.fw rule 2: IN ACCEPT -p tcp -dport 443")


def test_a_policy_is_the_reason() -> None:
    """Where no rule takes the packet, the policy decides; by default what comes in is dropped."""
    assert ask(guest(), port=22) == Decision("DROP", "policy_in DROP of guest 100")
    assert ask(guest(options="policy_in: REJECT"), port=22) == Decision(
        "REJECT", "policy_in REJECT of guest 100"
    )
    assert ask(guest(options="policy_in: ACCEPT"), port=22).action == "ACCEPT"


@pytest.mark.parametrize("text", ["", "[OPTIONS]\nenable: 0\n", "[OPTIONS]\npolicy_in: DROP\n"])
def test_without_the_cluster_flag_nothing_counts(text: str) -> None:
    """The first of the three flags: off by default, and then no rule counts anywhere."""
    firewall = node({"cluster.fw": text, "100.fw": rules("IN DROP")})
    assert ask(firewall, port=22) == Decision("ACCEPT", CLUSTER_OFF)
    assert ask(firewall, target="host", port=22) == Decision("ACCEPT", CLUSTER_OFF)


@pytest.mark.parametrize(
    "files", [{}, {"100.fw": "[OPTIONS]\nenable: 0\n"}, {"100.fw": "[RULES]\nIN DROP\n"}]
)
def test_without_the_guest_flag_nothing_counts(files: dict[str, str]) -> None:
    """The second flag: off by default, and then the guest is open."""
    expected = Decision("ACCEPT", "guest 100: 100.fw does not set enable: 1, so nothing is filtered")
    assert ask(node(files), port=22) == expected


def test_without_the_nic_flag_nothing_counts() -> None:
    """The third flag: a NIC without it is open, and the guest's other NIC is not."""
    firewall = node({"100.fw": rules("IN DROP")}, unflagged("net0"))
    expected = Decision("ACCEPT", "guest 100: NIC net0 has no firewall=1, so nothing is filtered")
    assert ask(firewall, port=22) == expected
    assert ask(firewall, target="vm100i1", port=22).action == "DROP"


def test_each_flag_counts_on_the_way_out_too() -> None:
    """An open guest sends what it likes, whatever its policy and its filters say."""
    closed = rules("OUT DROP", options="policy_out: DROP")
    assert ask(node({"100.fw": closed}), "vm100", "outside").action == "DROP"
    off = node({"100.fw": closed.replace("enable: 1", "enable: 0")})
    assert ask(off, "vm100", "outside", source_mac=OTHER_MAC).reason == (
        "guest 100: 100.fw does not set enable: 1, so nothing is filtered"
    )
    unflagged_nic = node({"100.fw": closed}, unflagged("net0"))
    assert ask(unflagged_nic, "vm100", "outside").action == "ACCEPT"
    assert ask(unflagged_nic, "vm100i1", "outside").action == "DROP"


def test_every_missing_flag_is_named() -> None:
    """Who repairs one flag learns of the other at once."""
    reason = ask(node({}, unflagged("net0")), port=22).reason
    assert reason == (
        "guest 100: 100.fw does not set enable: 1 and NIC net0 has no firewall=1, so nothing is filtered"
    )


def test_both_ends_decide() -> None:
    """A packet between guests passes the sender's chain, then the receiver's; each reason is told."""
    files = {"100.fw": rules("OUT ACCEPT -p tcp -dport 80"), "200.fw": rules("IN ACCEPT -p tcp -dport 80")}
    assert ask(node(files), "vm100", "ct200", 80) == Decision(
        "ACCEPT",
        "100.fw rule 1: OUT ACCEPT -p tcp -dport 80; 200.fw rule 1: IN ACCEPT -p tcp -dport 80",
    )
    closed = {**files, "100.fw": rules(options="policy_out: DROP")}
    assert ask(node(closed), "vm100", "ct200", 80) == Decision("DROP", "policy_out DROP of guest 100")


def test_what_no_firewall_sees_passes() -> None:
    """Between the wire and a guest that no firewall knows nothing decides."""
    expected = Decision("ACCEPT", "nothing filters between outside and nfvm")
    assert ask(guest("IN DROP"), target="nfvm") == expected


@pytest.mark.parametrize("zone", ["host", "vm100"])
def test_what_stays_inside_passes(zone: str) -> None:
    """Loopback, and a NIC that speaks to itself, meet no chain."""
    decision = ask(guest("IN DROP", "OUT DROP"), zone, zone)
    assert decision == Decision("ACCEPT", f"it stays inside {zone}")


def test_two_nics_of_a_guest_are_two_places() -> None:
    """What leaves by one NIC and comes back by another passes both chains."""
    assert ask(guest(), "vm100i1", "vm100", 80).action == "DROP"


def test_known_connections_pass() -> None:
    """A reply, or a connection whose path was closed later, passes every chain."""
    files = {"100.fw": rules("IN DROP"), "host.fw": rules("OUT DROP")}
    decision = ask(node(files), "host", established=True)
    assert decision == Decision("ACCEPT", "it belongs to a known connection, which passes every chain")


def test_a_disabled_rule_does_nothing() -> None:
    """A rule behind a bar is skipped, whatever is in it, and still has its number."""
    firewall = guest("|IN ACCEPT -p tcp -dport 80", "|IN Nonsense(ACCEPT)", "IN ACCEPT -p tcp -dport 81")
    assert ask(firewall, port=80).action == "DROP"
    assert ask(firewall, port=81).reason == "100.fw rule 3: IN ACCEPT -p tcp -dport 81"


def test_a_rule_of_one_nic() -> None:
    """`-i net1` limits a rule to that NIC, by its key, also in a container."""
    firewall = guest("IN ACCEPT -i net1 -p tcp -dport 80")
    assert ask(firewall, target="vm100", port=80).action == "DROP"
    assert ask(firewall, target="vm100i1", port=80).action == "ACCEPT"


def test_a_group_is_expanded_in_place() -> None:
    """Its rules count where it is included, and both places are the reason."""
    cluster = f"{ON}[group web]\nIN ACCEPT -p tcp -dport 80\nIN REJECT -p tcp -dport 81\nOUT DROP\n"
    firewall = node(
        {
            "cluster.fw": cluster,
            "100.fw": rules("IN DROP -source 192.0.2.1", "GROUP Web -i net0 -log info", "IN ACCEPT"),
        }
    )
    assert ask(firewall, port=81) == Decision(
        "REJECT",
        "cluster.fw group web rule 2 (included by 100.fw rule 2): IN REJECT -p tcp -dport 81",
    )
    assert ask(firewall, port=80, source="192.0.2.1").action == "DROP"
    assert ask(firewall, port=82).reason == "100.fw rule 3: IN ACCEPT"
    assert ask(firewall, target="vm100i1", port=81).reason == "100.fw rule 3: IN ACCEPT"
    assert ask(firewall, "vm100", "outside").reason.startswith("cluster.fw group web rule 3 (included by")


def test_a_guests_name_wins_over_the_clusters() -> None:
    """A bare name is the guest's own; `dc/` and `guest/` say which is meant."""
    names = "[ALIASES]\npeer 192.0.2.{n}\n[IPSET peers]\n192.0.2.{n}\n"
    lines = [
        "IN ACCEPT -source peer -p tcp -dport 1",
        "IN ACCEPT -source dc/peer -p tcp -dport 2",
        "IN ACCEPT -source +guest/peers -p tcp -dport 3",
        "IN ACCEPT -source +dc/PEERS -p tcp -dport 4",
    ]
    firewall = node(
        {
            "cluster.fw": ON + names.format(n=1),
            "100.fw": f"{names.format(n=2)}{rules(*lines)}",
        }
    )
    found = {
        n: [p for p in (1, 2, 3, 4) if ask(firewall, port=p, source=f"192.0.2.{n}").action == "ACCEPT"]
        for n in (1, 2)
    }
    assert found == {1: [2, 4], 2: [1, 3]}


def test_the_most_specific_entry_of_a_set_decides() -> None:
    """An exception wins inside the network it is cut from, and a narrower entry wins inside the exception."""
    own = "[IPSET some]\n10.0.0.10/8\n!10.1.0.0/16\n10.1.2.3\n! 10.9.9.9\n"
    firewall = node({"100.fw": own + rules("IN ACCEPT -source +some")})
    inside = {"10.0.0.1": True, "10.1.0.1": False, "10.1.2.3": True, "10.9.9.9": False, "11.0.0.1": False}
    assert {a: ask(firewall, source=a).action == "ACCEPT" for a in inside} == inside


def test_what_is_not_modelled_can_be_printed() -> None:
    """A proof prints sentences, each once."""
    assert len(NOT_MODELLED) == len(set(NOT_MODELLED)) > 10
    assert all(line.endswith(".") for line in NOT_MODELLED)
