"""A Docker host that is real: a private engine in a namespace, a neighbour on its segment, and listeners on both."""

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import docker

from lab.flows import Port
from lab.render.guard import TABLE
from sandbox.boot import Boot
from sandbox.checkout import Checkout, cache_dir
from sandbox.docker.cgroup import EngineGroup
from sandbox.docker.client import EngineClient
from sandbox.docker.engine import Engine
from sandbox.docker.images import ImageMaker
from sandbox.docker.launch import EnginePlace
from sandbox.docker.packages import engine_programs
from sandbox.docker.references import parse_reference
from sandbox.fabric.kernel import Kernel
from sandbox.fabric.segments import Fabric
from sandbox.grounds import group_name
from sandbox.guest_tools import guest_tools
from tests.evidence.conformance.generator import Site
from tests.evidence.conformance.topology import Machine
from tests.sandbox.engine_ground import guest
from toolchain import resolve

IMAGE = "docker.io/lab/listener:1"
_CLIENT_SECONDS = 120


class Lane:
    """One Docker host, its engine and its neighbour.

    Args:
        checkout: whose names and folders are used.
        at: where its blocks stand.
    """

    def __init__(self, checkout: Checkout, at: Site) -> None:
        self.at = at
        self.kernel = Kernel(checkout.prefix)
        self.fabric = Fabric(self.kernel)
        self.tools = guest_tools(cache_dir())
        self.programs = engine_programs(cache_dir())
        self.place = EnginePlace(
            guest=at.host.name,
            folder=checkout.engine_dir(at.host.name),
            socket=checkout.engine_socket(at.host.name),
            namespace=self.fabric.guest_path(at.host.name),
            group=EngineGroup(group_name(checkout), at.host.name),
            log=checkout.logs_dir / f"engine-{at.host.name}.log",
        )
        self.engine = Engine(self.place, self.programs, self.tools)
        self._listeners: list[subprocess.Popen[bytes]] = []
        self._daemons: list[subprocess.Popen[bytes]] = []

    @property
    def host(self) -> Path:
        """The network namespace of the host."""
        return self.fabric.guest_path(self.at.host.name)

    @property
    def neighbour(self) -> Path:
        """The network namespace of its neighbour."""
        return self.fabric.guest_path(self.at.neighbour.name)

    def plug(self) -> None:
        """Make both machines on their segment; the neighbour knows the way to the host's containers."""
        at = self.at
        for vmid, machine in ((at.lane * 10 + 101, at.host), (at.lane * 10 + 102, at.neighbour)):
            self.fabric.plug(guest(machine.name, vmid, machine.address, tag=20 + at.lane))
            self._batch(machine, [f"address add {machine.address6}/64 dev eth0 nodad"])
        self._batch(
            at.neighbour,
            [f"route add {at.pool} via {at.host.address}", f"route add {at.pool6} via {at.host.address6}"],
        )
        for machine in (at.host, at.neighbour):
            self._listen(machine)

    def start(self, options: Mapping[str, object], boot: Boot | None = None) -> None:
        """Start the engine with options of its `daemon.json`, and with a boot's files and rules."""
        before = boot or Boot(engine_options={})
        self.engine.start(
            Boot(files=before.files, rules=before.rules, engine_options={**before.engine_options, **options})
        )
        reference = parse_reference(IMAGE)
        assert reference is not None
        archive = ImageMaker(lambda name: resolve.obtain([name])[name], cache_dir()).archive(reference)
        try:
            loaded = EngineClient(self.place.socket).load(archive)
        finally:
            archive.unlink()
        assert "Loaded image" in loaded, loaded

    def outlast(self, daemon: subprocess.Popen[bytes]) -> None:
        """Wait for a process of the engine that somebody else started, when the engine is stopped."""
        self._daemons.append(daemon)

    def close(self) -> None:
        """End everything that was started here."""
        for listener in self._listeners:
            listener.kill()
            listener.wait()
        self._listeners.clear()
        self.engine.stop()
        for daemon in self._daemons:
            daemon.wait()
        for machine in (self.at.host, self.at.neighbour):
            self.fabric.unplug(machine.name)

    @contextmanager
    def client(self) -> Iterator[docker.APIClient]:
        """A client of the engine's own socket."""
        client = docker.APIClient(base_url=f"unix://{self.place.socket}", timeout=_CLIENT_SECONDS)
        try:
            yield client
        finally:
            client.close()

    def set_bridge_netfilter(self, on: bool) -> None:
        """Whether packets between two ports of one bridge of the host meet rules."""
        value = "1" if on else "0"
        names = ("bridge-nf-call-iptables", "bridge-nf-call-ip6tables")
        namespace = self.fabric.guest_namespace(self.at.host.name)
        self.kernel.write_sysctls(namespace, [(f"net/bridge/{name}", value) for name in names])

    def load(self, text: str) -> None:
        """Give the host's kernel a file for `nft -f`."""
        done = self._nft(["-f", "-"], text)
        assert done.returncode == 0, f"{done.stderr}\n{text}"

    def unload(self) -> None:
        """Remove the guard's table, be it there or not."""
        self.load(f"table inet {TABLE}\ndelete table inet {TABLE}\n")

    def _nft(self, arguments: list[str], text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["nsenter", f"--net={self.host}", str(self.tools.nft), *arguments],
            input=text,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH": str(self.tools.libraries)},
            timeout=30,
            check=False,
        )

    def _batch(self, machine: Machine, lines: list[str]) -> None:
        self.kernel.batch(self.fabric.guest_namespace(machine.name), lines)

    def _listen(self, machine: Machine) -> None:
        program = resolve.obtain(["standin"])["standin"]
        ports = (*machine.listens, *machine.canaries)
        self._listeners.append(
            subprocess.Popen(
                ["nsenter", f"--net={self.fabric.guest_path(machine.name)}", str(program), "serve"],
                env={"HOMELAB_NAME": machine.name, "HOMELAB_LISTENS": listening(ports)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        )


@contextmanager
def plugged(checkout: Checkout, at: Site) -> Iterator[Lane]:
    """A lane whose engine is not started yet; at the end nothing of it is left."""
    lane = Lane(checkout, at)
    try:
        lane.plug()
        yield lane
    finally:
        lane.close()


def listening(ports: Iterable[Port]) -> str:
    """Ports as the stand-in reads them; to datagrams the prober listens itself."""
    return ",".join(str(port) for port in ports if port.protocol == "tcp")
