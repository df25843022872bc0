"""The HTTPS API of Proxmox VE 9.2, as clients see it.

Owns the order of things: login, permission and parameters are checked against Proxmox's own description, then
the call is made and answered in the `{"data": ...}` envelope, or refused in the HTTP reason phrase. One request is
one transaction. What a call does is in the modules that `routes` lists; a call that the description knows and the
sandbox does not play answers 501 and says so.

Nodes exist as soon as a request names them, with the storages `local`, `local-lvm` and `local-zfs` and any
other storage that a request names: the sandbox does not know the lab. Its own token may do everything.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from sandbox.proxmox import (
    cluster,
    firewall,
    groups,
    guest_config,
    lxc,
    moves,
    network,
    nodes,
    qemu,
    sdn,
    sections,
    storage,
)
from sandbox.proxmox.access import acl, custom_roles, directory, login, passwords, pools, users
from sandbox.proxmox.access import groups as user_groups
from sandbox.proxmox.access.checks import Caller, denied, require_permission
from sandbox.proxmox.call import Call, Handler, Routes
from sandbox.proxmox.description import ApiDescription
from sandbox.proxmox.errors import ApiError, bad_parameters
from sandbox.proxmox.guests import GuestHost
from sandbox.proxmox.parameters import verify
from sandbox.proxmox.power import Power
from sandbox.proxmox.request import parameters_of
from sandbox.proxmox.tasks import Tasks
from sandbox.store import Store, Transaction

_log = logging.getLogger("sandbox.proxmox")
_PREFIX = "/api2/json/"
NOT_PLAYED = "the sandbox does not play"


def routes() -> Routes:
    """Every call that the sandbox plays, by method and path template."""
    access = (acl, custom_roles, passwords, pools, user_groups, users)
    modules = (cluster, firewall, groups, lxc, moves, network, nodes, qemu, sdn, sections, storage, *access)
    return {key: handler for module in modules for key, handler in module.routes().items()}


def application(
    store: Store, *, token: str, description: ApiDescription, guests: GuestHost
) -> web.Application:
    """The API as an aiohttp application; serve it with the caller's TLS context.

    Args:
        store: where all its state is kept, in collections that start with `pve/`.
        token: an API token that may do everything, `user@realm!name=secret`.
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
        with store.transaction() as t:
            directory.admit(t, token)
        self._store = store
        self._owner = token.partition("=")[0]
        self._description = description
        self._guests = guests
        self._power = Power(store, guests, guest_config.forget)
        self._routes = routes()
        self.tasks = Tasks(store)

    def take_over(self) -> None:
        self._power.take_over(self.tasks, self._owner)

    async def answer(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
            # sqlite and the guests' state block; the daemon's other APIs share this loop.
            data = await asyncio.to_thread(self._perform, request, body)
        except ApiError as problem:
            return _refusal(problem)
        except web.HTTPRequestEntityTooLarge:
            return _refusal(ApiError(413, "the body is too large"))
        except Exception:
            _log.exception("defect while answering %s %s", request.method, request.path)
            return _refusal(ApiError(500, "the sandbox failed at this call; its log has the defect"))
        return web.json_response({"data": data})

    def _perform(self, request: web.Request, body: bytes) -> Any:
        with self._store.transaction() as t:
            call, handler = self._understand(t, request, body)
            data = handler(call)
        for action in call.after:
            action()
        return data

    def _understand(self, t: Transaction, request: web.Request, body: bytes) -> tuple[Call, Handler]:
        """Who asks for what, in Proxmox VE's order: login, method, permission, and then the parameters."""
        raw_path, _, raw_query = request.raw_path.partition("?")
        if not raw_path.startswith(_PREFIX):
            raise ApiError(404, f"no such path '{raw_path}': the API is below {_PREFIX}")
        # Segments are split before they are unquoted: a volume id holds an escaped slash.
        segments = [unquote(part) for part in raw_path.removeprefix(_PREFIX).strip("/").split("/")]
        match = self._description.match(segments)
        operation = match.operations.get(request.method) if match is not None else None
        access = directory.load(t)
        if operation is not None and (operation.permissions or {}).get("user") == "world":
            caller = Caller(login.NOBODY, access)
        else:
            caller = Caller(login.authenticate(t, access, request), access)
        if match is None or operation is None:
            raise ApiError(501, f"Method '{request.method} /{'/'.join(segments)}' not implemented")
        if "!" in caller.who and not operation.allows_token:
            where = f"URI '/{'/'.join(segments)}' not available with API token, need proper ticket."
            raise denied(where)
        given = parameters_of(request.method, request.content_type, raw_query, body)
        require_permission(operation.permissions, caller, _plain(given) | dict(match.values))
        handler = self._routes.get((request.method, match.template))
        if handler is None:
            raise ApiError(501, f"{NOT_PLAYED} '{request.method} {match.template}'")
        for name, value in match.values.items():
            if given.setdefault(name, [value]) != [value]:
                conflict = "duplicate parameter (already defined in URI) with conflicting values"
                raise bad_parameters({name: conflict})
        values = verify(operation, given)
        if "node" in values:
            nodes.remember(t, values["node"])
        call = Call(
            t=t,
            values=values,
            caller=caller,
            tasks=self.tasks,
            guests=self._guests,
            power=self._power,
            operation=operation,
        )
        return call, handler


def _plain(given: dict[str, list[str]]) -> dict[str, str]:
    return {name: ",".join(texts) for name, texts in given.items()}


def _refusal(problem: ApiError) -> web.Response:
    body: dict[str, Any] = {"data": None, "message": f"{problem.text}\n"}
    if problem.errors:
        body["errors"] = problem.errors
    # Only printable ASCII is safe in a reason phrase; the body keeps the rest.
    reason = re.sub(r"[^ -~]", "?", problem.text) or HTTPStatus(problem.status).phrase
    return web.json_response(body, status=problem.status, reason=reason)
