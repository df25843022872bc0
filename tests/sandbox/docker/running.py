"""One guest with a real engine, and the ways to ask it."""

import asyncio
import http.client
import socket
import threading
from functools import partial

import docker

from sandbox.checkout import Checkout
from sandbox.docker.targets import Targets
from sandbox.fabric.kernel import inside
from sandbox.grounds import RealGround, sweep
from sandbox.machine import Machine
from sandbox.proxmox.guests import GuestSpec

NOWHERE = Targets(ports=frozenset())


class Running:
    """A machine with one Docker host.

    Args:
        checkout: where it keeps its things.
        guest: the Docker host; the test starts it.
        targets: what its engine may reach for pulls.
        insecure_registries: given to its engine.
    """

    def __init__(
        self,
        checkout: Checkout,
        guest: GuestSpec,
        targets: Targets,
        insecure_registries: tuple[str, ...] = (),
    ) -> None:
        self.checkout = checkout
        self.guest = guest
        self.ground = RealGround(checkout, targets, insecure_registries)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.machine = Machine(checkout, self.ground, self.loop)

    @property
    def pid(self) -> int:
        """The engine's process id."""
        return int((self.checkout.engine_dir(self.guest.name) / "launch.pid").read_text())

    def client(self) -> docker.DockerClient:
        """A client of the front socket."""
        path = self.checkout.front_socket(self.guest.name)
        return docker.DockerClient(base_url=f"unix://{path}", timeout=60)

    def connect(self, address: str, port: int) -> socket.socket:
        """A connection made in the guest's network namespace."""
        namespace = self.ground.fabric.guest_path(self.guest.name)
        return inside(namespace, partial(socket.create_connection, (address, port), 3))

    def get(self, address: str, port: int = 80) -> str:
        """The first line of the answer to `GET /`, asked from the guest."""
        with self.connect(address, port) as stream:
            stream.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            response = http.client.HTTPResponse(stream)
            response.begin()
            return response.read().decode().splitlines()[0]

    def close(self) -> None:
        """End everything, as `sandbox stop` does."""
        self.machine.lower_all()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()
        sweep(self.checkout)
