"""Cloudflare: recorded requests to a fresh API with the zone of the recording.

Ids of zones, accounts, records and tokens differ, and are translated. A record that is read before anything creates
it was there, and after a change from outside it is as the next answer shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from aiohttp import web

from sandbox.cloudflare import zones
from sandbox.cloudflare.call import PREFIX
from sandbox.cloudflare.rights import zone_resource
from sandbox.cloudflare.server import application
from sandbox.cloudflare.tokens import COLLECTION as TOKENS
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

_ZONE = re.compile(rf"{PREFIX}/zones/([0-9a-f]{{32}})")
_TOKEN = re.compile(rf"{PREFIX}/user/tokens/([0-9a-f]{{32}})")
_RESOURCE = re.compile(re.escape(zone_resource("")) + r"[0-9a-f]{32}")
_RECORD = re.compile(rf"{PREFIX}/zones/([0-9a-f]{{32}})/dns_records/([0-9a-f]{{32}})")
# An A, AAAA or CNAME record of the name is there.
_HOST_TAKEN: Final = 81053
# Where no answer names the zone: that of the recordings.
_USUAL_ZONE = "example.org"
# Times of the day of the recording, random values, and what its server made up about an account, its plan and the
# categories of permission groups.
_UNREAD: Final = frozenset(
    ("created_on", "modified_on", "comment_modified_on", "tags_modified_on", "activated_on", "account", "plan", "owner",
     "permissions", "issued_on", "value", "category")
)  # fmt: skip
# What the recording's server answered because it was told to: nobody can be asked to fail at that moment.
_TOLD_TO_FAIL: Final = frozenset((401, 429, 500))


class _Server(JsonServer):
    def __init__(self, url: str, routes: Routes, token: str, store: Store) -> None:
        super().__init__(url, routes, {"Authorization": f"Bearer {token}"})
        self._store = store

    def seed(self, case: Case) -> None:
        """The zone of the conversation, and the records that it reads and never creates."""
        recorded = [one for step in case.steps for one in step.get("http") or ()]
        if any(one["status"] in _TOLD_TO_FAIL for one in recorded):
            raise Unplayable(f"the recording's server was told to fail: {case.note}")
        shown = {zone["name"]: zone for zone in _zones(recorded)}
        with self._store.transaction() as transaction:
            zones.create_zones(transaction, tuple(shown or [_USUAL_ZONE]))
        for name, zone in shown.items():
            self.names.learn(zone["id"], zones.zone_document(name)["id"])
            self.names.learn(zone["account"]["id"], zones.zone_document(name)["account"]["id"])
        for one in recorded:
            if (match := _ZONE.match(one["path"])) and not self.names.knows(match[1]):
                self.names.learn(match[1], zones.zone_document(_USUAL_ZONE)["id"])
            for resource in _resources(one):
                self.names.learn(resource, zone_resource(zones.zone_document(_USUAL_ZONE)["id"]))
        self._make_as(recorded, made=_created(recorded))
        self._make_conflict(recorded)

    def outside(self, case: Case, step: Step) -> None:
        """As the next answers show it."""
        following = list(exchanges_after(case, step))
        self._make_as(following, made=set())
        for one in following:
            if (match := _TOKEN.match(one["path"])) and one["status"] == 404:
                with self._store.transaction() as transaction:
                    transaction.delete(TOKENS, self.names.to_ours(match[1]))

    def learn(self, exchange: Exchange, answer: Answer) -> None:
        """The id of what was created."""
        if exchange.request.method == "POST" and exchange.answer.status == answer.status == 200:
            theirs, ours = _result(exchange.answer), _result(answer)
            self.names.learn(theirs.get("id"), ours.get("id"))
            for their, our in zip(theirs.get("policies", ()), ours.get("policies", ()), strict=False):
                self.names.learn(their["id"], our["id"])

    def compare(self, exchange: Exchange, answer: Answer) -> list[Difference]:
        """Success with the recorded fields, or a failure of the same status and code."""
        theirs = exchange.answer
        if theirs.status != 200 or answer.status != 200:
            # An answer may have several codes; the recording's server gave the first that came to its mind.
            same = theirs.status == answer.status and set(_codes(theirs)) & set(_codes(answer))
            return [] if same else other_outcome(_outcome(theirs), _outcome(answer), answer)
        ours = self.names.to_theirs(_result(answer))
        return field_differences(_ordered(_result(theirs)), _ordered(ours), _UNREAD)

    def _make_conflict(self, recorded: list[dict[str, Any]]) -> None:
        """The record that the first one to be created meets, where the recording says that it met one."""
        first = next((one for one in recorded if one["method"] == "POST" and _ZONE.match(one["path"])), None)
        if first is None or first["status"] != 400 or first["response"]["errors"][0]["code"] != _HOST_TAKEN:
            return
        met = {"type": "CNAME", "name": first["body"]["name"], "content": "met.example", "ttl": 1}
        self.ask(Request(method="POST", path=first["path"], query={}, body=met))

    def _make_as(self, recorded: Iterable[dict[str, Any]], made: set[str]) -> None:
        """Records as the first request about each finds them; those of `made` are left alone."""
        seen = set(made)
        for one in recorded:
            match = _RECORD.match(one["path"])
            if match is None or match[2] in seen:
                continue
            seen.add(match[2])
            collection = zones.records_collection(self.names.to_ours(match[1]))
            with self._store.transaction() as transaction:
                if one["status"] == 404:
                    transaction.delete(collection, self.names.to_ours(match[2]))
                elif one["method"] == "GET":
                    document = self.names.to_ours(one["response"]["result"])
                    transaction.put(
                        collection, document["id"], {"proxied": False, "comment": None} | document
                    )


def _created(recorded: list[dict[str, Any]]) -> set[str]:
    created = [one for one in recorded if one["method"] == "POST" and one["status"] == 200]
    return {one["response"]["result"].get("id", "") for one in created}


def _zones(recorded: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The zones that answers show."""
    for one in recorded:
        if re.fullmatch(rf"{PREFIX}/zones(?:/[0-9a-f]{{32}})?", one["path"]) and one["status"] == 200:
            result = one["response"]["result"]
            yield from result if isinstance(result, list) else [result]


def _resources(one: dict[str, Any]) -> Iterator[str]:
    """The zones that a request names as resources of a token."""
    body = one["body"] if isinstance(one.get("body"), dict) else {}
    for policy in body.get("policies", ()):
        for name in policy["resources"]:
            if _RESOURCE.fullmatch(name):
                yield name


def _ordered(result: Any) -> Any:
    """A listing by name: no request of the recordings asks for an order."""
    return sorted(result, key=lambda one: str(one["name"])) if isinstance(result, list) else result


def _result(answer: Answer) -> Any:
    return answer.body["result"] if isinstance(answer.body, dict) else None


def _codes(answer: Answer) -> list[int]:
    return [error["code"] for error in answer.body["errors"]] if isinstance(answer.body, dict) else []


def _outcome(answer: Answer) -> str:
    return "success" if answer.status == 200 else f"{answer.status} {_codes(answer) or answer.body}"


class CloudflareApi:
    """The adapter of package cloudflare."""

    package = "cloudflare"

    def __init__(self) -> None:
        """Learn the routes of the API."""
        self._token = CONTEXTS[self.package].configuration["apiToken"]
        self._routes = Routes(self._application(Store(":memory:")))

    def endpoint(self, request: Request) -> str:
        """Method and path, with the names of ids."""
        return self._routes.endpoint(request)

    @contextmanager
    def start(self) -> Iterator[Server]:
        """A fresh API without zones."""
        store = Store(":memory:")
        try:
            with served_on_loopback(self._application(store)) as url:
                yield _Server(url, self._routes, self._token, store)
        finally:
            store.close()

    def _application(self, store: Store) -> web.Application:
        """Without zones; the recordings have one token, which may do everything."""
        return application(store, token=self._token, maker=self._token, zones=())
