"""Cloudflare's HTTP API for zones, DNS records and the token check, below `/client/v4`.

Owns the envelope `{success, errors, messages, result, result_info}`, authorisation, and one store
transaction per request. Any other path is refused with Cloudflare's "no route" (7003, 7000).
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.bodies import BodyError, read_json, read_text
from sandbox.cloudflare import zones as zone_store
from sandbox.cloudflare.authorisation import authorise
from sandbox.cloudflare.errors import ApiError, missing_record, no_route
from sandbox.cloudflare.listing import page_of, select_records
from sandbox.cloudflare.records import WRITABLE, Record, build, refuse_conflict
from sandbox.cloudflare.request_types import INVALID_BODY
from sandbox.store import Store, Transaction

PREFIX = "/client/v4"
_HEX = re.compile(r"^[0-9a-f]{32}$")
_TOKEN_ID = "0" * 31 + "1"
WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Call:
    """A request inside its transaction."""

    def __init__(self, request: web.Request, transaction: Transaction, text: str) -> None:
        """Wrap a request whose body was read."""
        self.transaction = transaction
        self.query = request.query
        self.match = request.match_info
        self._text = text
        for name in ("zone", "record"):
            if not _HEX.match(self.match.get(name, "0" * 32)):
                raise no_route(request.path.removeprefix(PREFIX))

    def body(self) -> dict[str, Any]:
        """The JSON object of the request; refused (400) when it is none."""
        found = read_json(self._text)
        if not isinstance(found, dict):
            raise BodyError("it is not an object")
        return found

    @property
    def zone(self) -> dict[str, Any]:
        """The zone of the path."""
        return zone_store.need_zone(self.transaction, self.match["zone"])

    @property
    def collection(self) -> str:
        """The store collection of the records of this zone."""
        return zone_store.records_collection(self.zone["id"])

    def records(self) -> list[Record]:
        """All records of the zone."""
        return [record for _, record in self.transaction.list(self.collection)]

    def record(self) -> Record:
        """The record of the path, or 404."""
        found: Record | None = self.transaction.get(self.collection, self.match["record"])
        if found is None:
            raise missing_record()
        return found


Result = tuple[Any, dict[str, Any]]
Handler = Callable[[Call], Result]


def _verify(call: Call) -> Result:
    message = {"code": 10000, "message": "This API Token is valid and active", "type": None}
    return {"id": _TOKEN_ID, "status": "active"}, {"messages": [message]}


def _list_zones(call: Call) -> Result:
    found = zone_store.select_zones(call.transaction, call.query)
    part, info = page_of(found, call.query, size=20, largest=50)
    return part, {"result_info": info}


def _get_zone(call: Call) -> Result:
    return call.zone, {}


def _list_records(call: Call) -> Result:
    part, info = page_of(select_records(call.records(), call.query), call.query, size=100, largest=5_000_000)
    return part, {"result_info": info}


def _get_record(call: Call) -> Result:
    return call.record(), {}


def _write(call: Call, body: dict[str, Any], previous: Record | None) -> Result:
    names = tuple(zone["name"] for zone in zone_store.all_zones(call.transaction))
    record = build(body, call.zone, names, previous)
    refuse_conflict(record, call.records())
    call.transaction.put(call.collection, record["id"], record)
    return record, {}


def _create_record(call: Call) -> Result:
    return _write(call, call.body(), None)


def _replace_record(call: Call) -> Result:
    return _write(call, call.body(), call.record())


def _edit_record(call: Call) -> Result:
    previous = call.record()
    kept = {field: previous[field] for field in WRITABLE if previous.get(field) is not None}
    body = call.body()
    if "data" in kept:
        # The content of such a record follows from its data.
        kept.pop("content")
    if body.get("type", kept["type"]) != kept["type"]:
        kept = {field: value for field, value in kept.items() if field not in ("settings", "data")}
    return _write(call, kept | body, previous)


def _delete_record(call: Call) -> Result:
    record = call.record()
    call.transaction.delete(call.collection, record["id"])
    return {"id": record["id"]}, {}


def _envelope(result: Any, extra: dict[str, Any]) -> web.Response:
    document = {"result": result, "success": True, "errors": [], "messages": [], **extra}
    return web.json_response(document)


def _refusal(problem: ApiError) -> web.Response:
    errors = [{"code": code, "message": message} for code, message in problem.problems]
    document = {"result": None, "success": False, "errors": errors, "messages": []}
    return web.json_response(document, status=problem.status)


def _gate(token: str) -> Middleware:
    @web.middleware
    async def gate(request: web.Request, handler: WebHandler) -> web.StreamResponse:
        verifying = request.path == f"{PREFIX}/user/tokens/verify"
        try:
            authorise(request.headers.get("Authorization"), token, verifying=verifying)
            return await handler(request)
        except ApiError as problem:
            return _refusal(problem)
        except BodyError as problem:
            return _refusal(ApiError(400, [(INVALID_BODY, f"Request body is invalid: {problem}.")]))
        except web.HTTPMethodNotAllowed:
            return _refusal(ApiError(405, [(10405, "Method not allowed for this authentication scheme")]))
        except web.HTTPNotFound:
            return _refusal(no_route(request.path.removeprefix(PREFIX)))
        except web.HTTPRequestEntityTooLarge:
            return _refusal(ApiError(413, [(INVALID_BODY, "Request body is invalid: it is too large.")]))

    return gate


def application(store: Store, *, token: str, zones: tuple[str, ...]) -> web.Application:
    """The API over a store.

    Args:
        store: where zones and records are kept; may be shared with other APIs.
        token: the one API token that is accepted, by `Authorization: Bearer`.
        zones: apexes of the zones that exist; others are not found.
    """
    with store.transaction() as transaction:
        zone_store.create_zones(transaction, zones)

    def answering(handler: Handler) -> WebHandler:
        async def answer(request: web.Request) -> web.StreamResponse:
            text = await read_text(request)
            with store.transaction() as transaction:
                result, extra = handler(Call(request, transaction, text))
            return _envelope(result, extra)

        return answer

    app = web.Application(middlewares=[_gate(token)])
    records = "/zones/{zone}/dns_records"
    routes: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "/user/tokens/verify", _verify),
        ("GET", "/zones", _list_zones),
        ("GET", "/zones/{zone}", _get_zone),
        ("GET", records, _list_records),
        ("POST", records, _create_record),
        ("GET", records + "/{record}", _get_record),
        ("PUT", records + "/{record}", _replace_record),
        ("PATCH", records + "/{record}", _edit_record),
        ("DELETE", records + "/{record}", _delete_record),
    )
    for method, path, handler in routes:
        app.router.add_route(method, PREFIX + path, answering(handler))
    return app
