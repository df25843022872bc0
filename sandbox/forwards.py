"""Doors from this machine's loopback to ports that containers publish on a guest's address.

Each pair of guest and port has one loopback port, chosen once and kept, so that a bookmarked URL stays good.
The connection to the target is made with a socket of the guest's own network namespace: the packets go the
guest's way.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sandbox.checkout import Checkout
from sandbox.docker.client import EngineClient
from sandbox.fabric.kernel import inside

CHUNK = 65536


@dataclass(frozen=True, kw_only=True, order=True)
class Target:
    """A published TCP port.

    Attributes:
        guest: the guest's name.
        address: the guest's address on which it appears.
        port: the published port.
    """

    guest: str
    address: str
    port: int


def published(guest: str, addresses: Iterable[str], engine: Path) -> set[Target]:
    """The TCP ports that containers of an engine publish on addresses of its guest.

    Args:
        guest: the guest's name.
        addresses: its addresses without their lengths; a port on all addresses appears on the first.
        engine: the engine's own socket.
    """
    own = list(addresses)
    try:
        _, document = EngineClient(engine).request("GET", "/containers/json", seconds=5.0)
    except OSError:
        return set()
    found = set()
    for container in document if isinstance(document, list) else []:
        for port in container.get("Ports") or []:
            ip, number = port.get("IP"), port.get("PublicPort")
            address = own[0] if own and ip == "0.0.0.0" else ip
            if number and port.get("Type") == "tcp" and address in own:
                found.add(Target(guest=guest, address=address, port=number))
    return found


class Forwards:
    """The open doors of a checkout; used from one event loop.

    Args:
        checkout: keeps the ports.
    """

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._servers: dict[Target, asyncio.Server] = {}

    async def set(self, targets: dict[Target, Path]) -> None:
        """Open the doors of these targets and close all others.

        Args:
            targets: each with the file of its guest's network namespace.
        """
        for target in sorted(set(self._servers) - set(targets)):
            self._servers.pop(target).close()
        for target in sorted(set(targets) - set(self._servers)):
            port = self._checkout.ports([_name(target)])[_name(target)]
            serve = partial(_serve, target=target, namespace=targets[target])
            self._servers[target] = await asyncio.start_server(serve, "127.0.0.1", port)

    def listing(self) -> list[dict[str, object]]:
        """The open doors, as `status --format json` shows them."""
        return [
            {"guest": target.guest, "address": target.address, "port": target.port, "listen": _listen(server)}
            for target, server in sorted(self._servers.items())
        ]

    async def close(self) -> None:
        """Close all doors."""
        await self.set({})


def _name(target: Target) -> str:
    return f"forward:{target.guest}:{target.address}:{target.port}"


def _listen(server: asyncio.Server) -> str:
    host, port = server.sockets[0].getsockname()[:2]
    return f"{host}:{port}"


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Target, namespace: Path
) -> None:
    try:
        door = await asyncio.to_thread(_socket_inside, namespace)
        with contextlib.closing(door):
            door.setblocking(False)
            await asyncio.get_running_loop().sock_connect(door, (target.address, target.port))
            far_reader, far_writer = await asyncio.open_connection(sock=door)
            await asyncio.gather(_pass_bytes(reader, far_writer), _pass_bytes(far_reader, writer))
            far_writer.close()
    except OSError:
        # The client sees what it would see without the door: a connection that ends.
        pass
    finally:
        writer.close()


def _socket_inside(namespace: Path) -> socket.socket:
    return inside(namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))


async def _pass_bytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        # One side was cut. The other side is told as well; else it would wait, and this connection with it.
        pass
    with contextlib.suppress(OSError):
        writer.write_eof()
