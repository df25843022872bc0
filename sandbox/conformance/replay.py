"""One recorded case, said again: every step sent as recorded, its answer and its HTTP traffic compared.

Steps are sent exactly as they were recorded, whatever the plugin answered before, so one difference does not
cause the next. An object that could only come from inputs which the plugin refuses is not read, updated or deleted;
a Diff is asked all the same, because states of the official plugin may meet a stand-in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sandbox.conformance.difference import Difference
from sandbox.conformance.errors import Unplayable
from sandbox.conformance.lane import Lane, PluginDied
from sandbox.conformance.recording import Case, Step
from sandbox.conformance.refusal import Refusals, is_refused_address, names_in, refused_by_name
from sandbox.conformance.results import result_differences
from sandbox.conformance.traffic import traffic_differences
from sandbox.conformance.unnoticed import Unnoticed

_TYPE_IN_NOTE = re.compile(r"^(\w+:\S+:\w+) with this configuration")


class Verdict(Enum):
    """What became of a step."""

    AGREES = "agrees"
    DIFFERS = "differs"
    REFUSED = "refused"
    UNPLAYABLE = "not replayable"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A step's verdict; `step` counts from 0."""

    case: Case
    step: int
    verdict: Verdict
    differences: tuple[Difference, ...] = ()

    @property
    def subject(self) -> str:
        """What it is counted under: the case's type."""
        return self.case.type


class Replay:
    """Replays cases of one lane; keeps what it learns about refusals."""

    def __init__(self, lane: Lane, unnoticed: Unnoticed) -> None:
        """Replay on `lane`."""
        self._lane = lane
        self._unnoticed = unnoticed
        self._refusals: dict[str, Refusals] = {}

    def outcomes(self, case: Case) -> list[Outcome]:
        """What became of every step of a case but changes from outside.

        Raises:
            ConformanceError: the plugin cannot be started, or died where theirs did not.
        """
        lane = self._lane
        if lane.engine:
            lane.engine.begin(case)
        lane.plugin(fresh=case.of_provider)
        self._tainted = self._lost = self._unconfigured = False
        self._last: Step | None = None
        found = []
        for index, step in enumerate(case.steps):
            if step["kind"] == "world":
                self._change(case, step)
                continue
            try:
                verdict, differences = self._step(case, index)
            except PluginDied as error:
                lane.stop_plugin()
                if not (case.died and index == len(case.steps) - 1):
                    raise PluginDied(f"{case.file}, case {case.id}, step {index}: {error}") from None
                verdict, differences = Verdict.AGREES, []
            found.append(Outcome(case=case, step=index, verdict=verdict, differences=tuple(differences)))
        return found

    def _change(self, case: Case, step: Step) -> None:
        """Do what happened behind the plugin's back; recorded answers know of it, an engine does not."""
        if self._lane.engine is None:
            return
        try:
            self._lane.engine.change(step, case.type, self._last)
        except Unplayable:
            self._lost = True

    def _step(self, case: Case, index: int) -> tuple[Verdict, list[Difference]]:
        step = case.steps[index]
        token = _token(case, step, self._lane.context.sample)
        refusals = self._refusals_of(token)
        if self._refused_before(step, refusals):
            return Verdict.REFUSED, []
        if self._lost and step.get("http"):
            return Verdict.UNPLAYABLE, []
        ours, traffic = self._said(case, index, token)
        if "id" in step["result"] and not step.get("preview"):
            self._last = step
        if _is_refusal(step, ours, token, refusals):
            self._unconfigured |= step["kind"] == "configure"
            return Verdict.REFUSED, []
        theirs, ours = (self._unnoticed.value(side) for side in (step["result"], ours))
        differences = result_differences(step, theirs, ours, self._left_out(step, refusals)) + traffic
        return Verdict.DIFFERS if differences else Verdict.AGREES, differences

    def _refusals_of(self, token: str) -> Refusals:
        if token not in self._refusals:

            def ask(inputs: dict[str, Any]) -> dict[str, Any]:
                return self._lane.ask({"kind": "check", "news": inputs, "olds": {}}, token)

            self._refusals[token] = Refusals(token, ask)
        return self._refusals[token]

    def _refused_before(self, step: Step, refusals: Refusals) -> bool:
        """Whether the engine would never get to this step, because Check refuses what leads to it."""
        kind = step["kind"]
        if kind not in ("diff", "create", "read", "update", "delete"):
            return False
        if self._unconfigured:
            return True
        inputs = step.get("news") if kind in ("diff", "update") else step.get("properties")
        refused = kind in ("diff", "create", "update") and refusals.of_inputs(inputs)
        before, self._tainted = self._tainted, self._tainted or (refused and kind != "diff")
        return refused or (before and kind not in ("create", "diff"))

    def _said(self, case: Case, index: int, token: str) -> tuple[dict[str, Any], list[Difference]]:
        """Our answer with placeholders, and the differences in the HTTP traffic."""
        step, lane = case.steps[index], self._lane
        recorded = step.get("http") or []
        before = [one for other in case.steps[:index] for one in other.get("http") or []]
        after = [one for other in case.steps[index + 1 :] for one in other.get("http") or []]
        lane.script.expect(recorded, before[::-1], after)
        answer = lane.ask(_mapped(step, lane.inwards), token)
        came = list(lane.script.came)
        return _mapped(answer, lane.outwards), traffic_differences(recorded, came, self._unnoticed)

    def _left_out(self, step: Step, refusals: Refusals) -> Callable[[tuple[str | int, ...], Any], bool]:
        if step["kind"] in ("check_config", "configure", "diff_config", "invoke"):
            return lambda path, value: False
        return refusals.of_place


def _is_refusal(step: Step, ours: dict[str, Any], token: str, refusals: Refusals) -> bool:
    """Whether our answer refuses, by name, something that theirs takes."""
    if refused_by_name(ours, {f"type {token}", f"function {step.get('token')}"}):
        return True  # whatever theirs says, for a type or function that ours does not have
    if step["kind"] == "check":
        return refusals.of_step(step, ours)
    if "error" in step["result"]:
        return False
    if step["kind"] in ("check_config", "configure"):
        return is_refused_address(ours)
    names = names_in(step.get("news") or step.get("args")) | {step.get("token") or token}
    reasons = tuple(one["reason"] for one in step["result"].get("failures", ()))
    return refused_by_name(ours, names, reasons)


def _token(case: Case, step: Step, sample: str) -> str:
    """The resource type of a step; cases about a provider use some type to try the configuration."""
    if not case.of_provider or step["kind"] in ("check_config", "diff_config"):
        return case.type
    named = _TYPE_IN_NOTE.match(step.get("note") or "")
    return named[1] if named else sample


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The document with every text changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_mapped(item, change) for item in value]
    if isinstance(value, dict):
        return {name: _mapped(item, change) for name, item in value.items()}
    return value
