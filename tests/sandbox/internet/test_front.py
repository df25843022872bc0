"""Port 443 of the sandbox's internet, in a network namespace of its own."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import pytest
from aiohttp import web

from sandbox.certificates import authority_file, ensure_certificates, ensure_named, server_context
from sandbox.checkout import Checkout
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import NAMESPACES, Kernel, inside
from sandbox.internet.front import InternetFront, Party
from tests.sandbox.engine_ground import real_checkout

pytestmark = pytest.mark.engine
NAMES = {"172.64.32.1": "one.example", "172.64.32.2": "two.example"}


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    """A checkout with an authority, swept afterwards."""
    with real_checkout() as own:
        ensure_certificates(own)
        yield own


@pytest.fixture
def kernel(checkout: Checkout) -> Kernel:
    """What makes its namespaces."""
    return Kernel(checkout.prefix)


async def _with_front(checkout: Checkout, work: Callable[[InternetFront], Awaitable[None]]) -> None:
    parties, runners = [], []
    for address, name in NAMES.items():
        app = web.Application()
        app.router.add_get("/", partial(_say, name))
        runner = web.AppRunner(app)
        await runner.setup()
        runners.append(runner)
        ensure_named(checkout, name, [name])
        parties.append(Party(address=address, runner=runner, tls=server_context(checkout, name)))
    front = InternetFront(parties)
    try:
        await work(front)
    finally:
        await front.close()
        for runner in runners:
            await runner.cleanup()


async def _say(name: str, _: web.Request) -> web.Response:
    return web.Response(text=name)


def _namespace(kernel: Kernel, name: str) -> str:
    full = f"{kernel.prefix}{name}"
    kernel.add(full)
    kernel.batch(full, [f"address add {address}/32 dev lo" for address in NAMES])
    return full


def _get(checkout: Checkout, namespace: str, address: str, name: str) -> str:
    """What somebody in a namespace is answered, who trusts the checkout's authority alone."""
    context = ssl.create_default_context(cafile=str(authority_file(checkout)))

    def ask() -> str:
        with (
            socket.create_connection((address, 443), timeout=3) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            secure.sendall(f"GET / HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
            return secure.recv(4096).decode()

    return inside(NAMESPACES / namespace, ask)


def test_each_party_answers_at_its_address_with_its_name(checkout: Checkout, kernel: Kernel) -> None:
    """The certificate fits the name, and no other party's does."""
    there = _namespace(kernel, "router")

    async def work(front: InternetFront) -> None:
        await front.listen(NAMESPACES / there)
        listening = list(front._sites)
        await front.listen(NAMESPACES / there)
        # Whoever is connected by then is not cut.
        assert front._sites == listening
        for address, name in NAMES.items():
            assert name in await asyncio.to_thread(_get, checkout, there, address, name)
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.to_thread(_get, checkout, there, "172.64.32.1", "two.example")

    asyncio.run(_with_front(checkout, work))


def test_a_new_namespace_takes_over(checkout: Checkout, kernel: Kernel) -> None:
    """It answers in one place, and nowhere after it was closed."""
    old, new = _namespace(kernel, "router"), _namespace(kernel, "other")

    async def work(front: InternetFront) -> None:
        await front.listen(NAMESPACES / old)
        await front.listen(NAMESPACES / new)
        assert "one" in await asyncio.to_thread(_get, checkout, new, "172.64.32.1", "one.example")
        with pytest.raises(OSError, match="refused"):
            await asyncio.to_thread(_get, checkout, old, "172.64.32.1", "one.example")
        await front.close()
        with pytest.raises(OSError, match="refused"):
            await asyncio.to_thread(_get, checkout, new, "172.64.32.1", "one.example")

    asyncio.run(_with_front(checkout, work))


def test_a_taken_port_is_told(checkout: Checkout, kernel: Kernel) -> None:
    """And nothing of it listens then."""
    there = _namespace(kernel, "router")
    other = partial(socket.create_server, ("172.64.32.2", 443))

    async def work(front: InternetFront) -> None:
        with inside(NAMESPACES / there, other), pytest.raises(SandboxError, match="cannot listen in"):
            await front.listen(NAMESPACES / there)
        with pytest.raises(OSError, match="refused"):
            await asyncio.to_thread(_get, checkout, there, "172.64.32.1", "one.example")
        await front.listen(NAMESPACES / there)
        assert "one" in await asyncio.to_thread(_get, checkout, there, "172.64.32.1", "one.example")

    asyncio.run(_with_front(checkout, work))
