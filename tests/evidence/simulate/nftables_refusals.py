"""Texts that must not be read: what nft or the kernel refuses, and what the evaluator does not know."""

HEAD = "type filter hook input priority 0; policy accept;"


def table(*lines: str) -> str:
    """A table `inet homelab` with these lines, the first of them in line 2."""
    return "\n".join(["table inet homelab {", *lines, "}", ""])


def rule(*rules: str) -> str:
    """A table whose chain `input` has these rules, the first of them in line 4."""
    return table("chain input {", HEAD, *rules, "}")


# Each with the line and a part of the message.
BY_NFT_TOO = [
    (rule("accept counter"), 4, "`counter` follows what ends the rule"),
    (rule('comment "x" accept', 'drop comment "x" accept'), 4, "too much here"),
    (rule("tcp dport 80,443 accept"), 4, "`, 443 accept` starts with neither"),
    (rule("tcp dport 90-80 accept"), 4, "a range goes from one value"),
    (rule("tcp dport 65536 accept"), 4, "above 65535"),
    (rule("tcp dport { } accept"), 4, "`}` is not known as a value of type inet_service"),
    (rule('iifname "*" accept'), 4, "is not an interface name"),
    (rule('iifname "abcdefghijklmnop" accept'), 4, "longer than the 15 bytes"),
    (rule("ip saddr fd00::1 accept"), 4, "not an address or prefix of this family"),
    (rule("ip saddr . tcp dport 10.0.0.1 . 80 accept"), 4, "with sets and maps only"),
    (rule("ip saddr { 10.0.0.1 : accept }"), 4, "`:`"),
    (rule("ip saddr vmap { 10.0.0.1 }"), 4, "each element of a map has its verdict"),
    (rule("ip saddr vmap { 10.0.0.1 : accept, 10.0.0.1 : drop }"), 4, "holds a key of"),
    (rule("ip saddr vmap { 10.0.0.0/8 : accept, 10.1.0.0/16 : drop }"), 4, "holds a key of"),
    (rule("ip saddr vmap { 10.1.0.1 : accept, 10.0.0.0/8 : drop }"), 4, "holds a key of"),
    (rule("ip saddr vmap { 10.0.0.1 : reject }"), 4, "is not a verdict"),
    (rule("ip saddr . tcp dport { 10.0.0.0/8 . 80, 10.0.0.1 . 80 } accept"), 4, "holds a key of"),
    (rule("ip saddr @nobody accept"), 4, "there is no set or map nobody"),
    (rule("jump nowhere"), 4, "there is no such chain"),
    (rule("ip saddr vmap { 10.0.0.1 : jump nowhere }"), 4, "there is no such chain"),
    (rule("reject with tcp port-unreachable"), 4, "reject with `tcp`"),
    (rule("reject with icmp type no-route"), 4, "is not a type of rejection"),
    (rule("ct state lost accept"), 4, "`lost` is not known as a value of type ct_state"),
    (rule("limit rate 10/fortnight accept"), 4, "is not a unit of time"),
    (rule('iifname "eth0 accept'), 4, "is not closed"),
    (table("chain c {", HEAD.replace("input", "inputs"), "}"), 3, "the hook `inputs`"),
    (table("chain c {", "type filter hook input priority dstnat;", "}"), 3, "the priority `dstnat`"),
    (table("chain c {", HEAD.replace("accept", "reject"), "}"), 3, "the policy `reject`"),
    (table("chain c {", "policy drop;", "}"), 3, "a policy without a hook"),
    (
        table("chain a {", "jump b", "}", "chain b {", "goto a", "}", "chain c {", HEAD, "jump a", "}"),
        6,
        "comes back",
    ),
    (
        table("chain a {", HEAD, "}", "chain b {", HEAD, "jump a", "}"),
        7,
        "enters a base chain by its hook only",
    ),
    (
        table(
            *(line for n in range(16) for line in (f"chain c{n} {{", f"jump c{n + 1}", "}")),
            "chain c16 {",
            "}",
            "chain z {",
            HEAD,
            "jump c0",
            "}",
        ),
        2,
        "deeper than the kernel's 16 levels",
    ),
    (table("chain c {", "accept"), 1, "never closes"),
    ("table inet homelab {\nchain c {\naccept\n", 2, "never closes"),
    (table("set s {", "flags interval", "}"), 2, "has no type"),
    (table("set s {", "type address", "}"), 3, "the type `address` is not known"),
    (table("set s {", "type ipv4_addr", "elements = { 10.0.0.0/8 }", "}"), 4, "no `flags interval`"),
    (
        table("set s {", "type ipv4_addr", "flags constant", "elements = { 10.0.0.0/8 }", "}"),
        5,
        "no `flags interval`",
    ),
    (table("set s {", "type ifname", 'elements = { "br-*" }', "}"), 4, "no `flags interval`"),
    (
        table("set s {", "type ipv4_addr", "flags interval", "elements = { 10.0.0.0/8, 10.1.0.0/16 }", "}"),
        5,
        "holds a key",
    ),
    (table("set s {", "type ipv4_addr", "elements = { 10.0.0.1 . 80 }", "}"), 4, "`.`"),
    (
        table("map m {", "type ipv4_addr : verdict", "auto-merge", "}"),
        4,
        "`auto-merge` is not known in a map",
    ),
    (
        table("set s {", "type ipv4_addr", "}", "chain c {", HEAD, "ip saddr vmap @s", "}"),
        7,
        "s is a set, and a verdict map is asked for",
    ),
    (
        table("set s {", "type ipv4_addr", "}", "chain c {", HEAD, "tcp dport @s accept", "}"),
        7,
        "s holds ipv4_addr, and the rule asks for inet_service",
    ),
    ("delete table inet homelab\n", 1, "there is no table inet homelab"),
    ("flush table inet homelab\n", 1, "there is no table inet homelab"),
    ("remove table inet homelab\n", 1, "a command that starts with `remove`"),
    ("table inet homelab {\n} table inet other {\n}\n", 2, "too much here"),
]
"""What nft refuses as well."""

UNKNOWN = [
    (rule("meta mark set 1 accept"), 4, "`set` is not known as a value of type mark"),
    (rule("log prefix unquoted accept"), 4, "is not a quoted prefix"),
    (rule("ct mark 1 accept"), 4, "`ct mark 1` starts with neither"),
    (rule("ip dscp 1 accept"), 4, "`ip dscp 1` starts with neither"),
    (rule("fib daddr type local accept"), 4, "`fib daddr type` starts with neither"),
    (rule("tcp flags & (syn | ack) == syn accept"), 4, "`&` is not known"),
    (rule("tcp dport ssh accept"), 4, "`ssh` is not known as a value of type inet_service"),
    (rule("ip saddr 10.0.0.5/24 accept"), 4, "without host bits"),
    (rule("ip saddr $admins accept"), 4, "`\\$` is not known"),
    (rule("iif lo accept"), 4, "`iif lo accept` starts with neither"),
    (rule('iifname "eth\\*" accept'), 4, "is not an interface name"),
    (rule("counter name hits accept"), 4, "`name hits accept` starts with neither"),
    (rule("limit rate over 10 mbytes/second drop"), 4, "a rate is PACKETS/UNIT"),
    (rule("ct state != established,related drop"), 4, "which always holds"),
    (rule("ct status != dnat drop"), 4, "which always holds"),
    (rule("ct status { dnat } drop"), 4, "all bits of ct status at once"),
    (rule("ct status snat drop"), 4, "not known as a value of type ct_status"),
    (rule("ip saddr vmap { 10.0.0.1 : accept } counter"), 4, "`counter` follows what ends the rule"),
    (rule("notrack"), 4, "starts with neither"),
    (rule("meta nftrace set 1"), 4, "starts with neither"),
    (table("chain c {", "type nat hook prerouting priority -100;", "}"), 3, "only chains of type filter"),
    (table("chain c {", HEAD.replace("input", "postrouting"), "}"), 3, "the hook `postrouting`"),
    (table("chain c {", "type filter hook prerouting priority -200;", "}"), 3, "who was there first"),
    (table("chain c {", "type filter hook output priority -100;", "}"), 3, "who was there first"),
    (table("set s {", "type ipv4_addr", "flags dynamic", "}"), 4, "the flag `dynamic`"),
    (table("set s {", "type ipv4_addr", "timeout 1h", "}"), 4, "`timeout` is not known in a set"),
    (table("map m {", "type ipv4_addr : mark", "}"), 3, "only verdict maps"),
    (table("set s {", "typeof ct status", "}"), 3, "a set of bits"),
    (
        table("set s {", "type ipv4_addr", "}", "set s {", "type ipv4_addr", "}"),
        5,
        "there already, since line 2",
    ),
    (table("chain c {", "}", "chain c {", "}"), 4, "there already, since line 2"),
    (table("flags dormant"), 2, "`flags` is not known in a table"),
    (table("counter hits {", "}"), 2, "`counter` is not known in a table"),
    (table("chain c {", "tcp option maxseg size 1 accept", "}"), 3, "starts with neither"),
    ("table bridge homelab {\n}\n", 1, "tables of family `bridge`"),
    ('include "other.nft"\n', 1, "a command that starts with `include`"),
    ("add rule inet homelab input accept\n", 1, "a command that starts with `add` and `rule`"),
]
"""What nft would read."""
