"""Captures of the hosted Tailscale service, replayed against the sandbox's policy checks and packet filter.

A capture is a policy that was posted, the answer, and the packet filter that each device of its topology then got.
Filters are compared by what they permit: every combination of source, target, ports and protocols, whatever the
order in which, and the number of rules with which, the service writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.conformance.difference import Difference
from sandbox.conformance.errors import ConformanceError
from sandbox.conformance.figures import Figures, figures_of
from sandbox.conformance.recording import Case, read_text
from sandbox.conformance.replay import Outcome, Verdict
from sandbox.tailscale.errors import PolicyError
from sandbox.tailscale.packet_filter import Device, NotCompiled, Permission, packet_filters
from sandbox.tailscale.policy import check_policy

TYPES = {True: "accepted policies", False: "rejected policies"}


def read_captures(file: Path) -> dict[str, Any]:
    """The document of a file of captures.

    Raises:
        ConformanceError: it cannot be read, or is not of the format.
    """
    try:
        found = json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise ConformanceError(f"{file}: is not JSON ({error}). Give a file of captures, whole.") from None
    if not isinstance(found, dict) or not found.get("captures") or "topologies" not in found:
        raise ConformanceError(f"{file}: has no captures, or no topologies: it is no file of captures.")
    for number, capture in enumerate(found["captures"]):
        _refuse_capture(capture, f"{file}, capture {number}", found["topologies"])
    return found


def _refuse_capture(capture: Any, place: str, topologies: Any) -> None:
    needed = {"id", "code", "policy", "topology"}
    missing = sorted(needed - capture.keys()) if isinstance(capture, dict) else sorted(needed)
    if missing:
        raise ConformanceError(f"{place}: has no {', '.join(missing)}.")
    wanted = "packet_filter_rules" if capture["code"] == 200 else "body"
    if wanted not in capture:
        raise ConformanceError(f"{place} ({capture['id']}): code {capture['code']} without {wanted}.")
    if capture["topology"] not in topologies:
        raise ConformanceError(f"{place} ({capture['id']}): topology {capture['topology']!r} is not there.")


def policy_figures(file: Path) -> dict[str, Figures]:
    """The figures of accepted and of rejected policies; a step is a verdict, or one device's filter.

    Raises:
        ConformanceError: the file cannot be used.
    """
    document = read_captures(file)
    outcomes = [
        outcome
        for capture in document["captures"]
        for outcome in _outcomes(capture, document["topologies"][capture["topology"]], file.name)
    ]
    return figures_of(outcomes)


def _outcomes(capture: dict[str, Any], topology: dict[str, Any], file: str) -> Iterator[Outcome]:
    accepted = capture["code"] == 200
    case = Case(
        id=capture["id"], package="tailscale", type=TYPES[accepted], note="", died=False, steps=(), file=file
    )
    theirs = None if accepted else str(capture["body"].get("message"))
    policy, ours = _checked(capture["policy"])
    yield _outcome(case, 0, _verdict_difference(theirs, ours))
    if not accepted or policy is None:
        return
    try:
        filters = packet_filters(policy, _devices(topology, capture["policy"]))
    except NotCompiled:
        yield Outcome(case=case, step=1, verdict=Verdict.REFUSED)
        return
    rules = capture["packet_filter_rules"] or {}
    for number, name in enumerate(sorted(topology["nodes"]), 1):
        difference = _filter_difference(name, _permissions(rules.get(name) or []), filters[name])
        yield _outcome(case, number, difference)


def _outcome(case: Case, step: int, difference: Difference | None) -> Outcome:
    if difference is None:
        return Outcome(case=case, step=step, verdict=Verdict.AGREES)
    return Outcome(case=case, step=step, verdict=Verdict.DIFFERS, differences=(difference,))


def _checked(policy: Any) -> tuple[dict[str, Any] | None, str | None]:
    try:
        return check_policy(json.dumps(policy)), None
    except PolicyError as problem:
        return None, problem.message


def _verdict_difference(theirs: str | None, ours: str | None) -> Difference | None:
    if theirs == ours:
        return None
    kind = "policy: other reason"
    if ours is None:
        kind = f"policy: accepts, theirs rejects{' (tests)' if theirs == 'test(s) failed' else ''}"
    elif theirs is None:
        kind = "policy: rejects, theirs accepts"
    return Difference(kind=kind, field="", theirs=theirs or "(accepted)", ours=ours or "(accepted)")


def _devices(topology: dict[str, Any], policy: Any) -> list[Device]:
    emails = {user["name"]: user["email"] for user in topology["users"]}
    return [
        Device(
            name=name,
            addresses=(node["ipv4"], node["ipv6"]),
            user=emails.get(node.get("user") or "", ""),
            tags=frozenset(node["tags"]),
            routes=tuple(route for route in node["approved_routes"] if route in node["routable_ips"]),
        )
        for name, node in topology["nodes"].items()
    ]


def _permissions(rules: list[dict[str, Any]]) -> frozenset[Permission]:
    return frozenset(
        Permission(
            source=source,
            target=target["IP"],
            ports=(target["Ports"]["First"], target["Ports"]["Last"]),
            protocols=tuple(rule.get("IPProto") or ()),
        )
        for rule in rules
        for source in rule["SrcIPs"]
        for target in rule.get("DstPorts") or []
    )


def _filter_difference(
    name: str, theirs: frozenset[Permission], ours: frozenset[Permission]
) -> Difference | None:
    if theirs == ours:
        return None
    less, more = sorted(theirs - ours), sorted(ours - theirs)
    kind = (
        "filter: permits less and more" if less and more else f"filter: permits {'less' if less else 'more'}"
    )
    texts = [[_text(one) for one in side[:4]] for side in (less, more)]
    return Difference(kind=kind, field=name, theirs=texts[0], ours=texts[1])


def _text(one: Permission) -> str:
    protocols = f" protocols {','.join(map(str, one.protocols))}" if one.protocols else ""
    return f"{one.source} -> {one.target}:{one.ports[0]}-{one.ports[1]}{protocols}"
