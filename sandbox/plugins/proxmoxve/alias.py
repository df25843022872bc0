"""proxmoxve:firewall/aliasLegacy:AliasLegacy."""

from __future__ import annotations

from typing import Any

from sandbox.plugins.properties import string
from sandbox.plugins.proxmoxve.connection import ApiFailure, Client
from sandbox.plugins.proxmoxve.scope import (
    cluster_or_guest_path,
    guest_needs_node,
    scope_properties,
    scope_state,
)
from sandbox.plugins.resource import CallError, Dialect, Existing, ResourceType
from sandbox.plugins.values import Values, text

PROPERTIES = (
    *scope_properties(),
    string("name", named=True),
    string("cidr", required=True),
    string("comment"),
)


def _state(scope: Values, found: dict[str, Any]) -> Values:
    comment = str(found.get("comment", ""))
    return {**scope_state(scope), "name": found["name"], "cidr": found["cidr"], "comment": comment}


class AliasCalls:
    """The requests of an alias."""

    def create(self, client: Client, inputs: Values) -> Existing:
        """Make the alias; an existing name is an error."""
        name = text(inputs, "name")
        body = {"name": name, "cidr": text(inputs, "cidr"), "comment": text(inputs, "comment")}
        try:
            client.post(cluster_or_guest_path(inputs, "aliases"), body)
            found = client.get(cluster_or_guest_path(inputs, "aliases", name))
        except ApiFailure as error:
            raise CallError(f"error creating alias '{name}': {error}") from None
        return Existing(id=name, state=_state(inputs, found))

    def read(self, client: Client, id: str, state: Values) -> Existing | None:
        """The alias by name. Officially, an import by id alone finds nothing."""
        if not state:
            return None
        try:
            found = client.get(cluster_or_guest_path(state, "aliases", id))
        except ApiFailure as error:
            if error.gone:
                return None
            raise CallError(f"error retrieving alias '{id}': {error}") from None
        return Existing(id=id, state=_state(state, found))

    def update(self, client: Client, id: str, state: Values, inputs: Values) -> Values:
        """Change or rename it; in another scope it is asked for as it is, so that it must exist."""
        name = text(inputs, "name")
        body = {"cidr": text(inputs, "cidr"), "comment": text(inputs, "comment"), "rename": name}
        try:
            client.put(cluster_or_guest_path(inputs, "aliases", id), body)
            return _state(inputs, client.get(cluster_or_guest_path(inputs, "aliases", name)))
        except ApiFailure as error:
            raise CallError(f"error updating alias '{id}': {error}") from None

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Remove the alias; one that is gone is no error."""
        try:
            client.delete(cluster_or_guest_path(state, "aliases", text(state, "name") or id))
        except ApiFailure as error:
            if not error.gone:
                raise CallError(f"error deleting alias '{id}': {error}") from None


TYPE: ResourceType[Client] = ResourceType(
    token="proxmoxve:firewall/aliasLegacy:AliasLegacy",
    dialect=Dialect.SDK2,
    zero_fields=True,
    properties=PROPERTIES,
    calls=AliasCalls(),
    check=guest_needs_node,
)
