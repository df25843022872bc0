"""tailscale:index/acl:Acl, the one policy file of a tailnet.

A preview makes no request, so that a wrong policy is found only by the POST, officially too; check parses
HuJSON and
no more. Create refuses to overwrite a policy that is not the default (the service compares `If-Match:
"ts-default"`)
unless `overwriteExistingContent` is set. Delete leaves the policy unless `resetAclOnDestroy` is set.
"""

from __future__ import annotations

import uuid

from sandbox.plugins.properties import boolean, string
from sandbox.plugins.resource import CallError, Dialect, Existing, Function, ResourceType
from sandbox.plugins.tailscale import hujson
from sandbox.plugins.tailscale.connection import Api, Refused
from sandbox.plugins.values import Value, Values, flag, text

PROTECTED = (
    "Overwrite Protected: You are trying to overwrite a non-default policy. Please import the ACL"
    " first or set"
    " overwrite_existing_content = true."
)
CONFLICT = 412  # HTTP: the policy is not the one that If-Match names


def _is_hujson(value: Value) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        hujson.check(value)
    except hujson.HuJsonError as error:
        return f"Invalid Attribute Value. Attribute acl is invalid HuJSON, got: {error}"
    return None


def changed(state: Values, inputs: Values, names: frozenset[str]) -> frozenset[str]:
    """A policy that only differs in indentation is not changed."""
    new = inputs.get("acl")
    if "acl" in names and isinstance(new, str) and hujson.same_when_formatted(text(state, "acl"), new):
        return names - {"acl"}
    return names


def _policy(inputs: Values) -> str:
    return str(inputs["acl"])  # a number passes check as it is


def _state(inputs: Values) -> Values:
    return {
        name: inputs[name]
        for name in ("acl", "overwriteExistingContent", "resetAclOnDestroy")
        if name in inputs
    }


class AclCalls:
    """The requests of the policy file."""

    def create(self, client: Api, inputs: Values) -> Existing:
        """POST the policy; the id is made up, as there is only one policy."""
        try:
            client.set_policy(_policy(inputs), only_default=not flag(inputs, "overwriteExistingContent"))
        except Refused as error:
            if error.status == CONFLICT:
                raise CallError(PROTECTED) from None
            raise CallError(f"Failed to set ACL: {error}") from None
        return Existing(id=str(uuid.uuid4()), state=_state(inputs))

    def read(self, client: Api, id: str, state: Values) -> Existing | None:
        """GET the policy; any id will do."""
        return Existing(id=id, state=_state({**state, "acl": client.policy()}))

    def update(self, client: Api, id: str, state: Values, inputs: Values) -> Values:
        """POST the policy."""
        try:
            client.set_policy(_policy(inputs), only_default=False)
        except Refused as error:
            raise CallError(f"Failed to update ACL: {error}") from None
        return _state(inputs)

    def delete(self, client: Api, id: str, state: Values) -> None:
        """Leave the policy, or reset it."""
        if flag(state, "resetAclOnDestroy"):
            client.set_policy("", only_default=False)


TYPE: ResourceType[Api] = ResourceType(
    token="tailscale:index/acl:Acl",
    dialect=Dialect.FRAMEWORK,
    properties=(
        string("acl", required=True, rules=(_is_hujson,), description="The policy as JSON or HuJSON."),
        boolean("overwriteExistingContent"),
        boolean("resetAclOnDestroy"),
    ),
    calls=AclCalls(),
    diff=changed,
)


def _in_force(client: Api, _arguments: Values) -> Values:
    policy = client.policy()
    return {"hujson": policy, "id": str(uuid.uuid4()), "json": hujson.minimised(policy)}


IN_FORCE: Function[Api] = Function(token="tailscale:index/getAcl:getAcl", arguments=(), call=_in_force)
"""The policy as it is at the service, asked for in a preview as well."""
