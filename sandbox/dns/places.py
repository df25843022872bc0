"""Where the name server listens: on the machine's loopback, and where guests ask."""

import asyncio
from functools import partial
from pathlib import Path

from sandbox.dns.server import Listening, NameServer, bound
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import inside

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
        self._identity: tuple[int, int] | None = None
        self._lock = asyncio.Lock()

    async def on_loopback(self, port: int) -> None:
        """Listen on 127.0.0.1."""
        self._loopback = await self._server.serve(*bound("127.0.0.1", port))

    async def for_guests(self, namespace: Path) -> None:
        """Listen on all addresses of a network namespace, unless it does; in no other from then on.

        Args:
            namespace: its file. One that was made anew under this name is another.

        Raises:
            SandboxError: it cannot listen there.
        """
        async with self._lock:
            try:
                found = namespace.stat()
                identity = found.st_dev, found.st_ino
                if identity == self._identity:
                    return
                await self._leave_guests()
                sockets = await asyncio.to_thread(inside, namespace, partial(bound, "0.0.0.0", GUESTS_PORT))
            except OSError as error:
                raise SandboxError(
                    f"the name server cannot listen where guests ask it, in {namespace.name}: {error.strerror}"
                ) from None
            self._guests = await self._server.serve(*sockets)
            self._identity = identity

    async def close(self) -> None:
        """Listen nowhere."""
        async with self._lock:
            await self._leave_guests()
            if self._loopback is not None:
                await self._loopback.close()
                self._loopback = None

    async def _leave_guests(self) -> None:
        if self._guests is not None:
            await self._guests.close()
        self._guests = self._identity = None
