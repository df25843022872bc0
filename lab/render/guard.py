"""The guard of a Docker host as a file for `nft -f`: one transaction that replaces the table before it.

The table has the name of the fail-closed one that the host loads at boot, so there is
no moment without either. Packets between containers of one bridge meet it by
`br_netfilter`. A published port is matched by the address and port that the packet had
when it arrived (conntrack's original direction): Docker has rewritten both by then.
Docker's own rules stay as they are and see only what is accepted here.
"""

import hashlib
from collections.abc import Iterable, Iterator

from lab.flows import Port
from lab.plan.records import ANYWHERE, GuardPlan, GuardRule

TABLE = "homelab"
PRIORITY = -5
"""Before Docker's chains (priority 0), so that what is dropped here is never translated back or counted there."""
_LONGEST_COMMENT = 128
"""NFTNL_UDATA_COMMENT_MAXLEN of libnftnl, in bytes."""

SPECIAL = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
    "224.0.0.0/3",
)
"""What is not the internet: addresses for private and special use (IANA's registry after RFC 6890)."""

_NEIGHBOURS = "nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert"


def guard_text(guard: GuardPlan) -> str:
    """The file of one host. Its version names a chain, so that a look at the kernel tells whether it is in force."""
    body = "\n".join(_table(guard))
    version = hashlib.sha256(body.encode()).hexdigest()[:12]
    head = [
        f"# The guard of Docker host {guard.host}, rendered from the lab file: change that, and not this.",
        f"# version: {version}",
        f"table inet {TABLE}",
        f"delete table inet {TABLE}",
        f"table inet {TABLE} {{",
        f"  chain version-{version} {{ }}",
    ]
    return "\n".join([*head, body, "}", ""])


def _table(guard: GuardPlan) -> Iterator[str]:
    yield from _set("bridges", "ifname", (f'"{bridge}"' for bridge in guard.bridges))
    yield from _set("special", "ipv4_addr", SPECIAL, interval=True)
    yield from _base(
        "forward", ("iifname @bridges jump from-container", "oifname @bridges jump to-container")
    )
    yield from _base("input", ("iifname @bridges jump to-host", *_unguarded(guard)))
    yield from _from_container(guard)
    for bridge, rules in _by_bridge(guard, ("within", "out")).items():
        yield f"  # {guard.bridges.get(bridge, 'a network of a stack that is only observed')}"
        yield from _chain(f"from-{bridge}", [_line(rule) for rule in rules])
    yield from _chain("to-container", [_NO_IPV6, *map(_line, _of(guard, "in")), "drop"])
    yield from _chain("to-host", [_NO_IPV6, *map(_line, _of(guard, "local")), "drop"])


def _unguarded(guard: GuardPlan) -> Iterator[str]:
    """A published port that reaches the host itself was not sent on by the kernel: it comes from a bridge that is
    not ours, and Docker's proxy would accept it. The host may ask itself."""
    if guard.published:
        ports = ", ".join(f"{a} . {p.protocol} . {_span(p)}" for a, p in guard.published)
        yield f'iifname != "lo" ip daddr . meta l4proto . th dport {{ {ports} }} drop'


_NO_IPV6 = "meta nfproto ipv6 jump ipv6"


def _from_container(guard: GuardPlan) -> Iterator[str]:
    bridges = _by_bridge(guard, ("within", "out"))
    lines = [_NO_IPV6]
    if bridges:
        jumps = ", ".join(f'"{bridge}" : jump from-{bridge}' for bridge in bridges)
        lines.append(f"iifname vmap {{ {jumps} }}")
    yield from _chain("from-container", [*lines, "drop"])
    # Neighbours are found by it; nothing else of IPv6 is let through, whatever Docker was told.
    yield from _chain("ipv6", [f"icmpv6 type {{ {_NEIGHBOURS} }} accept", "drop"])


def _base(hook: str, lines: Iterable[str]) -> Iterator[str]:
    first = f"type filter hook {hook} priority {PRIORITY}; policy accept;"
    yield from _chain(hook, [first, "ct state established,related accept", *lines])


def _chain(name: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"  chain {name} {{"
    yield from (f"    {line}" for line in lines)
    yield "  }"


def _set(name: str, type_: str, elements: Iterable[str], *, interval: bool = False) -> Iterator[str]:
    yield f"  set {name} {{"
    yield f"    type {type_}{'; flags interval' if interval else ''}"
    if listed := ", ".join(elements):
        yield f"    elements = {{ {listed} }}"
    yield "  }"


def _of(guard: GuardPlan, way: str) -> list[GuardRule]:
    return [rule for rule in guard.rules if rule.way == way]


def _by_bridge(guard: GuardPlan, ways: tuple[str, ...]) -> dict[str, list[GuardRule]]:
    found: dict[str, list[GuardRule]] = {}
    for rule in guard.rules:
        if rule.way in ways:
            found.setdefault(rule.interface, []).append(rule)
    return dict(sorted(found.items()))


def _line(rule: GuardRule) -> str:
    words = [
        *([f'oifname "{rule.interface}"'] if rule.way == "within" else []),
        *(["oifname != @bridges"] if rule.way == "out" else []),
        *([f'iifname "{rule.interface}"'] if rule.way == "local" else []),
        *(["iifname != @bridges"] if rule.way == "in" else []),
        *_address("ip saddr", rule.source),
    ]
    if rule.way == "in":
        words += [*_address("ct original ip daddr", rule.destination), *_original_port(rule.port)]
    else:
        words += [*_address("ip daddr", rule.destination), *_port(rule.port)]
    return " ".join([*words, f"accept comment {_quoted(rule.because)}"])


def _address(field: str, text: str) -> list[str]:
    if text == ANYWHERE:
        return [f"{field} != @special"]
    return [f"{field} {text}"] if text else []


def _span(port: Port) -> str:
    return f"{port.number}-{port.last}" if port.last else str(port.number)


def _port(port: Port | None) -> list[str]:
    return [f"{port.protocol} dport {_span(port)}"] if port else []


def _original_port(port: Port | None) -> list[str]:
    return [f"meta l4proto {port.protocol} ct original proto-dst {_span(port)}"] if port else []


def _quoted(text: str) -> str:
    """A comment that nft reads: it knows no escape, and libnftnl holds 128 bytes."""
    plain = "".join(c if c.isprintable() else " " for c in text.replace('"', "'")).encode()
    return f'"{plain[: _LONGEST_COMMENT - 1].decode(errors="ignore")}"'
