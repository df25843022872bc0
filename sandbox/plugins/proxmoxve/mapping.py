"""proxmoxve:hardware/mapping/pci:Pci: a PCI device under one name on several nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sandbox.plugins.properties import block_set, boolean, integer, string
from sandbox.plugins.proxmoxve.connection import ApiFailure, Client, path
from sandbox.plugins.resource import CallError, Dialect, Existing, ResourceType
from sandbox.plugins.values import Value, Values, blocks, flag, text

_HERE = ("cluster", "mapping", "pci")
# Property → key of the API's property string, in the order in which the official plugin writes them.
_KEYS = {
    "id": "id",
    "node": "node",
    "path": "path",
    "comment": "description",
    "iommuGroup": "iommugroup",
    "subsystemId": "subsystem-id",
}


def _device_id(value: Value) -> str | None:
    if not isinstance(value, str) or re.fullmatch(r"[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}", value):
        return None
    return (
        "Invalid Attribute Value Match. Attribute {name} value must be a valid hardware mapping device ID,"
        f' e.g. "8086:5916", got: "{value}"'
    )


PROPERTIES = (
    string("name", named=True),
    string("comment"),
    boolean("mediatedDevices", planned_default=False),
    block_set(
        "maps",
        [
            string("id", required=True, description="The ID of the map."),
            string("node", required=True, description="The node name of the map."),
            string("path", required=True, description="The path of the map."),
            string("comment"),
            integer("iommuGroup"),
            string("subsystemId", rules=(_device_id,)),
        ],
        upstream="map",
        required=True,
        whole=True,
        description="The actual map of devices for the hardware mapping.",
    ),
)


def _needs_name(name: str, inputs: Values) -> Iterator[str]:
    # Officially a missing name is made up; a made-up name of this object would never be the wanted one.
    if inputs.get("name") is None:
        yield (
            "Set the property name: the sandbox makes up no names for this type."
            f" Examine values at '{name}.name'."
        )


def _entry(given: Values) -> str:
    pairs = ((key, given.get(prop)) for prop, key in _KEYS.items())
    return ",".join(f"{key}={value}" for key, value in pairs if value not in (None, ""))


def _map(entry: str) -> Value:
    found = dict(part.split("=", 1) for part in entry.split(","))
    known: Values = {prop: found[key] for prop, key in _KEYS.items() if key in found}
    if "iommuGroup" in known:
        known["iommuGroup"] = int(str(known["iommuGroup"]))
    return known


def _state(name: str, found: dict[str, Any]) -> Values:
    maps: list[Value] = [_map(entry) for entry in found["map"]]
    state: Values = {"name": name, "maps": maps, "mediatedDevices": bool(found.get("mdev"))}
    if found.get("description"):
        state["comment"] = found["description"]
    return state


class PciCalls:
    """The requests of a PCI mapping."""

    def create(self, client: Client, inputs: Values) -> Existing:
        """Make the mapping; an existing name is an error."""
        name = text(inputs, "name")
        body: dict[str, Any] = {"id": name, "map": [_entry(one) for one in blocks(inputs, "maps")]}
        if text(inputs, "comment"):
            body["description"] = text(inputs, "comment")
        if flag(inputs, "mediatedDevices"):
            body["mdev"] = 1
        try:
            client.post(path(*_HERE), body)
            return Existing(id=name, state=_state(name, client.get(path(*_HERE, name))))
        except ApiFailure as error:
            raise CallError(f'Could not create PCI hardware mapping "{name}": {error}') from None

    def read(self, client: Client, id: str, state: Values) -> Existing | None:
        """The mapping by name."""
        name = text(state, "name") or id
        try:
            return Existing(id=id, state=_state(name, client.get(path(*_HERE, name))))
        except ApiFailure as error:
            if error.gone:
                return None
            raise CallError(f'Could not read PCI hardware mapping "{name}": {error}') from None

    def update(self, client: Client, id: str, state: Values, inputs: Values) -> Values:
        """Write it again; another name is asked for as it is, so that it must exist, as officially."""
        name = text(inputs, "name")
        body: dict[str, Any] = {"map": [_entry(one) for one in blocks(inputs, "maps")]}
        gone = []
        if text(inputs, "comment"):
            body["description"] = text(inputs, "comment")
        else:
            gone.append("description")
        if flag(inputs, "mediatedDevices"):
            body["mdev"] = 1
        else:
            gone.append("mdev")
        if gone:
            body["delete"] = ",".join(gone)
        try:
            client.put(path(*_HERE, name), body)
            return _state(name, client.get(path(*_HERE, name)))
        except ApiFailure as error:
            what = "the requested resource does not exist\n" if error.gone else ""
            raise CallError(
                f'Could not update PCI hardware mapping "{name}": udating hardware mapping "{name}":'
                f" {what}{error}"
            ) from None

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Remove the mapping; one that is gone is no error."""
        try:
            client.delete(path(*_HERE, text(state, "name")))
        except ApiFailure as error:
            if not error.gone:
                raise CallError(f"Could not delete PCI hardware mapping: {error}") from None


TYPE: ResourceType[Client] = ResourceType(
    token="proxmoxve:hardware/mapping/pci:Pci",
    dialect=Dialect.FRAMEWORK,
    properties=PROPERTIES,
    calls=PciCalls(),
    check=_needs_name,
)
