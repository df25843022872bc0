"""The authority's front door, before something that shows what arrives."""

import asyncio
import gzip
import json
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sandbox.acme.proxy import application
from sandbox.certificates import authority_file, ensure_certificates, server_context
from sandbox.checkout import Checkout

NAME = "acme-v02.api.letsencrypt.org"
Work = Callable[[aiohttp.ClientSession, str], Awaitable[None]]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Whose certificate Pebble has."""
    own = Checkout(tmp_path)
    ensure_certificates(own)
    return own


async def _show(request: web.Request) -> web.Response:
    if request.path == "/gone":
        return web.Response(status=404, headers={"Replay-Nonce": "n1", "Link": "<x>;rel=up"})
    if request.path == "/packed":
        return web.Response(body=gzip.compress(b"text"), headers={"Content-Encoding": "gzip"})
    shown = {
        "method": request.method,
        "path": request.raw_path,
        "host": request.host,
        "type": request.headers.get("Content-Type"),
        "body": (await request.read()).decode(),
    }
    return web.json_response(shown)


def _through(checkout: Checkout, work: Work, *, pebble: bool = True) -> None:
    """Do something with a client and the address of the front door."""

    async def run() -> None:
        far = web.Application()
        far.router.add_route("*", "/{path:.*}", _show)
        behind, far_port = await _serve(far, server_context(checkout))
        if not pebble:
            await behind.cleanup()
        trusted = ssl.create_default_context(cafile=str(authority_file(checkout)))
        front, port = await _serve(application(far_port, trusted, "pebble."), None)
        try:
            async with aiohttp.ClientSession(headers={"Host": NAME}) as client:
                await work(client, f"http://127.0.0.1:{port}")
        finally:
            await front.cleanup()
            await behind.cleanup()

    asyncio.run(run())


async def _serve(app: web.Application, tls: ssl.SSLContext | None) -> tuple[web.AppRunner, int]:
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    return runner, runner.addresses[0][1]


async def _shown(answer: Awaitable[aiohttp.ClientResponse]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await (await answer).text())
    return found


def test_requests_arrive_as_they_were_sent(checkout: Checkout) -> None:
    """With the name that the client used, because that is in what it signed."""

    async def work(client: aiohttp.ClientSession, front: str) -> None:
        sent = client.post(
            f"{front}/order%2Fplz?x=1", data="{}", headers={"Content-Type": "application/jose+json"}
        )
        assert await _shown(sent) == {
            "method": "POST",
            "path": "/order%2Fplz?x=1",
            "host": NAME,
            "type": "application/jose+json",
            "body": "{}",
        }

    _through(checkout, work)


def test_the_directory_names_another_host(checkout: Checkout) -> None:
    """Let's Encrypt's path is Pebble's, and what Pebble names from there is where accounts are made anew."""

    async def work(client: aiohttp.ClientSession, front: str) -> None:
        found = await _shown(client.get(f"{front}/directory"))
        assert (found["path"], found["host"]) == ("/dir", f"pebble.{NAME}")
        assert (await _shown(client.get(f"{front}/directory/x")))["path"] == "/directory/x"

    _through(checkout, work)


def test_answers_come_back_as_they_were(checkout: Checkout) -> None:
    """Code and headers, the nonce above all, and a body that was packed."""

    async def work(client: aiohttp.ClientSession, front: str) -> None:
        answer = await client.head(f"{front}/gone")
        assert (answer.status, answer.headers["Replay-Nonce"], answer.headers["Link"]) == (
            404,
            "n1",
            "<x>;rel=up",
        )
        assert await (await client.get(f"{front}/packed")).text() == "text"

    _through(checkout, work)


def test_an_authority_that_is_not_there_is_out_of_order(checkout: Checkout) -> None:
    """A client sees the problem document of RFC 8555 and can show it."""

    async def work(client: aiohttp.ClientSession, front: str) -> None:
        answer = await client.get(f"{front}/directory")
        assert (answer.status, answer.content_type) == (503, "application/problem+json")
        assert json.loads(await answer.text())["type"] == "urn:ietf:params:acme:error:serverInternal"

    _through(checkout, work, pebble=False)
