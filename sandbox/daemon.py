"""The one background process of a checkout: all HTTP APIs, the front sockets, the guests and the forwards.

It holds a file lock for as long as it lives, so that a second one cannot start and a killed one is seen as
gone. When it is told to end it ends its guests too; when it is killed they stay, and the next one adopts or
replaces them.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.certificates import server_context
from sandbox.checkout import Checkout, cache_dir, write_atomically
from sandbox.cloudflare import server as cloudflare
from sandbox.dns.places import Places
from sandbox.dns.server import NameServer
from sandbox.docker.targets import INTERNET, NOWHERE
from sandbox.environment import services
from sandbox.errors import SandboxError
from sandbox.forwards import Forwards, Target, published
from sandbox.grounds import RealGround, SimulatedGround
from sandbox.internet import hosts
from sandbox.internet.running import Internet
from sandbox.machine import Ground, Machine
from sandbox.portfilter.enforcement import Enforcement
from sandbox.portfilter.report import report
from sandbox.proxmox import server as proxmox
from sandbox.proxmox.description import ApiDescription, fetch
from sandbox.settings import Settings, held_lock
from sandbox.store import Store
from sandbox.tailscale import server as tailscale

_LOG = logging.getLogger(__name__)
FORWARD_SECONDS = 2.0
NAMES_SECONDS = 30.0
SIMULATED = "the network is simulated: there are no packets"


class Daemon:
    """Everything that one checkout serves.

    Args:
        checkout: whose.
        settings: how it was started.
    """

    def __init__(self, checkout: Checkout, settings: Settings) -> None:
        self._checkout = checkout
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._store = Store(checkout.store_file)
        self._names = NameServer(self._store, hosts.zones())
        self._places = Places(self._names)
        targets = NOWHERE if settings.stand_ins else INTERNET
        real = None if settings.simulated else RealGround(checkout, targets, name_server=self._answer_guests)
        self._real = real
        self._internet: Internet | None = None
        self._enforcement = Enforcement(self._store, real.fabric.filter) if real else None
        ground: Ground = real or SimulatedGround(checkout, self._loop)
        self._machine = Machine(checkout, ground, self._loop)
        self._forwards = Forwards(checkout)
        self._forwarding = asyncio.Lock()
        self._runners: list[web.AppRunner] = []
        self._errors: list[str] = []

    async def start(self) -> None:
        """Serve the APIs, then say so; guests follow in the background."""
        checkout, credential = self._checkout, self._checkout.credential
        description = ApiDescription.load(fetch(cache_dir()))
        if self._enforcement is not None:
            await asyncio.to_thread(self._enforcement.start)
        machine = self._machine
        await self._serve(
            "proxmox",
            proxmox.application(
                self._store, token=credential("proxmox-token"), description=description, guests=machine
            ),
            server_context(checkout),
        )
        zones = await self._serve(
            "cloudflare",
            cloudflare.application(
                self._store,
                token=credential("cloudflare-token"),
                maker=credential("cloudflare-token-maker"),
                zones=self._settings.zones,
            ),
        )
        key = credential("tailscale-key")
        await self._serve("tailscale", tailscale.application(self._store, key=key))
        if self._real is not None:
            self._internet = Internet(checkout, zones)
            await self._internet.start()
        await self._serve_names()
        control = web.Application()
        control.router.add_get("/status", self._status)
        control.router.add_get("/dns/queries", self._queries)
        checkout.control_socket.unlink(missing_ok=True)
        runner = await self._runner(control)
        await web.UnixSite(runner, str(checkout.control_socket)).start()
        checkout.control_socket.chmod(0o600)
        write_atomically(
            checkout.daemon_file, json.dumps({"pid": os.getpid(), "started": time.time()}) + "\n"
        )
        _LOG.info("ready")

    async def run(self) -> None:
        """Work until the process is told to end, then end all guests."""
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, ended.set)
        resuming = asyncio.create_task(asyncio.to_thread(self._machine.resume))
        forwarding = asyncio.create_task(self._keep_forwarding())
        await ended.wait()
        _LOG.info("ending")
        forwarding.cancel()
        await asyncio.gather(resuming, forwarding, return_exceptions=True)
        await self._forwards.close()
        await self._places.close()
        if self._internet is not None:
            await self._internet.close()
        for runner in self._runners:
            await runner.cleanup()
        await asyncio.to_thread(self._machine.lower_all)
        self._store.close()
        self._checkout.control_socket.unlink(missing_ok=True)
        self._checkout.daemon_file.unlink(missing_ok=True)

    async def _serve(
        self, name: str, application: web.Application, tls: ssl.SSLContext | None = None
    ) -> web.AppRunner:
        port = self._checkout.require_port(name)
        runner = await self._runner(application)
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
        return runner

    async def _serve_names(self) -> None:
        await self._places.on_loopback(self._checkout.require_port("dns"))
        # A daemon that was killed has left it, with guests that run and are not started again.
        if self._real is not None and self._real.router.exists():
            await self._in_router(self._real.router.namespace)

    async def _in_router(self, namespace: Path) -> None:
        await self._places.for_guests(namespace)
        if self._internet is not None:
            await self._internet.listen(namespace)

    def _answer_guests(self, namespace: Path) -> None:
        """Called from the threads that start guests."""
        asyncio.run_coroutine_threadsafe(self._in_router(namespace), self._loop).result(NAMES_SECONDS)

    async def _runner(self, application: web.Application) -> web.AppRunner:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        self._runners.append(runner)
        return runner

    async def _keep_forwarding(self) -> None:
        while True:
            await self._forward()
            await asyncio.sleep(FORWARD_SECONDS)

    async def _forward(self) -> None:
        if self._real is None:
            return
        async with self._forwarding:
            targets: dict[Target, Path] = {}
            for guest in self._machine.engines():
                addresses = [nic.address.partition("/")[0] for nic in guest.nics if nic.address]
                engine = self._checkout.engine_socket(guest.name)
                found = await asyncio.to_thread(published, guest.name, addresses, engine)
                targets |= dict.fromkeys(found, self._real.fabric.guest_path(guest.name))
            try:
                await self._forwards.set(targets)
            except (OSError, SandboxError) as error:
                _LOG.error("forwards: %s", error)

    async def _status(self, _: web.Request) -> web.Response:
        await self._forward()
        guests = await asyncio.to_thread(self._machine.listing)
        firewall, peers = await asyncio.to_thread(self._network)
        document: dict[str, Any] = {
            "running": True,
            "pid": os.getpid(),
            "simulated": self._settings.simulated,
            "services": services(self._checkout),
            "guests": guests,
            "peers": peers,
            "authority": self._authority(),
            "firewall": firewall,
            "forwards": self._forwards.listing(),
        }
        return web.json_response(document)

    def _authority(self) -> dict[str, str | None]:
        return self._internet.listing() if self._internet else {"problem": SIMULATED, "roots": None}

    async def _queries(self, request: web.Request) -> web.Response:
        """What the name server was asked: `{"queries": [{"name", "type", "client", "time"}]}`, the oldest first."""
        return web.json_response({"queries": self._names.queries.listing(request.query.get("name"))})

    def _network(self) -> tuple[dict[str, Any], list[dict[str, str]]]:
        """What is filtered, and who is on the segments beside guests."""
        if self._real is None or self._enforcement is None:
            return report(SIMULATED), []
        peers = [
            {"segment": peer.segment, "address": peer.address, "namespace": str(peer.namespace)}
            for peer in self._real.peers.listing()
        ]
        return self._enforcement.listing(), peers


def run_daemon(checkout: Checkout, settings: Settings, ready: Callable[[], None] = lambda: None) -> None:
    """Be the daemon until told to end.

    Args:
        checkout: whose.
        settings: how it is started.
        ready: called once when all APIs answer.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    async def work() -> None:
        daemon = Daemon(checkout, settings)
        await daemon.start()
        ready()
        await daemon.run()

    with held_lock(checkout.lock_file), contextlib.suppress(KeyboardInterrupt):
        asyncio.run(work())
