"""cloudflare:index/apiToken:ApiToken: a token, whose value is known only when it is made.

Every change is a PUT, after which the value stays, although a preview calls it unknown; a program that wants a new
value asks for a replacement. The order of permission groups is no difference, the text of `resources` is one: a
refresh takes the API's, which has no blanks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.plugins.cloudflare.connection import Api, Missing
from sandbox.plugins.properties import block, block_list, names, one_of, string, string_list
from sandbox.plugins.resource import CallError, Dialect, Existing, ResourceType
from sandbox.plugins.values import Value, Values, items, strings, text
from sandbox.plugins.values import block as block_of

_PATH = "/user/tokens"
_TOUCHED = frozenset({"issuedOn", "lastUsedOn", "modifiedOn", "value"})
"""What the official plugin calls changed with every change."""
_PLAIN = {"expiresOn": "expires_on", "notBefore": "not_before", "status": "status"}
_FOUND = {"issuedOn": "issued_on", "lastUsedOn": "last_used_on", "modifiedOn": "modified_on", **_PLAIN}
_ADDRESSES = {"ins": "in", "notIns": "not_in"}

PROPERTIES = (
    string("name", required=True, description="Token name."),
    block_list(
        "policies",
        [
            string(
                "effect",
                required=True,
                rules=(one_of("allow", "deny"),),
                description="Allow or deny operations against the resources.",
            ),
            block_list(
                "permissionGroups",
                [string("id", required=True, description="Identifier of the permission group.")],
                required=True,
                description="A set of permission groups that are specified to the policy.",
            ),
            string(
                "resources", required=True, description="A list of resource names that the policy applies to."
            ),
        ],
        required=True,
        description="Set of access policies assigned to the token.",
    ),
    block("condition", [block("requestIp", [string_list("ins"), string_list("notIns")])]),
    string("expiresOn"),
    string("notBefore"),
    string("status", computed=True, rules=(one_of("active", "disabled", "expired"),)),
    string("issuedOn", output=True),
    string("lastUsedOn", output=True),
    string("modifiedOn", output=True),
    string("value", output=True, secret=True),
)


def also_changed(_state: Values, _inputs: Values, changed: frozenset[str]) -> frozenset[str]:
    """Name what an update touches; the plugin does not know that the value stays."""
    return changed | _TOUCHED if changed else changed


def _resources(written: str) -> Any:
    try:
        return json.loads(written)
    except json.JSONDecodeError as error:
        where = f"invalid character {written[error.pos : error.pos + 1]!r} looking for beginning of value"
        raise CallError(
            f"failed to serialize http request: json: error calling MarshalJSON for type json.RawMessage: {where}"
        ) from None


def _maps(values: Values, name: str) -> list[Values]:
    return [item for item in items(values, name) if isinstance(item, dict)]


def _body(inputs: Values) -> dict[str, Any]:
    body: dict[str, Any] = {"name": text(inputs, "name")}
    body["policies"] = [
        {
            "effect": text(policy, "effect"),
            "permission_groups": [{"id": text(group, "id")} for group in _maps(policy, "permissionGroups")],
            "resources": _resources(text(policy, "resources")),
        }
        for policy in _maps(inputs, "policies")
    ]
    body |= {key: inputs[name] for name, key in _PLAIN.items() if inputs.get(name) is not None}
    if condition := block_of(inputs, "condition"):
        wanted = block_of(condition, "requestIp")
        addresses = {key: strings(wanted, name) for name, key in _ADDRESSES.items() if name in wanted}
        body["condition"] = {"request_ip": addresses} if "requestIp" in condition else {}
    return body


def _condition(found: Mapping[str, Any]) -> Values:
    wanted = found.get("request_ip")
    if wanted is None:
        return {}
    return {
        "requestIp": {name: wanted[key] for name, key in _ADDRESSES.items() if wanted.get(key) is not None}
    }


def _policy(found: Mapping[str, Any], asked: Values) -> Value:
    """A policy as the API has it, with its groups in the order of the program where they are the same."""
    groups = [group["id"] for group in found["permission_groups"]]
    same = sorted(text(group, "id") for group in _maps(asked, "permissionGroups")) == sorted(groups)
    return {
        "effect": found["effect"],
        "permissionGroups": asked["permissionGroups"] if same else [{"id": group} for group in groups],
        "resources": json.dumps(found["resources"], separators=(",", ":")),
    }


def _existing(found: dict[str, Any], asked: Values, value: Value) -> Existing:
    policies = found.get("policies") or []
    before: list[Values] = _maps(asked, "policies")
    before += [{}] * (len(policies) - len(before))
    state: Values = {
        "name": found.get("name"),
        "policies": [_policy(policy, old) for policy, old in zip(policies, before, strict=False)],
        "condition": _condition(found["condition"]) if found.get("condition") is not None else None,
        "value": value,
        **{name: found.get(key) for name, key in _FOUND.items()},
    }
    return Existing(id=found["id"], state={name: item for name, item in state.items() if item is not None})


class TokenCalls:
    """The requests of a token."""

    def create(self, client: Api, inputs: Values) -> Existing:
        """POST the token; the answer has its value, and policies stay as asked."""
        found = client.post(_PATH, _body(inputs))
        made = _existing(found, inputs, found["value"])
        return Existing(id=made.id, state={**made.state, "policies": inputs["policies"]})

    def read(self, client: Api, id: str, state: Values) -> Existing | None:
        """GET the token; its value stays what the state has, and is missing after an import."""
        try:
            found = client.get(f"{_PATH}/{id}")
        except Missing:
            if not state:
                raise
            return None
        return _existing(found, state, state.get("value"))

    def update(self, client: Api, id: str, state: Values, inputs: Values) -> Values:
        """PUT the whole token."""
        found = client.put(f"{_PATH}/{id}", _body(inputs))
        return {**_existing(found, inputs, state.get("value")).state, "policies": inputs["policies"]}

    def delete(self, client: Api, id: str, state: Values) -> None:
        """DELETE the token, which revokes it; one that is gone is an error, officially too."""
        client.delete(f"{_PATH}/{id}")


TYPE: ResourceType[Api] = ResourceType(
    token="cloudflare:index/apiToken:ApiToken",
    dialect=Dialect.FRAMEWORK,
    properties=PROPERTIES,
    unsupported=names(""),
    calls=TokenCalls(),
    diff=also_changed,
)
