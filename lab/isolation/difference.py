"""Which paths open and which close between two labs, or between what is deployed and what is declared."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.flows import Endpoint, Port
from lab.isolation.proof import OpenPath, Proof
from lab.isolation.published import containers_behind
from lab.isolation.relays import relays
from lab.isolation.verdict import Verdict

Key = tuple[str, str, str]
"""Source, target and port as text; the port `other` is every one that nobody declared."""
OTHER = "other"
_RELAYED = " by the ingress"
_BETWEEN = " | "


@dataclass(frozen=True)
class Change:
    """One path that is not what it was."""

    source: str
    target: str
    port: str
    before: str
    after: str
    reason: str
    """Why it is so now; empty where nobody asked why it is closed."""


@dataclass(frozen=True)
class Difference:
    """What a change of the lab opens and closes."""

    opened: tuple[Change, ...]
    closed: tuple[Change, ...]
    changed: tuple[Change, ...]
    """What was or became uncertain."""

    def __bool__(self) -> bool:
        return bool(self.opened or self.closed or self.changed)


def open_paths(proof: Proof) -> dict[Key, tuple[str, str]]:
    """Every path that is not closed, by its ends: its verdict, and what permits or decides it.

    What follows from placement alone is not among them (`Openings.neighbours`).
    A published port is told as the container that answers. What the ingress passes on is a path of its own.
    """
    found: dict[Key, tuple[str, str]] = {}
    behind = containers_behind(proof.reach)
    for path in proof.paths:
        answer = path.answer
        if answer.port and (answer.target, answer.port) in behind:
            continue
        port = str(answer.port) if answer.port else OTHER
        found[str(answer.source), str(answer.target), port] = str(answer.verdict), _why(path)
    for relay in relays(proof, proof.openings.sources):
        key = str(relay.source), str(relay.target), f"{relay.port}{_RELAYED}"
        if key not in found or relay.path.verdict is Verdict.yes:
            found[key] = str(relay.path.verdict), relay.path.reason
    return found


def _why(path: OpenPath) -> str:
    if path.answer.verdict is Verdict.unknown:
        return path.answer.reason
    if path.permission is None:
        return f"nobody declared it: {path.answer.reason}"
    return path.permission.because


def why_closed(proof: Proof, key: Key) -> str:
    """Why a path that was open is closed in a lab, or that one of its ends is not there any more."""
    there = {*proof.openings.sources, *proof.openings.targets}
    source, target = Endpoint.parse(key[0]), Endpoint.parse(key[1])
    gone = [
        str(end) for end in (source, target) if end not in there and proof.reach.machine(end) not in there
    ]
    if gone:
        return f"{' and '.join(gone)} {'is' if len(gone) == 1 else 'are'} not there any more"
    text = key[2].removesuffix(_RELAYED)
    port = None if text == OTHER else Port.parse(text)
    if not key[2].endswith(_RELAYED):
        return proof.answer(source, target, port).reason
    ways = proof.reach.relayed(source, target, port)
    return ways[0].reason if ways else "no route of the ingress leads there"


def difference(
    before: Mapping[Key, tuple[str, str]],
    after: Mapping[Key, tuple[str, str]],
    closed_because: Callable[[Key], str] | None = None,
) -> Difference:
    """What changed between two sets of open paths, as `open_paths` gives them.

    Args:
        before: what was open.
        after: what is.
        closed_because: says of what is closed now why; without it that stays untold.
    """
    closed = str(Verdict.no)
    changes = []
    for key in sorted({*before, *after}):
        was, _ = _found(before, key)
        verdict, reason = _found(after, key)
        if was != verdict:
            if verdict == closed and closed_because is not None:
                reason = closed_because(key)
            changes.append(Change(*key, was, verdict, reason))
    return Difference(
        opened=tuple(c for c in changes if c.after == Verdict.yes),
        closed=tuple(c for c in changes if c.after == Verdict.no),
        changed=tuple(c for c in changes if c.after == Verdict.unknown),
    )


def _found(paths: Mapping[Key, tuple[str, str]], key: Key) -> tuple[str, str]:
    """What is known of a path; a port of which a lab does not speak is one of its others."""
    source, target, port = key
    fallback = (str(Verdict.no), "")
    if key in paths or port.endswith(_RELAYED):
        return paths.get(key, fallback)
    return paths.get((source, target, OTHER), fallback)


def written(paths: Mapping[Key, tuple[str, str]]) -> list[str]:
    """Open paths without their reasons, as they are kept in the stack's output: `SOURCE | TARGET | PORT | VERDICT`.

    Each is one line, because Pulumi prints every output at the end of every update.
    """
    return [_BETWEEN.join((*key, verdict)) for key, (verdict, _) in sorted(paths.items())]


def read(rows: Iterable[Any]) -> dict[Key, tuple[str, str]]:
    """Open paths as `written` gave them.

    Raises:
        ValueError: a row has another shape.
    """
    found: dict[Key, tuple[str, str]] = {}
    for row in rows:
        source, target, port, verdict = str(row).split(_BETWEEN)
        found[source, target, port] = str(Verdict(verdict)), ""
    return found
