"""Expectations and acceptances of a plan: their endpoints have to exist, and no sentence may contradict a flow."""

from collections.abc import Iterable
from functools import cache

from lab.flows import Endpoint, Flow, Port, Target
from lab.plan.directory import OPERATOR, Directory
from lab.plan.draft import Draft
from lab.plan.endpoints import check_endpoint
from lab.plan.records import Acceptance, Expectation, LabPlan


def plan_expectations(draft: Draft) -> tuple[Expectation, ...]:
    """Every sentence that must hold."""
    for index, part in enumerate(draft.config.expect):
        _check(draft, part.from_, part.to, f"expect[{index}]")
    return tuple(
        Expectation(sources=part.from_, targets=part.to, reach=part.reach, because=part.because)
        for part in draft.config.expect
    )


def plan_acceptances(draft: Draft) -> tuple[Acceptance, ...]:
    """Every path that is put up with."""
    for index, part in enumerate(draft.config.accept):
        _check(draft, part.from_, part.to, f"accept[{index}]")
    return tuple(
        Acceptance(sources=part.from_, targets=part.to, because=part.because) for part in draft.config.accept
    )


def _check(draft: Draft, sources: tuple[Endpoint, ...], targets: tuple[Target, ...], path: str) -> None:
    for source in sources:
        check_endpoint(draft, source, f"{path}.from")
    for target in targets:
        check_endpoint(draft, target.endpoint, f"{path}.to")


def check_expectations(draft: Draft, directory: Directory) -> None:
    """Refuse a sentence that something is closed which a flow opens: one of the two is not what was meant."""
    if not any(not sentence.reach for sentence in directory.plan.expectations):
        return
    everybody = cache(lambda endpoint: _everybody(directory, endpoint))
    for index, sentence in enumerate(directory.plan.expectations):
        if sentence.reach:
            continue
        sources = _all(everybody(source) for source in sentence.sources)
        for flow in directory.plan.flows:
            if sources & everybody(flow.source) and any(
                everybody(target.endpoint) & everybody(flow.target.endpoint)
                and _overlap(target.port, flow.target.port)
                for target in sentence.targets
            ):
                draft.refuse(f"expect[{index}]", _contradicted(sentence, flow), _repair(flow))


def _everybody(directory: Directory, endpoint: Endpoint) -> frozenset[Endpoint]:
    """Whom an endpoint means, in a flow and in a sentence alike: its members and, for a segment, who is on it."""
    members = frozenset(directory.members(endpoint))
    if Endpoint("tailnet") in members and directory.plan.tailnet:
        members |= {Endpoint("tailnet", group) for group in directory.plan.tailnet.groups}
    segments = {member.name for member in members if member.kind == "vlan"}
    return members | {machine for machine, vlans in _places(directory.plan) if vlans & segments}


def _places(plan: LabPlan) -> Iterable[tuple[Endpoint, set[str]]]:
    yield from ((Endpoint("guest", guest.name), {nic.vlan for nic in guest.nics}) for guest in plan.guests)
    yield from ((Endpoint("device", device.name), {device.vlan}) for device in plan.devices)
    yield from ((Endpoint("node", node.name), {node.vlan}) for node in plan.nodes if node.vlan)
    if plan.operator_vlan:
        yield OPERATOR, {plan.operator_vlan}


def _all(parts: Iterable[frozenset[Endpoint]]) -> frozenset[Endpoint]:
    return frozenset[Endpoint]().union(*parts)


def _overlap(one: Port | None, other: Port | None) -> bool:
    """Whether two ports or ranges have one in common; None is every one."""
    if one is None or other is None:
        return True
    last, other_last = one.last or one.number, other.last or other.number
    return one.protocol == other.protocol and one.number <= other_last and other.number <= last


def _contradicted(sentence: Expectation, flow: Flow) -> str:
    sources, targets = (", ".join(map(str, ends)) for ends in (sentence.sources, sentence.targets))
    said = f"{sources} is expected not to reach {targets}"
    return f"{said}, and the {flow.origin} flow {flow} permits it ({flow.because})"


def _repair(flow: Flow) -> str:
    if flow.origin == "declared":
        return "remove the flow, or name only what it leaves out"
    return "name only what the flow leaves out, or remove what it follows from"
