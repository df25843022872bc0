"""proxmoxve:firewall/rulesLegacy:RulesLegacy: all rules of one scope.

Identity changes (another guest) are updates that write into the other scope, as officially.
"""

from __future__ import annotations

from sandbox.plugins.proxmoxve.connection import ApiFailure, Client
from sandbox.plugins.proxmoxve.rule_list import RuleList, rules_property
from sandbox.plugins.proxmoxve.scope import (
    checksum,
    firewall_path,
    from_import_id,
    guest_needs_node,
    scope_properties,
    scope_state,
)
from sandbox.plugins.resource import CallError, Dialect, Existing, ResourceType
from sandbox.plugins.values import Values, blocks


def _id(scope: Values) -> str:
    return f"rule-{checksum(firewall_path(scope, 'rules'))}"


class RulesCalls:
    """The requests of a rule list."""

    def _list(self, client: Client, scope: Values) -> RuleList:
        return RuleList(client, firewall_path(scope, "rules"))

    def create(self, client: Client, inputs: Values) -> Existing:
        """Insert the rules into an empty list; a list with rules is refused."""
        rules = self._list(client, inputs)
        try:
            rules.require_empty()
            rules.create(blocks(inputs, "rules"))
            return Existing(id=_id(inputs), state={**scope_state(inputs), "rules": rules.read()})
        except ApiFailure as error:
            raise CallError(f"error creating rule: {error}") from None

    def read(self, client: Client, id: str, state: Values) -> Existing | None:
        """The rules; imported by `cluster`, `node/name`, `vm/node/id` or `container/node/id`."""
        scope = state or from_import_id(id)
        try:
            rules = self._list(client, scope).read()
        except ApiFailure as error:
            if error.gone:
                return None
            raise CallError(f"error retrieving rules: {error}") from None
        return Existing(id=_id(scope), state={**scope_state(scope), "rules": rules})

    def update(self, client: Client, id: str, state: Values, inputs: Values) -> Values:
        """Make the list equal to what is declared."""
        rules = self._list(client, inputs)
        try:
            rules.update(blocks(state, "rules"), blocks(inputs, "rules"))
            return {**scope_state(inputs), "rules": rules.read()}
        except ApiFailure as error:
            raise CallError(f"error updating rule: {error}") from None

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Delete all rules; a guest that is gone took them along."""
        try:
            self._list(client, state).clear()
        except ApiFailure as error:
            if not error.gone:
                raise CallError(f"error deleting rule: {error}") from None


TYPE: ResourceType[Client] = ResourceType(
    token="proxmoxve:firewall/rulesLegacy:RulesLegacy",
    dialect=Dialect.SDK2,
    zero_fields=True,
    properties=(*scope_properties(), rules_property(default=[])),
    calls=RulesCalls(),
    check=guest_needs_node,
)
