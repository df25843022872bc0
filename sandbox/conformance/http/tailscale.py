"""Tailscale: recorded requests to a fresh API with the devices and settings that the conversation takes for granted.

A thing is, before its first write and after a change from outside, as the next answer about it shows it. Ids of keys
differ, and are translated; devices get those of the recording.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sandbox.conformance.context import CONTEXTS
from sandbox.conformance.difference import Difference
from sandbox.conformance.errors import Unplayable
from sandbox.conformance.http.api import Exchange, Server
from sandbox.conformance.http.fields import field_differences
from sandbox.conformance.http.served import JsonServer, Routes, exchanges_after, other_outcome
from sandbox.conformance.recording import Case, Step
from sandbox.conformance.request_body import Request
from sandbox.conformance.script import Answer
from sandbox.conformance.serving import served_on_loopback
from sandbox.store import Store
from sandbox.tailscale import devices, keys
from sandbox.tailscale.server import PREFIX, application

_DEVICE = re.compile(rf"{PREFIX}/device/([^/]+)(/.*)?")
_KEY = re.compile(rf"{PREFIX}/tailnet/[^/]+/keys/([^/]+)")
_VIEW = re.compile(rf"({PREFIX}/tailnet/[^/]+)/(acl|settings|dns/[a-z-]+)")
# How a view of the tailnet is set to what an answer shows.
_SET_BY: Final = {
    "acl": "POST", "settings": "PATCH", "dns/nameservers": "POST", "dns/preferences": "POST", "dns/searchpaths": "POST",
    "dns/split-dns": "PUT", "dns/configuration": "POST",
}  # fmt: skip
# Moments, secrets, and who it was; other in each run.
_UNREAD: Final = frozenset(("created", "expires", "revoked", "key", "userId", "lastSeen"))
_PAST, _FUTURE = "2000-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
_TOLD_TO_FAIL = "acl/validate finds an error"


class _Server(JsonServer):
    def __init__(self, url: str, routes: Routes, key: str, store: Store) -> None:
        super().__init__(url, routes, {"Authorization": f"Bearer {key}"})
        self._store = store

    def seed(self, case: Case) -> None:
        """Devices, tags that somebody owns, and what is read before it is written."""
        recorded = [one for step in case.steps for one in step.get("http") or ()]
        if case.note.startswith(_TOLD_TO_FAIL):
            raise Unplayable(f"the recording's server was told to fail: {case.note}")
        self._own_tags(recorded)
        self._place_devices(recorded)
        self._make_as(recorded, written=_created(recorded))
        if any(one["status"] == 412 for one in recorded):
            self._set(f"{PREFIX}/tailnet/-/acl", "acl", "{} // another one's")

    def outside(self, case: Case, step: Step) -> None:
        """As the next answers show it."""
        self._make_as(exchanges_after(case, step), written=set())

    def learn(self, exchange: Exchange, answer: Answer) -> None:
        """The id of a key that was made."""
        if exchange.request.path.endswith("/keys") and exchange.answer.status == answer.status == 200:
            self.names.learn(exchange.answer.body.get("id"), answer.body.get("id"))

    def compare(self, exchange: Exchange, answer: Answer) -> list[Difference]:
        """Success with the recorded fields, or a failure with the same status and words."""
        found = other_outcome(_outcome(exchange.answer), _outcome(answer), answer)
        if found or exchange.answer.status != 200 or exchange.answer.body is None:
            return found
        return field_differences(exchange.answer.body, self.names.to_theirs(answer.body), _UNREAD)

    def _own_tags(self, recorded: list[dict[str, Any]]) -> None:
        """The tags that were accepted have owners, unless the conversation is about the policy."""
        if any(one["path"].endswith("/acl") for one in recorded):
            return
        accepted = json.dumps(
            [one["body"] for one in recorded if one["method"] == "POST" and one["status"] == 200]
        )
        tags = sorted(set(re.findall(r'"(tag:[^"]+)"', accepted)))
        if tags:
            self._set(f"{PREFIX}/tailnet/-/acl", "acl", json.dumps({"tagOwners": {tag: [] for tag in tags}}))

    def _place_devices(self, recorded: list[dict[str, Any]]) -> None:
        """Every device that any answer shows or any request changes, as it is first shown."""
        shown: dict[str, dict[str, Any]] = {}
        for one in recorded:
            if one["status"] == 404:
                continue
            response = one["response"]
            if one["path"].endswith("/devices"):
                for device in response["devices"]:
                    shown.setdefault(device["id"], device)
            elif match := _DEVICE.fullmatch(one["path"]):
                given = response if isinstance(response, dict) else {}
                number = given.get("id") or str(match[1])
                # What comes later only fills in: writes may have changed it by then.
                shown[number] = given | shown.get(number, {})
        with self._store.transaction() as transaction:
            for number, device in shown.items():
                least: dict[str, Any] = {
                    "advertisedRoutes": [],
                    "enabledRoutes": [],
                    "tags": [],
                    "nodeId": number,
                }
                transaction.put(devices.COLLECTION, number, {**least, **device, "id": number})

    def _make_as(self, recorded: Iterable[dict[str, Any]], written: set[str]) -> None:
        """Things as the first request about each finds them; those of `written` are left alone."""
        for one in recorded:
            thing = _thing(one["path"])
            if thing in written:
                continue
            written.add(thing)
            if match := _DEVICE.fullmatch(one["path"]):
                if one["status"] == 404:
                    self._remove(devices.COLLECTION, match[1])
            elif match := _KEY.fullmatch(one["path"]):
                self._make_key(one, match[1])
            elif (match := _VIEW.fullmatch(one["path"])) and one["method"] == "GET":
                self._set(one["path"], match[2], one["response"])

    def _make_key(self, recorded: dict[str, Any], theirs: str) -> None:
        if recorded["status"] == 404:
            self._remove(keys.COLLECTION, self.names.to_ours(theirs))
        elif recorded["method"] == "GET":
            document = self.names.to_ours(recorded["response"])
            expires = _PAST if document.pop("invalid", False) else _FUTURE
            with self._store.transaction() as transaction:
                transaction.put(keys.COLLECTION, document["id"], document | {"expires": expires, "hash": ""})

    def _remove(self, collection: str, key: str) -> None:
        with self._store.transaction() as transaction:
            transaction.delete(collection, key)

    def _set(self, path: str, view: str, shown: Any) -> None:
        """Bring a view to what an answer shows."""
        answer = self.ask(Request(method=_SET_BY[view], path=path, query={}, body=shown))
        if answer.status != 200:
            raise Unplayable(f"the sandbox cannot be brought to {path} as recorded: {answer.body}")


def _thing(path: str) -> str:
    """What a request is about: all calls of a device are about the device."""
    device = _DEVICE.fullmatch(path)
    return device[1] if device else path


def _created(recorded: list[dict[str, Any]]) -> set[str]:
    """The paths of the keys that the conversation makes, and the devices, which are placed apart."""
    made = {f"{one['path']}/{one['response']['id']}" for one in recorded if _makes_key(one)}
    return made | {_thing(one["path"]) for one in recorded if _DEVICE.fullmatch(one["path"])}


def _makes_key(recorded: dict[str, Any]) -> bool:
    return bool(
        recorded["method"] == "POST" and recorded["path"].endswith("/keys") and recorded["status"] == 200
    )


def _outcome(answer: Answer) -> str:
    if answer.status == 200:
        return "success"
    return f"{answer.status} {answer.body.get('message') if isinstance(answer.body, dict) else answer.body}"


class TailscaleApi:
    """The adapter of package tailscale."""

    package = "tailscale"

    def __init__(self) -> None:
        """Learn the routes of the API."""
        self._key = CONTEXTS[self.package].configuration["apiKey"]
        self._routes = Routes(application(Store(":memory:"), key=self._key))

    def endpoint(self, request: Request) -> str:
        """Method and path, with the names of ids."""
        return self._routes.endpoint(request)

    @contextmanager
    def start(self) -> Iterator[Server]:
        """A fresh API."""
        store = Store(":memory:")
        try:
            with served_on_loopback(application(store, key=self._key)) as url:
                yield _Server(url, self._routes, self._key, store)
        finally:
            store.close()
