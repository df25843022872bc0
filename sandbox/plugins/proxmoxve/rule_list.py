"""An ordered list of firewall rules, of a scope or of a security group, kept equal to what is declared.

Owns the official plugin's way of changing one: new rules are inserted, all rules (same type, action and matchers)
move to their places, kept ones are written again, and what is left over at the end goes.
"""

from __future__ import annotations

from typing import Any

from sandbox.plugins.properties import Property, block_list, boolean, expected_one_of, integer, string
from sandbox.plugins.proxmoxve.connection import ApiFailure, Client, path
from sandbox.plugins.resource import CallError
from sandbox.plugins.values import Value, Values, text

_SENT_EMPTY = {
    "comment": "comment", "dest": "dest", "dport": "dport", "macro": "macro", "proto": "proto",
    "source": "source", "sport": "sport",
}  # fmt: skip
_SENT_SET = {"iface": "iface", "log": "log"}
_MATCHERS = ("type", "action", "macro", "proto", "source", "dest", "sport", "dport", "iface", "securityGroup")


def rules_property(**traits: Any) -> Property:
    """The property `rules`."""
    fields = [
        string("action", rules=(expected_one_of("ACCEPT", "REJECT", "DROP"),)),
        string("comment"),
        string("dest"),
        string("dport"),
        boolean("enabled", default=True),
        string("iface"),
        string("log"),
        string("macro"),
        string("proto"),
        string("securityGroup"),
        string("source"),
        string("sport"),
        string("type", rules=(expected_one_of("in", "out", "forward"),)),
        integer("pos", output=True),
    ]
    return block_list("rules", fields, upstream="rule", **traits)


class RuleList:
    """The rules below one path of the API, such as `cluster/firewall/rules`."""

    def __init__(self, client: Client, where: str) -> None:
        """Act on the list at this path."""
        self._client = client
        self._where = where

    def _at(self, position: int) -> str:
        return f"{self._where}/{path(position)}"

    def read(self) -> list[Value]:
        """The rules as the state keeps them, in order."""
        count = len(self._client.get(self._where))
        return [_state(self._client.get(self._at(position))) for position in range(count)]

    def require_empty(self) -> None:
        """Refuse a list that somebody else owns. Raises CallError."""
        if self._client.get(self._where):
            raise CallError("Existing rules detected. Aborting...")

    def create(self, rules: list[Values]) -> None:
        """Insert all rules, last first, because an insert goes to the front."""
        for rule in reversed(rules):
            self._client.post(self._where, _body(rule))

    def update(self, before: list[Values], wanted: list[Values]) -> None:
        """Make the list, which was `before` when it was last seen, equal to `wanted`."""
        missing, spare = [], [_identity(rule) for rule in before]
        for rule in wanted:
            if _identity(rule) in spare:
                spare.remove(_identity(rule))
            else:
                missing.append(rule)
        self.create(missing)
        order = [_identity(_state(one)) for one in self._client.get(self._where)]
        self._move(order, wanted)
        for position, rule in enumerate(wanted):
            if rule not in missing:
                self._client.put(self._at(position), _body(rule))
        for position in reversed(range(len(wanted), len(order))):
            self._client.delete(self._at(position))

    def _move(self, order: list[tuple[str, ...]], wanted: list[Values]) -> None:
        """Move rules to their places, first place first."""
        for position, rule in enumerate(wanted):
            if _identity(rule) not in order[position:]:
                raise CallError(f"could not find the rule {text(rule, 'comment')!r} to move it to {position}")
            found = order.index(_identity(rule), position)
            if found != position:
                self._client.put(self._at(found), {"moveto": position})
                order.insert(position, order.pop(found))

    def clear(self) -> None:
        """Delete all rules, from the last position."""
        for position in reversed(range(len(self._client.get(self._where)))):
            try:
                self._client.delete(self._at(position))
            except ApiFailure as error:
                if not error.gone:
                    raise


def _body(rule: Values) -> dict[str, Any]:
    group = text(rule, "securityGroup")
    body: dict[str, Any] = {"enable": rule.get("enabled") is not False}
    if group:
        body |= {"type": "group", "action": group, "comment": text(rule, "comment")}
        return body | ({"iface": text(rule, "iface")} if text(rule, "iface") else {})
    body |= {"type": text(rule, "type"), "action": text(rule, "action")}
    body |= {key: text(rule, prop) for prop, key in _SENT_EMPTY.items()}
    return body | {key: text(rule, prop) for prop, key in _SENT_SET.items() if text(rule, prop)}


def _state(found: dict[str, Any]) -> Values:
    group = found["type"] == "group"
    texts = {**_SENT_EMPTY, **_SENT_SET}
    state: Values = {prop: found.get(key, "") for prop, key in texts.items()}
    return {
        **state,
        "enabled": bool(found.get("enable")),
        "pos": int(found.get("pos", 0)),
        "securityGroup": found["action"] if group else "",
        "type": "" if group else found["type"],
        "action": "" if group else found["action"],
    }


def _identity(rule: Values) -> tuple[str, ...]:
    return tuple(text(rule, name) for name in _MATCHERS)
