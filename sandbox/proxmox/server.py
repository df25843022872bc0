"""The HTTPS API of Proxmox VE 9.2, as clients see it.

Owns transport: the path below `/api2/json/`, the token, parameters from query and form, verification
against Proxmox's own description, the `{"data": ...}` envelope and errors in the HTTP reason phrase. One
request is one transaction. What a call does is in the modules that `_ROUTES` lists; a call that the
description knows and the sandbox does not play answers 501 and says so.

Nodes exist as soon as a request names them, with the storages `local`, `local-lvm` and `local-zfs` and any
other storage that a request names: the sandbox does not know the lab. Only the sandbox's one API token is
accepted; tickets are refused, and the permissions of roles are not evaluated yet (the token may do all).
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from sandbox.proxmox import cluster, firewall, groups, lxc, mappings, network, nodes, qemu, storage
from sandbox.proxmox.call import Call, Handler, Routes
from sandbox.proxmox.description import ApiDescription, Operation
from sandbox.proxmox.errors import ApiError, bad_parameters
from sandbox.proxmox.guests import GuestHost
from sandbox.proxmox.parameters import verify
from sandbox.proxmox.power import Power
from sandbox.proxmox.tasks import Tasks
from sandbox.store import Store

_log = logging.getLogger("sandbox.proxmox")
_PREFIX = "/api2/json/"
NOT_PLAYED = "the sandbox does not play"


def routes() -> Routes:
    """Every call that the sandbox plays, by method and path template."""
    modules = (cluster, firewall, groups, lxc, mappings, network, nodes, qemu, storage)
    return {key: handler for module in modules for key, handler in module.routes().items()}


def application(
    store: Store, *, token: str, description: ApiDescription, guests: GuestHost
) -> web.Application:
    """The API as an aiohttp application; serve it with the caller's TLS context.

    Args:
        store: where all its state is kept, in collections that start with `pve/`.
        token: the one accepted API token, `user@realm!name=secret`.
        description: Proxmox's description of the API.
        guests: what runs guests.
    """
    app = web.Application(client_max_size=16 * 2**20)
    server = _Server(store, token, description, guests)
    # A line break may be in a path, escaped, and is no match for a bare dot.
    app.router.add_route("*", "/{path:(?s:.*)}", server.answer)

    async def lifetime(_: web.Application) -> AsyncIterator[None]:
        await asyncio.to_thread(server.take_over)
        yield
        await asyncio.to_thread(server.tasks.close)

    app.cleanup_ctx.append(lifetime)
    return app


class _Server:
    def __init__(self, store: Store, token: str, description: ApiDescription, guests: GuestHost) -> None:
        self._store = store
        self._token = token
        self._user = token.partition("=")[0]
        self._description = description
        self._guests = guests
        self._power = Power(store, guests)
        self._routes = routes()
        self.tasks = Tasks(store)

    def take_over(self) -> None:
        self._power.take_over(self.tasks, self._user, firewall.forget_guest)

    async def answer(self, request: web.Request) -> web.Response:
        try:
            operation, given, handler = await self._understand(request)
            # sqlite and the guests' state block; the daemon's other APIs share this loop.
            data = await asyncio.to_thread(self._perform, operation, given, handler)
        except ApiError as problem:
            return _refusal(problem)
        except Exception:
            _log.exception("defect while answering %s %s", request.method, request.path)
            return _refusal(ApiError(500, "the sandbox failed at this call; its log has the defect"))
        return web.json_response({"data": data})

    async def _understand(self, request: web.Request) -> tuple[Operation, dict[str, list[str]], Handler]:
        raw_path, _, raw_query = request.raw_path.partition("?")
        if not raw_path.startswith(_PREFIX):
            raise ApiError(404, f"no such path '{raw_path}': the API is below {_PREFIX}")
        # Segments are split before they are unquoted: a volume id holds an escaped slash.
        segments = [unquote(part) for part in raw_path.removeprefix(_PREFIX).strip("/").split("/")]
        self._authenticate(request)
        match = self._description.match(segments)
        path = "/" + "/".join(segments)
        if match is None or request.method not in match.operations:
            raise ApiError(501, f"Method '{request.method} {path}' not implemented")
        operation = match.operations[request.method]
        if not operation.allows_token:
            raise ApiError(403, f"'{request.method} {path}' cannot be called with an API token")
        handler = self._routes.get((request.method, match.template))
        if handler is None:
            raise ApiError(501, f"{NOT_PLAYED} '{request.method} {match.template}'")
        given = await _parameters(request, raw_query)
        for name, value in match.values.items():
            if given.setdefault(name, [value]) != [value]:
                conflict = "duplicate parameter (already defined in URI) with conflicting values"
                raise bad_parameters({name: conflict})
        return operation, given, handler

    def _authenticate(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition("=")
        if scheme != "PVEAPIToken":
            raise ApiError(401, "No ticket: the sandbox accepts its API token only")
        if not hmac.compare_digest(token.encode(errors="surrogateescape"), self._token.encode()):
            raise ApiError(401, "invalid token value!")

    def _perform(self, operation: Operation, given: dict[str, list[str]], handler: Handler) -> Any:
        values = verify(operation, given)
        with self._store.transaction() as t:
            if "node" in values:
                nodes.remember(t, values["node"])
            call = Call(
                t=t,
                values=values,
                user=self._user,
                tasks=self.tasks,
                guests=self._guests,
                power=self._power,
                operation=operation,
            )
            data = handler(call)
        for action in call.after:
            action()
        return data


async def _parameters(request: web.Request, raw_query: str) -> dict[str, list[str]]:
    text = raw_query
    if request.method in ("POST", "PUT") and request.can_read_body:
        if request.content_type == "application/json":
            return _json_parameters(await request.json())
        if request.content_type != "application/x-www-form-urlencoded":
            raise ApiError(415, f"the sandbox reads no body of type {request.content_type}")
        body = await request.text()
        text = f"{raw_query}&{body}" if raw_query else body
    given: dict[str, list[str]] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        given.setdefault(key, []).append(value)
    return given


def _json_parameters(body: Any) -> dict[str, list[str]]:
    if not isinstance(body, dict):
        raise ApiError(400, "the body is not a JSON object")

    def text(value: Any) -> str:
        return str(int(value)) if isinstance(value, bool) else str(value)

    return {
        key: [text(item) for item in (value if isinstance(value, list) else [value])]
        for key, value in body.items()
        if value is not None
    }


def _refusal(problem: ApiError) -> web.Response:
    body: dict[str, Any] = {"data": None, "message": f"{problem.text}\n"}
    if problem.errors:
        body["errors"] = problem.errors
    # Only printable ASCII is safe in a reason phrase; the body keeps the rest.
    reason = re.sub(r"[^ -~]", "?", problem.text) or HTTPStatus(problem.status).phrase
    return web.json_response(body, status=problem.status, reason=reason)
