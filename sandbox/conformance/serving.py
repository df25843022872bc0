"""Serve an aiohttp application from a thread, on a unix socket or a loopback port, for blocking clients."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web


@contextmanager
def _served(app: web.Application, socket: Path | None) -> Iterator[int]:
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> int:
        await runner.setup()
        if socket is not None:
            await web.UnixSite(runner, str(socket)).start()
            return 0
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@contextmanager
def served_on_socket(app: web.Application, socket: Path) -> Iterator[str]:
    """Serve on a unix socket; gives its URL in the notation of Docker clients (`unix://...`)."""
    with _served(app, socket):
        yield f"unix://{socket}"


@contextmanager
def served_on_loopback(app: web.Application) -> Iterator[str]:
    """Serve on a free port of 127.0.0.1; gives `http://127.0.0.1:PORT`."""
    with _served(app, None) as port:
        yield f"http://127.0.0.1:{port}"
