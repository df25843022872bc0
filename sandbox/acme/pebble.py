"""Pebble as a process of the daemon: started with it, and ended with it however that ends.

It looks up challenges at the sandbox's own name server, and its root is fetched when it answers. Accounts, orders and
keys are in its memory and nowhere else: each start is a new authority that knows nobody.
"""

import asyncio
import contextlib
import json
import logging
import os
import ssl
from pathlib import Path

import aiohttp

from sandbox.acme.package import pebble
from sandbox.acme.roots import remember
from sandbox.certificates import authority_file, server_files
from sandbox.checkout import Checkout, cache_dir, write_atomically
from sandbox.debian import SYSTEM_PATH
from sandbox.environment import name_server
from sandbox.errors import SandboxError

_LOG = logging.getLogger(__name__)
PORTS = ("pebble", "pebble-management")
START_SECONDS = 10.0
END_SECONDS = 5.0
# Pebble waits and refuses at random to exercise clients; both would only make a person wait here.
_PATIENT = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}


class Authority:
    """The Pebble of a checkout; used in one event loop, from the main thread.

    Args:
        checkout: whose.
        program: Pebble; None takes that of the cache.
    """

    def __init__(self, checkout: Checkout, program: Path | None = None) -> None:
        self._checkout = checkout
        self._program = program or pebble(cache_dir())
        self._process: asyncio.subprocess.Process | None = None
        self._problem: str | None = "it is starting"

    @property
    def trusted(self) -> ssl.SSLContext:
        """What its own certificate on loopback is verified with."""
        return ssl.create_default_context(cafile=str(authority_file(self._checkout)))

    async def start(self) -> None:
        """Start it and keep its root; what goes wrong is in the log and in `listing`, and nothing else stops."""
        try:
            await self._start()
            self._problem = None
            _LOG.info("the certificate authority answers")
        except (OSError, ValueError, SandboxError) as error:
            self._problem = str(error)
            _LOG.warning("no certificate authority: %s", error)

    async def close(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    def listing(self) -> dict[str, str | None]:
        """What `status` shows: why it does not run, or None, and the file with its root."""
        problem = self._problem
        if problem is None and (self._process is None or self._process.returncode is not None):
            problem = f"it has ended; see {self._log}"
        return {"problem": problem, "roots": None if problem else str(self._checkout.roots_file)}

    @property
    def _log(self) -> Path:
        return self._checkout.logs_dir / "pebble.log"

    async def _start(self) -> None:
        if self._program is None:
            raise SandboxError(
                "Debian's package pebble is not in the cache; `python -m sandbox start` fetches it where Debian's "
                "packages can be downloaded"
            )
        ports = self._checkout.ports(PORTS)
        listen, manage = (f"127.0.0.1:{ports[name]}" for name in PORTS)
        config = self._checkout.dir / "pebble.json"
        write_atomically(config, json.dumps({"pebble": self._configuration(listen, manage)}, indent=2) + "\n")
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                # The kernel ends it when the daemon is gone, also after a kill that nobody can handle.
                *("setpriv", "--pdeathsig", "KILL", str(self._program)),
                *("-config", str(config), "-dnsserver", name_server(self._checkout)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**_PATIENT, "PATH": f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"},
            )
        remember(self._checkout.roots_file, await self._root(f"https://{manage}/roots/0"))

    def _configuration(self, listen: str, manage: str) -> dict[str, object]:
        certificate, key = server_files(self._checkout)
        return {
            "listenAddress": listen,
            "managementListenAddress": manage,
            "certificate": str(certificate),
            "privateKey": str(key),
            # Where HTTP-01 and TLS-ALPN-01 would be tried; a wildcard is proven by DNS-01 alone.
            "httpPort": 80,
            "tlsPort": 443,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
        }

    async def _root(self, url: str) -> bytes:
        """The root's certificate, as soon as it can be had."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS
        async with aiohttp.ClientSession() as session:
            while self._process is not None and self._process.returncode is None and loop.time() < deadline:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(url, ssl=self.trusted) as answer:
                        if answer.status == 200:
                            return await answer.read()
                await asyncio.sleep(0.05)
        raise SandboxError(f"Pebble does not answer; see {self._log}")
