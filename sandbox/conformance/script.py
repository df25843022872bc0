"""What the server behind a plugin answers in one step, and which requests it got.

A recorded request is answered with its recorded answer, each once, matched by method and path; of several
questions, the one that was asked after as many writes as have come, so that it shows the right state. A question
that comes more often is answered as before (a poll); one that only another step of the case has is answered as
there. Anything else gets a refusal that says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.conformance.request_body import Request


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer; `body` is a document, a text, or None."""

    status: int
    body: Any
    reason: str | None = None


NOT_RECORDED = Answer(status=400, body={"message": "not in the recording"}, reason="not in the recording")


def answer_of(recorded: dict[str, Any]) -> Answer:
    """The answer of a recorded request."""
    return Answer(
        status=recorded["status"], body=recorded.get("response"), reason=recorded.get("reason") or None
    )


class Script:
    """The recorded requests of a step, and those that came. Used from several threads."""

    def __init__(self, path: Callable[[str], str] = str) -> None:
        """Begin without any; `path` gives a path as it counts."""
        self._path = path
        self._lock = threading.Lock()
        self.expect([], [], [])

    def expect(
        self, here: list[dict[str, Any]], before: list[dict[str, Any]], after: list[dict[str, Any]]
    ) -> None:
        """Begin a step: its own requests, and those of earlier and of later steps, nearest first."""
        with self._lock:
            self._here = [(one, _writes(here[:index])) for index, one in enumerate(here)]
            self._before, self._after = before, after
            self._used: list[int] = []
            self._written = 0
            self.came: list[tuple[Request, dict[str, Any] | None]] = []

    def recorded(self, request: Request) -> dict[str, Any] | None:
        """The recorded request that answers this one; notes that it came."""
        with self._lock:
            index = self._open_one(request)
            found = None if index is None else self._here[index][0]
            self.came.append((request, found))
            if index is not None:
                self._used.append(index)
            elif request.method == "GET":
                found = self._again(request)
            self._written += request.method != "GET"
            return found

    def _open_one(self, request: Request) -> int | None:
        """The unanswered request like this one; of several, that after as many writes as have come."""
        same = [
            (abs(writes - self._written), (one.get("query") or {}) != request.query, index)
            for index, (one, writes) in enumerate(self._here)
            if index not in self._used and self._is_like(one, request)
        ]
        return min(same)[2] if same else None

    def _again(self, request: Request) -> dict[str, Any] | None:
        """What answers a question that this step has not, or has less often."""
        used = [self._here[index][0] for index in reversed(self._used)]
        elsewhere = [*self._after, *self._before] if self._written else [*self._before, *self._after]
        return next((one for one in [*used, *elsewhere] if self._is_like(one, request)), None)

    def _is_like(self, recorded: dict[str, Any], request: Request) -> bool:
        same = self._path(recorded["path"]) == self._path(request.path)
        return same and recorded["method"] == request.method


def _writes(requests: list[dict[str, Any]]) -> int:
    return sum(one["method"] != "GET" for one in requests)
