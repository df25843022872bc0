"""Where the name server listens: on the machine's loopback, and where guests ask."""

import asyncio
from functools import partial
from pathlib import Path

from sandbox.dns.server import Listening, NameServer, bound
from sandbox.fabric.kernel import inside
from sandbox.fabric.listening import InNamespace

GUESTS_PORT = 53


class Places:
    """The places of one name server; used in its event loop.

    Args:
        server: who answers.
    """

    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._loopback: Listening | None = None
        self._guests: Listening | None = None
        self._place = InNamespace("the name server of the guests", self._serve_guests, self._leave_guests)

    async def on_loopback(self, port: int) -> None:
        """Listen on 127.0.0.1."""
        self._loopback = await self._server.serve(*bound("127.0.0.1", port))

    async def for_guests(self, namespace: Path) -> None:
        """Listen on all addresses of a network namespace; see `InNamespace.enter`.

        Raises:
            SandboxError: it cannot listen there.
        """
        await self._place.enter(namespace)

    async def close(self) -> None:
        """Listen nowhere."""
        await self._place.leave()
        if self._loopback is not None:
            await self._loopback.close()
            self._loopback = None

    async def _serve_guests(self, namespace: Path) -> None:
        sockets = await asyncio.to_thread(inside, namespace, partial(bound, "0.0.0.0", GUESTS_PORT))
        self._guests = await self._server.serve(*sockets)

    async def _leave_guests(self) -> None:
        if self._guests is not None:
            await self._guests.close()
        self._guests = None
