"""The Proxmox firewall of the node itself, and what it drops for its guests too."""

from typing import Any

import pytest

from lab.simulate.proxmox import Decision, FirewallError
from tests.evidence.simulate.proxmox_node import NICS, ON, ask, node, rules, unflagged


def test_the_host_drops_by_default() -> None:
    """What reaches the node from elsewhere is dropped, and the node itself may send."""
    assert ask(node(), target="host", port=22) == Decision("DROP", "policy_in DROP of the host")
    assert ask(node(), "host", "outside", 9) == Decision("ACCEPT", "policy_out ACCEPT of the host")


def test_the_host_may_be_off_by_itself() -> None:
    """`enable: 0` in host.fw opens the node and leaves its guests filtered, and the blacklist with them."""
    cluster = f"{ON}[IPSET blacklist]\n192.0.2.1\n"
    files = {"cluster.fw": cluster, "host.fw": "[OPTIONS]\nenable: 0\n", "100.fw": rules("IN ACCEPT")}
    firewall = node(files)
    off = Decision("ACCEPT", "host.fw sets enable: 0, so nothing to or from the host is filtered")
    assert ask(firewall, target="host", port=9, source="192.0.2.1") == off
    assert ask(firewall, "host", "outside") == off
    assert ask(firewall, source="192.0.2.1").action == "DROP"


def test_rules_of_the_node_come_before_those_of_the_cluster() -> None:
    """The node's rule wins, and where it has none the cluster's counts."""
    files = {
        "cluster.fw": rules("IN ACCEPT -p tcp -dport 80:81"),
        "host.fw": "[RULES]\nIN REJECT -p tcp -dport 80\n",
    }
    assert ask(node(files), target="host", port=80).reason == "host.fw rule 1: IN REJECT -p tcp -dport 80"
    assert (
        ask(node(files), target="host", port=81).reason == "cluster.fw rule 1: IN ACCEPT -p tcp -dport 80:81"
    )
    assert ask(node(files), target="vm100", port=82).action == "ACCEPT"


def test_management_reaches_no_other_port() -> None:
    """The ports beside those of management are as closed to it as to anybody."""
    ports = (21, 23, 80, 3127, 3129, 5899, 6000, 8005, 8007, 59999, 60051)
    asked = [ask(node(), target="host", port=port, source="10.0.0.77").action for port in ports]
    assert set(asked) == {"DROP"}


@pytest.mark.parametrize("port", [8006, 22, 3128, 5900, 5999, 60000, 60050])
def test_management_keeps_its_way_in(port: int) -> None:
    """The set `management` and the local network reach the node's own ports under a policy of DROP."""
    firewall = node({"cluster.fw": f"{ON}[IPSET management]\n192.0.2.1\n"})
    found = ask(firewall, target="host", port=port, source="192.0.2.1")
    assert found == Decision("ACCEPT", "IP set management holds 192.0.2.1, which keeps access")
    assert ask(firewall, target="host", port=port, source="10.0.0.77").action == "ACCEPT"
    assert ask(firewall, target="host", port=port, source="192.0.2.2").action == "DROP"
    assert ask(firewall, target="host", port=port, source="192.0.2.1", protocol="udp").action == "DROP"


def test_management_is_locked_out_by_a_rule() -> None:
    """Explicit rules come first, so one can close what the policy would leave open."""
    firewall = node({"host.fw": "[RULES]\nIN DROP -p tcp -dport 8006\n"})
    assert ask(firewall, target="host", port=8006, source="10.0.0.77").reason.startswith("host.fw rule 1")


def test_the_alias_overrides_the_local_network() -> None:
    """With alias local_network only what it names keeps access, whatever Proxmox would detect."""
    firewall = node({"cluster.fw": f"{ON}[ALIASES]\nlocal_network 10.0.0.5\n"})
    found = {n: ask(firewall, target="host", port=22, source=f"10.0.0.{n}").action for n in (5, 6)}
    assert found == {5: "ACCEPT", 6: "DROP"}


def test_the_node_reaches_other_nodes() -> None:
    """Under policy_out DROP it keeps the ports of cluster work in its own network, except migration."""
    firewall = node({"cluster.fw": f"{ON}policy_out: DROP\n"})
    ports = (21, 22, 23, 3127, 3128, 3129, 5899, 5900, 5999, 6000, 8005, 8006, 8007, 60000, 60050)
    verdicts = {port: ask(firewall, "host", "outside", port, destination="10.0.0.2").action for port in ports}
    assert [port for port in ports if verdicts[port] == "ACCEPT"] == [22, 3128, 5900, 5999, 8006]
    assert ask(firewall, "host", "outside", 8006, destination="192.0.2.1").action == "DROP"


def test_the_blacklist_comes_first() -> None:
    """What it holds reaches neither the host nor a NIC with the flag, even where the guest's rules are off."""
    cluster = f"{ON}[ALIASES]\nbad 192.0.2.1\n[IPSET blacklist]\ndc/bad\n"
    dropped = Decision("DROP", "IP set blacklist of cluster.fw holds 192.0.2.1")
    open_host = node({"cluster.fw": cluster, "host.fw": "[RULES]\nIN ACCEPT\n", "100.fw": rules("IN ACCEPT")})
    assert ask(open_host, target="host", source="192.0.2.1") == dropped
    assert ask(open_host, source="192.0.2.1") == dropped
    assert ask(node({"cluster.fw": cluster}), source="192.0.2.1") == dropped
    assert ask(node({"cluster.fw": cluster}, unflagged("net0")), source="192.0.2.1").action == "ACCEPT"


@pytest.mark.parametrize(("options", "action"), [("", "DROP"), ("nosmurfs: 0", "ACCEPT")])
def test_smurfs_are_dropped(options: str, action: str) -> None:
    """Nothing comes from a multicast or the broadcast address, unless the node's filter is off."""
    firewall = node({"host.fw": rules("IN ACCEPT", options=options), "100.fw": rules("IN ACCEPT")})
    for source in ("224.0.0.1", "255.255.255.255"):
        assert ask(firewall, target="host", source=source).action == action
        assert ask(firewall, source=source).action == action


def test_igmp_passes_the_host() -> None:
    """The host's chains let IGMP through before any rule; a guest's do not."""
    firewall = node({"host.fw": rules("IN DROP", "OUT DROP"), "100.fw": rules("IN DROP")})
    assert ask(firewall, target="host", protocol="igmp").action == "ACCEPT"
    assert ask(firewall, "host", "outside", protocol="igmp").action == "ACCEPT"
    assert ask(firewall, protocol="igmp").action == "DROP"


HOST_RULE = {"host.fw": "[RULES]\nIN ACCEPT -i vmbr1\nOUT REJECT -i vmbr1\n"}


def test_a_rule_of_one_interface_of_the_host() -> None:
    """The host meets a packet on the bridge of the other end, unless the packet says otherwise."""
    firewall = node(HOST_RULE)
    assert ask(firewall, target="host", port=9).action == "DROP"
    assert ask(firewall, "vmbr1/eth1", "host", 9).action == "ACCEPT"
    assert ask(firewall, "vm100i1", "host", 9).action == "ACCEPT"
    assert ask(firewall, "host", "vmbr1/eth1", 9).action == "REJECT"
    assert ask(firewall, "outside", "host", 9, host_interface="vmbr1").action == "ACCEPT"
    assert ask(firewall, "host", "outside", 9, host_interface="vmbr1").action == "REJECT"


def test_a_tagged_nic_needs_to_say_where_the_host_meets_it() -> None:
    """No guess: a rule that depends on an interface which nobody knows is an error that says so."""
    tagged = {**NICS, "100": {"net0": f"{NICS['100']['net0']},tag=20"}}
    firewall = node(HOST_RULE, tagged)
    with pytest.raises(
        FirewallError, match=r"(?s)host\.fw rule 1: .*repair: give the packet's host_interface"
    ):
        ask(firewall, "vm100", "host", 9)
    assert ask(firewall, "vm100", "host", 9, host_interface="vmbr0.20").action == "DROP"
    plain = node({"host.fw": "[RULES]\nIN REJECT\n"}, tagged)
    assert ask(plain, "vm100", "host", 9).action == "REJECT"


COROSYNC = """
totem { version: 2 }
nodelist {
  node {
    name: a
    ring0_addr: 172.16.1.2   # first
    ring1_addr: 172.16.2.2
  }
  node { name: b
    ring0_addr: 172.16.1.3
    ring1_addr: 172.16.2.3
  }
}
"""


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({}, "ACCEPT"),
        ({"port": 5405}, "ACCEPT"),
        ({"port": 5406}, "DROP"),
        ({"port": 5403}, "DROP"),
        ({"port": None}, "DROP"),
        ({"protocol": "tcp"}, "DROP"),
        ({"source": "172.16.1.9"}, "DROP"),
        ({"destination": "172.16.2.2"}, "DROP"),
        ({"source": "172.16.2.3", "destination": "172.16.2.2"}, "ACCEPT"),
        ({"source": "172.16.1.2", "destination": "172.16.1.3"}, "DROP"),
        ({"destination": "239.1.1.1"}, "ACCEPT"),
        ({"destination": "239.1.1.1", "source": "172.16.1.9"}, "DROP"),
    ],
)
def test_corosync_passes_between_nodes(changes: dict[str, Any], action: str) -> None:
    """Nodes speak on the ring that both are on, or to multicast, and nobody else does."""
    firewall = node({"corosync.conf": COROSYNC}, name="a", local_network="192.0.2.0/24")
    asked: dict[str, Any] = {
        "port": 5404,
        "protocol": "udp",
        "source": "172.16.1.3",
        "destination": "172.16.1.2",
    } | changes
    assert ask(firewall, "outside", "host", **asked).action == action
    without = node(local_network="192.0.2.0/24")
    assert ask(without, "outside", "host", **asked).action == "DROP"
