"""Bytes between the two sides of a forward."""

import asyncio
import socket
import struct

from sandbox.forwards import _pass_bytes

# SO_LINGER of zero seconds: closing cuts the connection (RST), as a client that leaves unread bytes behind does.
_CUT = struct.pack("ii", 1, 0)


def test_a_side_that_is_cut_ends_the_other() -> None:
    """Else the service behind would wait for a client that is gone."""

    async def work() -> bytes:
        (near, client), (far, service) = _pair(), _pair()
        with service:
            service.settimeout(5)
            reader, near_writer = await asyncio.open_connection(sock=near)
            _, far_writer = await asyncio.open_connection(sock=far)
            passing = asyncio.create_task(_pass_bytes(reader, far_writer))
            await asyncio.sleep(0.05)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CUT)
            client.close()
            await asyncio.wait_for(passing, 5)
            said = await asyncio.to_thread(service.recv, 1)
            for writer in (near_writer, far_writer):
                writer.close()
            await asyncio.sleep(0)
            return said

    assert asyncio.run(work()) == b""


def _pair() -> tuple[socket.socket, socket.socket]:
    """The two ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        other, _ = server.accept()
    return one, other
