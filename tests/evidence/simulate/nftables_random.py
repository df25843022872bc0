"""Random rulesets in the language of the evaluator, over the addresses, ports and interfaces of the ground."""

import re
from collections.abc import Iterable
from random import Random

from tests.evidence.simulate.nftables_ground import PLACES, TRANSLATED, addresses
from tests.evidence.simulate.nftables_probes import PORTS

MARK = 0x90
"""That some packets of the router have."""
ATOMIC = "table inet homelab\ndelete table inet homelab\n"
"""What stands before a table that replaces one of its name."""

_SINGLE = {
    "ip": [address for place in PLACES for address in addresses(place) if ":" not in address],
    "ip6": [address for place in PLACES for address in addresses(place) if ":" in address],
}
# No two of a list overlap: nft refuses that in a map, and the kernel in a concatenation.
_WIDE = {
    "ip": ["10.90.1.0/24", "10.90.2.2", "10.90.2.3", "10.90.3.1", "10.90.3.11-10.90.3.12"],
    "ip6": ["fd90:1::/64", "fd90:2::2", "fd90:3::1-fd90:3::11", "fd90:3::12"],
}
_ENCLOSING = {"ip": ["10.90.2.0/23", "10.0.0.0/8", "10.90.1.2/31"], "ip6": ["fd90:2::/31", "fd00::/8"]}
_TYPES = {"ip": "ipv4_addr", "ip6": "ipv6_addr"}
_INTERFACES = ["wan0", "lan0", '"br-*"', "lo"]
_ALL_PORTS = [str(port) for port in (*PORTS, *(port for _, port in TRANSLATED))]
_PORT_RANGES = ["5001-5002", "8080", "8081-8082"]
_PRIORITIES = {
    "prerouting": ("raw", "mangle", "-101", "-99", "filter"),
    "input": ("filter", "-10", "security"),
    "forward": ("filter", "filter - 5", "mangle", "0"),
    "output": ("filter", "-250", "-120", "10"),
}


class Writer:
    """Writes one table, of which every rule has a comment of its own and all but verdict maps count.

    Args:
        random: where all choices come from.
    """

    def __init__(self, random: Random) -> None:
        self._random, self._pick = random, random.choice
        self._rules = 0
        self._objects: list[tuple[str, str]] = []
        self._later: list[str] = []
        self._family, self._transport = "ip", "tcp"

    def table(self) -> str:
        """A whole text: sets and maps, regular chains, and base chains of several hooks."""
        names = [f"part{number}" for number in range(self._random.randint(0, 3))]
        chains = []
        for number, name in enumerate(names):
            self._later = names[number + 1 :]
            chains.append(self._chain(name, ""))
        self._later = names
        hooks = ["input", "forward", *(hook for hook in _PRIORITIES if self._chance(0.3))]
        for number, hook in enumerate(hooks):
            priority, policy = self._pick(_PRIORITIES[hook]), self._pick(("accept", "accept", "drop"))
            head = f"type filter hook {hook} priority {priority}; policy {policy};"
            chains.append(self._chain(f"{hook}{number}", head))
        rules = "\n".join(chains)
        parts = [*(text for name, text in self._objects if re.search(rf"@{name}\b", rules)), *chains]
        self._random.shuffle(parts)
        return "\n".join([f"{self._pick(('', ATOMIC))}table inet homelab {{", *parts, "}", ""])

    def _chain(self, name: str, head: str) -> str:
        lines = [head] if head else []
        if head and self._chance(0.6):
            lines.append(self._counted("ct state established,related", "accept"))
        lines += [self._rule() for _ in range(self._random.randint(1, 5))]
        return "\n".join([f"chain {name} {{", *lines, "}"])

    def _rule(self) -> str:
        # nft refuses a rule that asks for two families or two transport protocols.
        self._family = self._pick(("ip", "ip", "ip6"))
        self._transport = self._pick(("tcp", "udp", "udp", "icmp"))
        conditions = " ".join(self._conditions())
        if self._chance(0.2):
            self._rules += 1
            return f'{conditions} {self._verdict_map()} comment "r{self._rules}"'
        return self._counted(conditions, self._verdict())

    def _counted(self, conditions: str, verdict: str) -> str:
        self._rules += 1
        return f'{conditions} counter {verdict} comment "r{self._rules}"'

    def _verdict(self) -> str:
        if self._later and self._chance(0.35):
            return f"{self._pick(('jump', 'goto'))} {self._pick(self._later)}"
        rest = [
            "return",
            "",
            "continue",
            'log prefix "n" accept',
            "limit rate 9000/second burst 900 packets drop",
        ]
        rejects = ["reject", "reject with icmpx admin-prohibited"]
        rejects.append(f"reject with {'icmp' if self._family == 'ip' else 'icmpv6'} type port-unreachable")
        if self._transport == "tcp":
            rejects.append("reject with tcp reset")
        return self._pick(["accept"] * 6 + ["drop"] * 5 + rest + rejects)

    def _conditions(self) -> Iterable[str]:
        """Some of: interfaces, addresses, transport, conntrack; in an order that nft takes."""
        if self._chance(0.35):
            yield self._interface()
        if self._chance(0.5):
            yield self._pick((self._address, self._address, self._concatenation, self._network))()
        if self._chance(0.45):
            yield self._pick((self._port, self._port, self._protocol, self._mark))()
        if self._chance(0.35):
            yield self._conntrack()

    def _network(self) -> str:
        return f"meta nfproto {'ipv4' if self._family == 'ip' else 'ipv6'}"

    def _mark(self) -> str:
        return f"meta mark {self._not()}{self._pick((f'{MARK:#x}', '0', f'1-{MARK}', f'{{ 0, {MARK} }}'))}"

    def _interface(self) -> str:
        field = self._pick(("iifname", "oifname", "meta iifname"))
        names = self._some(_INTERFACES, 3)
        choices = [names[0], '"w*"', "br-90ab", f"{{ {', '.join(names)} }}", self._named("ifname", names)]
        return f"{field} {self._not()}{self._pick(choices)}"

    def _address(self) -> str:
        family = self._family
        field = f"{family} {self._pick(('saddr', 'daddr'))}"
        some = self._some([*_SINGLE[family], *_ENCLOSING[family]], 4)
        choices = [
            some[0],
            self._pick(_WIDE[family]),
            f"{{ {', '.join(some)} }}",
            self._named(_TYPES[family], some),
        ]
        return f"{field} {self._not()}{self._pick(choices)}"

    def _concatenation(self) -> str:
        family = self._family
        known = [
            (f"{family} saddr", _TYPES[family], _WIDE[family]),
            (f"{family} daddr", _TYPES[family], _WIDE[family]),
            ("iifname", "ifname", _INTERFACES),
            ("meta l4proto", "inet_proto", ["tcp", "udp", "icmp"]),
            ("ct state", "ct_state", ["new", "established"]),
            (f"ct original {family} daddr", _TYPES[family], _WIDE[family]),
        ]
        if self._transport in ("tcp", "udp"):
            # nft would have no answer to a protocol that the port already implies.
            known[3] = (f"{self._transport} dport", "inet_service", _PORT_RANGES)
        parts = self._random.sample(known, self._random.randint(2, 4))
        count = self._random.randint(2, 9)
        elements = sorted({" . ".join(self._pick(values) for _, _, values in parts) for _ in range(count)})
        fields, kinds = " . ".join(part[0] for part in parts), " . ".join(part[1] for part in parts)
        group = self._pick((f"{{ {', '.join(elements)} }}", self._named(kinds, elements)))
        return f"{fields} {self._not()}{group}"

    def _port(self) -> str:
        if self._transport == "icmp":
            choices = [
                "icmp type echo-request",
                "icmp type != echo-reply",
                "icmp type { 0, 3 }",
                "ip protocol icmp",
            ]
            return self._pick(choices) if self._family == "ip" else "icmpv6 type echo-request"
        head = self._pick((self._transport, f"meta l4proto {self._transport} th"))
        if self._chance(0.3):
            head, self._transport = "meta l4proto { tcp, udp } th", "several"
        if self._chance(0.2):
            return f"{head} sport {self._not()}{self._pick(('20000-60000', '5001', '{ 5001, 5002 }'))}"
        some = self._some(_ALL_PORTS, 3)
        choices = [
            some[0],
            "5001-5002",
            f"{{ {', '.join(some)}, 5000-5001 }}",
            self._named("inet_service", some),
        ]
        return f"{head} dport {self._not()}{self._pick(choices)}"

    def _protocol(self) -> str:
        if self._family == "ip" and self._chance(0.4):
            return f"ip protocol {self._not()}{self._transport}"
        value = self._pick((self._transport, "{ tcp, udp }", "{ icmp, icmpv6 }", "1-6"))
        if value != self._transport:
            self._transport = "several"
        return f"meta l4proto {self._not()}{value}"

    def _conntrack(self) -> str:
        family = self._family
        choices = [
            "ct state new",
            "ct state established,related",
            "ct state != new",
            "ct state { new, untracked }",
            "ct state != { established, related }",
            "ct state invalid",
            "ct status dnat",
            f"ct original {family} daddr {self._not()}{self._pick(_SINGLE[family])}",
        ]
        if self._transport in ("tcp", "udp"):
            protocol = f"meta l4proto {self._transport}"
            choices.append(f"{protocol} ct original proto-dst {self._not()}{self._pick(_ALL_PORTS)}")
            if family == "ip":
                group = "{ 10.90.1.1 . 8081, 10.90.2.0/23 . 1-8082 }"
                choices.append(f"{protocol} ct original ip daddr . ct original proto-dst {group}")
        return self._pick(choices)

    def _verdict_map(self) -> str:
        family = self._family
        known = [
            ("iifname", "ifname", _INTERFACES),
            ("meta l4proto", "inet_proto", ["tcp", "udp", "icmp"]),
            (f"{family} saddr", _TYPES[family], [*_WIDE[family], "*"]),
            (f"{family} daddr", _TYPES[family], _WIDE[family]),
            ("ct state", "ct_state", ["new", "established", "invalid"]),
            (
                f"iifname . {family} daddr",
                f"ifname . {_TYPES[family]}",
                [f"{n} . {_WIDE[family][0]}" for n in _INTERFACES],
            ),
        ]
        if self._transport in ("tcp", "udp"):
            known.append((f"{self._transport} dport", "inet_service", _PORT_RANGES))
        field, kind, keys = self._pick(known)
        comment = self._pick(("", "", ' comment "why"'))
        elements = [f"{key}{comment} : {self._map_verdict()}" for key in self._some(keys, len(keys))]
        group = self._pick((f"{{ {', '.join(elements)} }}", self._named(f"{kind} : verdict", elements)))
        return f"{field} vmap {group}"

    def _map_verdict(self) -> str:
        jumps = [f"{word} {name}" for word in ("jump", "goto") for name in self._later]
        return self._pick(["accept", "drop", "return", "continue", *jumps])

    def _named(self, kind: str, elements: Iterable[str]) -> str:
        """Declare a set or map, and refer to it; what no rule refers to is left out in the end."""
        word, merge = ("map", "") if kind.endswith("verdict") else ("set", "auto-merge\n")
        # nft 1.0.6 crashes when it lists a map of states with intervals.
        flags = "" if kind == "ct_state : verdict" else "flags interval\n"
        name = f"{word}{len(self._objects)}"
        listed = ",\n".join(elements)
        text = f"{word} {name} {{\ntype {kind}\n{flags}{merge}elements = {{ {listed} }}\n}}"
        self._objects.append((name, text))
        return f"@{name}"

    def _some(self, values: list[str], most: int) -> list[str]:
        return self._random.sample(values, self._random.randint(1, min(most, len(values))))

    def _not(self) -> str:
        return "!= " if self._chance(0.15) else ""

    def _chance(self, share: float) -> bool:
        return self._random.random() < share
