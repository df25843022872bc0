"""tailscale:index/tailnetKey:TailnetKey: an auth key, whose text is known only when it is made.

Every property but `recreateIfInvalid` replaces. A key that is used up, revoked or gone is marked `invalid` by
a
refresh; whether that replaces it depends on `recreateIfInvalid` (unset: only reusable keys).
"""

from __future__ import annotations

from typing import Any

from sandbox.plugins.properties import boolean, integer, names, one_of, string, string_set
from sandbox.plugins.resource import CallError, Dialect, Existing, ResourceType
from sandbox.plugins.tailscale.connection import Api
from sandbox.plugins.values import Value, Values, flag, strings, text
from sandbox.plugins.values import integer as integer_of

LONGEST_DESCRIPTION = 50  # characters
INPUT_NAMES = ("reusable", "ephemeral", "preauthorized", "expiry", "tags", "description", "recreateIfInvalid")


def _short(value: Value) -> str | None:
    if not isinstance(value, str) or len(value) <= LONGEST_DESCRIPTION:
        return None
    sentence = f"string length must be at most {LONGEST_DESCRIPTION}, got: {len(value)}"
    return f"Invalid Attribute Value Length. Attribute description {sentence}"


def changed(state: Values, inputs: Values, found: frozenset[str]) -> frozenset[str]:
    """An invalid key is replaced by way of its id, where it is to be made again."""
    policy = text(inputs, "recreateIfInvalid")
    again = policy == "always" or (not policy and flag(inputs, "reusable"))
    return found | {"id"} if flag(state, "invalid") and again else found


def _existing(found: dict[str, Any], state: Values) -> Existing:
    kind = found.get("keyType", "auth")
    if kind != "auth":
        raise CallError(f"Invalid key type '{kind}': Only 'auth' keys are supported by this resource")
    create = found.get("capabilities", {}).get("devices", {}).get("create", {})
    outputs: Values = {
        "reusable": create.get("reusable", False),
        "ephemeral": create.get("ephemeral", False),
        "preauthorized": create.get("preauthorized", False),
        "tags": [*sorted(create.get("tags") or [])],
        "description": found.get("description", ""),
        "createdAt": found.get("created"),
        "expiresAt": found.get("expires"),
        "expiry": state.get("expiry", found.get("expirySeconds")),
        "invalid": found.get("invalid", False),
        "userId": found.get("userId"),
        "recreateIfInvalid": state.get("recreateIfInvalid"),
        "key": found.get("key", state.get("key")),
    }
    return Existing(
        id=found["id"], state={name: value for name, value in outputs.items() if value is not None}
    )


class KeyCalls:
    """The requests of an auth key."""

    def create(self, client: Api, inputs: Values) -> Existing:
        """Make the key."""
        wanted = {name: flag(inputs, name) for name in ("reusable", "ephemeral", "preauthorized")}
        body = {
            "capabilities": {"devices": {"create": {**wanted, "tags": sorted(strings(inputs, "tags"))}}},
            "description": text(inputs, "description"),
            "expirySeconds": integer_of(inputs, "expiry"),
        }
        return _existing(client.create_key(body), inputs)

    def read(self, client: Api, id: str, state: Values) -> Existing | None:
        """Look at the key; one that is gone is kept as invalid, also on import, officially too."""
        found = client.key(id)
        if found is None:
            return Existing(id=id, state={**state, "invalid": True})
        return _existing(found, state)

    def update(self, client: Api, id: str, state: Values, inputs: Values) -> Values:
        """Only `recreateIfInvalid` changes in place, and only in the state. (The official plugin crashes here
        when
        the key is gone; an error is what it means to say.)
        """
        found = client.key(id)
        if found is None:
            raise CallError(f"the key {id} is gone from the tailnet; refresh the state (`pulumi refresh`)")
        kept = {name: value for name, value in state.items() if name != "recreateIfInvalid"}
        return _existing(
            found, {**kept, **{name: inputs[name] for name in INPUT_NAMES if name in inputs}}
        ).state

    def delete(self, client: Api, id: str, state: Values) -> None:
        """Revoke the key."""
        client.delete_key(id)


TYPE: ResourceType[Api] = ResourceType(
    token="tailscale:index/tailnetKey:TailnetKey",
    dialect=Dialect.FRAMEWORK,
    properties=(
        boolean("reusable", replace=True, planned_default=False),
        boolean("ephemeral", replace=True, planned_default=False),
        boolean("preauthorized", replace=True, planned_default=False),
        integer("expiry", replace=True, computed=True),
        string_set("tags", replace=True, planned_default=[]),
        string("description", replace=True, planned_default="", rules=(_short,)),
        string("recreateIfInvalid", rules=(one_of("", "always", "never"),)),
        string("key", output=True, secret=True),
        string("createdAt", output=True),
        string("expiresAt", output=True),
        boolean("invalid", output=True),
        string("userId", output=True),
    ),
    unsupported=names("userId"),
    calls=KeyCalls(),
    diff=changed,
)
