"""What a recorded conversation takes for granted: read off its own first answers.

An answer says what was there before when nothing that the plugin wrote earlier could have changed it; a refusal to make
something says so as well, and so does a change of something that was never made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sandbox.conformance.http.api import exchange_of
from sandbox.conformance.recording import Case

EXISTS: Final = re.compile(r"already (?:exists|defined)|Token already|refusing to override existing")


# Parameters that give something new its name.
_NAMES: Final = ("groupid", "userid", "roleid", "poolid", "name", "group", "vmid", "newid")


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Something that was there: seen in a `GET`, or used by another method.

    Attributes:
        path: of the request, without the API's prefix and without a final slash.
        query: of the request.
        body: the form of the request, or nothing.
        data: what was read, or None.
        refused: the reason of a refusal, or "".
        made: names that the conversation makes something under.
    """

    method: str
    path: str
    query: dict[str, Any]
    body: dict[str, Any]
    data: Any
    refused: str
    made: frozenset[str]


def traces(case: Case, prefix: str, changes: Callable[[str], str] = str) -> Iterator[Trace]:
    """Every sign of something that was there before the plugin wrote about it, in order.

    Args:
        prefix: of all paths, without which they are given.
        changes: the path that shows what a write to a path did.
    """
    made = frozenset(_made(case))
    written: list[str] = []
    for step in case.steps:
        if step["kind"] == "world":
            return
        for recorded in step.get("http") or ():
            exchange = exchange_of(recorded)
            request, answer = exchange.request, exchange.answer
            path = request.path.removeprefix(prefix).strip("/")
            ok, reason = answer.status == 200, _reason(answer.body, answer.reason)
            fresh = not any(_concerns(one, path) for one in written)
            if (ok and fresh) or EXISTS.search(reason):
                data = answer.body.get("data") if request.method == "GET" and ok else None
                body = request.body if isinstance(request.body, dict) else {}
                yield Trace(
                    method=request.method,
                    path=path,
                    query=request.query,
                    body=body,
                    data=data,
                    refused="" if ok else reason,
                    made=made,
                )
            if ok and request.method != "GET":
                written.append(changes(path))


def _made(case: Case) -> Iterator[str]:
    for step in case.steps:
        for one in step.get("http") or ():
            if one["method"] == "POST" and one["status"] == 200 and isinstance(one.get("body"), dict):
                yield from (str(value) for key, value in one["body"].items() if key in _NAMES)


def _concerns(written: str, path: str) -> bool:
    """Whether a write to one path may have changed what another shows: one is the other or lies in it."""
    return f"{path}/".startswith(f"{written}/") or f"{written}/".startswith(f"{path}/")


def _reason(body: Any, reason: str | None) -> str:
    errors = body.get("errors") if isinstance(body, dict) else None
    return " ".join([reason or "", *(errors or {}).values()])
