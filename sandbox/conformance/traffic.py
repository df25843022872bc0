"""The requests that came in a step against the recorded ones: which, in which order, with which content.

A question changes nothing at the server. So how often it is asked within a step does not count, only whether; and the
order that counts is that of the requests that change something.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sandbox.conformance.difference import Difference, documents
from sandbox.conformance.request_body import Request
from sandbox.conformance.unnoticed import Unnoticed

Line = tuple[str, str]


def traffic_differences(
    recorded: list[dict[str, Any]],
    came: list[tuple[Request, dict[str, Any] | None]],
    unnoticed: Unnoticed,
) -> list[Difference]:
    """What differs in the HTTP traffic of a step."""
    theirs = _lines([(one["method"], one["path"]) for one in recorded], unnoticed)
    ours = _lines([(request.method, request.path) for request, _ in came], unnoticed)
    missing, extra = Counter(theirs) - Counter(ours), Counter(ours) - Counter(theirs)
    missing = Counter({line: n for line, n in missing.items() if not unnoticed.may("missing", *line)})
    extra = Counter({line: n for line, n in extra.items() if not unnoticed.may("extra", *line)})
    found = []
    if missing:
        found.append(_counted("HTTP: request missing", missing, theirs, ours))
    if extra:
        found.append(_counted("HTTP: request in addition", extra, theirs, ours))
    writes = [_writes(lines) for lines in (theirs, ours)]
    if not missing and not extra and writes[0] != writes[1]:
        found.append(Difference(kind="HTTP: other order", field="", theirs=_text(theirs), ours=_text(ours)))
    for request, one in came:
        if one is not None:
            found += _contents(one, request, unnoticed)
    return found


def _lines(requests: list[Line], unnoticed: Unnoticed) -> list[Line]:
    """The requests in order, each question once."""
    lines: list[Line] = []
    for method, path in requests:
        line = (method, unnoticed.path(path))
        if method != "GET" or line not in lines:
            lines.append(line)
    return lines


def _writes(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line[0] != "GET"]


def _text(lines: list[Line]) -> list[str]:
    return [" ".join(line) for line in lines]


def _counted(kind: str, lines: Counter[Line], theirs: list[Line], ours: list[Line]) -> Difference:
    field = ", ".join(" ".join(line) for line in sorted(lines))
    return Difference(kind=kind, field=field, theirs=_text(theirs), ours=_text(ours))


def _contents(recorded: dict[str, Any], request: Request, unnoticed: Unnoticed) -> list[Difference]:
    method, path = request.method, unnoticed.path(request.path)
    found = []
    for part, ours in (("body", request.body), ("query", request.query)):
        theirs = recorded.get(part) or ({} if part == "query" else None)
        sides = [unnoticed.part(part, method, path, side) for side in (theirs, ours)]
        if part == "body":
            sides = [{} if side is None else side for side in sides]
        for one in documents(f"HTTP: other {part}", *sides):
            place = f"{method} {path} {one.field}".strip()
            found.append(Difference(kind=one.kind, field=place, theirs=one.theirs, ours=one.ours))
    if recorded.get("headers"):
        kept = {name: request.headers.get(name) for name in recorded["headers"]}
        found += documents("HTTP: other headers", recorded["headers"], kept)
    return found
