"""proxmoxve:cluster/firewall/security/groupLegacy:GroupLegacy: a named rule list of the cluster."""

from __future__ import annotations

from sandbox.plugins.properties import string
from sandbox.plugins.proxmoxve.connection import ApiFailure, Client, path
from sandbox.plugins.proxmoxve.rule_list import RuleList, rules_property
from sandbox.plugins.proxmoxve.scope import guest_needs_node, scope_properties, scope_state
from sandbox.plugins.resource import CallError, Dialect, Existing, ResourceType
from sandbox.plugins.values import Values, blocks, text

_HERE = ("cluster", "firewall", "groups")


def _list(client: Client, name: str) -> RuleList:
    return RuleList(client, path(*_HERE, name))


def _find(client: Client, scope: Values, name: str) -> Values | None:
    for group in client.get(path(*_HERE)):
        if group["group"] == name:
            comment = str(group.get("comment", ""))
            rules = _list(client, name).read()
            return {**scope_state(scope), "name": name, "comment": comment, "rules": rules}
    return None


class GroupCalls:
    """The requests of a security group."""

    def create(self, client: Client, inputs: Values) -> Existing:
        """Make the group and its rules. Officially, an existing one is adopted as it is."""
        name = text(inputs, "name")
        try:
            client.post(path(*_HERE), {"group": name, "comment": text(inputs, "comment")})
            _list(client, name).create(blocks(inputs, "rules"))
        except ApiFailure as error:
            if not error.exists:
                raise CallError(f"error creating security group: {error}") from None
        return Existing(id=name, state=self._found(client, inputs, name))

    def _found(self, client: Client, scope: Values, name: str) -> Values:
        found = _find(client, scope, name)
        if found is None:
            raise CallError(f"no such security group '{name}'")
        return found

    def read(self, client: Client, id: str, state: Values) -> Existing | None:
        """The group by name."""
        try:
            found = _find(client, state, id)
        except ApiFailure as error:
            raise CallError(f"error reading security group: {error}") from None
        return None if found is None else Existing(id=id, state=found)

    def update(self, client: Client, id: str, state: Values, inputs: Values) -> Values:
        """Write name and comment, then the rules.

        Officially a new name renames the group and then fails to read the old one; here the new one is read.
        """
        name = text(inputs, "name")
        try:
            client.post(path(*_HERE), {"group": name, "rename": id, "comment": text(inputs, "comment")})
            _list(client, name).update(blocks(state, "rules"), blocks(inputs, "rules"))
            return self._found(client, inputs, name)
        except ApiFailure as error:
            raise CallError(f"error updating security group: {error}") from None

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Delete the rules and the group. Officially, one that is gone is an error."""
        name = text(state, "name") or id
        try:
            _list(client, name).clear()
            client.delete(path(*_HERE, name))
        except ApiFailure as error:
            raise CallError(f"error deleting security group: {error}") from None


TYPE: ResourceType[Client] = ResourceType(
    token="proxmoxve:cluster/firewall/security/groupLegacy:GroupLegacy",
    dialect=Dialect.SDK2,
    zero_fields=True,
    properties=(
        *scope_properties(),
        string("name", named=True),
        string("comment"),
        rules_property(default=[]),
    ),
    calls=GroupCalls(),
    check=guest_needs_node,
)
