"""An API to which recorded requests are sent, watched: what it answers is looked at on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from sandbox.conformance.http.api import Api, Exchange, Server
from sandbox.conformance.http.proxmox import ProxmoxApi
from sandbox.conformance.request_body import Request
from sandbox.conformance.script import Answer

Look = Callable[[ProxmoxApi, Request, int, Any], None]


class _WatchedServer:
    def __init__(self, server: Server, api: ProxmoxApi, look: Look) -> None:
        self._server = server
        self._api = api
        self._look = look

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def send(self, exchange: Exchange) -> Answer:
        """Send it, and look at the answer."""
        answer = self._server.send(exchange)
        self._look(self._api, exchange.request, answer.status, answer.body.get("data"))
        return answer


class _Watched:
    def __init__(self, api: ProxmoxApi, look: Look) -> None:
        self.package = api.package
        self.endpoint = api.endpoint
        self._api = api
        self._look = look

    @contextmanager
    def start(self) -> Iterator[Server]:
        """The API's own server, watched."""
        with self._api.start() as server:
            yield cast(Server, _WatchedServer(server, self._api, self._look))


def watched(api: ProxmoxApi, look: Look) -> Api:
    """The same API; `look` gets the API, each request, the status and the data of its answer."""
    return _Watched(api, look)
