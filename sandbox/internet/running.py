"""The sandbox's internet as it runs: its authority, and who answers at which address."""

import asyncio
import contextlib
from pathlib import Path

from aiohttp import web

from sandbox.acme import proxy
from sandbox.acme.pebble import PORTS, Authority
from sandbox.certificates import ensure_named, server_context
from sandbox.checkout import Checkout
from sandbox.internet.front import InternetFront, Party
from sandbox.internet.hosts import (
    ACCOUNTS,
    AUTHORITY_ADDRESS,
    AUTHORITY_HOSTS,
    CLOUDFLARE,
    CLOUDFLARE_ADDRESS,
)


class Internet:
    """Let's Encrypt, which is Pebble, and Cloudflare's API; used in one event loop, from the main thread.

    Args:
        checkout: whose.
        cloudflare: what answers for Cloudflare; cleaned up by whoever made it.
    """

    def __init__(self, checkout: Checkout, cloudflare: web.AppRunner) -> None:
        self._checkout = checkout
        self._authority = Authority(checkout)
        port = checkout.ports(PORTS)[PORTS[0]]
        self._proxy = web.AppRunner(
            proxy.application(port, self._authority.trusted, ACCOUNTS), access_log=None
        )
        self._front = InternetFront(
            [
                self._party(AUTHORITY_ADDRESS, self._proxy, "authority", AUTHORITY_HOSTS),
                self._party(CLOUDFLARE_ADDRESS, cloudflare, "cloudflare", (CLOUDFLARE,)),
            ]
        )
        self._starting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Be ready to listen; the authority starts meanwhile."""
        await self._proxy.setup()
        self._starting = asyncio.create_task(self._authority.start())

    async def listen(self, namespace: Path) -> None:
        """Answer in the router's network namespace, when the authority has started.

        Raises:
            SandboxError: somebody else has the ports there.
        """
        if self._starting is not None:
            # A Traefik that finds no authority asks again when its files change or it is restarted, and not before.
            await self._starting
        await self._front.listen(namespace)

    async def close(self) -> None:
        """Answer nowhere, and end the authority."""
        if self._starting is not None:
            self._starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._starting
        await self._front.close()
        await self._proxy.cleanup()
        await self._authority.close()

    def listing(self) -> dict[str, str | None]:
        """The authority, as `status` shows it: `problem` and `roots`, one of which is None."""
        return self._authority.listing()

    def _party(self, address: str, runner: web.AppRunner, server: str, names: tuple[str, ...]) -> Party:
        ensure_named(self._checkout, server, names)
        return Party(address=address, runner=runner, tls=server_context(self._checkout, server))
