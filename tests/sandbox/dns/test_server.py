"""The name server on real loopback sockets, asked by another library's client and by hand."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from sandbox.dns.queries import MOST, Query, QueryLog
from sandbox.dns.server import MOST_CLIENTS, NameServer, bound
from sandbox.store import Store
from tests.sandbox.dns.account import fill

HERE = "127.0.0.1"


@dataclass(frozen=True)
class Served:
    """A name server that answers on a port."""

    server: NameServer
    store: Store
    port: int

    def udp(self, name: str, kind: str = "A") -> dns.message.Message:
        """The answer over UDP."""
        return dns.query.udp(dns.message.make_query(name, kind), HERE, timeout=5, port=self.port)


@pytest.fixture
def served() -> Iterator[Served]:
    """A name server in a thread, on loopback."""
    store = Store(":memory:")
    fill(
        store,
        {"type": "A", "name": "app", "content": "10.10.20.11"},
        *({"type": "TXT", "name": "big", "content": f"{n:02}" * 100} for n in range(10)),
    )
    server, loop = NameServer(store), asyncio.new_event_loop()
    udp, tcp = _free_pair("0.0.0.0")
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(server.serve(udp, tcp), loop).result(5)
    try:
        yield Served(server, store, udp.getsockname()[1])
    finally:
        asyncio.run_coroutine_threadsafe(listening.close(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
        store.close()


def _free_pair(address: str) -> tuple[socket.socket, socket.socket]:
    """A port that is free for UDP and TCP."""
    while True:
        with socket.create_server((address, 0)) as probe:
            port = probe.getsockname()[1]
        try:
            return bound(address, port)
        except OSError:
            continue


def test_both_transports_answer(served: Served) -> None:
    """Over UDP and TCP on one port, and what is too much for the first comes whole by the second."""
    assert served.udp("app.lab.example").answer[0][0].address == "10.10.20.11"
    query = dns.message.make_query("app.lab.example", "A")
    assert dns.query.tcp(query, HERE, timeout=5, port=served.port).answer[0][0].address == "10.10.20.11"
    big = dns.message.make_query("big.lab.example", "TXT")
    assert dns.query.udp(big, HERE, timeout=5, port=served.port).flags & dns.flags.TC
    whole, by_tcp = dns.query.udp_with_fallback(big, HERE, timeout=5, port=served.port)
    assert (len(whole.answer[0]), by_tcp) == (10, True)


def test_a_reply_comes_from_the_address_that_was_asked(served: Served) -> None:
    """Although one socket listens on all of them."""
    query = dns.message.make_query("app.lab.example", "A").to_wire()
    for address in ("127.0.0.1", "127.0.0.53", "127.7.7.7"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.sendto(query, (address, served.port))
            assert client.recvfrom(512)[1] == (address, served.port)


def test_a_record_is_there_as_soon_as_it_is_stored(served: Served) -> None:
    """Nothing is remembered between two queries."""
    assert served.udp("new.lab.example").rcode() == dns.rcode.NXDOMAIN
    fill(served.store, {"type": "A", "name": "new", "content": "10.10.20.12"})
    assert served.udp("new.lab.example").answer[0][0].address == "10.10.20.12"


def test_queries_are_kept(served: Served) -> None:
    """By name in any form, with type, client and time; what cannot be read is not."""
    before = time.time()
    served.udp("App.lab.example")
    served.udp("_acme-challenge.lab.example", "TXT")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"\0" * 12, (HERE, served.port))
        client.settimeout(5)
        client.recv(512)
    listed = served.server.queries.listing()
    assert [(query["name"], query["type"], query["client"]) for query in listed] == [
        ("app.lab.example", "A", HERE),
        ("_acme-challenge.lab.example", "TXT", HERE),
    ]
    assert before <= listed[0]["time"] <= listed[1]["time"] <= time.time()
    assert served.server.queries.listing("_ACME-challenge.lab.example.") == listed[1:]
    assert served.server.queries.listing("lab.example") == []


def test_only_the_last_queries_are_kept() -> None:
    """Whoever asks for ever does not fill the memory."""
    log = QueryLog()
    for number in range(MOST + 5):
        log.add(Query(name=str(number), type="A", client=HERE, time=0.0))
    assert len(log.listing()) == MOST == 10_000
    assert log.listing()[0]["name"] == "5"


def test_one_connection_asks_many_times(served: Served) -> None:
    """In pieces, too; after nonsense it is closed, and others go on."""
    wire = dns.message.make_query("app.lab.example", "A").to_wire()
    with socket.create_connection((HERE, served.port), timeout=5) as client:
        framed = struct.pack("!H", len(wire)) + wire
        client.sendall(framed + framed[:5])
        for rest in (framed[5:], b"\0\3abc"):
            (size,) = struct.unpack("!H", _exactly(client, 2))
            assert dns.message.from_wire(_exactly(client, size)).answer != []
            client.sendall(rest)
        assert client.recv(1) == b""
    assert served.udp("app.lab.example").answer != []


def test_too_many_connections_are_closed(served: Served) -> None:
    """Those that are there keep their place."""
    clients = [socket.create_connection((HERE, served.port), timeout=5) for _ in range(MOST_CLIENTS)]
    try:
        with socket.create_connection((HERE, served.port), timeout=5) as one_more:
            assert one_more.recv(1) == b""
        clients.pop().close()
        deadline = time.monotonic() + 5
        while not _is_served(served.port):
            assert time.monotonic() < deadline
    finally:
        for client in clients:
            client.close()


def _is_served(port: int) -> bool:
    try:
        dns.query.tcp(dns.message.make_query("app.lab.example", "A"), HERE, timeout=5, port=port)
    except (EOFError, OSError):
        return False
    return True


def test_a_query_that_fails_is_answered(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """With SERVFAIL and a line in the log, and the server goes on."""
    served.store.close()
    assert served.udp("app.lab.example").rcode() == dns.rcode.SERVFAIL
    assert "a query of 127.0.0.1 failed" in caplog.text
    assert served.udp("app.lab.example").rcode() == dns.rcode.SERVFAIL


def _exactly(stream: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += stream.recv(size - len(data)) or pytest.fail("the connection was closed")
    return data
