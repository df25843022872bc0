"""States of the API whose rules are golden, by the name of their file."""

from collections.abc import Mapping

from sandbox.portfilter.model import Filters
from tests.sandbox.portfilter.state import filters, guest, rule, scope

_NET1 = "virtio=BC:24:11:00:1E:C9,bridge=vmbr1,firewall=1"
_NIC = "virtio=BC:24:11:00:14:C9,bridge=vmbr0,tag=20,firewall=1"

TEXTS: Mapping[str, Filters] = {
    "nothing-filtered": filters(guest(201, firewall=0), scopes={"cluster": scope()}),
    "defaults": filters(guest(201), scopes={"cluster": scope(), "guest/201": scope()}),
    "guest-off": filters(
        guest(201), scopes={"cluster": scope(ipset={"blacklist": ["10.9.0.0/16", "2001:db8::/32"]})}
    ),
    "options": filters(
        guest(201),
        guest(202, kind="lxc"),
        scopes={
            "cluster": scope(),
            "node/pve-a": scope(nosmurfs=0),
            "guest/201": scope(policy_in="ACCEPT", policy_out="DROP", dhcp=0, ndp=0, radv=1, macfilter=0),
            "guest/202": scope(policy_in="REJECT", policy_out="REJECT", ipfilter=1),
        },
    ),
    "rules": filters(
        guest(201, net0=_NIC, net1=_NET1),
        scopes={
            "cluster": scope(
                aliases={"home": "10.10.30.0/24"},
                ipset={"admins": ["10.10.10.0/24", "!10.10.10.13", "2001:db8:1::/64"], "none": []},
            ),
            "guest/201": scope(
                rule("in", "ACCEPT", proto="tcp", dport="443,8000:8100", source="home"),
                rule(
                    "in",
                    "ACCEPT",
                    proto="udp",
                    dport="53",
                    sport="1024:65535",
                    source="+admins",
                    iface="net0",
                ),
                rule("in", "ACCEPT", source="+none"),
                rule("in", "DROP", source="10.10.20.7-10.10.20.9,10.10.20.200", dest="10.10.20.11"),
                rule("in", "DROP", source="10.10.20.7", dest="2001:db8::1"),
                rule("group", "web", iface="net1"),
                rule("in", "ACCEPT", macro="Ping"),
                rule("in", "REJECT", proto="icmp", icmp_type="host-unreachable"),
                rule("in", "ACCEPT", proto="sctp", dport="5000"),
                rule("in", "ACCEPT", proto="gre", source="2001:db8::/32"),
                rule("in", "REJECT", proto="tcp"),
                rule("out", "REJECT", dest="+admins"),
                rule("out", "DROP", proto="udp", dport="123"),
                rule("out", "ACCEPT"),
                rule("in", "DROP") | {"enable": 0},
            ),
        },
        named={"web": [rule("in", "ACCEPT", macro="Web"), rule("out", "ACCEPT", proto="icmpv6")]},
    ),
}
