"""Whether a plugin refuses something clearly and by name, found out by asking it.

A stand-in may have less than the official plugin, as long as it says so: a refused type, property or address is
counted apart. Nothing is known of the plugin beforehand. What its texts say decides, and for a value that only
theirs has, a question to Check with that property alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from sandbox.conformance.difference import Path
from sandbox.conformance.recording import Step

# The words of a refusal: those of the sandbox's plugins, and of the official bridge for names it has not.
_WORDS = re.compile(r"is not supported by|the sandbox makes up no names|Invalid or unknown key")
_ADDRESS = re.compile(r"is not this checkout's sandbox|from `\.sandbox/env`")
DEFAULTS = "__defaults"
Ask = Callable[[dict[str, Any]], dict[str, Any]]
"""Sends inputs through Check and gives the answer as a recording would hold it."""


def refused_by_name(ours: dict[str, Any], names: set[str], theirs: tuple[str, ...] = ()) -> bool:
    """Whether an answer is a refusal of something in `names`; reasons that theirs gives as well do not count."""
    if "error" in ours:
        reasons = [ours["error"]["message"]]
    else:
        reasons = [one["reason"] for one in ours.get("failures", ()) if one["reason"] not in theirs]
    return any(_WORDS.search(reason) and any(name in reason for name in names) for reason in reasons)


def is_refused_address(ours: dict[str, Any]) -> bool:
    """Whether an answer refuses a configuration because it leads out of the sandbox, or has none of its keys."""
    reasons = [ours["error"]["message"]] if "error" in ours else []
    reasons += [one["reason"] for one in ours.get("failures", ())]
    return any(_ADDRESS.search(reason) for reason in reasons)


def names_in(value: Any) -> set[str]:
    """The names of all properties at every depth."""
    if isinstance(value, list):
        return {name for item in value for name in names_in(item)}
    if isinstance(value, dict):
        return {name for name in value if not name.startswith("__")} | {
            name for item in value.values() for name in names_in(item)
        }
    return set()


def given(inputs: Any) -> Any:
    """The inputs without what a Check filled in, so that they can be checked again."""
    if isinstance(inputs, list):
        return [given(item) for item in inputs]
    if not isinstance(inputs, dict):
        return inputs
    filled = {DEFAULTS, *(inputs.get(DEFAULTS) or ())}
    return {name: given(value) for name, value in inputs.items() if name not in filled}


class Refusals:
    """What the plugin refuses of the inputs of one resource type; every question is asked once."""

    def __init__(self, token: str, ask: Ask) -> None:
        """Ask about the type `token`."""
        self._token = token
        self._ask = ask
        self._answers: dict[str, bool] = {}

    def of_inputs(self, inputs: Any) -> bool:
        """Whether inputs hold something that is refused by name."""
        return self._refused(given(inputs or {}))

    def of_step(self, step: Step, ours: dict[str, Any]) -> bool:
        """Whether the answer to a Check is a refusal by name of what theirs takes."""
        theirs = step["result"]
        reasons = tuple(one["reason"] for one in theirs.get("failures", ()))
        names = names_in(step.get("news")) | {self._token}
        return "error" not in theirs and refused_by_name(ours, names, reasons)

    def of_place(self, path: Path, value: Any) -> bool:
        """Whether the property at a path of the outputs is one that Check refuses by name."""
        inputs: Any = value
        for step in reversed(path):
            inputs = [inputs] if isinstance(step, int) else {step: inputs}
        named = [step for step in path if isinstance(step, str)]
        return isinstance(inputs, dict) and bool(named) and self._refused(inputs, {named[-1]})

    def _refused(self, inputs: dict[str, Any], names: set[str] | None = None) -> bool:
        key = json.dumps([inputs, sorted(names or ())], sort_keys=True)
        if key not in self._answers:
            answer = self._ask(inputs)
            self._answers[key] = refused_by_name(answer, names or names_in(inputs) | {self._token})
        return self._answers[key]
