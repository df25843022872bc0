"""What an API of the sandbox must offer so that recorded requests can be sent to it: one adapter for each package.

An adapter knows three things that a recording cannot tell by itself: what was there before the first request,
how an id that the recording's server gave translates into the one given here, and which fields of an answer
the plugin reads. Everything else is in `replay`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.conformance.difference import Difference
from sandbox.conformance.recording import Case, Step
from sandbox.conformance.request_body import Request
from sandbox.conformance.script import Answer, answer_of


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A recorded request and its recorded answer."""

    request: Request
    answer: Answer


class Server(Protocol):
    """A fresh API, empty until it is seeded; serves one case."""

    def seed(self, case: Case) -> None:
        """Make what the conversation takes for granted: what it reads, or refers to, before it writes it.

        Raises:
            Unplayable: the case needs something that the sandbox cannot be brought to; the text says what.
        """

    def outside(self, case: Case, step: Step) -> None:
        """Play a `world` step: a change behind the plugin's back.

        Raises:
            Unplayable: it cannot be played; the rest of the case is left out.
        """

    def send(self, exchange: Exchange) -> Answer:
        """Send the request, ids translated, and give the answer; learns ids from the two answers."""

    def refuses(self, answer: Answer) -> bool:
        """Whether the answer says by name that the sandbox does not play this call."""

    def compare(self, exchange: Exchange, answer: Answer) -> list[Difference]:
        """Where the answer is of another kind than the recorded one; `kind` is counted, so keep it general."""


class Api(Protocol):
    """One package's API."""

    package: str

    def endpoint(self, request: Request) -> str:
        """The request's method and path template, under which it is counted: `GET /things/{id}`."""

    def start(self) -> AbstractContextManager[Server]:
        """A fresh API, stopped where the block ends."""


def exchange_of(recorded: dict[str, Any]) -> Exchange:
    """An entry of a step's `http`."""
    request = Request(
        method=recorded["method"],
        path=recorded["path"],
        query=recorded.get("query") or {},
        body=recorded.get("body"),
        headers=recorded.get("headers") or {},
    )
    return Exchange(request=request, answer=answer_of(recorded))
