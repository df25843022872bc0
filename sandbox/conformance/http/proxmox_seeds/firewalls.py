"""What the firewalls of cluster, nodes and guests have: options, rules, aliases, IP sets, groups."""

from __future__ import annotations

from typing import Any, Final

from sandbox.conformance.http.conversation import EXISTS, Trace
from sandbox.conformance.http.proxmox_seeds.seed import GUEST, Names, Seeds, without
from sandbox.proxmox import firewall, groups
from sandbox.store import Transaction

_SCOPE: Final = rf"(?P<scope>cluster|nodes/[^/]+|{GUEST})/firewall"


def _scope_key(names: Names) -> str:
    if names["vmid"]:
        return f"guest/{names['vmid']}"
    return names["scope"] if names["scope"] == "cluster" else f"node/{names['scope'].partition('/')[2]}"


def _scope(t: Transaction, names: Names, part: str, content: Any) -> None:
    scope = firewall.scope_of(t, _scope_key(names))
    t.put(firewall.COLLECTION, _scope_key(names), scope | {part: content})


def _options(t: Transaction, names: Names, trace: Trace) -> None:
    if trace.data:
        _scope(t, names, "options", without(trace.data, "digest"))


def _rules(t: Transaction, names: Names, trace: Trace) -> None:
    rules = [without(rule, "pos", "digest") for rule in trace.data or ()]
    if rules:
        _scope(t, names, "rules", rules)


def _rule(t: Transaction, names: Names, trace: Trace) -> None:
    scope = firewall.scope_of(t, _scope_key(names))
    if trace.data and int(names["pos"]) == len(scope["rules"]):
        _scope(t, names, "rules", [*scope["rules"], without(trace.data, "pos", "digest")])


def _alias(t: Transaction, names: Names, trace: Trace) -> None:
    found = trace.data or (trace.body if EXISTS.search(trace.refused) else None)
    for alias in [found] if isinstance(found, dict) else found or ():
        scope = firewall.scope_of(t, _scope_key(names))
        kept = {key: value for key, value in alias.items() if key in ("name", "cidr", "comment") and value}
        _scope(t, names, "aliases", scope["aliases"] | {alias["name"].lower(): kept})


def _sets(t: Transaction, names: Names, trace: Trace) -> None:
    for one in trace.data or ([trace.body] if EXISTS.search(trace.refused) else ()):
        scope = firewall.scope_of(t, _scope_key(names))
        made = {"comment": one.get("comment", ""), "entries": {}}
        _scope(t, names, "ipset", {one["name"]: made} | scope["ipset"])


def _set(t: Transaction, names: Names, trace: Trace) -> None:
    scope = firewall.scope_of(t, _scope_key(names))
    entries = {one["cidr"]: without(one, "cidr", "digest") for one in trace.data or ()}
    _scope(t, names, "ipset", {names["name"]: {"comment": "", "entries": entries}} | scope["ipset"])


def _groups(t: Transaction, names: Names, trace: Trace) -> None:
    for one in trace.data or ([trace.body] if EXISTS.search(trace.refused) else ()):
        if t.get(groups.COLLECTION, one["group"]) is None:
            t.put(groups.COLLECTION, one["group"], {"comment": one.get("comment", ""), "rules": []})


def _group(t: Transaction, names: Names, trace: Trace) -> None:
    known = t.get(groups.COLLECTION, names["group"]) or {"comment": "", "rules": []}
    if not known["rules"]:
        known["rules"] = [without(rule, "pos", "digest") for rule in trace.data or ()]
    t.put(groups.COLLECTION, names["group"], known)


SEEDS: Final[Seeds] = (
    (rf"{_SCOPE}/options", _options),
    (rf"{_SCOPE}/rules", _rules),
    (rf"{_SCOPE}/rules/(?P<pos>\d+)", _rule),
    (rf"{_SCOPE}/aliases(?:/(?P<name>[^/]+))?", _alias),
    (rf"{_SCOPE}/ipset", _sets),
    (rf"{_SCOPE}/ipset/(?P<name>[^/]+)", _set),
    (r"cluster/firewall/groups", _groups),
    (r"cluster/firewall/groups/(?P<group>[^/]+)", _group),
)
