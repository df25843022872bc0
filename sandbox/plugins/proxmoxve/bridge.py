"""proxmoxve:network/linux/bridge:Bridge. Every write is followed by a reload of the node's network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.plugins.properties import boolean, integer, string, string_list
from sandbox.plugins.proxmoxve import rules
from sandbox.plugins.proxmoxve.connection import ApiFailure, Client, path
from sandbox.plugins.resource import CallError, Dialect, Existing, ResourceType
from sandbox.plugins.values import Values, flag, strings, text
from sandbox.plugins.values import integer as whole

_NAME = r"^[A-Za-z][A-Za-z0-9_]{0,9}$"
_NAME_TEXT = "must contain only letters, numbers, and underscores (_), start with a letter, and be no longer"
_VIDS_TEXT = 'must be a space-separated list of VLAN IDs or ranges (e.g. "1 20 130" or "2-4094")'

PROPERTIES = (
    string("nodeName", required=True, description="The name of the node."),
    string(
        "name",
        replace=True,
        named=True,
        rules=(rules.framework_pattern(_NAME, f"{_NAME_TEXT} than 10 characters"),),
    ),
    string("address", rules=(rules.cidr(4),)),
    string("address6", rules=(rules.cidr(6),)),
    string("gateway", rules=(rules.address,)),
    string("gateway6", rules=(rules.address,)),
    boolean("autostart", planned_default=True),
    integer("mtu"),
    string("comment"),
    string_list("ports"),
    boolean("vlanAware", computed=True),
    string(
        "vids", computed=True, rules=(rules.framework_pattern(r"^\d+(-\d+)?( \d+(-\d+)?)*$", _VIDS_TEXT),)
    ),
    integer("timeoutReload", planned_default=100),
)
# The API's key per property; those of the first group are deleted by name when they go.
_TEXTS = {
    "address": "cidr",
    "address6": "cidr6",
    "gateway": "gateway",
    "gateway6": "gateway6",
    "comment": "comments",
}


def _needs_name(name: str, inputs: Values) -> Iterator[str]:
    # Officially a missing name is made up; a made-up name of this object would never be the wanted one.
    if inputs.get("name") is None:
        yield (
            "Set the property name: the sandbox makes up no names for this type."
            f" Examine values at '{name}.name'."
        )


def _changes(state: Values, inputs: Values, changed: frozenset[str]) -> frozenset[str]:
    # The official provider plans an unset vids anew with any other change of a VLAN-aware bridge.
    again = changed and inputs.get("vids") is None and state.get("vids") is None
    return changed | {"vids"} if again and changed != {"vlanAware"} else changed


def _body(inputs: Values) -> dict[str, Any]:
    body: dict[str, Any] = {"iface": text(inputs, "name"), "type": "bridge"}
    body["autostart"] = inputs.get("autostart") is not False
    body |= {key: text(inputs, name) for name, key in _TEXTS.items() if text(inputs, name)}
    if strings(inputs, "ports"):
        body["bridge_ports"] = " ".join(sorted(strings(inputs, "ports")))
    if flag(inputs, "vlanAware"):
        body["bridge_vlan_aware"] = 1
    if text(inputs, "vids"):
        body["bridge_vids"] = text(inputs, "vids")
    if inputs.get("mtu") is not None:
        body["mtu"] = whole(inputs, "mtu")
    return body


def _state(node: str, found: dict[str, Any], timeout: int) -> Values:
    state: Values = {
        "nodeName": node,
        "name": found["iface"],
        "autostart": bool(found.get("autostart")),
        "vlanAware": bool(found.get("bridge_vlan_aware")),
        "timeoutReload": timeout,
    }
    for name, key in _TEXTS.items():
        if found.get(key):
            state[name] = str(found[key]).rstrip("\n")
    if found.get("bridge_ports"):
        state["ports"] = list(str(found["bridge_ports"]).split())
    if found.get("bridge_vids"):
        state["vids"] = found["bridge_vids"]
    if found.get("mtu"):
        state["mtu"] = int(found["mtu"])
    return state


def _find(client: Client, node: str, name: str, timeout: int) -> Values | None:
    for entry in client.get(path("nodes", node, "network")):
        if entry["iface"] == name and entry["type"] == "bridge":
            return _state(node, entry, timeout)
    return None


def _reload(client: Client, node: str, timeout: int) -> None:
    client.wait(client.put(path("nodes", node, "network"), {}), timeout)


class BridgeCalls:
    """The requests of a bridge."""

    def create(self, client: Client, inputs: Values) -> Existing:
        """Write the bridge and reload the network; an existing name is an error."""
        node, name = text(inputs, "nodeName"), text(inputs, "name")
        try:
            client.post(path("nodes", node, "network"), _body(inputs))
            state = self._applied(client, inputs)
        except ApiFailure as error:
            what = "the requested resource already exists\n" if error.exists else ""
            raise CallError(
                "Error creating Linux Bridge interface: Could not create Linux Bridge, unexpected error:"
                f' failed to create network interface "{name}" for node "{node}": {what}{error}'
            ) from None
        return Existing(id=f"{node}:{name}", state=state)

    def _applied(self, client: Client, inputs: Values) -> Values:
        node, name = text(inputs, "nodeName"), text(inputs, "name")
        timeout = whole(inputs, "timeoutReload") or 100
        state = _find(client, node, name, timeout)
        if state is None:
            raise CallError(f'network interface "{name}" is not on node "{node}" after it was written')
        _reload(client, node, timeout)
        return state

    def read(self, client: Client, id: str, state: Values) -> Existing | None:
        """The bridge; by id alone (`node:name`) on import."""
        node, _, name = id.partition(":")
        if not name:
            raise CallError(
                "Unexpected Import Identifier. Expected import identifier with format: `node:iface`."
                f" Got: {id!r}"
            )
        found = _find(client, text(state, "nodeName") or node, name, whole(state, "timeoutReload") or 100)
        return None if found is None else Existing(id=id, state=found)

    def update(self, client: Client, id: str, state: Values, inputs: Values) -> Values:
        """Write all settings again and reload; a new node is asked for a bridge of its own, as officially."""
        node, name = text(inputs, "nodeName"), text(inputs, "name")
        body = _body(inputs)
        gone = [key for prop, key in _TEXTS.items() if text(state, prop) and not text(inputs, prop)]
        if state.get("mtu") is not None and inputs.get("mtu") is None:
            gone.append("mtu")
        if gone:
            body["delete"] = ",".join(gone)
        try:
            client.put(path("nodes", node, "network", name), body)
            return self._applied(client, inputs)
        except ApiFailure as error:
            what = "the requested resource does not exist\n" if error.gone else ""
            raise CallError(
                "Error updating Linux Bridge interface: Could not update Linux Bridge, unexpected error:"
                f' failed to update network interface "{name}" for node "{node}": {what}{error}'
            ) from None

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Remove the bridge and reload; one that is gone is no error."""
        node, timeout = text(state, "nodeName"), whole(state, "timeoutReload") or 100
        try:
            client.delete(path("nodes", node, "network", text(state, "name")))
        except ApiFailure as error:
            if not error.gone:
                raise CallError(f"Error deleting Linux Bridge interface: {error}") from None
        _reload(client, node, timeout)


TYPE: ResourceType[Client] = ResourceType(
    token="proxmoxve:network/linux/bridge:Bridge",
    dialect=Dialect.FRAMEWORK,
    properties=PROPERTIES,
    calls=BridgeCalls(),
    check=_needs_name,
    diff=_changes,
)
