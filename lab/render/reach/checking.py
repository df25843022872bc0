"""The verb `check`: findings, violations, what is put up with and what must hold, as a page and as data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lab.errors import Issue
from lab.isolation import Proof, Verdict
from lab.isolation.expectations import Outcome
from lab.isolation.findings import Finding, findings
from lab.isolation.preflight import Condition, conditions
from lab.isolation.proof import OpenPath
from lab.isolation.violations import ViolationGroup, violation_groups
from lab.plan.records import LabPlan
from lab.render.reach.page import Block, Lines, Page, Point, Points, Title
from lab.render.reach.words import counted, ends_data, named, port_text, ports_text

_HOLDS = {Verdict.yes: "holds", Verdict.no: "does not hold", Verdict.unknown: "cannot tell"}


@dataclass(frozen=True)
class Checked:
    """What is unwelcome, wrong, or promised in one lab."""

    plan: LabPlan
    findings: tuple[Finding, ...]
    violations: tuple[ViolationGroup, ...]
    accepted: tuple[OpenPath, ...]
    expectations: tuple[Outcome, ...]
    conditions: tuple[Condition, ...]
    """What the certificate depends on."""
    undecided: int
    """How many paths nobody declared and nobody can tell of."""

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The sentences that do not hold."""
        return tuple(outcome for outcome in self.expectations if outcome.verdict is Verdict.no)

    @property
    def fine(self) -> bool:
        """Whether nothing is open that nobody declared, and no sentence and nothing that the certificate needs is
        known not to hold."""
        return not self.violations and not self.failed and not self.missing

    @property
    def missing(self) -> tuple[Condition, ...]:
        """What keeps the certificate from being signed."""
        return tuple(condition for condition in self.conditions if condition.verdict is Verdict.no)


def checked(proof: Proof, seen: Sequence[Condition] = ()) -> Checked:
    """Everything that a check says of a proven lab.

    Args:
        proof: the lab.
        seen: what was asked outside about the certificate; it takes the place of what nobody can tell here.
    """
    told = {condition.what for condition in seen}
    return Checked(
        plan=proof.plan,
        findings=findings(proof),
        violations=violation_groups(proof.violations),
        accepted=proof.accepted,
        expectations=proof.expectations,
        conditions=(*(one for one in conditions(proof) if one.what not in told), *seen),
        undecided=len(proof.uncertain),
    )


def check_data(found: Checked) -> dict[str, Any]:
    """The answer for a program."""
    return {
        "version": 1,
        "ok": found.fine,
        "warnings": [_issue(warning) for warning in found.plan.warnings],
        "unrecorded": list(found.plan.unrecorded),
        "findings": [
            {
                "kind": one.kind,
                "where": one.where,
                "problem": one.problem,
                "consequence": one.consequence,
                "repair": one.repair,
            }
            for one in found.findings
        ],
        "violations": [
            {
                "from": list(map(str, group.sources)),
                "to": list(map(str, group.targets)),
                "ports": [port_text(port) for port in group.ports],
                "paths": group.paths,
                "reason": group.reason,
                "accept": group.acceptance,
            }
            for group in found.violations
        ],
        "accepted": [
            {**ends_data(path.answer), "because": path.permission.because if path.permission else ""}
            for path in found.accepted
        ],
        "expectations": [_outcome_data(outcome) for outcome in found.expectations],
        "certificate": [
            {"what": one.what, "verdict": str(one.verdict), "reason": one.reason, "repair": one.repair}
            for one in found.conditions
        ],
        "undecided": found.undecided,
    }


def _issue(issue: Issue) -> dict[str, str]:
    return {"path": issue.path, "problem": issue.problem, "repair": issue.repair}


def _outcome_data(outcome: Outcome) -> dict[str, Any]:
    part, against = outcome.expectation, outcome.against
    return {
        "place": outcome.place,
        "from": list(map(str, part.sources)),
        "to": list(map(str, part.targets)),
        "reach": part.reach,
        "because": part.because,
        "verdict": _HOLDS[outcome.verdict],
        "against": None if against is None else {**ends_data(against), "reason": against.reason},
    }


def check_page(found: Checked, lab_file: str, ledger_file: str) -> Page:
    """The answer for a person; what the whole comes to is said last.

    Args:
        found: what was found.
        lab_file: the name of the lab file.
        ledger_file: that of its ledger.
    """
    return [
        *_warnings(found.plan.warnings),
        *_findings(found.findings),
        *_violations(found.violations),
        *_accepted(found.accepted),
        *_expectations(found.expectations),
        *_conditions(found.conditions),
        *_untold(found),
        *_unrecorded(found.plan, ledger_file),
        Title(_summary(found, lab_file)),
    ]


def _warnings(warnings: Sequence[Issue]) -> Iterator[Block]:
    if warnings:
        yield Title(f"Warnings: {len(warnings)}")
        yield Points(tuple(Point(f"{w.path}: {w.problem}", (f"repair: {w.repair}",)) for w in warnings))


def _findings(found: Sequence[Finding]) -> Iterator[Block]:
    if found:
        yield Title(f"Findings: {len(found)} true and unwelcome")
        yield Points(
            tuple(
                Point(
                    f"{one.where}: {one.problem} [{one.kind}]",
                    (f"consequence: {one.consequence}", f"repair: {one.repair}"),
                )
                for one in found
            )
        )


def _violations(groups: Sequence[ViolationGroup]) -> Iterator[Block]:
    if not groups:
        return
    paths = sum(group.paths for group in groups)
    yield Title(
        f"Violations: {counted(paths, 'path')} that nobody declared, for {counted(len(groups), 'reason')}"
    )
    repair = "repair: close it, declare it under flows, or put up with it, with your reason filled in:"
    points = [
        Point(group.sentence, (f"because {group.reason}", repair), f"accept:\n  - {group.acceptance}")
        for group in groups
    ]
    yield Points(tuple(points))


def _accepted(paths: Sequence[OpenPath]) -> Iterator[Block]:
    if not paths:
        return
    groups: dict[str, list[OpenPath]] = {}
    for path in paths:
        groups.setdefault(path.permission.because if path.permission else "", []).append(path)
    points = []
    for because, group in groups.items():
        answers = [path.answer for path in group]
        ends = f"{named([a.source for a in answers])} → {named([a.target for a in answers])}"
        about = f"{ends}: {ports_text(a.port for a in answers)} ({counted(len(group), 'path')})"
        points.append(Point(about, (f"accepted because {because}",)))
    yield Title(f"Accepted: {counted(len(paths), 'path')} that no flow permits")
    yield Points(tuple(points))


def _expectations(outcomes: Sequence[Outcome]) -> Iterator[Block]:
    if outcomes:
        counts = [(sum(o.verdict is verdict for o in outcomes), word) for verdict, word in _HOLDS.items()]
        said = ", ".join(f"{word} {number}" for number, word in counts if number)
        yield Title(f"Expectations ({said})")
        yield Points(tuple(map(_outcome, outcomes)))


def _outcome(outcome: Outcome) -> Point:
    part, against = outcome.expectation, outcome.against
    one = len(part.sources) == 1
    verb = ("reaches" if one else "reach") if part.reach else f"{'does' if one else 'do'} not reach"
    sentence = f"{', '.join(map(str, part.sources))} {verb} {', '.join(map(str, part.targets))}"
    why = [f"because: {part.because}"] if part.because else []
    if against is not None:
        ends = f"{against.source} → {against.target}:{port_text(against.port)}"
        why.append(f"{ends}: {against.verdict}: {against.reason}")
    return Point(f"{_HOLDS[outcome.verdict]}: {sentence}", tuple(why))


def _conditions(found: Sequence[Condition]) -> Iterator[Block]:
    if found:
        yield Title("The certificate: what it depends on")
        yield Points(
            tuple(
                Point(
                    f"{one.verdict}: {one.what}: {one.reason}",
                    (f"repair: {one.repair}",) if one.repair else (),
                )
                for one in found
            )
        )


def _untold(found: Checked) -> Iterator[Block]:
    if found.undecided:
        yield Title(f"Nobody can tell: {counted(found.undecided, 'path')} that nobody declared")
        yield Lines(("`lab reach` says what decides each",))


def _unrecorded(plan: LabPlan, ledger_file: str) -> Iterator[Block]:
    if plan.unrecorded:
        said = f"{len(plan.unrecorded)} things are not in {ledger_file} yet: run `lab ledger --write`"
        yield Title(said)


def _summary(found: Checked, lab_file: str) -> str:
    plan = found.plan
    services = sum(len(stack.services) for stack in plan.stacks)
    held = (
        f"{len(plan.nodes)} nodes, {len(plan.vlans)} VLANs, {len(plan.guests)} guests, "
        f"{len(plan.stacks)} stacks with {services} services, {len(plan.flows)} flows"
    )
    if found.fine:
        return f"{lab_file} is fine: {held}"
    wrong = []
    if found.violations:
        paths = sum(group.paths for group in found.violations)
        wrong.append(f"{counted(paths, 'path')} that nobody declared")
    if found.failed:
        wrong.append(f"{counted(len(found.failed), 'expectation')} not met")
    if found.missing:
        wrong.append("the certificate cannot be signed")
    return f"{lab_file} is not fine: {', '.join(wrong)}"
