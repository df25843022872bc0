"""Findings about flows: closed by a layer, held by another one, about nothing, or against an expectation."""

from collections.abc import Iterator

from lab.flows import Endpoint, Flow
from lab.isolation.expectations import questions
from lab.isolation.findings.finding import Finding
from lab.isolation.guards import port_covers
from lab.isolation.proof import FlowVerdict, Proof
from lab.isolation.verdict import Verdict
from lab.plan.directory import OPERATOR

_NAMED = 3


def flows(proof: Proof) -> Iterator[Finding]:
    """Blocked, shadowed, unused and contradicting flows."""
    yield from _blocked(proof)
    yield from _shadowed(proof)
    yield from _unused(proof)
    yield from _contradicting(proof)


def _blocked(proof: Proof) -> Iterator[Finding]:
    """A closed flow; of those that nobody wrote, all that are closed for one reason as one."""
    derived: dict[str, list[FlowVerdict]] = {}
    declared: dict[Flow, list[FlowVerdict]] = {}
    for verdict in proof.blocked:
        if verdict.flow.source == OPERATOR and proof.plan.operator_vlan is None:
            # Where the operator is was not said, so neither was that anything is closed to it.
            continue
        if verdict.flow.origin == "derived":
            derived.setdefault(verdict.answer.reason, []).append(verdict)
        else:
            declared.setdefault(verdict.flow, []).append(verdict)
    yield from (_closed(_where(flow), "it is permitted", found) for flow, found in declared.items())
    for found in derived.values():
        about = list(dict.fromkeys(str(verdict.flow) for verdict in found))
        more = f" and {len(about) - _NAMED} more" if len(about) > _NAMED else ""
        where = "derived flow" if len(about) == 1 else f"{len(about)} derived flows"
        yield _closed(where, f"{', '.join(about[:_NAMED])}{more}: it is permitted", found)


def _closed(where: str, permitted: str, verdicts: list[FlowVerdict]) -> Finding:
    first, port = verdicts[0].answer, verdicts[0].flow.target.port
    more = f" and {len(verdicts) - 1} more pairs" if len(verdicts) > 1 else ""
    accepting = [
        leg.reason for leg in first.best.legs if leg.verdict is Verdict.yes and "accepts it" in leg.reason
    ]
    disagree = f"; yet {accepting[-1]}" if accepting else ""
    written = verdicts[0].flow.origin != "derived"
    repair = "take the flow out, or open what closes it" if written else "open what closes it"
    question = f"{first.source} {first.target}{f':{port}' if port else ''}"
    return Finding(
        kind="layers-disagree" if accepting else "blocked-flow",
        where=where,
        problem=f"{permitted}, and {first.reason} ({first.source} to {first.target}{more}){disagree}",
        consequence="what needs it does not work",
        repair=f"{repair}: `lab explain {question}`",
    )


def _shadowed(proof: Proof) -> Iterator[Finding]:
    """A declared flow that another declared flow holds entirely: removing it would change nothing."""
    members = proof.reach.directory.members
    declared = [flow for flow in proof.plan.flows if flow.origin == "declared"]
    spans = {flow: (set(members(flow.source)), set(members(flow.target.endpoint))) for flow in declared}
    # Whatever holds a flow is also about the flow's own first target, so only those are compared.
    about: dict[Endpoint, list[Flow]] = {}
    for flow in declared:
        for target in spans[flow][1]:
            about.setdefault(target, []).append(flow)
    for place, flow in enumerate(declared):
        sources, targets = spans[flow]
        for other in about.get(next(iter(targets)), ()) if targets else ():
            if other is flow or not port_covers(other.target.port, flow.target.port):
                continue
            if other.target.port is not None and flow.target.port is None:
                continue
            equal = spans[other] == spans[flow] and other.target.port == flow.target.port
            if equal and declared.index(other) > place:
                continue
            if sources <= spans[other][0] and targets <= spans[other][1]:
                yield Finding(
                    kind="shadowed-flow",
                    where=_where(flow),
                    problem=f"{other} permits it already",
                    consequence="whoever takes it out believes that the path closes, and it stays open",
                    repair="remove it, or make the wider one narrower",
                )
                break


def _unused(proof: Proof) -> Iterator[Finding]:
    members = proof.reach.directory.members
    for flow in proof.plan.flows:
        if flow.origin != "declared":
            continue
        sources, targets = members(flow.source), members(flow.target.endpoint)
        problem = None
        if not sources or not targets:
            problem = f"it is about nobody: {flow.source if not sources else flow.target.endpoint} is empty"
        elif flow.target.port is not None and all(_deaf(proof, flow, target) for target in targets):
            problem = "it is to a port on which nothing there listens"
        if problem:
            yield Finding(
                kind="unused-flow",
                where=_where(flow),
                problem=problem,
                consequence="it opens a way that nothing needs",
                repair="correct its target, list the port under listens, or remove the flow",
            )


def _deaf(proof: Proof, flow: Flow, target: Endpoint) -> bool:
    """Whether a service is known not to listen; of other machines the lab file does not say everything."""
    container = proof.reach.directory.containers.get(target)
    if container is None or container.service.host_network:
        return False
    port = flow.target.port
    return port is not None and not any(
        port_covers(listened, port) or port_covers(port, listened) for listened in container.service.listens
    )


def _contradicting(proof: Proof) -> Iterator[Finding]:
    """A flow that opens what a sentence wants closed, where planning could not see it: what a flow permits the
    internet, or a segment, others have as well."""
    for place, sentence in enumerate(proof.plan.expectations):
        if sentence.reach:
            continue
        found: dict[Flow, str] = {}
        for source, target, port in questions(proof.reach, proof.openings, sentence):
            ends = proof.reach.machine(source), proof.reach.machine(target)
            if (flow := proof.declared.flow(*ends, port)) is not None:
                found.setdefault(flow, f"{ends[0]} to {ends[1]}")
        for flow, pair in found.items():
            yield Finding(
                kind="contradicting-flow",
                where=f"expect[{place}]",
                problem=f"it wants closed what {flow} permits ({pair})",
                consequence="the path is open as soon as nothing else closes it",
                repair="remove the flow or make it narrower, or leave its ends out of the sentence",
            )


def _where(flow: Flow) -> str:
    return f"flow {flow}" if flow.origin == "declared" else f"{flow.origin} flow {flow}"
