"""Listening in a network namespace, in one at a time; one that is made anew under its name is another."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from sandbox.errors import SandboxError

Listen = Callable[[Path], Awaitable[None]]
Leave = Callable[[], Awaitable[None]]


class InNamespace:
    """Somebody who listens in one namespace; used in one event loop.

    Args:
        who: in words, for the message.
        listen: begins, in the namespace of this file; what it had begun when it fails is left again.
        leave: ends; nothing where nothing was begun.
    """

    def __init__(self, who: str, listen: Listen, leave: Leave) -> None:
        self._who = who
        self._listen = listen
        self._leave = leave
        self._identity: tuple[int, int] | None = None
        self._lock = asyncio.Lock()

    async def enter(self, namespace: Path) -> None:
        """Listen there, unless it does; in no other from then on.

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
                await self._end()
                await self._listen(namespace)
            except OSError as error:
                await self._end()
                raise SandboxError(
                    f"{self._who} cannot listen in {namespace.name}: {error.strerror}"
                ) from None
            self._identity = identity

    async def leave(self) -> None:
        """Listen nowhere."""
        async with self._lock:
            await self._end()

    async def _end(self) -> None:
        self._identity = None
        await self._leave()
