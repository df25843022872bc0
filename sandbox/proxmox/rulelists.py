"""Ordered lists of firewall rules: the same calls at every scope and in security groups.

Owns positions, moves and the checks of a rule that need more than its own text: references to aliases
and IP sets, and parameters that depend on each other. Unset matchers arrive as empty texts and are left out.
A rule that the sandbox could not enforce, such as one with a macro that it does not know, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.portfilter.services import ServiceError, services_of
from sandbox.proxmox.call import Call, Handler
from sandbox.proxmox.errors import bad_parameters, failed
from sandbox.proxmox.records import check_digest, digest
from sandbox.store import Transaction

Rule = dict[str, Any]
_FIELDS = (
    "type", "action", "enable", "comment", "source", "dest", "proto", "dport", "sport", "macro", "iface",
    "log", "icmp-type",
)  # fmt: skip
_ACTIONS = ("ACCEPT", "DROP", "REJECT")

Load = Callable[[Call], list[Rule]]
Save = Callable[[Call, list[Rule]], None]
# The names that a rule of this scope may use: aliases and IP sets, as the rule writes them.
Known = Callable[[Transaction, Mapping[str, Any]], tuple[set[str], set[str]]]


def handlers(load: Load, save: Save, known: Known) -> dict[str, Handler]:
    """The five calls of a rule list: `list`, `insert`, `get`, `change`, `delete`."""

    def listing(call: Call) -> Any:
        return [_shown(rule) | {"pos": number} for number, rule in enumerate(load(call))]

    def insert(call: Call) -> None:
        rules = load(call)
        rule = {key: call.values[key] for key in _FIELDS if call.values.get(key, "") != ""}
        _check(call, rule, known)
        rules.insert(min(call.values.get("pos", 0), len(rules)), {"enable": 0} | rule)
        save(call, rules)

    def get(call: Call) -> Any:
        position = _position(call, load(call))
        return _shown(load(call)[position]) | {"pos": str(position)}

    def change(call: Call) -> None:
        rules = load(call)
        position = _position(call, rules)
        check_digest(rules[position], call.values.get("digest"))
        if "moveto" in call.values:
            target = call.values["moveto"]
            rule = rules.pop(position)
            # The target counts in the list before the move.
            rules.insert(min(target - 1 if target > position else target, len(rules)), rule)
        else:
            rules[position] = _changed(call, rules[position])
            _check(call, rules[position], known)
        save(call, rules)

    def delete(call: Call) -> None:
        rules = load(call)
        position = _position(call, rules)
        check_digest(rules[position], call.values.get("digest"))
        del rules[position]
        save(call, rules)

    return {"list": listing, "insert": insert, "get": get, "change": change, "delete": delete}


def _shown(rule: Rule) -> Rule:
    return rule | {"digest": digest(rule)}


def _position(call: Call, rules: list[Rule]) -> int:
    position = int(call.values["pos"])
    if position >= len(rules):
        raise failed(f"no rule at position {position}")
    return position


def _changed(call: Call, rule: Rule) -> Rule:
    gone = set(re.split(r"[,;\s]+", call.values.get("delete", "")))
    given = {key: call.values[key] for key in _FIELDS if key in call.values}
    merged = {key: value for key, value in rule.items() if key not in gone} | given
    return {key: value for key, value in merged.items() if value != ""}


def _check(call: Call, rule: Rule, known: Known) -> None:
    errors: dict[str, str] = {}
    if rule["type"] != "group" and rule["action"] not in _ACTIONS:
        errors["action"] = f"unknown action '{rule['action']}'"
    for key in ("dport", "sport"):
        if key in rule and "proto" not in rule:
            errors["proto"] = f"missing property - '{key}' requires this property"
    if "group" in call.values and rule["type"] == "group":
        errors["type"] = "security groups not allowed"
    if "group" in call.values and "iface" in rule:
        errors["iface"] = (
            "name the interface in the rule that includes the group; the sandbox takes none here"
        )
    if "vmid" in call.values and not re.fullmatch(r"net\d+", rule.get("iface", "net0")):
        errors["iface"] = "value does not look like a network device key (net0, net1, ...)"
    aliases, sets = known(call.t, call.values)
    for key in ("source", "dest"):
        if reason := _reference(rule.get(key, ""), aliases, sets):
            errors[key] = reason
    if not errors and rule["type"] != "group":
        try:
            services_of(rule)
        except ServiceError as error:
            errors[error.field] = str(error)
    if errors:
        raise bad_parameters(errors)


def _reference(text: str, aliases: set[str], sets: set[str]) -> str | None:
    if text.startswith("+sdn/"):
        return None
    if text.startswith("+"):
        return None if text[1:].lower() in sets else f"no such ipset '{text[1:]}'"
    if re.fullmatch(r"(?:dc/|guest/)?[A-Za-z][A-Za-z0-9_-]*", text):
        return None if text.lower() in aliases else f"no such alias '{text}'"
    return None
