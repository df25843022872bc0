"""The two grounds that guests can stand on: this kernel's namespaces with real engines, or a simulation.

`RealGround` needs root on Linux. `SimulatedGround` runs anywhere; networks and containers exist in it only as
records.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from sandbox.boot import Boot, with_name_servers
from sandbox.certificates import authority_file
from sandbox.checkout import Checkout, cache_dir
from sandbox.docker import simulated
from sandbox.docker.cgroup import EngineGroup, engine_groups
from sandbox.docker.engine import Engine
from sandbox.docker.images import ImageMaker
from sandbox.docker.launch import EnginePlace
from sandbox.docker.packages import engine_programs
from sandbox.docker.provision import Provision
from sandbox.docker.references import HUB
from sandbox.docker.registries import Registries
from sandbox.docker.targets import INTERNET, Targets
from sandbox.docker.way_out import WayOut, listener_inside
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import Kernel
from sandbox.fabric.peers import Peers
from sandbox.fabric.router import Router
from sandbox.fabric.segments import Fabric
from sandbox.guest_tools import guest_tools
from sandbox.internet.hosts import ADDRESSES
from sandbox.machine import remove_engine_folder, runs_engine
from sandbox.proxmox.guests import GuestSpec
from sandbox.store import Store
from toolchain import resolve
from toolchain.errors import ToolchainError

_LOG = logging.getLogger(__name__)


def group_name(checkout: Checkout) -> str:
    """The control group of a checkout."""
    return checkout.prefix.rstrip("-")


class RealGround:
    """Guests as network namespaces on bridges, with private Docker Engines.

    Args:
        checkout: whose names and folders are used.
        targets: what its engines may reach for pulls.
        insecure_registries: given to its engines; for tests only.
        name_server: told where guests ask it for names, before one of them can; returns when it answers there.
    """

    def __init__(
        self,
        checkout: Checkout,
        targets: Targets = INTERNET,
        insecure_registries: tuple[str, ...] = (),
        name_server: Callable[[Path], None] | None = None,
    ) -> None:
        self._checkout = checkout
        self._targets = targets
        self._insecure_registries = insecure_registries
        kernel = Kernel(checkout.prefix)
        self.fabric = Fabric(kernel)
        self.peers = Peers(kernel, self.fabric)
        self.router = Router(kernel, self.fabric, ADDRESSES)
        self._name_server = name_server
        self._maker = ImageMaker(_find_binary, cache_dir(), authority_file(checkout))
        self._registries = Registries(targets)
        self._engines: dict[str, Engine] = {}
        self._ways_out: dict[str, WayOut] = {}

    def is_up(self, guest: GuestSpec) -> bool:
        """Whether its NICs are plugged as declared, it can ask for names, and its engine answers and can pull."""
        return (
            self._stands(guest)
            and self.router.serves(guest)
            and (not runs_engine(guest) or self._way_out(guest).is_open)
        )

    def up(self, guest: GuestSpec, boot: Callable[[], Boot]) -> None:
        """Plug its NICs and start its engine with its rules in force, or adopt what runs as declared."""
        if self._stands(guest):
            self._attach(guest)
        else:
            self._boot(guest, boot())
        if runs_engine(guest):
            self._way_out(guest).close()
            listener = listener_inside(self.fabric.guest_path(guest.name), guest.name)
            self._way_out(guest).open(listener, self._engine(guest).proxy_key())

    def _boot(self, guest: GuestSpec, boot: Boot) -> None:
        self._end_engine(guest)
        self.fabric.plug(guest)
        self._attach(guest)
        for problem in self.fabric.apply_settings(guest.name, boot.settings):
            _LOG.warning("guest %s: %s", guest.name, problem)
        if runs_engine(guest):
            # The answer is there before the engine is.
            self._registries.ask(HUB)
            self._engine(guest).start(with_name_servers(boot, guest.name_servers))
        elif boot.files:
            _LOG.warning("guest %s runs no engine here: no file of it is written, no rule loaded", guest.name)

    def _attach(self, guest: GuestSpec) -> None:
        if self.router.attach(guest) and self._name_server is not None:
            self._name_server(self.router.namespace)

    def down(self, guest: GuestSpec) -> None:
        """Stop its engine and unplug it."""
        self._end_engine(guest)
        self.fabric.unplug(guest.name)

    def forget(self, guest: GuestSpec) -> None:
        """Delete its engine's containers, images and volumes."""
        remove_engine_folder(self._checkout.engine_dir(guest.name))

    def provision(self, guest: GuestSpec) -> Provision | None:
        """Makes stand-ins and the real programs of this machine."""
        socket = self._checkout.engine_socket(guest.name)
        return Provision(socket, self._maker, self._registries, self._way_out(guest))

    def namespace(self, guest: GuestSpec) -> Path | None:
        """The file through which a process enters its network."""
        return self.fabric.guest_path(guest.name)

    def _stands(self, guest: GuestSpec) -> bool:
        return self.fabric.is_plugged(guest) and (not runs_engine(guest) or self._engine(guest).runs())

    def _way_out(self, guest: GuestSpec) -> WayOut:
        return self._ways_out.setdefault(guest.name, WayOut(guest.name, self._targets))

    def _end_engine(self, guest: GuestSpec) -> None:
        # First: its listening socket would keep the guest's namespace alive.
        self._way_out(guest).close()
        if (self._checkout.engine_dir(guest.name) / "launch.sh").exists():
            self._engine(guest).stop()

    def _engine(self, guest: GuestSpec) -> Engine:
        if guest.name in self._engines:
            return self._engines[guest.name]
        place = EnginePlace(
            guest=guest.name,
            folder=self._checkout.engine_dir(guest.name),
            socket=self._checkout.engine_socket(guest.name),
            namespace=self.fabric.guest_path(guest.name),
            group=EngineGroup(group_name(self._checkout), guest.name),
            log=self._checkout.logs_dir / f"engine-{guest.name}.log",
        )
        cache = cache_dir()
        engine = Engine(place, engine_programs(cache), guest_tools(cache), self._insecure_registries)
        return self._engines.setdefault(guest.name, engine)


class SimulatedGround:
    """Guests whose engines only keep records.

    Args:
        checkout: whose folders are used.
        loop: the event loop that serves them.
    """

    def __init__(self, checkout: Checkout, loop: asyncio.AbstractEventLoop) -> None:
        self._checkout = checkout
        self._loop = loop
        self._runners: dict[int, tuple[web.AppRunner, Store]] = {}

    def is_up(self, guest: GuestSpec) -> bool:
        """Whether its simulated engine, if it has one, is served."""
        return not runs_engine(guest) or guest.vmid in self._runners

    def up(self, guest: GuestSpec, boot: Callable[[], Boot]) -> None:
        """Serve its simulated engine, if it has one; its boot is looked at, and nothing of it is done."""
        boot()
        if runs_engine(guest):
            asyncio.run_coroutine_threadsafe(self._serve(guest), self._loop).result(30)

    def down(self, guest: GuestSpec) -> None:
        """Stop serving its engine; the records stay."""
        if served := self._runners.pop(guest.vmid, None):
            runner, store = served
            asyncio.run_coroutine_threadsafe(runner.cleanup(), self._loop).result(30)
            store.close()

    def forget(self, guest: GuestSpec) -> None:
        """Delete the records of its engine."""
        remove_engine_folder(self._checkout.engine_dir(guest.name))

    def provision(self, guest: GuestSpec) -> Provision | None:
        """None: a simulated engine takes any reference."""
        return None

    def namespace(self, guest: GuestSpec) -> Path | None:
        """None: there are no packets."""
        return None

    async def _serve(self, guest: GuestSpec) -> None:
        folder = self._checkout.engine_dir(guest.name)
        folder.mkdir(parents=True, exist_ok=True)
        path = self._checkout.engine_socket(guest.name)
        path.unlink(missing_ok=True)
        store = Store(folder / "records.sqlite")
        runner = web.AppRunner(simulated.application(store, name=guest.name), access_log=None)
        await runner.setup()
        await web.UnixSite(runner, str(path)).start()
        self._runners[guest.vmid] = runner, store


def sweep(checkout: Checkout) -> None:
    """End every process and remove every namespace and control group of a checkout, whoever left them.

    Found by the checkout's names in the kernel, so that it also works after the daemon was killed.
    """
    for group in engine_groups(group_name(checkout)):
        group.kill()
        group.remove()
    Fabric(Kernel(checkout.prefix)).remove_all()


def _find_binary(name: str) -> Path:
    if name == "busybox":
        return guest_tools(cache_dir()).busybox
    try:
        # The stand-in builds in seconds; the others take minutes and are built before the sandbox needs them.
        return resolve.obtain([name])[name] if name == "standin" else resolve.locate(name)
    except ToolchainError as error:
        raise SandboxError(str(error)) from None
