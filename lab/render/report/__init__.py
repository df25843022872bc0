"""A plan as text for a person: what there is, where it is, and who may talk to whom."""

from collections.abc import Iterator

from lab.plan.records import LabPlan
from lab.render.picture import picture
from lab.render.report.containers import guards, networks, services
from lab.render.report.machines import machines
from lab.render.report.ways_in import edge, names
from lab.render.table import table


def plan_text(plan: LabPlan, *, flows: bool = True) -> str:
    """The whole plan.

    Args:
        plan: the plan.
        flows: whether every permission is listed too.
    """
    lines: list[str] = []
    for section in _sections(plan, flows):
        lines += [*section, ""]
    return "\n".join(lines).rstrip() + "\n"


def _sections(plan: LabPlan, flows: bool) -> Iterator[list[str]]:
    about = f": {plan.description}" if plan.description else ""
    yield [f"{plan.environment} ({plan.domain}, site {plan.site}){about}"]
    yield ["Picture", *(f"  {line}".rstrip() for line in picture(plan))]
    yield from machines(plan)
    yield from networks(plan)
    yield from services(plan)
    yield from guards(plan)
    yield from edge(plan)
    yield from names(plan)
    yield from _care(plan)
    if flows and plan.flows:
        rows = [(str(f.source), str(f.target), f.origin, f.because) for f in plan.flows]
        yield ["Flows (everything else is denied)", *table(rows, head=("from", "to", "origin", "because"))]
    if plan.warnings:
        yield ["Warnings", *(f"  - {warning}" for warning in plan.warnings)]


def _care(plan: LabPlan) -> Iterator[list[str]]:
    if plan.identity is not None:
        i = plan.identity
        clients = f" for {', '.join(map(str, i.clients))}" if i.clients else ""
        yield [f"Identity: {i.kind} at {i.endpoint}, {i.factors} factors{clients}"]
    for b in plan.backup:
        yield [
            f"Backup: {b.tool} of {b.what} to {', '.join(b.to)}, {b.schedule or 'unscheduled'} ({b.encrypted})"
        ]
    if plan.sets:
        yield [
            "Sets",
            *(f"  {name}: {', '.join(map(str, members))}" for name, members in sorted(plan.sets.items())),
        ]
