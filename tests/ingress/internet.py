"""What Traefik needs of the internet to get a certificate, on loopback: Cloudflare's API, a name server over the same
records, and the real Pebble behind a front door that can be out of order."""

import asyncio
import json
import os
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.acme.package import fetch_pebble, pebble
from sandbox.acme.proxy import application as front_door
from sandbox.certificates import authority_file, ensure_certificates, server_context, server_files
from sandbox.checkout import Checkout, cache_dir
from sandbox.cloudflare.server import application as cloudflare
from sandbox.cloudflare.zones import COLLECTION as ZONES
from sandbox.cloudflare.zones import create_zones, records_collection
from sandbox.dns.server import NameServer, bound
from sandbox.store import Store
from tests.support.needs import need

TOKEN = "the-token-of-the-lab"
MAKER = "the-credential-that-makes-tokens"
LOOPBACK = "127.0.0.1"
# Each order is proven anew: half of them would rest on an earlier proof, and need no token.
_STRICT = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
VALID_SECONDS = 900
"""The life of a certificate; Traefik renews what ends within 20 minutes, so it renews each at once."""

NEW_ORDER = "/order-plz"
"""Where Pebble takes orders."""

Trouble = Literal["none", "rate-limit", "outage"]
_PROBLEMS: dict[Trouble, tuple[int, dict[str, object]]] = {
    # The text of Let's Encrypt's own answer (https://letsencrypt.org/docs/rate-limits/, read 2026).
    "rate-limit": (
        429,
        {
            "type": "urn:ietf:params:acme:error:rateLimited",
            "detail": "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s",
            "status": 429,
        },
    ),
    "outage": (
        503,
        {
            "type": "urn:ietf:params:acme:error:serverInternal",
            "detail": "Service busy; retry later.",
            "status": 503,
        },
    ),
}


@dataclass(kw_only=True)
class Internet:
    """Where everything is, and what is wrong with it at the moment."""

    trusted: Path
    """The root of the authority's own HTTPS, in PEM form."""
    directory: str = ""
    """The URL at which the authority is found."""
    cloudflare: str = ""
    """The base URL of Cloudflare's API."""
    resolver: str = ""
    """Address and port of the name server."""
    roots: str = ""
    """The root of the certificates that it signs, in PEM form."""
    trouble: Trouble = "none"
    lag_seconds: float = 0.0
    """How long the name server takes to know what the API has been told."""
    close: Callable[[], object] = bool
    """Ends it."""


def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        return int(found.getsockname()[1])


@contextmanager
def internet(folder: Path, zones: tuple[str, ...] = ("lab.example",)) -> Iterator[Internet]:
    """A small internet while the block runs.

    Args:
        folder: where its files go.
        zones: those of the account.
    """
    checkout = Checkout(folder)
    checkout.make_dirs()
    ensure_certificates(checkout)
    there = Internet(trusted=authority_file(checkout))
    closing = asyncio.Event()
    ready: Future[None] = Future()
    thread = threading.Thread(target=asyncio.run, args=(_serve(there, checkout, zones, ready, closing),))
    thread.start()
    try:
        ready.result(timeout=30)
        yield there
    finally:
        there.close()
        thread.join()


def pebble_program() -> Path:
    """The real Pebble, fetched where it is not in the cache."""
    fetch_pebble(cache_dir())
    program = pebble(cache_dir())
    need(program is not None, "Debian's package pebble cannot be had")
    assert program is not None
    return program


async def _serve(
    there: Internet, checkout: Checkout, zones: tuple[str, ...], ready: "Future[None]", closing: asyncio.Event
) -> None:
    """Start everything, say so, and end it when `closing` is set."""
    loop = asyncio.get_running_loop()
    there.close = lambda: loop.call_soon_threadsafe(closing.set)
    account, published = Store(":memory:"), Store(":memory:")
    async with AsyncExitStack() as stack:
        try:
            await _start(there, checkout, zones, (account, published), stack)
        except BaseException as error:
            ready.set_exception(error)
            return
        ready.set_result(None)
        following = asyncio.create_task(_publish(there, account, published))
        await closing.wait()
        following.cancel()


async def _start(
    there: Internet,
    checkout: Checkout,
    zones: tuple[str, ...],
    stores: tuple[Store, Store],
    stack: AsyncExitStack,
) -> None:
    account, published = stores
    with published.transaction() as transaction:
        # Everybody sees a zone, whichever account it is in.
        create_zones(transaction, ("lab.example",))
    api = cloudflare(account, token=TOKEN, maker=MAKER, zones=zones)
    there.cloudflare = f"http://{LOOPBACK}:{await _site(api, stack)}/client/v4"
    port = free_port()
    listening = await NameServer(published).serve(*bound(LOOPBACK, port))
    stack.push_async_callback(listening.close)
    there.resolver = f"{LOOPBACK}:{port}"
    authority = _Pebble(checkout, there.resolver)
    stack.push_async_callback(asyncio.to_thread, authority.end)
    trusted = ssl.create_default_context(cafile=str(there.trusted))
    there.roots = await asyncio.to_thread(authority.roots, trusted)
    door = front_door(authority.port, trusted, "")
    door.middlewares.append(_trouble(there))
    port = await _site(door, stack, server_context(checkout))
    there.directory = f"https://{LOOPBACK}:{port}/directory"


async def _site(app: web.Application, stack: AsyncExitStack, tls: ssl.SSLContext | None = None) -> int:
    runner = web.AppRunner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port, ssl_context=tls).start()
    return port


def _trouble(there: Internet) -> Middleware:
    """What is wrong with the authority, for every new order; what was ordered before goes on."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if there.trouble == "none" or (there.trouble == "rate-limit" and request.path != NEW_ORDER):
            return await handler(request)
        status, problem = _PROBLEMS[there.trouble]
        return web.json_response(problem, status=status, content_type="application/problem+json")

    return middleware


async def _publish(there: Internet, account: Store, published: Store) -> None:
    """Let the name server know what the API knew `lag_seconds` ago."""
    changes: deque[tuple[float, dict[str, list[tuple[str, Any]]]]] = deque()
    while True:
        now = time.monotonic()
        changes.append((now, _documents(account)))
        while changes and changes[0][0] <= now - there.lag_seconds:
            _write(published, changes.popleft()[1])
        await asyncio.sleep(0.1)


def _documents(account: Store) -> dict[str, list[tuple[str, Any]]]:
    with account.transaction() as transaction:
        zones = transaction.list(ZONES)
        records = [records_collection(zone["id"]) for _, zone in zones]
        return {ZONES: zones} | {name: transaction.list(name) for name in records}


def _write(published: Store, documents: dict[str, list[tuple[str, Any]]]) -> None:
    with published.transaction() as transaction:
        for collection, wanted in documents.items():
            for key, _ in transaction.list(collection):
                transaction.delete(collection, key)
            for key, document in wanted:
                transaction.put(collection, key, document)


class _Pebble:
    """The authority's process, which looks challenges up at one name server."""

    def __init__(self, checkout: Checkout, resolver: str) -> None:
        self.port, self._management = free_port(), free_port()
        certificate, key = server_files(checkout)
        configuration = {
            "listenAddress": f"{LOOPBACK}:{self.port}",
            "managementListenAddress": f"{LOOPBACK}:{self._management}",
            "certificate": str(certificate),
            "privateKey": str(key),
            "certificateValidityPeriod": VALID_SECONDS,
        }
        file = checkout.dir / "played.json"
        file.write_text(json.dumps({"pebble": configuration}))
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", pebble_program(), "-config", file, "-dnsserver", resolver],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**_STRICT, "PATH": os.environ["PATH"]},
        )

    def roots(self, trusted: ssl.SSLContext) -> str:
        """The root of what it signs, as soon as it answers, in PEM form."""
        deadline = time.monotonic() + 10
        while True:
            try:
                url = f"https://{LOOPBACK}:{self._management}/roots/0"
                with urllib.request.urlopen(url, context=trusted, timeout=5) as answer:
                    return str(answer.read(), "ascii")
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def end(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=10)
