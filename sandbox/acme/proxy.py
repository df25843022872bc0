"""Let's Encrypt's front door: every request is Pebble's to answer, under the name that the client used.

The URLs that Pebble hands out, and those that it expects to be signed, follow from the Host header, so this is passed
on as it came. Two things differ. Let's Encrypt's directory is `/directory`, Pebble's is `/dir`. And everything that the
directory names is at a host of its own: Pebble has forgotten all accounts when it is started again, and a Traefik whose
account is at another host than the directory makes a new one at each start (`isAccountMatchingCaServer` in Traefik's
pkg/provider/acme). With an account that nobody knows it would never get a certificate again.
"""

import ssl

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, MultiMapping
from yarl import URL

DIRECTORY, PEBBLE_DIRECTORY = "/directory", "/dir"
ANSWER_SECONDS = 30.0
_OF_ONE_CONNECTION = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})


def application(port: int, trusted: ssl.SSLContext, accounts: str) -> web.Application:
    """The authority as its clients see it.

    Args:
        port: where Pebble listens on 127.0.0.1, with TLS.
        trusted: what Pebble's own certificate is verified with.
        accounts: what the host of everything but the directory has before the directory's own.
    """

    async def forward(request: web.Request) -> web.Response:
        path, headers = request.raw_path, _passed(request.headers)
        if request.path == DIRECTORY:
            path = path.replace(DIRECTORY, PEBBLE_DIRECTORY, 1)
            headers["Host"] = f"{accounts}{request.host}"
        try:
            async with (
                aiohttp.ClientSession(
                    auto_decompress=False, timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)
                ) as session,
                session.request(
                    request.method,
                    URL(f"https://127.0.0.1:{port}{path}", encoded=True),
                    headers=headers,
                    data=await request.read(),
                    allow_redirects=False,
                    ssl=trusted,
                ) as answer,
            ):
                return web.Response(
                    status=answer.status, headers=_passed(answer.headers), body=await answer.read()
                )
        except (aiohttp.ClientError, TimeoutError):
            return _absent()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    return app


def _passed(headers: MultiMapping[str]) -> CIMultiDict[str]:
    return CIMultiDict(pair for pair in headers.items() if pair[0].lower() not in _OF_ONE_CONNECTION)


def _absent() -> web.Response:
    """As an authority says that it is out of order (RFC 8555, section 6.7)."""
    problem = {
        "type": "urn:ietf:params:acme:error:serverInternal",
        "detail": "the sandbox's certificate authority does not run; `python -m sandbox status` says why",
        "status": 503,
    }
    return web.json_response(problem, status=503, content_type="application/problem+json")
