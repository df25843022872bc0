"""A fresh API of JSON documents on a loopback port: its routes, and requests whose ids are translated."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from sandbox.conformance.difference import Difference
from sandbox.conformance.http.api import Exchange
from sandbox.conformance.recording import Case, Step
from sandbox.conformance.request_body import Request
from sandbox.conformance.script import Answer

_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4,}|[kn][A-Z0-9]+")


class Names:
    """What the recording's server called something, and what it is called here."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}

    def learn(self, theirs: Any, ours: Any) -> None:
        """From an id of an answer of theirs and of ours; anything but texts is passed over."""
        if isinstance(theirs, str) and isinstance(ours, str):
            self._ours[theirs] = ours

    def knows(self, theirs: str) -> bool:
        """Whether something of this name is here."""
        return theirs in self._ours

    def to_ours(self, value: Any) -> Any:
        """A value of theirs in our names."""
        return _renamed(value, self._ours)

    def to_theirs(self, value: Any) -> Any:
        """A value of ours in their names."""
        return _renamed(value, {ours: theirs for theirs, ours in self._ours.items()})


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


class Routes:
    """The paths that an application answers."""

    def __init__(self, app: web.Application) -> None:
        routes = [(route.method, route.resource.canonical) for route in app.router.routes() if route.resource]
        self._routes = [(method, template, template.split("/")) for method, template in routes]

    def template(self, request: Request) -> str | None:
        """The template of a request; None where the application has no such route."""
        parts = request.path.split("/")
        for method, template, pattern in self._routes:
            if method == request.method and len(parts) == len(pattern) and all(map(_fits, pattern, parts)):
                return template
        return None

    def endpoint(self, request: Request) -> str:
        """Method and template; what looks like an id is left out of a path that is not answered."""
        template = self.template(request)
        if template is None:
            template = "/".join("{id}" if _ID.fullmatch(part) else part for part in request.path.split("/"))
        return f"{request.method} {template}"


def _fits(pattern: str, part: str) -> bool:
    return pattern.startswith("{") or pattern == part


class JsonServer:
    """What the servers of JSON APIs have in common; see `Server` of `api`."""

    def __init__(self, url: str, routes: Routes, headers: Mapping[str, str]) -> None:
        self._address = urlsplit(url).netloc
        self._routes = routes
        self._headers = headers
        self._played = True
        self.names = Names()

    def send(self, exchange: Exchange) -> Answer:
        """Send it, with our ids; learns the ids that the two answers give."""
        self._played = self._routes.template(exchange.request) is not None
        answer = self.ask(exchange.request)
        self.learn(exchange, answer)
        return answer

    def learn(self, exchange: Exchange, answer: Answer) -> None:
        """Learn from the two answers; nothing, unless an API says what."""

    def refuses(self, answer: Answer) -> bool:
        """Whether the last request has no route here."""
        return not self._played

    def ask(self, request: Request) -> Answer:
        """A request with our ids; a text is sent as it is, anything else as JSON."""
        path = "/".join(self.names.to_ours(part) for part in request.path.split("/"))
        query = urlencode(self.names.to_ours(request.query), doseq=True)
        body = request.body if isinstance(request.body, str) else json.dumps(self.names.to_ours(request.body))
        headers = {"Content-Type": "application/json", **self._headers, **request.headers}
        connection = http.client.HTTPConnection(self._address, timeout=30)
        try:
            data = None if request.body is None else body.encode()
            connection.request(request.method, path + (f"?{query}" if query else ""), data, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            document = json.loads(text) if answer.headers.get_content_type() == "application/json" else text
            return Answer(status=answer.status, body=document, reason=answer.reason)
        finally:
            connection.close()


def exchanges_after(case: Case, step: Step) -> Iterator[dict[str, Any]]:
    """The recorded requests that follow a step of a case, in order."""
    following = next(number for number, one in enumerate(case.steps) if one is step) + 1
    for later in case.steps[following:]:
        yield from later.get("http") or ()


def other_outcome(theirs: str, ours: str, answer: Answer) -> list[Difference]:
    """The difference of two outcomes, or none."""
    if theirs == ours:
        return []
    return [Difference(kind=f"{theirs} expected, {ours} given", field="", theirs=theirs, ours=answer.body)]
