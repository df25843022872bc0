"""Paths that the lab file puts up with, each with its reason."""

from collections.abc import Iterable, Set
from dataclasses import dataclass

from lab.errors import AcceptanceError, Issue
from lab.flows import Endpoint, Port
from lab.isolation.declared import Permission
from lab.isolation.guards import port_covers
from lab.isolation.reach import Reach
from lab.isolation.verdict import Answer
from lab.plan.records import Acceptance


@dataclass(frozen=True)
class _Expanded:
    sources: frozenset[Endpoint]
    targets: tuple[tuple[frozenset[Endpoint], Port | None], ...]
    because: str

    def covers(self, source: Endpoint, target: Endpoint, port: Port | None) -> bool:
        return source in self.sources and any(
            target in members and port_covers(number, port) for members, number in self.targets
        )


class Acceptances:
    """The acceptances of one plan."""

    def __init__(self, reach: Reach, accepted: tuple[Acceptance, ...]) -> None:
        self._reach = reach
        self._accepted = tuple(
            _Expanded(
                frozenset().union(*(self._members(source) for source in part.sources)),
                tuple((self._unprotected(target.endpoint), target.port) for target in part.targets),
                part.because,
            )
            for part in accepted
        )

    def _members(self, endpoint: Endpoint) -> frozenset[Endpoint]:
        """An endpoint, what it stands for, and for a segment the machines on it."""
        directory, spots = self._reach.directory, self._reach.segments.spots
        members = {self._reach.machine(member) for member in directory.members(endpoint)}
        segments = {member.name for member in members if member.kind == "vlan"}
        members |= {m for m, places in spots.items() if segments & {spot.vlan for spot in places}}
        return frozenset(members)

    def _unprotected(self, endpoint: Endpoint) -> frozenset[Endpoint]:
        """The same, of a segment only the machines in front of which nothing of the lab stands: whoever puts up with
        an open segment has said nothing about a guest that has a firewall of its own."""
        named = {self._reach.machine(member) for member in self._reach.directory.members(endpoint)}
        members = self._members(endpoint)
        return frozenset(m for m in members if m in named or not self._reach.segments.is_filtered(m))

    def permission(self, answer: Answer) -> Permission | None:
        """The acceptance of a path, if there is one."""
        found = next(
            (part for part in self._accepted if part.covers(answer.source, answer.target, answer.port)), None
        )
        return Permission("accepted", found.because) if found else None

    def idle(self, accepted: Set[tuple[Endpoint, Endpoint, Port | None]]) -> list[int]:
        """The acceptances, by place, that cover none of some accepted paths."""
        return [
            place
            for place, part in enumerate(self._accepted)
            if not any(part.covers(*path) for path in accepted)
        ]


def refuse_idle(accepted: tuple[Acceptance, ...], idle: Iterable[int]) -> None:
    """Refuse acceptances of what is not there: they would hide it if it came back.

    Args:
        accepted: those of the plan.
        idle: the places of those that cover nothing, as `Proof.idle_acceptances` gives them.

    Raises:
        AcceptanceError: with every one of them.
    """
    issues = [
        Issue(
            path=f"lab.accept[{place}]",
            problem=f"no path that it covers is open any more ({_said(accepted[place])})",
            repair="remove the entry: what is not there needs no acceptance, and would be hidden if it came back",
        )
        for place in idle
    ]
    if issues:
        raise AcceptanceError(issues)


def _said(part: Acceptance) -> str:
    sources, targets = (", ".join(map(str, ends)) for ends in (part.sources, part.targets))
    return f'from {sources} to {targets}, because "{part.because}"'
