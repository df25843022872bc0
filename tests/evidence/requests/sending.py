"""A request as it goes over the wire, and what comes back; one connection for all requests of a run."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request; the path is escaped and has its query."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def filled(self, **parts: str) -> "Request":
        """The request with the `{parts}` of its path put in."""
        path = self.path
        for name, value in parts.items():
            path = path.replace(f"{{{name}}}", value)
        return replace(self, path=path)

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        """How hypothesis prints it: one line, without the end of a long body; a failing run has many of them."""
        printer.text(f"{self.method} {self.path} {dict(self.headers)} {(self.body or b'')[:300]!r}")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    reason: str
    kind: str
    text: bytes

    def document(self) -> Any:
        """The JSON document; ValueError where the body is none."""
        return json.loads(self.text)


class Sender:
    """Sends requests to one server with one credential."""

    def __init__(self, base: str, authorization: str) -> None:
        self._host = urlsplit(base).netloc
        self._authorization = authorization
        self._connection = http.client.HTTPConnection(self._host, timeout=20)

    def send(self, request: Request) -> Answer:
        """One request and its answer; a server that closes the connection is asked on a new one."""
        headers = {"Authorization": self._authorization, **request.headers}
        self._connection.request(request.method, request.path, body=request.body, headers=headers)
        response = self._connection.getresponse()
        return Answer(
            status=response.status,
            reason=response.reason,
            kind=response.headers.get_content_type(),
            text=response.read(),
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def sender(base: str, authorization: str) -> Iterator[Sender]:
    """A sender whose connection is closed at the end."""
    found = Sender(base, authorization)
    try:
        yield found
    finally:
        found.close()
