"""Check and diff steps recorded with the official plugin, asked of the stand-in and compared.

Compared are the verdict and the reasons of a check, the inputs it stores, and of a diff the changed names,
whether it replaces and in which order. Left out is the bridge's own bookkeeping (`__defaults`, `__meta`,
nulls, empty lists) and, inside the inputs, the defaults of properties that the stand-in refuses. Steps
that use such a property are skipped.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sandbox.plugins.check import check_resource
from sandbox.plugins.diff import diff_resource
from sandbox.plugins.properties import Property
from sandbox.plugins.proxmoxve.provider import package
from sandbox.plugins.resource import CallError, Dialect, ResourceType
from sandbox.plugins.values import UNKNOWN, Value, Values
from tests.support.shared import shared_path

GENERATED_NAME = "rec-5a8a508"
# What the official plugin stores for properties that the program did not give.
_DEFAULTS: dict[str, Value] = {
    "watchdog": {"action": "none", "enabled": False, "model": "i6300esb"},
    "timeoutClone": 1800,
    "timeoutMigrate": 1800,
    "timeoutMoveDisk": 1800,
    "timeoutReboot": 1800,
    "ipv4": {"eth0": "10.0.20.7"},
}


def value_of(recorded: Any) -> Value:
    """A recorded value as the framework holds it."""
    if isinstance(recorded, dict):
        if "$unknown" in recorded:
            return UNKNOWN
        if "$secret" in recorded:
            return value_of(recorded["$secret"])
        return {key: value_of(item) for key, item in recorded.items()}
    if isinstance(recorded, list):
        return [value_of(item) for item in recorded]
    if isinstance(recorded, float) and recorded.is_integer():
        return int(recorded)
    return recorded  # type: ignore[no-any-return]


def values_of(recorded: Any) -> Values:
    """A recorded object."""
    found = value_of(recorded or {})
    assert isinstance(found, dict)
    return found


def plain(value: Value) -> Value:
    """The value without the bridge's bookkeeping."""
    if isinstance(value, list):
        return [plain(item) for item in value if item is not None]
    if isinstance(value, dict):
        kept = {key: plain(item) for key, item in value.items() if not key.startswith("__")}
        return {key: item for key, item in kept.items() if item is not None and item != []}
    return value


def _unset(name: str, value: Value) -> bool:
    found = plain(value)
    return found in (None, "", False, 0, []) or found == {} or found == _DEFAULTS.get(name)


def uses_refused(properties: tuple[Property, ...], unsupported: frozenset[str], given: Value) -> bool:
    """Whether a value uses a name that the stand-in refuses or the official type does not have."""
    if not isinstance(given, dict):
        return False
    known = {item.name: item for item in properties}
    for name, value in given.items():
        if name.startswith("__"):
            continue
        item = known.get(name)
        if item is None or item.output:
            if not _unset(name, value):
                return True
            continue
        below = item.element if item.element is not None and item.element.fields else item
        for one in value if isinstance(value, list) else [value]:
            if below.fields and uses_refused(below.fields, below.unsupported, one):
                return True
    return False


def steps() -> Iterator[tuple[str, ResourceType[Any], dict[str, Any]]]:
    """All check and diff steps of the types that the stand-in has."""
    types = package().by_token
    with gzip.open(shared_path("schemas/plugin-recordings/proxmoxve.jsonl.gz"), "rt") as lines:
        for line in lines:
            case = json.loads(line)
            if case["type"] in types:
                for number, step in enumerate(case["steps"]):
                    if step["kind"] in ("check", "diff"):
                        yield f"{case['id']}#{number}", types[case["type"]], step


def check_difference(kind: ResourceType[Any], step: dict[str, Any]) -> str | None:
    """What differs in a check, or None."""
    expected = step["result"]
    try:
        found = check_resource(
            kind,
            values_of(step["news"]),
            olds=values_of(step["olds"]),
            name="rec",
            generated_name=GENERATED_NAME,
        )
    except CallError as error:
        message = expected.get("error", {}).get("message", "(accepted)")
        return None if message.startswith(str(error)) else f"error {error!s} instead of {message}"
    if "error" in expected:
        return f"accepted instead of {expected['error']['message']}"
    reasons = sorted(failure["reason"] for failure in expected["failures"])
    if sorted(found.reasons) != reasons:
        return f"reasons {sorted(found.reasons)} instead of {reasons}"
    return None if reasons else _unequal(plain(found.inputs), plain(values_of(expected["inputs"])), kind)


def _unequal(found: Value, wanted: Value, kind: ResourceType[Any]) -> str | None:
    assert isinstance(found, dict)
    assert isinstance(wanted, dict)
    wanted = {key: value for key, value in wanted.items() if key not in kind.unsupported}
    names = [name for name in sorted(found.keys() | wanted.keys()) if found.get(name) != wanted.get(name)]
    return "; ".join(f"{n}: {found.get(n)!r} instead of {wanted.get(n)!r}" for n in names) or None


def diff_difference(kind: ResourceType[Any], step: dict[str, Any]) -> str | None:
    """What differs in a diff, or None. Officially `__meta` replaces where an id changes; here the id does."""
    expected = step["result"]
    found = diff_resource(kind, values_of(step["olds"]), values_of(step["news"]), step["ignore_changes"])
    answer = (set(found.changed), bool(found.replaces), found.delete_before_replace)
    wanted = (
        set(expected["diffs"]) - {"__meta"},
        bool(expected["replaces"]),
        expected["delete_before_replace"],
    )
    return None if answer == wanted else f"{answer} instead of {wanted}"


def compare(part: str = "") -> tuple[Counter[str], list[str]]:
    """Agreement over all steps whose id contains `part`: counts and differences."""
    counts: Counter[str] = Counter()
    differences = []
    for name, kind, step in steps():
        if part not in name:
            continue
        if _skipped(kind, step):
            counts["skipped"] += 1
            continue
        difference = (check_difference if step["kind"] == "check" else diff_difference)(kind, step)
        counts["agree" if difference is None else "differ"] += 1
        if difference is not None:
            differences.append(f"{name} {step.get('note') or ''}: {difference}")
    return counts, differences


def _skipped(kind: ResourceType[Any], step: dict[str, Any]) -> bool:
    refused_officially = bool(step["result"].get("failures"))
    if kind.dialect is Dialect.SDK2 and refused_officially and "nvalid or unknown" in str(step["result"]):
        return False
    if uses_refused(kind.properties, kind.unsupported, values_of(step["news"])):
        return True
    state = step["kind"] == "diff" and "clone" not in step
    return state and uses_refused_state(kind, values_of(step["olds"]))


def uses_refused_state(kind: ResourceType[Any], state: Values) -> bool:
    """Whether a state holds a refused property that is set."""
    return any(name in kind.unsupported and not _unset(name, value) for name, value in state.items())
