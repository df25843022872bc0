"""Labels, which the docker provider writes as a set of objects and the engine as an object."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.plugins.properties import Property, block_set, string
from sandbox.plugins.values import Value, Values, blocks, text


def labels(*, computed: bool = False) -> Property:
    """The property `labels`; every change replaces."""
    fields = [string("label", required=True, replace=True), string("value", required=True, replace=True)]
    return block_set("labels", fields, replace=True, computed=computed)


def to_engine(inputs: Values) -> dict[str, str]:
    """The labels as the engine takes them."""
    return {text(one, "label"): text(one, "value") for one in blocks(inputs, "labels")}


def from_engine(found: Mapping[str, str] | None) -> Value:
    """The engine's labels as a set, in the order of their names."""
    return [{"label": name, "value": value} for name, value in sorted((found or {}).items())]
