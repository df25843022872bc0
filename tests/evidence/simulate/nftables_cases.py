"""Rulesets by hand, where what nft and the kernel do is easily mistaken. Rules that count have a comment `r…`."""

GUARD = """
table inet homelab
delete table inet homelab
table inet homelab {
  set needs {
    type ipv4_addr . ipv4_addr . inet_proto . inet_service
    flags interval
    elements = { 10.90.3.11 . 10.90.3.12 . tcp . 5001 comment "app -> db",
                 10.90.3.0/24 . 10.90.2.2 . udp . 5001-5002 comment "names" }
  }
  set published {
    typeof iifname . ct original ip daddr . tcp dport
    elements = { "wan0" . 10.90.1.1 . 8080, "wan0" . 10.90.1.1 . 5001 }
  }
  chain input {
    type filter hook input priority filter - 5; policy accept;
    ct state established,related counter accept comment "r1"
    iifname "br-*" counter drop comment "r2"
  }
  chain forward {
    type filter hook forward priority filter - 5; policy accept;
    ct state vmap { established : accept, related : accept, invalid : drop }
    meta nfproto ipv6 counter drop comment "r3"
    iifname "br-*" jump bridges
    ct status dnat iifname . ct original ip daddr . tcp dport @published counter accept comment "r4"
    oifname "br-*" counter reject with icmpx admin-prohibited comment "r5"
  }
  chain bridges {
    ip saddr . ip daddr . meta l4proto . th dport @needs counter accept comment "r6"
    counter drop comment "r7"
  }
}
"""

EQUAL_PRIORITIES = """
table inet homelab {
  chain a {
    type filter hook forward priority 0;
    ip daddr 10.90.2.2 counter accept comment "r1"
    counter drop comment "r2"
  }
  chain b {
    type filter hook forward priority 0;
    counter drop comment "r3"
  }
}
"""

EQUAL_PRIORITIES_OF_TABLES = """
table inet first {
  chain a {
    type filter hook forward priority 0;
    counter drop comment "r1"
  }
}
table inet second {
  chain b {
    type filter hook forward priority 0;
    ip daddr 10.90.2.2 counter drop comment "r2"
  }
}
table ip third {
  chain c {
    type filter hook forward priority 0;
    ip daddr 10.90.2.3 counter drop comment "r3"
    counter accept comment "r4"
  }
}
"""

# The kernel sends at most 50 ICMP errors at once, which the probes of one port stay below.
REJECTIONS = """
table inet homelab {
  chain a {
    type filter hook forward priority 0;
    udp dport != 5001 drop
    counter reject with tcp reset comment "r1"
    counter reject with icmp port-unreachable comment "r2"
    counter drop comment "r3"
  }
}
"""

BEFORE_CONNTRACK = """
table inet homelab {
  chain a {
    type filter hook prerouting priority raw;
    iifname "lan0" ct state new counter drop comment "r1"
    iifname "wan0" ct state invalid ip daddr 10.90.1.1 counter drop comment "r2"
    ct original ip daddr != 10.0.0.1 counter drop comment "r3"
  }
}
"""

LOOPBACK_BEFORE_CONNTRACK = """
table inet homelab {
  chain a {
    type filter hook prerouting priority raw;
    iifname "lo" udp dport 5001 ct state new counter accept comment "r1"
    iifname "lo" ct state established counter accept comment "r2"
    iifname "lo" counter drop comment "r3"
  }
}
"""

AROUND_TRANSLATION = """
table inet homelab {
  chain a {
    type filter hook prerouting priority -101;
    udp dport 8081 ct status dnat counter drop comment "r1"
    udp dport 8081 counter accept comment "r2"
    udp dport 8080 counter accept comment "r3"
    tcp dport 8082 ct status dnat counter drop comment "r4"
  }
  chain b {
    type filter hook prerouting priority -99;
    udp dport 8081 counter drop comment "r5"
    udp dport 5001 ct status dnat counter drop comment "r6"
  }
}
"""

THE_REST_OF_A_MAP = """
table inet homelab {
  map known {
    type ipv4_addr : verdict
    flags interval
    elements = { * : drop, 10.90.1.0/24 : accept, 10.90.2.2 : continue, 10.90.3.12 : accept }
  }
  chain a {
    type filter hook forward priority 0; policy drop;
    ct state established counter accept comment "r1"
    udp dport vmap { 5001 : continue, * : accept }
    ip saddr vmap @known
    counter accept comment "r2"
  }
}
"""

RATES = """
table inet homelab {
  chain a {
    type filter hook forward priority 0;
    limit rate over 9000/second burst 900 packets counter drop comment "r1"
    udp dport 5001 limit rate 9000/second burst 900 packets counter drop comment "r2"
    limit rate 9000/second burst 900 packets counter accept comment "r3"
    counter drop comment "r4"
  }
}
"""

JUMPS = """
table inet homelab {
  chain a {
    type filter hook forward priority 0; policy drop;
    ct state established accept
    goto c
    accept
  }
  chain b {
    jump d
    counter drop comment "r1"
  }
  chain c {
    udp dport 5001 jump b
    tcp dport 5001 accept
    return
    accept
  }
  chain d {
    ip daddr 10.90.2.2 goto e
    ip daddr 10.90.3.12 accept
  }
  chain e {
    return
  }
}
"""

DEEPEST = "\n".join(
    [
        "table inet homelab {",
        *(f"chain c{number} {{\njump c{number + 1}\n}}" for number in range(14)),
        "chain c14 {\nudp dport 5001 drop\n}",
        "chain a {\ntype filter hook forward priority 0;\njump c0\n}",
        "}\n",
    ]
)
"""As many chains as the kernel enters from a base chain."""

FLUSHED = """
table inet homelab {
  chain a {
    type filter hook forward priority 0; policy drop;
    accept
  }
  chain b {
    type filter hook input priority 0; policy accept;
    drop
  }
}
flush table inet homelab
"""

FAMILIES = """
table ip homelab {
  chain a {
    type filter hook forward priority 0;
    drop
  }
}
table ip6 homelab {
  chain a {
    type filter hook forward priority 0;
    reject
  }
}
delete table ip homelab
"""

CASES = {
    "a guard": GUARD,
    "of equal priorities, the later chain is asked first": EQUAL_PRIORITIES,
    "of equal priorities, the later table is asked first": EQUAL_PRIORITIES_OF_TABLES,
    "a rejection is for the protocol that it can answer": REJECTIONS,
    "before conntrack every packet is invalid": BEFORE_CONNTRACK,
    "what comes by the loopback is tracked already": LOOPBACK_BEFORE_CONNTRACK,
    "before and after translation": AROUND_TRANSLATION,
    "`*` in a map is what no other element holds": THE_REST_OF_A_MAP,
    "rates": RATES,
    "jump, goto and return": JUMPS,
    "the deepest jumps": DEEPEST,
    "a flushed table keeps its policies": FLUSHED,
    "tables of one family": FAMILIES,
}
"""All of them, by what they show."""
