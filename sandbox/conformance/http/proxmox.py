"""Proxmox VE: recorded requests to a fresh API, over a loopback port.

Task ids differ in each run, so what the recording calls a task is translated on the way in and out. A task that was
over when it was recorded is waited for, as every client does.
"""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode, urlsplit

from sandbox.checkout import cache_dir
from sandbox.conformance.context import CONTEXTS
from sandbox.conformance.difference import Difference
from sandbox.conformance.errors import ConformanceError
from sandbox.conformance.http.api import Exchange, Server
from sandbox.conformance.http.fields import field_differences
from sandbox.conformance.http.idle_host import IdleHost
from sandbox.conformance.http.proxmox_fields import as_read
from sandbox.conformance.http.proxmox_outside import change_outside
from sandbox.conformance.http.proxmox_seed import seed
from sandbox.conformance.recording import Case, Step
from sandbox.conformance.request_body import Request
from sandbox.conformance.script import Answer
from sandbox.conformance.serving import served_on_loopback
from sandbox.proxmox import tasks
from sandbox.proxmox.description import ApiDescription, DescriptionError, fetch
from sandbox.proxmox.server import NOT_PLAYED, application
from sandbox.store import Store

PREFIX: Final = "/api2/json/"
TASK_SECONDS: Final = 10.0
_UPID = re.compile(r"UPID:[^\s\"]*:")
# What a plugin makes of a refusal: it looks for these words in the reason phrase, in this order.
_MEANINGS: Final = (
    "already exists", "already defined", "does not exist", "no such", "refusing to override", "is not running",
    "shrinking disks", "Parameter verification failed", "Permission check failed", "No route to host",
)  # fmt: skip


class _Server:
    """One fresh API and the tasks that it has in common with the recording."""

    def __init__(
        self, url: str, token: str, store: Store, host: IdleHost, endpoint: Callable[[Request], str]
    ) -> None:
        self._address = urlsplit(url)
        self._token = token
        self._store = store
        self._host = host
        self._endpoint = endpoint
        self._tasks: dict[str, str] = {}
        self._sent = ""

    def seed(self, case: Case) -> None:
        """Make what was there."""
        seed(case, self._store, self._host, PREFIX)
        self._sent = json.dumps([one.get("body") for step in case.steps for one in step.get("http") or ()])

    def outside(self, case: Case, step: Step) -> None:
        """Remove what the plugin made, or stop it, as the step says."""
        change_outside(self._store, self._host, case, step, PREFIX)

    def send(self, exchange: Exchange) -> Answer:
        """Send it; what theirs had finished, a task or a guest's start, is asked about until it is over here too."""
        until = time.monotonic() + TASK_SECONDS
        while True:
            # Asked first: work that ends between the two has been answered for already.
            at_work = self._is_at_work()
            answer = self._ask(exchange.request)
            ended = _state(exchange.answer) == "stopped" and _state(answer) == "running"
            started = exchange.request.path.endswith("/status/current") and (
                (_status(exchange.answer), _status(answer)) == ("running", "stopped")
            )
            if not (ended or (started and at_work)):
                break
            if time.monotonic() > until:
                break
            time.sleep(0.005)
        theirs, ours = _data(exchange.answer), _data(answer)
        if isinstance(theirs, str) and theirs.startswith("UPID:") and isinstance(ours, str):
            self._tasks[theirs] = ours
        return answer

    def _is_at_work(self) -> bool:
        with self._store.transaction() as t:
            return any(task["status"] == "running" for _, task in t.list(tasks.COLLECTION))

    def refuses(self, answer: Answer) -> bool:
        """Whether it says that the sandbox does not play this."""
        return NOT_PLAYED in (answer.reason or "")

    def compare(self, exchange: Exchange, answer: Answer) -> list[Difference]:
        """Success with the recorded fields, or the same failure."""
        theirs, ours = _outcome(exchange.answer), _outcome(answer)
        if theirs != ours:
            kind = f"{theirs} expected, {ours} given"
            shown = answer.reason if not isinstance(answer.body, dict) else answer.body
            return [Difference(kind=kind, field="", theirs=exchange.answer.reason, ours=shown)]
        if exchange.answer.status != 200:
            return []
        back = {ours: theirs for theirs, ours in self._tasks.items()}
        endpoint = self._endpoint(exchange.request)
        sides = (_data(exchange.answer), _renamed(_data(answer), back))
        return field_differences(*(as_read(endpoint, side, self._sent) for side in sides))

    def _ask(self, request: Request) -> Answer:
        path = _renamed(unquote(request.path), self._tasks) if "UPID" in request.path else None
        target = request.path if path is None else quote(path, safe="/:@")
        query = urlencode(request.query, doseq=True)
        body = None if request.body is None else urlencode(_renamed(request.body, self._tasks), doseq=True)
        headers = {"Authorization": f"PVEAPIToken={self._token}"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(str(self._address.hostname), self._address.port, timeout=30)
        try:
            connection.request(request.method, target + (f"?{query}" if query else ""), body, headers)
            answer = connection.getresponse()
            return Answer(status=answer.status, body=json.loads(answer.read()), reason=answer.reason)
        finally:
            connection.close()


def _data(answer: Answer) -> Any:
    return answer.body.get("data") if isinstance(answer.body, dict) else None


def _state(answer: Answer) -> Any:
    data = _data(answer)
    return data.get("status") if isinstance(data, dict) and "upid" in data else None


def _status(answer: Answer) -> Any:
    data = _data(answer)
    return data.get("status") if isinstance(data, dict) else None


def _outcome(answer: Answer) -> str:
    """`success`, or the status of a failure with what it means to the plugin."""
    if answer.status == 200:
        return "success"
    reason = answer.reason or ""
    return f"{answer.status} {next((words for words in _MEANINGS if words in reason), reason)}"


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if isinstance(value, str) and "UPID:" in value:
        return _UPID.sub(lambda match: names.get(match[0], match[0]), value)
    return value


class ProxmoxApi:
    """The adapter of package proxmoxve."""

    package = "proxmoxve"

    def __init__(self) -> None:
        """Read Proxmox's description of its API, from the cache or from its wheel.

        Raises:
            ConformanceError: it cannot be had.
        """
        try:
            self._description = ApiDescription.load(fetch(cache_dir()))
        except DescriptionError as error:
            raise ConformanceError(str(error)) from None
        self._token = CONTEXTS[self.package].configuration["apiToken"]

    def endpoint(self, request: Request) -> str:
        """Method and path template as Proxmox's description writes them."""
        parts = request.path.removeprefix(PREFIX).strip("/").split("/")
        match = self._description.match([unquote(part) for part in parts])
        return f"{request.method} {match.template if match else request.path}"

    @contextmanager
    def start(self) -> Iterator[Server]:
        """A fresh API over plain HTTP: what TLS does is no part of a recording."""
        store, host = Store(":memory:"), IdleHost()
        app = application(store, token=self._token, description=self._description, guests=host)
        try:
            with served_on_loopback(app) as url:
                yield _Server(url, self._token, store, host, self.endpoint)
        finally:
            store.close()
