"""Cloudflare's HTTP API for zones, DNS records and API tokens, below `/client/v4`.

Owns the envelope `{success, errors, messages, result, result_info}`, which rights a call needs, and one store
transaction per request. Any other path is refused with Cloudflare's "no route" (7003, 7000).
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.bodies import BodyError, read_text
from sandbox.cloudflare import token_calls as tokens
from sandbox.cloudflare import zones as zone_store
from sandbox.cloudflare.authorisation import Doors
from sandbox.cloudflare.call import BEARER, PREFIX, Call, Handler, Result
from sandbox.cloudflare.errors import ApiError, no_right, no_route, not_authorised
from sandbox.cloudflare.listing import page_of, select_records
from sandbox.cloudflare.records import WRITABLE, Record, build, refuse_conflict
from sandbox.cloudflare.request_types import INVALID_BODY
from sandbox.cloudflare.rights import (
    DNS_READ,
    DNS_WRITE,
    TOKENS_READ,
    TOKENS_WRITE,
    ZONE_READ,
    zone_resource,
)
from sandbox.store import Store

WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_written = partial(json.dumps, separators=(",", ":"))
"""Without blanks, as Cloudflare does: the official plugin compares a token's resources as text."""


def _list_zones(call: Call) -> Result:
    there = zone_store.all_zones(call.transaction)
    seen = [zone for zone in there if call.bearer.may(_LISTS, zone_resource(zone["id"]))]
    if there and not seen:
        raise not_authorised()
    found = zone_store.select_zones(seen, call.query)
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
    return web.json_response(document, dumps=_written)


def _refusal(problem: ApiError) -> web.Response:
    errors = [{"code": code, "message": message} for code, message in problem.problems]
    document = {"result": None, "success": False, "errors": errors, "messages": []}
    return web.json_response(document, status=problem.status, dumps=_written)


@dataclass(frozen=True, kw_only=True)
class Route:
    """A call that the API answers.

    Attributes:
        rights: permission groups of which one is needed (API description, `x-api-token-group`); none for everybody
            with a token.
        refusal: the answer to who has none.
    """

    method: str
    path: str
    handler: Handler
    rights: frozenset[str]
    refusal: Callable[[], ApiError] = not_authorised


def _route(method: str, path: str, handler: Handler, *rights: str) -> Route:
    refusal = no_right if path.startswith(_RECORDS) else not_authorised
    return Route(method=method, path=path, handler=handler, rights=frozenset(rights), refusal=refusal)


_LISTS = frozenset({ZONE_READ})
_ZONE, _RECORDS, _TOKENS = "/zones/{zone}", "/zones/{zone}/dns_records", "/user/tokens"
_RECORD, _TOKEN = f"{_RECORDS}/{{record}}", f"{_TOKENS}/{{token}}"
ROUTES = (
    _route("GET", f"{_TOKENS}/verify", tokens.verify_token),
    _route("GET", f"{_TOKENS}/permission_groups", tokens.list_permission_groups, TOKENS_READ, TOKENS_WRITE),
    _route("GET", _TOKENS, tokens.list_tokens, TOKENS_READ, TOKENS_WRITE),
    _route("POST", _TOKENS, tokens.create_token, TOKENS_WRITE),
    _route("GET", _TOKEN, tokens.get_token, TOKENS_READ, TOKENS_WRITE),
    _route("PUT", _TOKEN, tokens.replace_token, TOKENS_WRITE),
    _route("DELETE", _TOKEN, tokens.delete_token, TOKENS_WRITE),
    # Which zones a list has follows from the right to each.
    _route("GET", "/zones", _list_zones),
    _route("GET", _ZONE, _get_zone, ZONE_READ, DNS_READ, DNS_WRITE),
    _route("GET", _RECORDS, _list_records, DNS_READ, DNS_WRITE),
    _route("POST", _RECORDS, _create_record, DNS_WRITE),
    _route("GET", _RECORD, _get_record, DNS_READ, DNS_WRITE),
    _route("PUT", _RECORD, _replace_record, DNS_WRITE),
    _route("PATCH", _RECORD, _edit_record, DNS_WRITE),
    _route("DELETE", _RECORD, _delete_record, DNS_WRITE),
)
"""Everything that is answered; the first of two that fit."""


def _gate(doors: Doors) -> Middleware:
    @web.middleware
    async def gate(request: web.Request, handler: WebHandler) -> web.StreamResponse:
        verifying = request.path == f"{PREFIX}{_TOKENS}/verify"
        try:
            request[BEARER] = doors.bearer(request.headers, request.remote or "::1", verifying=verifying)
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


def application(
    store: Store, *, token: str, zones: tuple[str, ...], maker: str | None = None
) -> web.Application:
    """The API over a store.

    Args:
        store: where zones, records and minted tokens are kept; may be shared with other APIs.
        token: the lab's API token: it reads every zone and writes its records.
        zones: apexes of the zones that exist; others are not found.
        maker: the API token that makes tokens, and does nothing else; without one none is made.
    """
    with store.transaction() as transaction:
        zone_store.create_zones(transaction, zones)

    def answering(route: Route) -> WebHandler:
        async def answer(request: web.Request) -> web.StreamResponse:
            text = await read_text(request)
            with store.transaction() as transaction:
                call = Call(request, transaction, text)
                call.demand(route.rights, route.refusal)
                result, extra = route.handler(call)
            return _envelope(result, extra)

        return answer

    app = web.Application(middlewares=[_gate(Doors(store, token=token, maker=maker))])
    for route in ROUTES:
        app.router.add_route(route.method, PREFIX + route.path, answering(route))
    return app
