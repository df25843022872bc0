"""Tailscale's HTTP API below `/api/v2`.

Owns authorisation, the error envelope `{"message": ...}` and one store transaction per request. There is
one tailnet, which answers under every name, `-` included. What is not simulated is answered with 404 and a
sentence that names it.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.bodies import BodyError, read_text
from sandbox.store import Store
from sandbox.tailscale import acl, devices, dns, keys, settings
from sandbox.tailscale.authorisation import authorise
from sandbox.tailscale.errors import ApiError
from sandbox.tailscale.request import Call, Handler

PREFIX = "/api/v2"
WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _refusal(problem: ApiError) -> web.Response:
    detail = {"data": problem.data} if problem.data else {}
    return web.json_response({"message": problem.message, **detail}, status=problem.status)


def _gate(key: str) -> Middleware:
    @web.middleware
    async def gate(request: web.Request, handler: WebHandler) -> web.StreamResponse:
        what = f"{request.method} {request.path}"
        try:
            authorise(request.headers.get("Authorization"), key)
            return await handler(request)
        except ApiError as problem:
            return _refusal(problem)
        except BodyError as problem:
            return _refusal(ApiError(400, f"invalid body: {problem}"))
        except web.HTTPNotFound:
            return _refusal(ApiError(404, f"the sandbox's Tailscale does not answer {what}"))
        except web.HTTPMethodNotAllowed:
            return _refusal(ApiError(405, f"the sandbox's Tailscale does not answer {what}"))
        except web.HTTPRequestEntityTooLarge:
            return _refusal(ApiError(413, "invalid body: it is too large"))

    return gate


def _answering(store: Store, handler: Handler) -> WebHandler:
    async def answer(request: web.Request) -> web.StreamResponse:
        text = await read_text(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        with store.transaction() as transaction:
            call = Call(
                transaction=transaction,
                match=request.match_info,
                query=request.query,
                headers=headers,
                text=text,
            )
            reply = handler(call)
        if reply.text is not None:
            return web.Response(text=reply.text, content_type=reply.content_type, headers=dict(reply.headers))
        return web.json_response(reply.document, headers=dict(reply.headers))

    return answer


def application(store: Store, *, key: str) -> web.Application:
    """The API over a store.

    Args:
        store: where the tailnet is kept; may be shared with other APIs.
        key: the one API key that is accepted, as Basic user name or Bearer token.
    """
    app = web.Application(middlewares=[_gate(key)])
    for subject in (acl, keys, devices, dns, settings):
        for method, path, handler in subject.routes():
            app.router.add_route(method, PREFIX + path, _answering(store, handler))
    return app
