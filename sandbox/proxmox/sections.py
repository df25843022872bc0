"""Configuration objects that are kept as they were given: each kind has a name per object and the same five calls.

Proxmox VE keeps them in section files: resource mappings, HA resources and rules, metric servers, SDN zones and
VNets. Nothing of them is in force in the sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.proxmox import records
from sandbox.proxmox.call import Call, Handler, Routes
from sandbox.proxmox.errors import failed


def _nothing(call: Call) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Section:
    """One kind of objects.

    Attributes:
        collection: where they are kept.
        base: the path of all of them.
        key: the parameter that names one.
        missing: the text about one that is not there, with `{}` for its name; `defined` the one about one that is.
        fixed: fields of every object, whatever was given.
        implied: fields that follow from the call that makes one.
        sees: which privileges at which path (`{}` for the name) let a caller see one in the list; none: everybody.
        named_in_path: whether the call that makes one has its name in the path.
    """

    collection: str
    base: str
    key: str
    missing: str
    defined: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    implied: Callable[[Call], dict[str, Any]] = _nothing
    sees: tuple[str, tuple[str, ...]] | None = None
    named_in_path: bool = False

    def _find(self, call: Call) -> dict[str, Any]:
        name = call.values[self.key]
        found: dict[str, Any] | None = call.t.get(self.collection, name)
        if found is None:
            raise failed(self.missing.format(name))
        return found

    def _shown(self, name: str, found: dict[str, Any]) -> dict[str, Any]:
        return {**found, **self.fixed, self.key: name, "digest": records.digest(found)}

    def _may_see(self, call: Call, name: str) -> bool:
        if self.sees is None:
            return True
        path, privileges = self.sees
        return call.caller.has(path.format(name), privileges, any_of=True)

    def listing(self, call: Call) -> Any:
        """The `GET` of all."""
        found = call.t.list(self.collection)
        return [self._shown(name, one) for name, one in found if self._may_see(call, name)]

    def create(self, call: Call) -> None:
        """The `POST`."""
        name = call.values[self.key]
        if call.t.get(self.collection, name) is not None:
            raise failed(self.defined.format(name))
        given = {key: value for key, value in call.rest(*_NOT_KEPT, self.key).items() if value != ""}
        call.t.put(self.collection, name, given | self.implied(call))

    def get(self, call: Call) -> Any:
        """The `GET` of one."""
        return self._shown(call.values[self.key], self._find(call))

    def change(self, call: Call) -> None:
        """The `PUT` of one."""
        found = self._find(call)
        records.check_digest(found, call.values.get("digest"))
        for name in re.split(r"[,;\s]+", call.values.get("delete", "")):
            found.pop(name, None)
        call.t.put(self.collection, call.values[self.key], found | call.rest(*_NOT_KEPT, self.key))

    def delete(self, call: Call) -> None:
        """The `DELETE` of one."""
        self._find(call)
        call.t.delete(self.collection, call.values[self.key])

    def routes(self) -> dict[tuple[str, str], Handler]:
        """The five calls."""
        one = f"{self.base}/{{{self.key}}}"
        return {
            ("GET", self.base): self.listing,
            ("POST", one if self.named_in_path else self.base): self.create,
            ("GET", one): self.get,
            ("PUT", one): self.change,
            ("DELETE", one): self.delete,
        }


_NOT_KEPT: Final = ("digest", "delete", "lock-token", "force", "purge")


def _mapping(kind: str) -> Section:
    return Section(
        collection=f"pve/mapping-{kind}",
        base=f"/cluster/mapping/{kind}",
        key="id",
        missing="'{}' does not exist",
        defined="mapping ID '{}' already exists",
        fixed={"type": kind},
        sees=(f"/mapping/{kind}/{{}}", ("Mapping.Modify", "Mapping.Use", "Mapping.Audit")),
    )


def _kind_of_resource(call: Call) -> dict[str, Any]:
    kind, _, number = str(call.values["sid"]).partition(":")
    return {"type": kind if number else "vm", "state": call.values.get("state", "started")}


SECTIONS: Final = (
    _mapping("pci"),
    _mapping("usb"),
    _mapping("dir"),
    Section(
        collection="pve/ha-resources",
        base="/cluster/ha/resources",
        key="sid",
        missing="no such resource '{}'",
        defined="resource ID '{}' already defined",
        implied=_kind_of_resource,
    ),
    Section(
        collection="pve/ha-rules",
        base="/cluster/ha/rules",
        key="rule",
        missing="no such ha rule '{}'",
        defined="HA rule '{}' already defined",
    ),
    Section(
        collection="pve/metrics",
        base="/cluster/metrics/server",
        key="id",
        missing="status server entry '{}' does not exist",
        defined="Metric server '{}' already exists",
        implied=lambda call: {"disable": call.values.get("disable", 0)},
        named_in_path=True,
    ),
    Section(
        collection="pve/sdn-zones",
        base="/cluster/sdn/zones",
        key="zone",
        missing="sdn '{}' does not exist",
        defined="create sdn zone object failed: sdn zone object ID '{}' already defined",
        sees=("/sdn/zones/{}", ("SDN.Audit", "SDN.Allocate")),
    ),
)


def routes() -> Routes:
    """The calls of this module."""
    return {key: handler for section in SECTIONS for key, handler in section.routes().items()}
