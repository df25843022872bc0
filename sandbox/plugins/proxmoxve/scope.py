"""Where a firewall object lives: the cluster, a node, a VM or a container.

Aliases, IP sets, rules and guest options all name their scope with `nodeName`, `vmId` and `containerId`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from sandbox.plugins.properties import Property, between, integer, string
from sandbox.plugins.proxmoxve.connection import path
from sandbox.plugins.resource import CallError
from sandbox.plugins.values import Value, Values, text

LOWEST, HIGHEST = 100, 2147483647


def scope_properties(*, node_required: bool = False) -> tuple[Property, ...]:
    """The three properties that name a scope."""
    limits = (between(LOWEST, HIGHEST),)
    return (
        string("nodeName", required=node_required),
        integer("vmId", rules=limits),
        integer("containerId", rules=limits),
    )


def guest_needs_node(name: str, inputs: Values) -> Iterator[str]:
    """A guest is named together with its node."""
    for guest, upstream in (("vmId", "vm_id"), ("containerId", "container_id")):
        if inputs.get(guest) is not None and inputs.get("nodeName") is None:
            yield (
                f'Missing required argument. "{upstream}": all of `node_name,{upstream}` must be specified.'
                f" Examine values at '{name}.{guest}'."
            )


def firewall_path(values: Values, *rest: str) -> str:
    """The path of the scope's firewall, or of something below it."""
    node = text(values, "nodeName")
    for guest, kind in (("vmId", "qemu"), ("containerId", "lxc")):
        if values.get(guest) is not None:
            return path("nodes", node, kind, _whole(values[guest]), "firewall", *rest)
    if node:
        return path("nodes", node, "firewall", *rest)
    return path("cluster", "firewall", *rest)


def cluster_or_guest_path(values: Values, *rest: str) -> str:
    """As `firewall_path`, for objects that nodes do not have: a node alone means the cluster."""
    guest = values.get("vmId") is not None or values.get("containerId") is not None
    return firewall_path(values if guest else {}, *rest)


def checksum(where: str) -> int:
    """The CRC-32 of a path: how the official plugin makes ids of rule lists and options."""
    return zlib.crc32(where.encode())


def scope_state(values: Values) -> Values:
    """The scope as the state keeps it."""
    return {name: values.get(name) for name in ("nodeName", "vmId", "containerId")}


def from_import_id(id: str) -> Values:
    """The scope that an import id names: `vm/node/id`, `container/node/id`, `node/name` or `cluster`."""
    kind, *rest = id.split("/")
    if kind == "cluster" and not rest:
        return {}
    if kind == "node" and len(rest) == 1:
        return {"nodeName": rest[0]}
    if kind in ("vm", "container") and len(rest) == 2 and rest[1].isdigit():
        return {"nodeName": rest[0], "vmId" if kind == "vm" else "containerId": int(rest[1])}
    raise CallError(
        f"invalid import ID: {id} (expected: 'cluster', 'node/<node_name>', 'vm/<node_name>/<vm_id>', or"
        " 'container/<node_name>/<container_id>')"
    )


def _whole(value: Value) -> int:
    return int(value) if isinstance(value, int | float) else 0
