"""The state as `pulumi stack export` writes it: which operations are pending, and the same state repaired.

Pure: no file, no process, no API. A create that did happen becomes a resource as the engine would have
written it, with the inputs of its operation, so that secrets stay the ciphertext that they are. Its outputs
come from a refresh that follows; until then `MARK` among its `initErrors` says so, because `pulumi stack
import` drops every pending operation and a second kill must not lose what the first one left.
"""

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CREATING = "creating"
MARK = "taken over by `lab recover`, not yet refreshed"

_SCHEMA_VERSIONS = {
    "cloudflare:index/apiToken:ApiToken": "501",
    "cloudflare:index/dnsRecord:DnsRecord": "500",
    "docker:index/container:Container": "2",
    "docker:index/network:Network": "1",
    "docker:index/volume:Volume": "1",
}
"""`__meta.schema_version` of types that have one (plugin recordings): without it a plugin would take the
state for one of version 0, and upgrade it."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A step that the engine had begun.

    Attributes:
        kind: `creating`, `updating`, `deleting`, `reading` or `importing`.
        resource: the resource as the state describes it.
        taken: ids of resources of the same type that the state has, which this one cannot be.
    """

    kind: str
    resource: Mapping[str, Any]
    taken: frozenset[str] = frozenset()

    @property
    def urn(self) -> str:
        """The resource's name in the state."""
        return str(self.resource["urn"])

    @property
    def type(self) -> str:
        """Its type token, such as `docker:index/network:Network`."""
        return str(self.resource["type"])

    @property
    def package(self) -> str:
        """The package of its type."""
        return self.type.partition(":")[0]

    @property
    def name(self) -> str:
        """Its name in the program."""
        return self.urn.rpartition("::")[2]

    @property
    def provider(self) -> str:
        """The name of its provider in the program."""
        parts = str(self.resource.get("provider", "")).split("::")
        return parts[-2] if len(parts) > 2 else ""

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What was to be created."""
        return self.resource.get("inputs") or {}

    @property
    def outside(self) -> bool:
        """Whether a plugin does it; components and providers are the engine's own."""
        return bool(self.resource.get("custom")) and not self.type.startswith("pulumi:")


def pending(document: Mapping[str, Any]) -> tuple[Operation, ...]:
    """The operations that were under way, in the order in which they began.

    Args:
        document: what `pulumi stack export` writes.
    """
    deployment = document.get("deployment") or {}
    resources = deployment.get("resources") or []
    return tuple(
        Operation(
            kind=str(operation["type"]),
            resource=operation["resource"],
            taken=frozenset(str(r["id"]) for r in resources if r.get("id") and _same_type(r, operation)),
        )
        for operation in deployment.get("pending_operations") or []
    )


def _same_type(resource: Mapping[str, Any], operation: Mapping[str, Any]) -> bool:
    return bool(resource["type"] == operation["resource"]["type"])


def marked(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The resources that still need the refresh of an earlier recovery."""
    resources = (document.get("deployment") or {}).get("resources") or []
    return tuple(dict.fromkeys(str(r["urn"]) for r in resources if MARK in (r.get("initErrors") or [])))


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """A create that did happen.

    Attributes:
        operation: the create.
        id: the id of what it made.
        replace: whether it is only half there, so that the engine has to replace it.
    """

    operation: Operation
    id: str
    replace: bool = False


def repaired(
    document: Mapping[str, Any], adoptions: Iterable[Adoption], interrupted: Iterable[Operation] = ()
) -> dict[str, Any]:
    """The state without pending operations, and with what they made.

    Args:
        document: what `pulumi stack export` writes; it stays as it is.
        adoptions: the creates that did happen.
        interrupted: operations on resources that the state has; these are marked for a refresh.
    """
    deployment = dict(document["deployment"])
    resources = [_marked(resource, interrupted) for resource in deployment.get("resources") or []]
    for adoption in adoptions:
        resources = list(_without_predecessor(resources, adoption.operation.urn))
        resources.append(_resource(adoption))
    deployment["resources"] = _sorted(resources)
    deployment.pop("pending_operations", None)
    return {**document, "deployment": deployment}


def _marked(resource: Mapping[str, Any], interrupted: Iterable[Operation]) -> dict[str, Any]:
    same = (o.urn == resource["urn"] and o.resource.get("id") == resource.get("id") for o in interrupted)
    return {**resource, "initErrors": [MARK]} if any(same) else dict(resource)


def _without_predecessor(resources: Iterable[dict[str, Any]], urn: str) -> Iterator[dict[str, Any]]:
    """What a create replaced: already deleted, or to be deleted from now on."""
    for resource in resources:
        if resource["urn"] != urn or resource.get("delete"):
            yield resource
        elif not resource.get("pendingReplacement"):
            yield {**resource, "delete": True}


def _resource(adoption: Adoption) -> dict[str, Any]:
    operation = adoption.operation
    outputs = {**_without_defaults(operation.inputs), "id": adoption.id}
    if version := _SCHEMA_VERSIONS.get(operation.type):
        outputs["__meta"] = json.dumps({"schema_version": version}, separators=(",", ":"))
    made = {**operation.resource, "id": adoption.id, "outputs": outputs}
    return {**made, "taint": True} if adoption.replace else {**made, "initErrors": [MARK]}


def _without_defaults(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_defaults(part) for key, part in value.items() if key != "__defaults"}
    return [_without_defaults(part) for part in value] if isinstance(value, list) else value


def _sorted(resources: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Everything behind what it needs, as the engine demands, and else in the order that it had."""
    places: dict[str, list[int]] = {}
    for index, resource in enumerate(resources):
        places.setdefault(str(resource["urn"]), []).append(index)
    needs = [{i for urn in _needed(resource) for i in places.get(urn, ())} for resource in resources]
    wanted_by: dict[int, list[int]] = {}
    for index, needed in enumerate(needs):
        needed.discard(index)
        for other in needed:
            wanted_by.setdefault(other, []).append(index)
    ready = [index for index, needed in enumerate(needs) if not needed]
    order: list[int] = []
    while ready:
        order.append(heapq.heappop(ready))
        for index in wanted_by.get(order[-1], ()):
            needs[index].discard(order[-1])
            if not needs[index]:
                heapq.heappush(ready, index)
    # A circle cannot be ordered; the engine refuses it with its own words.
    order += [index for index in range(len(resources)) if index not in set(order)]
    return [resources[index] for index in order]


def _needed(resource: Mapping[str, Any]) -> Iterator[str]:
    if resource.get("parent"):
        yield str(resource["parent"])
    yield from map(str, resource.get("dependencies") or ())
    for urns in (resource.get("propertyDependencies") or {}).values():
        yield from map(str, urns or ())
    if resource.get("deletedWith"):
        yield str(resource["deletedWith"])
    yield from map(str, resource.get("replaceWith") or ())
    if resource.get("provider"):
        yield str(resource["provider"]).rpartition("::")[0]
