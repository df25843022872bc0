"""What `lab verify` may have seen, for tests of how it is told."""

from dataclasses import replace
from typing import Any

from cli.observed import Observed
from cli.observed_text import verify_text
from lab.flows import Endpoint
from lab.isolation import Verdict
from probe.matrix import Matrix, Result
from probe.routes import RouteResult
from probe.signing import Refusal
from tests.probe.asked import SOURCE, TARGET, question

OPEN = Result(question=question(kind="flow"), observed="yes", answer="service:b/b", milliseconds=12.4)
CLOSED = Result(question=question(Verdict.no, source=TARGET, target=SOURCE), observed="no", milliseconds=1000)
OWN = Result(question=question(kind="own host", source=Endpoint("guest", "h")), observed="yes")
LEAK = Result(
    question=question(Verdict.no, source=TARGET, target=SOURCE, port=None, protocol="udp"),
    observed="yes",
    answer="canary service:a/a",
)
ROUTE = RouteResult(
    host="www.lab.example",
    audience="lan",
    url="https://www.lab.example:443/",
    expected="service:b/b",
    status=200,
    answer="service:b/b",
    ok=True,
    issuer="itself",
    milliseconds=8,
)
REFUSED = Refusal(when="2026-11-26T08:27:52Z", cause="it is", repair="do", said="no", again="soon")


def seen(*results: Result, **changes: Any) -> Observed:
    """A run of these results, with which nothing else is wrong."""
    fine = Observed(
        matrix=Matrix(results=results),
        names=(),
        seconds=4.2,
        routes=(),
        entry_points=(),
        missing=(),
        facts=(),
        stand_ins=(),
        expectations=(),
    )
    return replace(fine, **changes)


def told(observed: Observed, every: bool = False) -> str:
    """What a person reads."""
    return "\n".join(verify_text(observed, every))


def line_of(text: str, *words: str) -> str:
    """The one line with all of these words."""
    [found] = [line for line in text.splitlines() if all(word in line for word in words)]
    return found
