"""From the state of the API to what is filtered: flags, names, groups, NICs."""

from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.portfilter.addresses import list_spans
from sandbox.portfilter.model import GuestFilter
from tests.sandbox.portfilter.state import filters, guest, guest_filter, rule, scope

OFF: dict[str, Any] = {"options": {}, "rules": [], "aliases": {}, "ipset": {}}
SSH = rule("in", "ACCEPT", proto="tcp", dport="22")


def test_three_flags_decide_whether_a_port_is_filtered() -> None:
    """Cluster, guest and NIC; a NIC's flag alone leaves what precedes the guest's own rules."""
    on = {"cluster": scope(), "guest/201": scope()}
    assert not filters(guest(201), scopes=on | {"cluster": OFF}).enabled
    assert filters(guest(201, firewall=0), scopes=on).ports == ()
    (half,) = filters(guest(201), scopes=on | {"guest/201": OFF}).ports
    assert (half.port, half.guest) == ("tap201i0", None)
    (whole,) = filters(guest(201), scopes=on).ports
    assert whole.guest == GuestFilter(mac="bc:24:11:00:14:c9")


def test_a_container_has_a_port_too() -> None:
    """It is named as on Proxmox VE, and on the segment of its NIC."""
    (port,) = filters(guest(301, kind="lxc"), scopes={"cluster": scope()}).ports
    assert (port.port, port.segment) == ("veth301i0", "vmbr0.20")


def test_options_are_those_of_the_guest() -> None:
    """Each one that is enforced changes what is filtered."""
    found = guest_filter(policy_in="REJECT", policy_out="DROP", dhcp=0, ndp=0, radv=1, macfilter=0)
    assert found == GuestFilter(
        mac="bc:24:11:00:14:c9",
        policy_in="REJECT",
        policy_out="DROP",
        dhcp=False,
        ndp=False,
        radv=True,
        macfilter=False,
    )


def test_a_disabled_rule_does_not_count() -> None:
    """`enable: 0` is the API's default for a rule."""
    assert guest_filter(SSH | {"enable": 0}).rules == ()
    assert [one.where for one in guest_filter(SSH | {"enable": 0}, SSH).rules] == ["guest 201 rule 1"]


def test_a_group_expands_in_place() -> None:
    """Between the rules around it, with its own order, and without its disabled rules."""
    web = [rule("in", "DROP", proto="udp"), SSH | {"enable": 0}, rule("out", "ACCEPT")]
    found = guest_filter(SSH, rule("group", "Web"), rule("in", "REJECT"), named={"web": web})
    assert [one.where for one in found.rules] == [
        "guest 201 rule 0",
        "guest 201 rule 1, group Web rule 0",
        "guest 201 rule 1, group Web rule 2",
        "guest 201 rule 2",
    ]
    assert [one.direction for one in found.rules] == ["in", "in", "out", "in"]


def test_a_rule_may_be_for_one_nic() -> None:
    """By the NIC's number, also where numbers are missing; a group that is limited, limits all its rules."""
    nic = "virtio=BC:24:11:00:00:0{0},bridge=vmbr0,firewall=1,tag={0}"
    machine = guest(201, net0=nic.format(1), net3=nic.format(2))
    rules = [SSH | {"iface": "net3"}, rule("group", "web", iface="net0"), rule("in", "DROP")]
    found = filters(
        machine,
        scopes={"cluster": scope(), "guest/201": scope(*rules)},
        named={"web": [rule("in", "ACCEPT", proto="udp")]},
    )
    by_port = {one.port: [r.where for r in one.guest.rules] for one in found.ports if one.guest}
    assert by_port == {
        "tap201i0": ["guest 201 rule 1, group web rule 0", "guest 201 rule 2"],
        "tap201i1": ["guest 201 rule 0", "guest 201 rule 2"],
    }


def test_names_are_looked_for_at_the_guest_first() -> None:
    """Unless a prefix says where; names are compared without case, and a group knows only the cluster's."""
    cluster = scope(aliases={"Web": "10.0.0.1"}, ipset={"admins": ["10.0.1.0/24", "!10.0.1.9", "dc/web"]})
    found = guest_filter(
        rule("in", "ACCEPT", source="WEB"),
        rule("in", "ACCEPT", source="dc/web"),
        rule("in", "ACCEPT", dest="guest/web"),
        rule("in", "ACCEPT", source="+admins", dest="10.0.0.0/8,::/0"),
        rule("group", "g"),
        cluster=cluster,
        aliases={"web": "10.0.0.2"},
        named={"g": [rule("in", "ACCEPT", source="web")]},
    )
    assert [one.sources for one in found.rules] == [
        list_spans("10.0.0.2"),
        list_spans("10.0.0.1"),
        None,
        list_spans("10.0.0.1,10.0.1.0-10.0.1.8,10.0.1.10-10.0.1.255"),
        list_spans("10.0.0.1"),
    ]
    assert found.rules[2].targets == list_spans("10.0.0.2")


def test_what_proxmox_skips_is_skipped_and_named() -> None:
    """A name that does not exist, a group that does not, rules of type forward, an entry of a set."""
    found = filters(
        guest(201),
        scopes={
            "cluster": scope(ipset={"some": ["gone"]}),
            "guest/201": scope(
                rule("in", "ACCEPT", source="gone"),
                rule("in", "ACCEPT", dest="+sdn/x"),
                rule("group", "gone"),
                rule("forward", "ACCEPT"),
                rule("in", "ACCEPT", source="+some"),
            ),
        },
    )
    assert found.ignored == (
        "IP set dc/some: there is no alias gone, so the entry is skipped",
        "guest 201 rule 0 is skipped: gone does not exist",
        "guest 201 rule 1 is skipped: +sdn/x does not exist",
        "guest 201 rule 2 is skipped: there is no security group gone",
        "guest 201 rule 3 is skipped: rules of type forward count only with `nftables: 1` on the node",
    )
    assert found.ports[0].guest is not None
    assert [one.sources for one in found.ports[0].guest.rules] == [()]


def test_sources_of_a_nic_may_be_limited() -> None:
    """By a set named after it, or by an option; a container may use its own address, and all their link-local one."""
    link_local = "fe80::be24:11ff:fe00:14c9"
    assert guest_filter().own_addresses is None
    assert guest_filter(ipfilter=1).own_addresses == list_spans(link_local)
    own = guest_filter(ipset={"ipfilter-net0": ["10.10.20.0/30"], "ipfilter-net1": ["::/0"]})
    assert own.own_addresses == list_spans(f"10.10.20.0/30,{link_local}")
    state = {"cluster": scope(), "guest/201": scope(ipfilter=1)}
    (port,) = filters(guest(201, kind="lxc"), scopes=state).ports
    assert port.guest is not None
    assert port.guest.own_addresses == list_spans(f"10.10.20.201,{link_local}")


def test_what_comes_before_the_rules() -> None:
    """The cluster's blacklist, and smurfs unless the node's option says otherwise."""
    found = filters(guest(201), scopes={"cluster": scope(ipset={"blacklist": ["10.9.0.0/16"]})})
    assert found.blacklist == list_spans("10.9.0.0/16")
    assert found.ports[0].nosmurfs
    other = filters(guest(201), scopes={"cluster": scope(), "node/pve-a": scope(nosmurfs=0)})
    assert not other.ports[0].nosmurfs


def test_the_nodes_network_manages_where_it_is_named() -> None:
    """Proxmox VE adds it to the set `management`, also where nobody made that set."""
    found = guest_filter(
        rule("in", "ACCEPT", source="+management"), cluster=scope(aliases={"local_network": "10.1.0.0/16"})
    )
    assert found.rules[0].sources == list_spans("10.1.0.0/16")


def test_a_rule_from_before_the_check_is_not_enforced_by_half() -> None:
    """The sandbox does not go on without it."""
    with pytest.raises(
        SandboxError, match=r"guest 201 rule 0 cannot be enforced: the sandbox knows no macro 'Ceph'"
    ):
        guest_filter(rule("in", "DROP", macro="Ceph"))
