"""The rules of the way out, on this process's own loopback; no root is needed."""

import base64
import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox.docker.targets import Targets
from sandbox.docker.way_out import WayOut

KEY = "0123456789abcdef"


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it gets, until the client has ended its input."""
    server = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(stream: socket.socket) -> None:
        with stream, contextlib.suppress(OSError):
            while data := stream.recv(65536):
                stream.sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threads.append(threading.Thread(target=serve, args=(server.accept()[0],)))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    accepting.join(10)
    server.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive(), "a tunnel was left open"


@contextmanager
def _opened(targets: Targets) -> Iterator[tuple[WayOut, int]]:
    way = WayOut("docker-1", targets)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    way.open(listener, KEY)
    try:
        yield way, port
    finally:
        way.close()


def _allowing(port: int) -> Targets:
    return Targets(
        ports=frozenset({port}), resolve=lambda host, number: ["127.0.0.1"], allowed=lambda address: True
    )


def _ask(port: int, target: str, *, method: str = "CONNECT", key: str | None = KEY) -> socket.socket:
    stream = socket.create_connection(("127.0.0.1", port), timeout=5)
    lines = [f"{method} {target} HTTP/1.1", f"Host: {target}"]
    if key is not None:
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(f'engine:{key}'.encode()).decode()}")
    stream.sendall("\r\n".join([*lines, "", ""]).encode())
    return stream


def _status(stream: socket.socket) -> str:
    with stream:
        return stream.recv(4096).decode().split("\r\n")[0]


def test_bytes_pass_during_a_pull(echo: int) -> None:
    """A tunnel carries bytes both ways, and the end of the input too."""
    with _opened(_allowing(echo)) as (way, port), way.pulling():
        with _ask(port, f"registry.test:{echo}") as stream:
            assert stream.recv(4096) == b"HTTP/1.1 200 Connection established\r\n\r\n"
            sent = bytes(range(256)) * 2000

            def send() -> None:
                stream.sendall(sent)
                stream.shutdown(socket.SHUT_WR)

            sending = threading.Thread(target=send)
            sending.start()
            got = b"".join(iter(lambda: stream.recv(65536), b""))
            sending.join(10)
        assert got == sent


def test_bytes_sent_with_the_request_are_not_lost(echo: int) -> None:
    """What a client sends before it has the answer reaches the target."""
    with _opened(_allowing(echo)) as (way, port), way.pulling():
        head = f"Proxy-Authorization: Basic {base64.b64encode(f'engine:{KEY}'.encode()).decode()}"
        with socket.create_connection(("127.0.0.1", port), timeout=5) as stream:
            request = f"CONNECT registry.test:{echo} HTTP/1.1\r\nHost: registry.test\r\n{head}\r\n\r\nearly"
            stream.sendall(request.encode())
            stream.shutdown(socket.SHUT_WR)
            got = b"".join(iter(lambda: stream.recv(65536), b""))
    assert got.endswith(b"\r\n\r\nearly")


def test_without_a_pull_nothing_passes(echo: int) -> None:
    """Before the first pull and after the last one everything is refused."""
    refusal = "HTTP/1.1 403 no pull is under way"
    with _opened(_allowing(echo)) as (way, port):
        assert _status(_ask(port, f"registry.test:{echo}")) == refusal
        with way.pulling():
            assert _status(_ask(port, f"registry.test:{echo}")).startswith("HTTP/1.1 200 ")
        assert _status(_ask(port, f"registry.test:{echo}")) == refusal


def test_tunnels_are_cut_with_the_last_pull(echo: int) -> None:
    """A tunnel lasts while any pull is under way, and not longer."""
    with _opened(_allowing(echo)) as (way, port):
        with way.pulling():
            with way.pulling():
                stream = _ask(port, f"registry.test:{echo}")
                assert stream.recv(4096).startswith(b"HTTP/1.1 200 ")
            stream.sendall(b"still")
            assert stream.recv(4096) == b"still"
        with stream:
            assert stream.recv(4096) == b""


def test_the_key_is_asked_first(echo: int) -> None:
    """Without the engine's key nothing else is said, also during a pull."""
    with _opened(_allowing(echo)) as (way, port), way.pulling():
        for key in (None, "", "0123456789abcdeF", KEY + "0"):
            status = _status(_ask(port, f"registry.test:{echo}", key=key))
            assert status == "HTTP/1.1 407 only the engine of this guest is served"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD", "OPTIONS"])
def test_only_connect_is_served(echo: int, method: str) -> None:
    """A plain request through the proxy is refused, whatever its target."""
    with _opened(_allowing(echo)) as (way, port), way.pulling():
        status = _status(_ask(port, f"http://registry.test:{echo}/", method=method))
    assert status == "HTTP/1.1 405 only CONNECT is served here"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("127.0.0.1:443", "403 127.0.0.1 has no public address"),
        ("localhost:443", "403 localhost has no public address"),
        ("192.168.1.1:443", "403 192.168.1.1 has no public address"),
        ("10.10.20.1:443", "403 10.10.20.1 has no public address"),
        ("registry.test:22", "403 port 22 is not 443"),
        ("[::1]:443", "403 the target is no host name and no IPv4 address"),
        ("registry.test", "400 the target is not written as host:port"),
        ("registry.test:https", "400 the target is not written as host:port"),
    ],
)
def test_the_users_own_network_is_refused(target: str, reason: str) -> None:
    """With the rule of the sandbox itself, a pull opens no way to the machine or its network."""
    with _opened(Targets()) as (way, port), way.pulling():
        assert _status(_ask(port, target)) == f"HTTP/1.1 {reason}"


def test_a_target_that_does_not_answer_is_a_502() -> None:
    """The reason is in the status line, where the engine's log shows it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    with _opened(_allowing(closed)) as (way, port), way.pulling():
        status = _status(_ask(port, f"registry.test:{closed}"))
    assert status == "HTTP/1.1 502 registry.test cannot be reached: Connection refused"


def test_what_is_no_http_ends(echo: int) -> None:
    """A client that does not speak HTTP is cut off, and the next one is served."""
    with _opened(_allowing(echo)) as (way, port), way.pulling():
        with socket.create_connection(("127.0.0.1", port), timeout=5) as stream:
            stream.sendall(b"\x16\x03\x01\r\n\r\n")
            assert stream.recv(4096) == b""
        assert _status(_ask(port, f"registry.test:{echo}")).startswith("HTTP/1.1 200 ")


def test_closing_ends_everything(echo: int) -> None:
    """After `close` the port is free, and connections in any state have ended."""
    with _opened(_allowing(echo)) as (way, port), way.pulling():
        tunnel = _ask(port, f"registry.test:{echo}")
        assert tunnel.recv(4096).startswith(b"HTTP/1.1 200 ")
        silent = socket.create_connection(("127.0.0.1", port), timeout=5)
        assert way.is_open
        way.close()
        assert not way.is_open
        for stream in (tunnel, silent):
            with stream, contextlib.suppress(ConnectionResetError):
                assert stream.recv(4096) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
        way.close()
