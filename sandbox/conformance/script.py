"""What the server behind a plugin answers in one step, and which requests it got.

A recorded request is answered with its recorded answer, each once, matched by method and path, the query
deciding between several. A request that comes more often is answered as before (a poll); one that only
another step of the case has is answered as there. Anything else gets a refusal that says so.
"""

from __future__ import annotations

import threading
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

    def __init__(self) -> None:
        """Begin without any."""
        self._lock = threading.Lock()
        self.expect([], [])

    def expect(self, here: list[dict[str, Any]], elsewhere: list[dict[str, Any]]) -> None:
        """Begin a step: its own requests, and those of the case's other steps, nearest first."""
        with self._lock:
            self._open = list(here)
            self._again: list[dict[str, Any]] = []
            self._elsewhere = elsewhere
            self.came: list[tuple[Request, dict[str, Any] | None]] = []

    def recorded(self, request: Request) -> dict[str, Any] | None:
        """The recorded request that answers this one; notes that it came."""
        with self._lock:
            found = _nearest(self._open, request)
            if found is not None:
                self._open.remove(found)
                self._again.append(found)
                self.came.append((request, found))
                return found
            self.came.append((request, None))
            return _nearest(self._again[::-1], request) or _nearest(self._elsewhere, request)


def _nearest(recorded: list[dict[str, Any]], request: Request) -> dict[str, Any] | None:
    same = [one for one in recorded if (one["method"], one["path"]) == (request.method, request.path)]
    exact = [one for one in same if (one.get("query") or {}) == request.query]
    return next(iter(exact or same), None)
