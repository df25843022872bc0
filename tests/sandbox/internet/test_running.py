"""The sandbox's internet as a whole, with an authority that does not work."""

import asyncio
import json
import ssl
from collections.abc import Iterator
from functools import partial
from http.client import HTTPSConnection
from pathlib import Path

import pytest
from aiohttp import web

from sandbox.certificates import authority_file, ensure_certificates
from sandbox.checkout import Checkout
from sandbox.cloudflare import server as cloudflare
from sandbox.fabric.kernel import NAMESPACES, Kernel, inside
from sandbox.internet.hosts import ADDRESSES, AUTHORITIES, AUTHORITY_ADDRESS, CLOUDFLARE, CLOUDFLARE_ADDRESS
from sandbox.internet.running import Internet
from sandbox.store import Store
from tests.sandbox.engine_ground import real_checkout

pytestmark = pytest.mark.engine


@pytest.fixture
def checkout(monkeypatch: pytest.MonkeyPatch) -> Iterator[Checkout]:
    """A checkout whose Pebble ends a moment after it was started."""
    with real_checkout() as own:
        ensure_certificates(own)
        program = own.root / "pebble"
        program.write_text("#!/bin/sh\nsleep 0.5\n")
        program.chmod(0o755)
        monkeypatch.setattr("sandbox.acme.pebble.pebble", lambda _: program)
        yield own


def _get(
    checkout: Checkout, namespace: Path, address: str, name: str, path: str
) -> tuple[int, dict[str, object]]:
    """What somebody in the namespace is answered, who finds a name at an address."""
    trusted = ssl.create_default_context(cafile=str(authority_file(checkout)))

    class Resolved(HTTPSConnection):
        def connect(self) -> None:
            self.host = address
            super(HTTPSConnection, self).connect()
            self.sock = trusted.wrap_socket(self.sock, server_hostname=name)

    def ask() -> tuple[int, dict[str, object]]:
        connection = Resolved(name, timeout=5)
        connection.request("GET", path, headers={"Host": name})
        response = connection.getresponse()
        answer = response.status, json.loads(response.read())
        connection.close()
        return answer

    return inside(namespace, ask)


def test_everybody_answers_even_without_an_authority(checkout: Checkout) -> None:
    """It answers when the authority's start has ended, whichever way; Cloudflare's API is the one of the checkout."""
    kernel = Kernel(checkout.prefix)
    name = f"{kernel.prefix}router"
    kernel.add(name)
    kernel.batch(name, [f"address add {address}/32 dev lo" for address in ADDRESSES])
    ask = partial(_get, checkout, NAMESPACES / name)

    async def work() -> None:
        zones = web.AppRunner(cloudflare.application(Store(":memory:"), token="t", zones=("lab.example",)))
        await zones.setup()
        internet = Internet(checkout, zones)
        await internet.start()
        assert internet.listing()["problem"] == "it is starting"
        await internet.listen(NAMESPACES / name)
        assert "does not answer" in (internet.listing()["problem"] or "")
        for authority in AUTHORITIES:
            status, problem = await asyncio.to_thread(ask, AUTHORITY_ADDRESS, authority, "/directory")
            assert (status, problem["status"]) == (503, 503)
        status, refused = await asyncio.to_thread(ask, CLOUDFLARE_ADDRESS, CLOUDFLARE, "/client/v4/zones")
        assert (status, refused["success"]) == (400, False)
        await internet.close()
        await zones.cleanup()

    asyncio.run(work())
