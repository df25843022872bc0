"""A recorded result against the given one, step kind by step kind. Both are free of declared differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.conformance.difference import Difference, Path, documents
from sandbox.conformance.recording import Step

LeftOut = Callable[[Path, Any], bool]


def result_differences(step: Step, theirs: Any, ours: Any, left_out: LeftOut) -> list[Difference]:
    """What differs in the results of a step.

    Args:
        left_out: whether an input property that the plugin refuses explains a missing value.
    """
    kind = step["kind"]
    if "error" in theirs or "error" in ours:
        return _errors(kind, theirs, ours, left_out)
    if kind == "get_plugin_info":
        return []  # the version of the plugin itself: that of the recording is another by nature
    if kind in ("check", "check_config", "invoke"):
        return _checked(kind, theirs, ours, left_out)
    if kind in ("diff", "diff_config"):
        return _diffed(kind, theirs, ours)
    what = f"{kind} in preview" if step.get("preview") else kind
    found = []
    for name, words in (("id", "id"), ("properties", "outputs"), ("inputs", "inputs")):
        if name in theirs or name in ours:
            default = "" if name == "id" else {}
            pair = (theirs.get(name, default), ours.get(name, default))
            found += _named(f"{what}: other {words}", name, *pair, left_out)
    rest = {"id", "properties", "inputs"}
    return found + documents(f"{kind}: other answer", _less(theirs, rest), _less(ours, rest))


def _less(document: Any, names: set[str]) -> Any:
    return {name: value for name, value in document.items() if name not in names}


def _named(kind: str, name: str, theirs: Any, ours: Any, left_out: LeftOut) -> list[Difference]:
    found = documents(kind, theirs, ours, left_out)
    return [
        Difference(kind=one.kind, field=one.field or name, theirs=one.theirs, ours=one.ours) for one in found
    ]


def _errors(kind: str, theirs: Any, ours: Any, left_out: LeftOut) -> list[Difference]:
    their, our = theirs.get("error"), ours.get("error")
    if their is None or our is None:
        what = f"{kind}: {'fails, theirs does not' if their is None else 'does not fail, theirs does'}"
        said = [(one or {}).get("message", "(no error)") for one in (their, our)]
        return [Difference(kind=what, field="error", theirs=said[0], ours=said[1])]
    if their["code"] == "UNAVAILABLE":
        return []  # theirs crashed: any failure that is said is at least as good
    if their["code"] == our["code"] == "UNIMPLEMENTED":
        return []  # the engine looks at the code alone and goes on without the method
    found = documents(f"{kind}: other error", _less(their, {"init_failed"}), _less(our, {"init_failed"}))
    kept, ours_kept = their.get("init_failed"), our.get("init_failed")
    if (kept is None) != (ours_kept is None):
        what = f"{kind}: {'keeps' if kept is None else 'keeps no'} half-made resource"
        return [*found, Difference(kind=what, field="init_failed", theirs=kept, ours=ours_kept)]
    # The engine ignores inputs of a failed create: it has them.
    their_half, our_half = (_less(one or {}, {"inputs"}) for one in (kept, ours_kept))
    what = f"{kind}: other half-made resource"
    return found + documents(what, their_half, our_half, lambda path, value: left_out(path[1:], value))


def _checked(kind: str, theirs: Any, ours: Any, left_out: LeftOut) -> list[Difference]:
    their, our = ([one["reason"] for one in side["failures"]] for side in (theirs, ours))
    if bool(their) != bool(our):
        what = f"{kind}: {'accepts, theirs refuses' if their else 'refuses, theirs accepts'}"
        return [Difference(kind=what, field="failures", theirs=their, ours=our)]
    if their:
        # Several failures come in random order; the inputs of a refused check are not used.
        return documents(f"{kind}: other reasons", sorted(their), sorted(our))
    name = "return" if kind == "invoke" else "inputs"
    return _named(f"{kind}: other {name}", name, theirs.get(name), ours.get(name), left_out)


def _diffed(kind: str, theirs: Any, ours: Any) -> list[Difference]:
    found = []
    for name, words in (("changes", "verdict"), ("delete_before_replace", "order of replacement")):
        found += _named(f"{kind}: other {words}", name, theirs[name], ours[name], _never)
    # `__meta` is bookkeeping of the bridge, also where it is what replaces.
    sides = [sorted(set(side["diffs"]) - {"__meta"}) for side in (theirs, ours)]
    if sides[0] != sides[1]:
        found.append(Difference(kind=f"{kind}: other changes", field="diffs", theirs=sides[0], ours=sides[1]))
    replaces = [sorted(set(side["replaces"])) for side in (theirs, ours)]
    if bool(replaces[0]) != bool(replaces[1]):
        what = f"{kind}: {'updates, theirs replaces' if replaces[0] else 'replaces, theirs updates'}"
        found.append(Difference(kind=what, field="replaces", theirs=replaces[0], ours=replaces[1]))
    return found


def _never(_path: Path, _value: Any) -> bool:
    return False
