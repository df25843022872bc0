"""Port 443 of the sandbox's internet: who is asked at which address, with a certificate of the sandbox's authority.

Each address is one party, so the certificate is chosen by the address and not by the name that a client sends. The
sockets belong to the router's network namespace: nobody on the machine itself can reach them.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiohttp import web

from sandbox.fabric.kernel import inside
from sandbox.fabric.listening import InNamespace

PORT = 443
# ip(7) of Linux; Python has no name for it.
_IP_FREEBIND = 15
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Party:
    """Somebody who answers.

    Attributes:
        address: where.
        runner: with what; set up, and cleaned up by whoever made it.
        tls: the certificate that is shown.
    """

    address: str
    runner: web.AppRunner
    tls: ssl.SSLContext


class InternetFront:
    """All parties at their addresses; used in one event loop.

    Args:
        parties: who answers.
    """

    def __init__(self, parties: Sequence[Party]) -> None:
        self._parties = parties
        self._sites: list[web.SockSite] = []
        self._place = InNamespace("the sandbox's internet", self._open, self._leave)

    async def listen(self, namespace: Path) -> None:
        """Listen in a network namespace; see `InNamespace.enter`.

        Raises:
            SandboxError: it cannot listen there.
        """
        await self._place.enter(namespace)

    async def close(self) -> None:
        """Listen nowhere."""
        await self._place.leave()

    async def _open(self, namespace: Path) -> None:
        for party in self._parties:
            listener = await asyncio.to_thread(inside, namespace, partial(_bound, party.address))
            site = web.SockSite(party.runner, listener, ssl_context=party.tls)
            self._sites.append(site)
            await site.start()
        _LOG.info("the sandbox's internet answers in %s", namespace.name)

    async def _leave(self) -> None:
        for site in self._sites:
            # A runner that is cleaned up has stopped its sites.
            with contextlib.suppress(RuntimeError):
                await site.stop()
        self._sites.clear()


def _bound(address: str) -> socket.socket:
    """A listening socket. The router may get the address later, or lose it to a guest."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        listener.bind((address, PORT))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
