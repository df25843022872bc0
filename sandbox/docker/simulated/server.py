"""The simulated Docker Engine as an aiohttp application, usually served on a unix socket.

Owns the version prefix, the error envelope and the transaction around every request. Anything it does
not know is answered with status 501 and a sentence that says so: a client never believes that something
was done which was not.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.docker.simulated import (
    archive,
    containers,
    endpoints,
    engine,
    images,
    lifecycle,
    networks,
    volumes,
)
from sandbox.docker.simulated.engine import API_VERSION, ENGINE_VERSION, MINIMUM_API_VERSION
from sandbox.docker.simulated.errors import EngineError, not_simulated
from sandbox.docker.simulated.lookup import need_container
from sandbox.docker.simulated.request import Call, Reply, Route
from sandbox.docker.simulated.state import Document, EngineState
from sandbox.store import Store

_PREFIX = re.compile(r"^/v(\d+)\.(\d+)(?=/)")
_LARGEST_UPLOAD = 256 * 2**20
_WAIT_INTERVAL = 0.05
_HEADERS = {
    "Api-Version": API_VERSION,
    "Docker-Experimental": "false",
    "Ostype": "linux",
    "Server": f"Docker/{ENGINE_VERSION} (linux)",
}
WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _check_version(path: str) -> None:
    match = _PREFIX.match(path)
    if match is None:
        return
    asked = (int(match[1]), int(match[2]))
    newest, oldest = (tuple(int(n) for n in v.split(".")) for v in (API_VERSION, MINIMUM_API_VERSION))
    given = f"{match[1]}.{match[2]}"
    if asked > newest:
        raise EngineError(
            400, f"client version {given} is too new. Maximum supported API version is {API_VERSION}"
        )
    if asked < oldest:
        raise EngineError(
            400,
            f"client version {given} is too old. Minimum supported API version is {MINIMUM_API_VERSION}, "
            "please upgrade your client to a newer version",
        )


@web.middleware
async def _envelope(request: web.Request, handler: WebHandler) -> web.StreamResponse:
    try:
        _check_version(request.path)
        response = await handler(request)
    except EngineError as problem:
        response = web.json_response({"message": problem.message}, status=problem.status)
    except web.HTTPException as problem:
        if problem.status not in (404, 405):
            raise
        refusal = not_simulated(f"{request.method} {_PREFIX.sub('', request.path)}")
        response = web.json_response({"message": refusal.message}, status=refusal.status)
    response.headers.update(_HEADERS)
    return response


def _response(reply: Reply) -> web.Response:
    if reply.document is not None:
        return web.json_response(reply.document, status=reply.status, headers=dict(reply.headers))
    if reply.status in (204, 304):
        return web.Response(status=reply.status)
    return web.Response(
        body=reply.raw, status=reply.status, content_type=reply.content_type, headers=dict(reply.headers)
    )


def _web_handler(store: Store, name: str, route: Route) -> WebHandler:
    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        with store.transaction() as transaction:
            state = EngineState(transaction=transaction, name=name)
            call = Call(state=state, match=request.match_info, query=request.query, body=body)
            reply = route.handler(call)
        return _response(reply)

    return answer


def _wait_handler(store: Store, name: str) -> WebHandler:
    async def answer(request: web.Request) -> web.StreamResponse:
        condition = request.query.get("condition", "")
        lifecycle.check_condition(condition)
        with store.transaction() as transaction:
            state = EngineState(transaction=transaction, name=name)
            found = need_container(state, request.match_info["id"])
        container: Document | None = found
        identifier, finished = found["Id"], found["State"]["FinishedAt"]
        while (reply := lifecycle.waited_reply(container, condition, finished=finished)) is None:
            await asyncio.sleep(_WAIT_INTERVAL)
            with store.transaction() as transaction:
                container = EngineState(transaction=transaction, name=name).containers.get(identifier)
        return _response(reply)

    return answer


def application(store: Store, *, name: str) -> web.Application:
    """A simulated engine over a store; its state is found again by the same store and name.

    Args:
        store: where everything is kept; may be shared with other engines and APIs.
        name: the guest that the engine belongs to.
    """
    with store.transaction() as transaction:
        networks.create_predefined(EngineState(transaction=transaction, name=name))
    app = web.Application(middlewares=[_envelope], client_max_size=_LARGEST_UPLOAD)
    subjects = (engine, images, volumes, networks, endpoints, containers, lifecycle, archive)
    handlers = [(r.method, r.path, _web_handler(store, name, r)) for s in subjects for r in s.routes()]
    handlers.append(("POST", "/containers/{id}/wait", _wait_handler(store, name)))
    for method, path, handler in handlers:
        for prefix in ("", r"/v{version:\d+\.\d+}"):
            app.router.add_route(method, prefix + path, handler)
    return app
