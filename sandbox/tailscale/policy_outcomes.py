"""What the tests of a policy come to: does a rule let this source use that destination, as the test wants?

Names are compared, not devices: the sandbox's tailnet need not have any. So a test whose source or destination
is the address of a device is decided by rules about addresses alone, and an SSH test about one is not decided
and passes. Rules that ask for a device's posture let nobody in here. A test without `proto` asks for TCP or UDP;
of ICMP the port is 0 (https://tailscale.com/kb/1337/policy-syntax#tests).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from sandbox.tailscale.packet_filter import ALL_PORTS, PROTOCOLS
from sandbox.tailscale.rules import split_destination, strings
from sandbox.tailscale.selectors import Definitions, is_prefix, quoted

_USUAL = frozenset({6, 17})
_ICMP = frozenset({1, 58})
_NONROOT = "autogroup:nonroot"
Ports = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class _Opening:
    """Who may use which ports of what; `protocols` empty means all."""

    sources: list[str]
    target: str
    ports: list[Ports]
    protocols: frozenset[int]


def test_problems(policy: dict[str, Any], names: Definitions, test: dict[str, Any]) -> list[str]:
    """What a well-formed entry of `tests` finds wrong, in the control plane's words; empty where it passes."""
    openings = list(_openings(policy))
    source = str(test.get("src") or test.get("user"))
    who = _people(names, source)
    protocols = _numbers(test.get("proto")) or _USUAL
    problems = []
    for want, targets in (
        ("Accept", strings(test, "accept") or strings(test, "allow")),
        ("Drop", strings(test, "deny")),
    ):
        for text in targets:
            got = [_accepted(names, openings, person, text, protocols) for person in who]
            if (not all(got)) if want == "Accept" else any(got):
                other = "Drop" if want == "Accept" else "Accept"
                problems.append(f"address {quoted(text)}: want: {want}, got: {other}")
    return problems


def ssh_problems(policy: dict[str, Any], names: Definitions, test: dict[str, Any]) -> list[str]:
    """The same for an entry of `sshTests`."""
    source, targets = str(test["src"]), strings(test, "dst")
    if any(_address(names, selector) for selector in (source, *targets)):
        return []
    problems = []
    for want, users in (
        ("accept", strings(test, "accept")),
        ("check", strings(test, "check")),
        ("deny", strings(test, "deny")),
    ):
        for user in users:
            for target in targets:
                got = [
                    _ssh_verdicts(policy, names, person, target, user) for person in _people(names, source)
                ]
                met = not any(got) if want == "deny" else all(want in found for found in got)
                if not met:
                    problems.append(
                        f"user {quoted(user)} on {quoted(target)}: want: {want}, got: {_said(got)}"
                    )
    return problems


def _said(got: list[set[str]]) -> str:
    return "/".join(sorted(set().union(*got))) or "deny"


def _openings(policy: dict[str, Any]) -> Iterator[_Opening]:
    for rule in policy.get("acls") or []:
        sources = strings(rule, "src") or strings(rule, "users")
        for text in strings(rule, "dst") or strings(rule, "ports"):
            target, ports = split_destination(text)
            yield _Opening(
                sources=sources, target=target, ports=_spans(ports), protocols=_numbers(rule.get("proto"))
            )
    for grant in policy.get("grants") or []:
        if grant.get("srcPosture"):
            continue
        for text in strings(grant, "ip"):
            protocol, _, ports = text.rpartition(":")
            for target in strings(grant, "dst"):
                yield _Opening(
                    sources=strings(grant, "src"),
                    target=target,
                    ports=_spans(ports),
                    protocols=_numbers(protocol),
                )


def _accepted(
    names: Definitions, openings: list[_Opening], person: str, text: str, protocols: frozenset[int]
) -> bool:
    """Whether every port of a destination is open to one source, by one of the protocols."""
    target, ports = split_destination(text)
    asked = _spans(ports)
    if protocols & _ICMP and asked != [(0, 0)]:
        return False
    open_to = [
        opening
        for opening in openings
        if any(_holds(names, source, person) for source in opening.sources)
        and _holds(names, opening.target, target)
    ]
    return any(
        all(_covered(span, [o for o in open_to if not o.protocols or one in o.protocols]) for span in asked)
        for one in protocols
    )


def _covered(span: Ports, openings: list[_Opening]) -> bool:
    """Whether the openings together hold all ports of a span."""
    first, last = span
    for start, end in sorted(ports for opening in openings for ports in opening.ports):
        if start <= first <= end:
            first = end + 1
    return first > last


def _ssh_verdicts(
    policy: dict[str, Any], names: Definitions, person: str, target: str, user: str
) -> set[str]:
    return {
        str(rule["action"]).strip()
        for rule in policy.get("ssh") or []
        if not rule.get("srcPosture")
        and any(_holds(names, source, person) for source in strings(rule, "src"))
        and any(_holds(names, one, target) for one in strings(rule, "dst"))
        and any(one == user or (one == _NONROOT and user != "root") for one in strings(rule, "users"))
    }


def _people(names: Definitions, selector: str) -> list[str]:
    """The members of a group, for whom a test holds one by one; else the selector itself."""
    return list(names.groups.get(selector) or [selector])


def _address(names: Definitions, selector: str) -> bool:
    return is_prefix(str(names.hosts.get(selector, selector)))


def _holds(names: Definitions, outer: str, inner: str) -> bool:
    """Whether everything that one selector means is in another."""
    outer, inner = str(names.hosts.get(outer, outer)), str(names.hosts.get(inner, inner))
    if outer in ("*", inner):
        return True
    if outer.startswith("group:"):
        return inner in (names.groups.get(outer) or [])
    if outer == "autogroup:member":
        return "@" in inner or inner.startswith("group:")
    if outer == "autogroup:tagged":
        return inner.startswith("tag:")
    if outer.startswith("user:*@"):
        return inner.endswith(outer.removeprefix("user:*"))
    return is_prefix(outer) and is_prefix(inner) and _within(outer, inner)


def _within(outer: str, inner: str) -> bool:
    (first, last), (start, end) = _bounds(outer), _bounds(inner)
    return first.version == start.version and int(first) <= int(start) and int(end) <= int(last)


def _bounds(text: str) -> tuple[Any, Any]:
    first, dash, last = text.partition("-")
    if dash:
        return ip_address(first), ip_address(last)
    network = ip_network(text, strict=False)
    return network[0], network[-1]


def _spans(ports: str) -> list[Ports]:
    found = []
    for part in ports.split(","):
        first, _, last = part.strip().partition("-")
        found.append(ALL_PORTS if first == "*" else (int(first), int(last or first)))
    return found


def _numbers(protocol: Any) -> frozenset[int]:
    text = str(protocol or "").lower()
    if not text:
        return frozenset()
    return frozenset({int(text)} if text.isdecimal() else PROTOCOLS[text])
