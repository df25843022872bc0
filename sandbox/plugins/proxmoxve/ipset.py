"""proxmoxve:firewall/ipsetLegacy:IpsetLegacy. Its entries never change in place: they replace the set."""

from __future__ import annotations

from typing import Any

from sandbox.plugins.properties import block_list, boolean, string
from sandbox.plugins.proxmoxve.connection import ApiFailure, Client
from sandbox.plugins.proxmoxve.scope import (
    cluster_or_guest_path,
    guest_needs_node,
    scope_properties,
    scope_state,
)
from sandbox.plugins.resource import CallError, DeleteFirst, Dialect, Existing, ResourceType
from sandbox.plugins.values import Value, Values, blocks, flag, text

PROPERTIES = (
    *scope_properties(),
    string("name", named=True),
    string("comment"),
    block_list(
        "cidrs",
        [
            string("name", required=True, replace=True),
            string("comment", replace=True),
            boolean("nomatch", replace=True, planned_default=False),
        ],
        upstream="cidr",
        replace=True,
        default=[],
    ),
)


def _entry(given: Values) -> dict[str, Any]:
    entry: dict[str, Any] = {"cidr": text(given, "name")}
    if text(given, "comment"):
        entry["comment"] = text(given, "comment")
    if flag(given, "nomatch"):
        entry["nomatch"] = 1
    return entry


def _find(client: Client, scope: Values, name: str) -> Values | None:
    sets = client.get(cluster_or_guest_path(scope, "ipset"))
    comment = next((str(one.get("comment", "")) for one in sets if one["name"] == name), "")
    try:
        entries = client.get(cluster_or_guest_path(scope, "ipset", name))
    except ApiFailure as error:
        if error.gone:
            return None
        raise
    cidrs: list[Value] = [
        {
            "name": one["cidr"],
            "comment": one.get("comment", ""),
            "nomatch": bool(one.get("nomatch")),
        }
        for one in entries
    ]
    return {**scope_state(scope), "name": name, "comment": comment, "cidrs": cidrs}


class IpsetCalls:
    """The requests of an IP set."""

    def create(self, client: Client, inputs: Values) -> Existing:
        """Make the set and its entries. Officially, an existing one is adopted as it is."""
        name = text(inputs, "name")
        body = {"name": name} | ({"comment": text(inputs, "comment")} if text(inputs, "comment") else {})
        try:
            client.post(cluster_or_guest_path(inputs, "ipset"), body)
            for entry in blocks(inputs, "cidrs"):
                client.post(cluster_or_guest_path(inputs, "ipset", name), _entry(entry))
        except ApiFailure as error:
            if not error.exists:
                raise CallError(f"error creating IPSet: {error}") from None
        state = _find(client, inputs, name)
        if state is None:
            raise CallError(f"error creating IPSet: '{name}' is gone after it was made")
        return Existing(id=name, state=state)

    def read(self, client: Client, id: str, state: Values) -> Existing | None:
        """The set by name; imported only as `cluster/name`."""
        if not state:
            scope, _, name = id.partition("/")
            if scope != "cluster" or not name:
                return None
            id = name
        try:
            found = _find(client, state, id)
        except ApiFailure as error:
            if error.gone:
                return None
            raise CallError(f"error reading IPSet: {error}") from None
        return None if found is None else Existing(id=id, state=found)

    def update(self, client: Client, id: str, state: Values, inputs: Values) -> Values:
        """Rename the set or change its comment, which Proxmox VE treats alike."""
        name = text(inputs, "name")
        body = {"name": name, "rename": id, "comment": text(inputs, "comment")}
        try:
            client.post(cluster_or_guest_path(inputs, "ipset"), body)
            found = _find(client, inputs, name)
        except ApiFailure as error:
            raise CallError(f"error updating IPSet: {error}") from None
        return found or {}

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Remove the entries and the set. Officially, one that is gone is an error."""
        name = text(state, "name") or id
        try:
            for entry in client.get(cluster_or_guest_path(state, "ipset", name)):
                client.delete(cluster_or_guest_path(state, "ipset", name, entry["cidr"]))
            client.delete(cluster_or_guest_path(state, "ipset", name))
        except ApiFailure as error:
            raise CallError(f"error getting IPSet content: {error}") from None


TYPE: ResourceType[Client] = ResourceType(
    token="proxmoxve:firewall/ipsetLegacy:IpsetLegacy",
    dialect=Dialect.SDK2,
    zero_fields=True,
    properties=PROPERTIES,
    calls=IpsetCalls(),
    check=guest_needs_node,
    delete_first=DeleteFirst.NAMED,
)
