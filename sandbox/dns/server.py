"""The name server: answers on sockets that others have bound, in the event loop of the sandbox's daemon.

The store is read anew for each query, so that a record is answered as soon as the API has confirmed it. A reply over
UDP leaves from the address that was asked, which on a socket for all addresses only the packet itself tells.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable, Sequence
from functools import partial

import dns.name
from dns.rdatatype import RdataType

from sandbox.dns.answers import Found, find
from sandbox.dns.queries import Query, QueryLog
from sandbox.dns.reply import LARGEST_TCP, LARGEST_UDP, failure, reply
from sandbox.dns.zones import Zone, read_zones
from sandbox.store import Store

_LOG = logging.getLogger(__name__)
# ip(7) of Linux; Python 3.11 has no name for it.
_IP_PKTINFO = 8
_PKTINFO_BYTES = 12
_LARGEST_DATAGRAM = 65535
# Before the loop turns to others.
_MOST_AT_ONCE = 64
# A resolver asks at once or goes; RFC 7766, section 6.2.3, leaves the time to the server.
IDLE_SECONDS = 10.0
MOST_CLIENTS = 64


class NameServer:
    """An authoritative server for all zones of the Cloudflare account, and others; used in one event loop.

    Args:
        store: where the Cloudflare API keeps zones and records.
        others: zones of somebody else that are answered as well.
    """

    def __init__(self, store: Store, others: Sequence[Zone] = ()) -> None:
        self._store = store
        self._others = tuple(others)
        self.queries = QueryLog()

    async def serve(self, udp: socket.socket, tcp: socket.socket) -> "Listening":
        """Answer on a UDP socket and on a listening TCP socket, both for IPv4, until they are closed."""
        listening = Listening(udp, tcp)
        await listening.start(self.answer)
        return listening

    def answer(self, query: bytes, client: str, largest: int) -> bytes | None:
        """The reply to a query; None where there is none.

        Args:
            query: as it came.
            client: the address of who asks.
            largest: bytes that the reply may have.
        """
        try:
            wire, question = reply(query, self._find, largest=largest)
        except Exception:
            # One query that cannot be answered must not end the server.
            _LOG.exception("a query of %s failed: %s", client, query.hex())
            return failure(query)
        if question is not None:
            self.queries.add(Query(name=question.name, type=question.kind, client=client, time=time.time()))
        return wire

    def _find(self, name: dns.name.Name, kind: RdataType) -> Found:
        with self._store.transaction() as transaction:
            zones = (*read_zones(transaction), *self._others)
        # No zone is transferred, so nobody compares serials: any number that grows will do.
        return find(zones, name, kind, serial=int(time.time()))


Answer = Callable[[bytes, str, int], bytes | None]


class Listening:
    """A pair of sockets on which queries are answered; `close` closes both.

    Args:
        udp: made by `bound`.
        tcp: made by it, too.
    """

    def __init__(self, udp: socket.socket, tcp: socket.socket) -> None:
        self._udp = udp
        self._tcp = tcp
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self, answer: Answer) -> None:
        """Begin to answer."""
        self._udp.setblocking(False)
        asyncio.get_running_loop().add_reader(self._udp, partial(_datagrams, self._udp, answer))
        self._server = await asyncio.start_server(partial(self._accepted, answer), sock=self._tcp)

    async def close(self) -> None:
        """Answer no more; connections that are open are cut."""
        asyncio.get_running_loop().remove_reader(self._udp)
        self._udp.close()
        if self._server is not None:
            self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _accepted(
        self, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        if task is None or len(self._clients) >= MOST_CLIENTS:
            writer.close()
            return
        self._clients.add(task)
        try:
            with contextlib.suppress(OSError, EOFError, TimeoutError):
                await _stream(answer, reader, writer)
        finally:
            self._clients.discard(task)
            writer.close()


def bound(address: str, port: int) -> tuple[socket.socket, socket.socket]:
    """A UDP socket, and a TCP socket that listens, in the network namespace that the thread is in.

    Args:
        address: an IPv4 address of it, or 0.0.0.0 for all.
        port: of both.

    Raises:
        OSError: somebody else has it.
    """
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if address == "0.0.0.0":
            udp.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        udp.bind((address, port))
        return udp, socket.create_server((address, port))
    except OSError:
        udp.close()
        raise


def _datagrams(udp: socket.socket, answer: Answer) -> None:
    """Answer what has come."""
    for _ in range(_MOST_AT_ONCE):
        try:
            query, ancillary, _, client = udp.recvmsg(_LARGEST_DATAGRAM, socket.CMSG_SPACE(_PKTINFO_BYTES))
        except OSError:
            # Nothing more, or an error of an earlier reply, about which a server can do nothing.
            return
        wire = answer(query, client[0], LARGEST_UDP)
        if wire is not None:
            # A reply that cannot be sent is lost, as any datagram may be; who asked asks again.
            with contextlib.suppress(OSError):
                udp.sendmsg([wire], _reversed(ancillary), 0, client)


def _reversed(ancillary: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """What sends a reply from the address, and through the link, to which the query came."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO) and len(data) >= _PKTINFO_BYTES:
            # struct in_pktinfo: index of the link, local address, and the address that the packet was for.
            return [(level, kind, data[:_PKTINFO_BYTES])]
    return []


async def _stream(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one query after the other, each after its length in two bytes (RFC 1035, section 4.2.2)."""
    client = writer.get_extra_info("peername")[0]
    while True:
        async with asyncio.timeout(IDLE_SECONDS):
            size = int.from_bytes(await reader.readexactly(2))
            query = await reader.readexactly(size)
        wire = answer(query, client, LARGEST_TCP)
        if wire is None:
            return
        writer.write(len(wire).to_bytes(2) + wire)
        async with asyncio.timeout(IDLE_SECONDS):
            await writer.drain()
