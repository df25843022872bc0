"""Mistakes in what is rendered: one rule of a guard, one flag of the Proxmox firewall, one line of a policy.

Each mutant changes exactly what its name says and is an error where it finds nothing to
change, so that none is noticed that was never there.
"""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from lab.flows import Port
from lab.plan.records import GuardPlan, GuardRule, LabPlan
from lab.render.artefacts import artefacts
from sandbox.tailscale.hujson import parse

Data = dict[str, Any]
Change = Callable[[LabPlan], Data]


@dataclass(frozen=True)
class Mutant:
    """A lab, and artefacts of it with one mistake."""

    name: str
    lab: str
    change: Change
    asked: str = ""
    """A pair with a port of which nobody else speaks, as `service:a/b -> vlan:c:443/tcp`, where no other tells."""


def guards(plan: LabPlan, change: Callable[[GuardPlan], GuardPlan]) -> Data:
    """The artefacts of a lab whose guards were planned otherwise."""
    changed = tuple(change(guard) for guard in plan.guards)
    assert changed != plan.guards, "no guard is changed"
    return artefacts(replace(plan, guards=changed))


def rules(change: Callable[[GuardRule], GuardRule | None], way: str, because: str = "") -> Change:
    """Every rule of one way, changed or dropped; only those with some words in their reason, where given."""

    def changed(guard: GuardPlan) -> GuardPlan:
        found = []
        for rule in guard.rules:
            meant = rule.way == way and because in rule.because
            new = change(rule) if meant else rule
            found += [new] if new is not None else []
        return replace(guard, rules=tuple(found))

    return lambda plan: guards(plan, changed)


def shifted(port: Port | None) -> Port | None:
    """The next port."""
    return replace(port, number=port.number + 1) if port else None


def widened(port: Port | None) -> Port | None:
    """Every port from this one on."""
    return replace(port, last=65535) if port else None


def other_protocol(port: Port | None) -> Port | None:
    """The same number of the other protocol."""
    return replace(port, protocol="udp" if port.protocol == "tcp" else "tcp") if port else None


def text(path: tuple[str | int, ...], old: str, new: str) -> Change:
    """One text of the artefacts, by its path, in which words stand for others."""

    def change(plan: LabPlan) -> Data:
        found = deepcopy(artefacts(plan))
        part: Any = found
        for key in path[:-1]:
            part = part[key]
        assert old in part[path[-1]], f"{old!r} is not in {path}"
        part[path[-1]] = part[path[-1]].replace(old, new)
        return found

    return change


def every_guard(old: str, new: str) -> Change:
    """The text of each guard."""

    def change(plan: LabPlan) -> Data:
        found = deepcopy(artefacts(plan))
        assert any(old in host["guard"] for host in found["docker"]), f"{old!r} is in no guard"
        for host in found["docker"]:
            host["guard"] = host["guard"].replace(old, new)
        return found

    return change


def policy(change: Callable[[Data], object]) -> Change:
    """The policy of the tailnet."""

    def changed(plan: LabPlan) -> Data:
        found = artefacts(plan)
        before = parse(found["tailnet"]["policy"])
        after = deepcopy(before)
        change(after)
        assert after != before, "the policy is not changed"
        found["tailnet"]["policy"] = json.dumps(after)
        return found

    return changed


def part(path: tuple[str | int, ...], changes: Mapping[str, Any]) -> Change:
    """One part of the artefacts, by its path, with some other values."""

    def change(plan: LabPlan) -> Data:
        found = deepcopy(artefacts(plan))
        there: Any = found
        for key in path:
            there = there[key]
        assert any(there[key] != value for key, value in changes.items())
        there.update(changes)
        return found

    return change


def _without(guard: GuardPlan) -> GuardPlan:
    return replace(guard, bridges=dict(list(guard.bridges.items())[1:]))


OUT = "service:tailscale/router -> vlan:services:443/tcp"
_CLOSED = "    drop\n  }\n"
_GUARD = (
    Mutant("a rule within a network is dropped", "dev", rules(lambda r: None, "within", "vaultwarden")),
    Mutant("rules for published ports are dropped", "dev", rules(lambda r: None, "in")),
    Mutant("rules for the way out are dropped", "dev", rules(lambda r: None, "out")),
    Mutant("rules to the host are dropped", "dev", rules(lambda r: None, "local")),
    Mutant(
        "a published port is for everybody",
        "per-service-networks",
        rules(lambda r: replace(r, source=""), "in"),
    ),
    Mutant("a neighbour is anybody", "dev", rules(lambda r: replace(r, destination=""), "within")),
    Mutant("the internet is everything", "dev", rules(lambda r: replace(r, destination=""), "out"), OUT),
    Mutant("the sender within a network is anybody", "dev", rules(lambda r: replace(r, source=""), "within")),
    Mutant("the port within a network is forgotten", "dev", rules(lambda r: replace(r, port=None), "within")),
    Mutant("the published port is forgotten", "flat-subnet", rules(lambda r: replace(r, port=None), "in")),
    Mutant("the port to the internet is forgotten", "dev", rules(lambda r: replace(r, port=None), "out")),
    Mutant("the port of the host is forgotten", "dev", rules(lambda r: replace(r, port=None), "local")),
    Mutant(
        "source and target are swapped",
        "dev",
        rules(lambda r: replace(r, source=r.destination, destination=r.source), "within"),
    ),
    Mutant(
        "the next port within a network", "dev", rules(lambda r: replace(r, port=shifted(r.port)), "within")
    ),
    Mutant("the next published port", "dev", rules(lambda r: replace(r, port=shifted(r.port)), "in")),
    Mutant("every higher port", "dev", rules(lambda r: replace(r, port=widened(r.port)), "within")),
    Mutant("another protocol", "dev", rules(lambda r: replace(r, port=other_protocol(r.port)), "within")),
    Mutant("a network that nobody watches", "dev", lambda plan: guards(plan, _without)),
    Mutant("no guard", "flat-subnet", lambda plan: artefacts(replace(plan, guards=()))),
)
_TEXT = (
    Mutant("what no rule takes is accepted", "dev", every_guard(_CLOSED, "    accept\n  }\n")),
    Mutant(
        "what comes from containers is not looked at",
        "dev",
        every_guard("iifname @bridges jump from-container", ""),
    ),
    Mutant(
        "what goes to containers is not looked at",
        "docker-front-back",
        every_guard("oifname @bridges jump to-container", ""),
    ),
    Mutant("what goes to the host is not looked at", "dev", every_guard("iifname @bridges jump to-host", "")),
    Mutant(
        "new connections are established", "dev", every_guard("ct state established,related", "ct state new")
    ),
    Mutant("the port after translation", "flat-subnet", every_guard("ct original proto-dst", "th dport")),
    Mutant("the address after translation", "dev", every_guard("ct original ip daddr", "ip daddr")),
    Mutant(
        "private addresses are the internet",
        "dev",
        every_guard("elements = { 0.0.0.0/8, 10.0.0.0/8,", "elements = {"),
        OUT,
    ),
    Mutant(
        "the forward hook is not hooked in",
        "dev",
        every_guard("type filter hook forward", "type filter hook output"),
    ),
    Mutant(
        "the input hook is not hooked in",
        "dev",
        every_guard("type filter hook input", "type filter hook output"),
    ),
)
_CLUSTER = ("proxmox", "cluster.fw")
_GUEST = ("proxmox", "guests", 0)
_PROXMOX = (
    Mutant("the cluster's firewall is off", "dev", text(_CLUSTER, "enable: 1", "enable: 0")),
    Mutant("the guest's firewall is off", "dev", text((*_GUEST, "firewall"), "enable: 1", "enable: 0")),
    Mutant("the interface has no firewall", "dev", text((*_GUEST, "config", "net0"), ",firewall=1", "")),
    Mutant(
        "the guest accepts by policy",
        "dev",
        text((*_GUEST, "firewall"), "policy_in: DROP", "policy_in: ACCEPT"),
    ),
    Mutant("a rule without its source", "dev", text((*_GUEST, "firewall"), "-source 10.10.10.5 ", "")),
    Mutant("a rule without its port", "dev", text((*_GUEST, "firewall"), "-dport 443", "")),
    Mutant("a rule for UDP", "dev", text((*_GUEST, "firewall"), "-p tcp -dport 22", "-p udp -dport 22")),
    Mutant(
        "a segment's group is not included", "flat-subnet", text((*_GUEST, "firewall"), "GROUP", "|GROUP")
    ),
    Mutant(
        "a group is for everybody",
        "flat-subnet",
        text(_CLUSTER, "IN ACCEPT -source 192.168.100.100", "IN ACCEPT"),
    ),
    Mutant("everybody manages the nodes", "dev", text(_CLUSTER, "10.10.10.11\n", "0.0.0.0/0\n")),
    Mutant(
        "the node's firewall is off",
        "dev",
        text(("proxmox", "nodes", 0, "host.fw"), "enable: 1", "enable: 0"),
    ),
    Mutant(
        "the guest may send nothing",
        "dev",
        text((*_GUEST, "firewall"), "policy_out: ACCEPT", "policy_out: DROP"),
    ),
    Mutant(
        "another VLAN",
        "dev",
        part(
            (*_GUEST, "config"),
            {
                "net0": "virtio=02:00:00:00:00:01,bridge=vmbr1,firewall=1,tag=30",
                "ipconfig0": "gw=10.10.30.1,ip=10.10.30.11/24",
            },
        ),
    ),
)
_EDGE = (
    Mutant(
        "a grant for a whole segment",
        "full",
        policy(lambda p: p["grants"][0].update(dst=["10.10.0.0/16"], ip=["*"])),
    ),
    Mutant("a grant for every port", "full", policy(lambda p: p["grants"][0].update(ip=["*"]))),
    Mutant("a grant for nobody", "dev", policy(lambda p: p["grants"][0].update(src=[]))),
    Mutant("a grant of another port", "dev", policy(lambda p: p["grants"][0].update(ip=["tcp:443"]))),
    Mutant("a route that nobody approved", "dev", policy(lambda p: p["autoApprovers"].update(routes={}))),
    Mutant(
        "a router that advertises nothing",
        "dev",
        part(("tailnet", "advertised"), {"service:tailscale/router": []}),
    ),
    Mutant(
        "a network that is not internal",
        "docker-front-back",
        part(("docker", 0, "networks", 2), {"internal": False}),
    ),
    Mutant("a router between the segments", "dev", part(("router",), {"kind": "node"})),
)
MUTANTS = (*_GUARD, *_TEXT, *_PROXMOX, *_EDGE)
