"""The verb `reach`: who reaches whom, as a page and as data."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lab.flows import Endpoint
from lab.isolation import Verdict
from lab.isolation.proof import OpenPath
from lab.isolation.relays import Relay
from lab.isolation.violations import violation_groups
from lab.plan.records import LabPlan
from lab.render.reach.names import names_blocks, names_data
from lab.render.reach.page import Block, Lines, Page, Rows, Title
from lab.render.reach.selection import Pivot, Selection
from lab.render.reach.untold import untold
from lab.render.reach.words import (
    because,
    counted,
    ends_data,
    named,
    path_data,
    permission_text,
    port_text,
    ports_text,
    way_data,
)

Row = tuple[str, ...]


def reach_data(plan: LabPlan, found: Selection) -> dict[str, Any]:
    """The answer for a program."""
    return {
        "version": 1,
        "lab": plan.environment,
        "paths": [path_data(path) for path in found.paths],
        "by_the_ingress": [_relay_data(relay) for relay in found.relays],
        "by_pivots": None if found.pivots is None else [_pivot_data(pivot) for pivot in found.pivots],
        "names": names_data(found.names),
        "not_listed": {"closed": found.closed, "by_placement": found.placed, "published": found.published},
    }


def _relay_data(relay: Relay) -> dict[str, Any]:
    return {
        "from": str(relay.source),
        "to": str(relay.target),
        "port": str(relay.port),
        "host": relay.route.host,
        "path": relay.route.path,
        "asks_for": relay.route.auth,
        **way_data(relay.path),
    }


def _pivot_data(pivot: Pivot) -> dict[str, Any]:
    chain = pivot.chain
    return {
        "from": str(pivot.source),
        "to": str(chain.target),
        "taking": [str(step) for step in chain.steps],
        "last_step": ends_data(chain.answer),
    }


def reach_page(title: str, found: Selection) -> Page:
    """The answer for a person, by what is permitted and what is not.

    Args:
        title: what was asked.
        found: the paths.
    """
    return [
        Title(title, 1),
        *_declared(found),
        *_violations(found),
        *_untold(found),
        *names_blocks(found.names),
        *_relayed(found.relays),
        *_pivots(found.pivots),
        *_closed(found),
    ]


def pairs_page(title: str, found: Selection) -> Page:
    """The answer about some pairs for a person, port by port."""
    rows = tuple((str(path.answer.source), *row) for path in found.paths for row in _rows([path], because))
    head = ("from", "to", "port", "verdict", "because")
    return [Title(title, 1), Rows(head, rows), *_relayed(found.relays), *_pivots(found.pivots)]


def _declared(found: Selection) -> Iterator[Block]:
    """What somebody said may be, sources that reach the same told together."""
    by_source: dict[Endpoint, list[OpenPath]] = {}
    for path in found.paths:
        if path.permission is not None and path.answer.verdict is not Verdict.no:
            by_source.setdefault(path.answer.source, []).append(path)
    alike: dict[tuple[Row, ...], list[Endpoint]] = {}
    for source, paths in by_source.items():
        alike.setdefault(tuple(_rows(paths, _permitted)), []).append(source)
    yield Title("Declared")
    if not alike:
        yield Lines(("nothing that is open, or may be",))
    for rows, sources in alike.items():
        yield Title(f"from {named(sources, few=len(sources))}", 3)
        yield Rows(("to", "port", "verdict", "because"), rows, quiet=True)


def _permitted(path: OpenPath) -> str:
    return permission_text(path.permission) if path.permission else path.answer.reason


def _rows(paths: Sequence[OpenPath], why: Callable[[OpenPath], str]) -> list[Row]:
    """Paths of one source as rows, the ports of a target that are open for one reason together."""
    found: dict[tuple[Endpoint, str, str], list[OpenPath]] = {}
    for path in paths:
        found.setdefault((path.answer.target, str(path.answer.verdict), why(path)), []).append(path)
    return [
        (str(target), ports_text(path.answer.port for path in group), verdict, reason)
        for (target, verdict, reason), group in found.items()
    ]


def _violations(found: Selection) -> Iterator[Block]:
    violations = found.having(permitted=False, verdict=Verdict.yes)
    if violations:
        yield Title(f"Open, and nobody declared it: {counted(len(violations), 'path')}")
        rows = [
            (named(group.sources), named(group.targets), ports_text(group.ports), group.reason)
            for group in violation_groups(violations)
        ]
        yield Rows(("from", "to", "port", "because"), tuple(rows))


def _untold(found: Selection) -> Iterator[Block]:
    paths = [path for path in found.paths if path.answer.verdict is Verdict.unknown]
    if paths:
        undeclared = {path.answer for path in paths if path.permission is None}
        yield Title(f"Nobody can tell: {counted(len(paths), 'path')}")
        yield untold(
            [path.answer for path in paths],
            lambda answers: f", {sum(answer in undeclared for answer in answers)} undeclared",
        )


def _relayed(relays: Sequence[Relay]) -> Iterator[Block]:
    if not relays:
        return
    groups: dict[Row, list[Endpoint]] = {}
    for relay in relays:
        route = relay.route
        url = f"{route.host}{route.path or ''}"
        key = url, f"{relay.target}:{relay.port}", route.auth, str(relay.path.verdict)
        groups.setdefault(key, []).append(relay.source)
    rows = [(url, to, auth, verdict, named(who)) for (url, to, auth, verdict), who in groups.items()]
    yield Title("Passed on by the ingress (requests, not packets)")
    yield Rows(("host", "to", "asks for", "verdict", "from"), tuple(rows))


def _pivots(pivots: Sequence[Pivot] | None) -> Iterator[Block]:
    if pivots is None:
        return
    yield Title("Only by taking others first (pivots)")
    if not pivots:
        yield Lines(("nothing",))
        return
    rows = [
        (
            str(pivot.source),
            str(pivot.chain.target),
            port_text(pivot.chain.answer.port),
            " → ".join(map(str, pivot.chain.steps)),
        )
        for pivot in pivots
    ]
    yield Rows(("from", "to", "first at", "by taking"), tuple(rows))


def _closed(found: Selection) -> Iterator[Block]:
    closed = [path for path in found.paths if path.answer.verdict is Verdict.no]
    if closed:
        yield Title(f"Closed: {counted(len(closed), 'path')}")
        rows = [(str(path.answer.source), *row) for path in closed for row in _rows([path], because)]
        yield Rows(("from", "to", "port", "verdict", "because"), tuple(rows))
    left_out = []
    if found.closed:
        left_out.append(f"{counted(found.closed, 'path')} closed")
    if found.placed:
        left_out.append(
            f"{counted(found.placed, 'path')} open by placement alone: neighbours on a segment that nothing filters, "
            "and a Docker host with its own containers"
        )
    if found.published:
        left_out.append(
            f"{counted(found.published, 'path')} to published ports, told as the container that answers"
        )
    if left_out:
        yield Title("Not listed (--all lists them)")
        yield Lines(tuple(left_out))
