"""Every recorded request of a case, sent in the recorded order to a fresh API, and what became of each.

Once a write was taken by one side and refused by the other, the two servers hold different things. That write differs,
and the rest of the case is not replayable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.conformance.errors import Unplayable
from sandbox.conformance.http.api import Api, Exchange, Server, exchange_of
from sandbox.conformance.recording import Case, Step
from sandbox.conformance.replay import Outcome, Verdict


@dataclass(frozen=True, kw_only=True)
class Answered(Outcome):
    """What became of one request of a step."""

    endpoint: str

    @property
    def subject(self) -> str:
        """Requests are counted by endpoint."""
        return self.endpoint


def answered(api: Api, case: Case) -> list[Answered]:
    """What became of every request of a case; one that cannot be seeded is not replayable as a whole."""
    if not any(step.get("http") for step in case.steps):
        return []
    with api.start() as server:
        return list(_answered(api, server, case))


def _answered(api: Api, server: Server, case: Case) -> Iterator[Answered]:
    try:
        server.seed(case)
        lost = False
    except Unplayable:
        lost = True
    for index, step in enumerate(case.steps):
        lost = lost or not _played(server, case, step)
        for recorded in step.get("http") or ():
            exchange = exchange_of(recorded)
            endpoint = api.endpoint(exchange.request)
            if lost:
                yield Answered(case=case, step=index, verdict=Verdict.UNPLAYABLE, endpoint=endpoint)
            else:
                found = _sent(server, case, index, exchange, endpoint)
                lost = found.parts
                yield found.outcome


def _played(server: Server, case: Case, step: Step) -> bool:
    if step["kind"] == "world":
        try:
            server.outside(case, step)
        except Unplayable:
            return False
    return True


@dataclass(frozen=True)
class _Sent:
    outcome: Answered
    parts: bool


def _sent(server: Server, case: Case, step: int, exchange: Exchange, endpoint: str) -> _Sent:
    answer = server.send(exchange)
    if server.refuses(answer):
        return _Sent(Answered(case=case, step=step, verdict=Verdict.REFUSED, endpoint=endpoint), parts=False)
    differences = tuple(server.compare(exchange, answer))
    verdict = Verdict.DIFFERS if differences else Verdict.AGREES
    writes = exchange.request.method not in ("GET", "HEAD")
    parts = writes and (answer.status < 400) != (exchange.answer.status < 400)
    outcome = Answered(case=case, step=step, verdict=verdict, differences=differences, endpoint=endpoint)
    return _Sent(outcome, parts)
