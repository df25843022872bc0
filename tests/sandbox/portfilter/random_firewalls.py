"""Random firewalls for two guests: VM 201 with two NICs and container 202, on two segments."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.sandbox.portfilter.probes import FIRST_PORT
from tests.sandbox.portfilter.state import guest, rule, scope

PORTS = (80, 81, 443)
SEGMENTS: Mapping[str, Mapping[str, str]] = {
    "vmbr0.20": {"peer20": "10.10.20.2", "vm201": "10.10.20.201", "ct202": "10.10.20.202"},
    "vmbr0.30": {"peer30": "10.10.30.2", "vm201i1": "10.10.30.201"},
}
"""Who is on each segment, with the address; guests by the names that Proxmox VE's simulator has for their NICs."""
_ACTIONS = ("ACCEPT", "DROP", "REJECT")
_SOURCES = (
    "10.10.20.2", "10.10.20.0/24", "10.10.20.201-10.10.20.202", "10.10.20.2,10.10.30.0/24", "home", "dc/home", "one",
    "+mixed", "+dc/mixed", "+empty",
)  # fmt: skip
_PORTS = ("80", "81", "80,443", "80:81", "1:79,443")
_MACROS = ("HTTP", "HTTPS", "Web", "SSH", "DNS", "Ping")


@dataclass(frozen=True)
class RandomFirewall:
    """What the API holds.

    Attributes:
        guests: the records.
        scopes: the firewalls by `cluster`, `node/pve-a` and `guest/<vmid>`.
        named: the rules of security groups.
    """

    guests: tuple[dict[str, Any], ...]
    scopes: Mapping[str, dict[str, Any]]
    named: Mapping[str, Sequence[dict[str, Any]]]


def random_firewall(seed: int) -> RandomFirewall:
    """The firewall of a seed."""
    r = random.Random(seed)
    cluster = scope(
        aliases={"home": r.choice(("10.10.30.0/24", "10.10.20.0/25")), "one": "10.10.20.2"},
        ipset={"mixed": ["10.10.20.0/24", f"!10.10.20.20{r.randint(1, 2)}", "one"], "empty": []},
        enable=int(r.random() < 0.95),
    )
    named = {name: [_rule(r, grouped=True) for _ in range(r.randint(1, 3))] for name in ("web", "deep")}
    return RandomFirewall(
        guests=(_machine(r), guest(202, kind="lxc", firewall=int(r.random() < 0.9))),
        scopes={
            "cluster": cluster,
            "node/pve-a": scope(nosmurfs=r.randint(0, 1)),
            "guest/201": _guest(r, nics=("net0", "net1")),
            "guest/202": _guest(r, nics=("net0",)),
        },
        named=named,
    )


def _machine(r: random.Random) -> dict[str, Any]:
    flags = [int(r.random() < 0.9) for _ in range(2)]
    return guest(
        201,
        net0=f"virtio=BC:24:11:00:14:C9,bridge=vmbr0,firewall={flags[0]},tag=20",
        net1=f"virtio=BC:24:11:00:1E:C9,bridge=vmbr0,firewall={flags[1]},tag=30",
        ipconfig0="ip=10.10.20.201/24",
        ipconfig1="ip=10.10.30.201/24",
    )


def _guest(r: random.Random, nics: tuple[str, ...]) -> dict[str, Any]:
    options: dict[str, Any] = {"enable": int(r.random() < 0.9)}
    for name in ("policy_in", "policy_out"):
        if r.random() < 0.7:
            options[name] = r.choice(_ACTIONS)
    for name in ("dhcp", "ndp", "radv", "macfilter"):
        if r.random() < 0.3:
            options[name] = r.randint(0, 1)
    sets = {"ipfilter-net0": [r.choice(("10.10.20.200/30", "10.10.20.8/29"))]} if r.random() < 0.2 else {}
    rules = [_rule(r, nics=nics) for _ in range(r.randint(0, 6))]
    for _ in range(r.randint(0, 2)):
        included = rule("group", r.choice(("web", "deep")))
        rules.insert(r.randint(0, len(rules)), included | _nic(r, nics))
    aliases = {"one": "10.10.20.202"} if r.random() < 0.5 else {}
    return scope(*rules, aliases=aliases, ipset=sets, **options)


def _rule(r: random.Random, *, grouped: bool = False, nics: tuple[str, ...] = ()) -> dict[str, Any]:
    found = rule(r.choice(("in", "in", "out")), r.choice(_ACTIONS)) | {"enable": int(r.random() < 0.85)}
    for end in ("source", "dest"):
        if r.random() < 0.4:
            found[end] = r.choice(_SOURCES)
    kind = r.random()
    if kind < 0.15:
        found["macro"] = r.choice(_MACROS)
    elif kind < 0.9:
        found["proto"] = r.choice(("tcp", "tcp", "udp", "icmp"))
        if found["proto"] != "icmp" and r.random() < 0.8:
            found["dport"] = r.choice(_PORTS)
        if found["proto"] == "udp" and r.random() < 0.2:
            found["sport"] = r.choice((f"1:{FIRST_PORT - 1}", f"{FIRST_PORT}:65535"))
    return found | ({} if grouped else _nic(r, nics))


def _nic(r: random.Random, nics: tuple[str, ...]) -> dict[str, str]:
    return {"iface": r.choice(nics)} if r.random() < 0.2 else {}
