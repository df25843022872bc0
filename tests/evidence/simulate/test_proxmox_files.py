"""Reading the files of the Proxmox firewall: what is refused, what is told as ignored, and nothing passed over."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import pytest

from lab.errors import LabError
from lab.simulate.proxmox import FirewallError, Packet, read_firewall
from tests.evidence.simulate.proxmox_node import MAC, NICS, ON, ask, node, rules


def problems(files: Mapping[str, str], **changes: Any) -> str:
    """The text of the error that these files make."""
    with pytest.raises(LabError) as caught:
        node(files, **changes)
    return str(caught.value)


def test_every_problem_comes_at_once() -> None:
    """One reading finds the problems of all files, each with its place and its repair, in a fixed order."""
    files = {
        "cluster.fw": f"{ON}polcy_in: DROP\n",
        "host.fw": "[RULES]\nIN ACCEPT\nIN Gopher(ACCEPT)\n",
        "100.fw": "[RULES]\nIN ALLOW\n",
    }
    with pytest.raises(FirewallError) as caught:
        node(files, {**NICS, "300": {"net0": "virtio=nonsense,bridge=vmbr0"}})
    assert [issue.path for issue in caught.value.issues] == [
        "100.fw rule 1",
        "cluster.fw line 3",
        "guest 300 net0",
        "host.fw rule 2",
    ]
    assert all(issue.repair for issue in caught.value.issues)
    assert str(caught.value).startswith("the Proxmox firewall has 4 problems")


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("IN Gopher(ACCEPT)", "macro Gopher is not known here"),
        ("IN SSH(ACCEPT) -p tcp", "a macro with a protocol or ports beside it"),
        ("IN SSH(ACCEPT) -dport 80", "a macro with a protocol or ports beside it"),
        ("IN SSH(ALLOW)", "ALLOW is not an action"),
        ("IN DENY", "DENY is not an action"),
        ("IN", "it is not a rule"),
        ("INPUT ACCEPT", "it is not a rule"),
        ("IN ACCEPT -q 1", '"-q" is not an option of a rule'),
        ("IN ACCEPT tcp", '"tcp" is not an option of a rule'),
        ("IN ACCEPT -p", '"-p" has no value'),
        ("IN ACCEPT -p tcp -proto udp", "proto is there twice"),
        ("IN ACCEPT -log loud", '"loud" is not a log level'),
        ("IN ACCEPT -p carrier", '"carrier" is not a protocol'),
        ("IN ACCEPT -p 256", '"256" is not a protocol'),
        ("IN ACCEPT -p tcp -dport ssh", "names of services are not known here"),
        ("IN ACCEPT -p tcp -dport 90:80", "is not a port or a range"),
        ("IN ACCEPT -p tcp -dport 65536", "is not a port or a range"),
        ("IN ACCEPT -p esp -dport 80", "protocol esp has no ports"),
        ("IN ACCEPT -p esp -sport 80", "protocol esp has no ports"),
        ("IN ACCEPT -p icmp -dport 8 -icmp-type 8", "an ICMP rule has one type"),
        ("IN ACCEPT -p icmp -sport 8", "an ICMP rule has one type"),
        ("IN ACCEPT -p icmp -icmp-type packet-too-big", '"packet-too-big" is not an ICMP type'),
        ("IN ACCEPT -p icmp -icmp-type 256", '"256" is not an ICMP type'),
        ("IN ACCEPT -p icmp -icmp-type 3/256", '"3/256" is not an ICMP type'),
        ("IN ACCEPT -p tcp -icmp-type 8", "icmp-type needs -p icmp"),
        ("IN ACCEPT -source 10.0.0.1,fe80::1", "mixes IPv4 and IPv6"),
        ("IN ACCEPT -source 10.0.0.9-10.0.0.1", "write the lower address first"),
        ("IN ACCEPT -source 10.0.0.9-fe80::1", "write the lower address first"),
        ("IN ACCEPT -source 10.0.0.300", "does not appear to be"),
        ("IN ACCEPT -source 10.0.0.1,alias", "does not appear to be"),
        ("IN ACCEPT -i net7", "no rule at this place can name interface net7"),
        ("GROUP nobody", "there is no group nobody"),
        ("GROUP web -p tcp", "takes no option but -i"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_refused(rule: str, problem: str) -> None:
    """No rule is passed over because it is not understood: it is named, with why."""
    text = problems({"100.fw": rules("IN ACCEPT", rule)})
    assert f'100.fw rule 2: "{rule}" cannot be evaluated: ' in text
    assert problem in text
    assert "repair: correct the rule, or remove it" in text


def test_groups_neither_nest_nor_name_interfaces() -> None:
    """A group holds plain rules; the rule that includes it says where it counts."""
    text = problems({"cluster.fw": f"{ON}[group one]\nIN ACCEPT -i net0\n[group two]\nGROUP one\n"})
    assert "cluster.fw group one rule 1" in text
    assert "cluster.fw group two rule 1" in text


@pytest.mark.parametrize(
    ("name", "text", "where", "problem"),
    [
        ("cluster.fw", "enable: 1\n[OPTIONS]\n", "cluster.fw line 1", "before the first section"),
        ("cluster.fw", "[OPTIONZ]\n", "cluster.fw line 1", "is not a section"),
        ("host.fw", "[NONE]\n", "host.fw line 1", "repair: write one of [OPTIONS], [RULES]; "),
        (
            "100.fw",
            "[NONE]\n",
            "100.fw line 1",
            "repair: write one of [ALIASES], [IPSET name], [OPTIONS], [RULES]; ",
        ),
        ("cluster.fw", "[IPSET]\n", "cluster.fw line 1", "is not a section"),
        ("cluster.fw", "[IPSET 1st]\n", "cluster.fw line 1", "a name begins with a letter"),
        ("cluster.fw", "[RULES mine]\n", "cluster.fw line 1", "is not a section"),
        ("cluster.fw", "[OPTIONS\n", "cluster.fw line 1", "is not a section"),
        ("cluster.fw", "[group web]\n[GROUP Web]\n", "cluster.fw line 2", "is there twice"),
        ("host.fw", "[IPSET a1]\n", "host.fw line 1", "is not a section"),
        ("100.fw", "[group web]\n", "100.fw line 1", "is not a section"),
        ("100.fw", "[OPTIONS]\nips: 1\n", "100.fw line 2", "is not an option"),
        ("100.fw", "[OPTIONS]\nenable 1\n", "100.fw line 2", "is not an option"),
        ("100.fw", "[OPTIONS]\nenable: yes\n", "100.fw line 2", '"yes" is not a value of enable'),
        ("100.fw", "[OPTIONS]\npolicy_in: drop\n", "100.fw line 2", '"drop" is not a value of policy_in'),
        ("100.fw", "[OPTIONS]\nenable: 1\nenable: 0\n", "100.fw line 3", "enable is set twice, to 1 and 0"),
        ("host.fw", "[OPTIONS]\nnftables: 1\n", "host.fw", "hands the node to another firewall"),
        ("cluster.fw", "[ALIASES]\nweb\n", "cluster.fw line 2", "is not a name and its address"),
        ("cluster.fw", "[ALIASES]\n1eb 10.0.0.1\n", "cluster.fw line 2", "is not a name and its address"),
        ("cluster.fw", "[ALIASES]\nweb 10.0.0.1\nWEB 10.0.0.2\n", "cluster.fw line 3", "is there twice"),
        ("cluster.fw", "[IPSET some]\nnobody\n", "cluster.fw line 2", "no alias that exists"),
        ("cluster.fw", "[IPSET some]\n10.0.0.1/33\n", "cluster.fw line 2", "no alias that exists"),
        ("cluster.fw", "[IPSET some]\n10.0.0.1\n!10.0.0.1\n", "cluster.fw line 3", "twice in IP set some"),
        ("cluster.fw", f"{ON}[IPSET management]\n!10.0.0.0/24\n", "cluster.fw", "excludes 10.0.0.0/24"),
        ("vm100.fw", "", "vm100.fw", "it is no file of the firewall"),
        ("corosync.conf", "nodelist { }", "corosync.conf", 'it has no node ""'),
        ("corosync.conf", "", "corosync.conf", "one of the nodes in its nodelist"),
    ],
)
def test_what_is_not_understood_is_refused(name: str, text: str, where: str, problem: str) -> None:
    """A section, an option, a value or a name that is not known stops the reading at its place."""
    message = problems({name: text})
    assert f"- {where}: " in message
    assert problem in message


def test_the_lines_of_a_wrong_section_are_not_read_as_another() -> None:
    """One mistake is one problem: what stands under a wrong header belongs to nothing."""
    assert problems({"100.fw": "[OPTIONS]\nenable: 1\n[RULEZ]\nIN DROP\n"}).count("repair:") == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("virtio=12,bridge=vmbr0", "it has no MAC address"),
        (f"virtio={MAC}", "it has no bridge"),
        (f"virtio={MAC},bridge=vmbr0,firewall=yes", "firewall=yes is neither 0 nor 1"),
        (f"virtio={MAC},bridge=vmbr0,bridge=vmbr1", "one of its keys is there twice"),
        (f"name=eth0,hwaddr={MAC},bridge=vmbr0,ip=10.0.0", "does not appear to be"),
    ],
)
def test_a_nic_that_cannot_be_read_is_refused(text: str, problem: str) -> None:
    """A flag that is misread would be an open guest, so nothing about a NIC is guessed."""
    assert problem in problems({}, nics={"100": {"net0": text}})
    assert "ethernet0 is not the name of a NIC" in problems(
        {}, nics={"100": {"ethernet0": NICS["100"]["net0"]}}
    )


def test_a_vm_may_spell_its_nic_out() -> None:
    """`model=virtio,macaddr=…` is the long form of `virtio=…`."""
    firewall = node({"100.fw": ON}, {"100": {"net0": f"model=virtio,macaddr={MAC},bridge=vmbr0,firewall=1"}})
    assert ask(firewall, "vm100", "outside", source_mac=MAC).action == "ACCEPT"
    assert ask(firewall, port=80).action == "DROP"


def test_the_local_network_has_to_be_known() -> None:
    """It is what reaches the node's management ports, so without it no verdict would be right."""
    assert "pass the network of the node as local_network" in problems({}, local_network="")
    assert '"10.0.0" is not a network' in problems({}, local_network="10.0.0")
    read_firewall({"cluster.fw": f"{ON}[ALIASES]\nlocal_network 10.0.0.0/24\n"}, NICS)
    read_firewall({}, NICS)


def test_the_node_of_corosync_has_to_be_known() -> None:
    """Which addresses are the node's own decides what it accepts, and names need a resolver."""
    conf = "nodelist {\n node {\n name: a\n ring0_addr: 10.0.0.1\n }\n node {\n name: b\n ring0_addr: b.lan\n }\n}"
    text = problems({"corosync.conf": conf}, name="c")
    assert 'it has no node "c"' in text
    assert "one of a, b" in text
    assert 'corosync.conf node b: ring0_addr is "b.lan", a name' in text


@pytest.mark.parametrize(
    ("files", "where", "because"),
    [
        ({"100.fw": "[RULES]\nIN ACCEPT -dport 80\n"}, "100.fw rule 1", "ports without a protocol"),
        ({"100.fw": "[RULES]\nIN ACCEPT -sport 80\n"}, "100.fw rule 1", "ports without a protocol"),
        ({"100.fw": "[RULES]\nIN ACCEPT -source nobody\n"}, "100.fw rule 1", "nobody does not exist"),
        ({"100.fw": "[RULES]\nIN ACCEPT -dest +nobody\n"}, "100.fw rule 1", "+nobody does not exist"),
        ({"host.fw": "[RULES]\nIN DROP -source guest/web\n"}, "host.fw rule 1", "guest/web does not exist"),
        ({"host.fw": "[RULES]\nFORWARD DROP\n"}, "host.fw rule 1", "direction FORWARD"),
        ({"cluster.fw": f"{ON}policy_forward: DROP\n"}, "cluster.fw", "policy_forward has no effect"),
        ({"999.fw": ON}, "999.fw", "there is no guest 999"),
    ],
)
def test_what_proxmox_skips_is_told(files: dict[str, str], where: str, because: str) -> None:
    """A line that Proxmox gives no effect decides nothing, and stands in `ignored` with its reason and repair."""
    (issue,) = node(files).ignored
    assert issue.path == where
    assert because in issue.problem
    assert issue.repair


def test_a_skipped_rule_decides_nothing() -> None:
    """The rule after it does, under its own number."""
    firewall = node({"100.fw": rules("IN ACCEPT -dport 80", "IN DROP -source nobody", "IN ACCEPT")})
    assert ask(firewall, port=80).reason == "100.fw rule 3: IN ACCEPT"


def test_sections_and_names_in_any_case() -> None:
    """Proxmox does not tell `[Options]` from `[OPTIONS]`, nor an alias from itself in capitals."""
    cluster = "[options] # on\nenable: 1\n\n[Aliases]\nWeb\t10.0.0.5 # the web\n"
    firewall = node({"cluster.fw": cluster, "100.fw": f"{ON}[Rules]\nin ACCEPT -source wEB\n"})
    assert ask(firewall, source="10.0.0.5").action == "ACCEPT"
    assert ask(firewall, source="10.0.0.6").action == "DROP"


@pytest.mark.parametrize("zone", ["vm200", "ct100", "vm100i7", "vm999", "internet", "HOST", ""])
def test_an_unknown_zone_is_an_error(zone: str) -> None:
    """The error names the zones that there are."""
    with pytest.raises(FirewallError, match="host, outside, nfvm, BRIDGE/INTERFACE, vm100, vm100i1, ct200"):
        ask(node(), zone, "host")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"protocol": "carrier"}, "is not a protocol"),
        ({"protocol": "tcp", "icmp_type": "8"}, "has no ICMP types"),
        ({"protocol": "icmp", "icmp_type": "knock"}, "is not an ICMP type"),
        ({"destination": ip_address("fe80::1")}, "two families"),
    ],
)
def test_an_impossible_packet_is_refused(changes: dict[str, Any], problem: str) -> None:
    """A question that means nothing has no verdict."""
    fields = {"source": ip_address("10.0.0.1"), "destination": ip_address("10.0.0.2")} | changes
    with pytest.raises(ValueError, match=problem):
        Packet("outside", "vm100", **fields)
