"""The front socket before a simulated engine, and before a raw one."""

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from sandbox.conformance.serving import served_on_socket
from sandbox.docker.front import Front
from sandbox.docker.simulated import application
from sandbox.store import Store


@contextmanager
def _listening(front: Front) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(front.listen(), loop).result(10)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(front.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    """The front socket and the engine's own."""
    return tmp_path / "front.sock", tmp_path / "engine.sock"


def _exchange(path: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(request)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_a_stopped_guest_is_a_plain_503(paths: tuple[Path, Path]) -> None:
    """Without an engine the answer names the guest and the reason, as Docker words its errors."""
    front = Front("docker-1", *paths, provision=None)
    front.reason = "it was stopped"
    with _listening(front):
        answer = _exchange(paths[0], b"GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert answer.endswith(b'{"message": "the guest docker-1 is not running: it was stopped"}')


def test_the_docker_client_sees_the_engine(paths: tuple[Path, Path]) -> None:
    """Networks, images and containers can be made, listed and removed through the front socket."""
    store = Store(":memory:")
    with (
        served_on_socket(application(store, name="docker-1"), paths[1]),
        _listening(Front("g", *paths, None)),
    ):
        client = docker.DockerClient(base_url=f"unix://{paths[0]}")
        network = client.networks.create("n", internal=True)
        client.images.pull("nginx:1.27")
        container = client.containers.create("nginx:1.27", name="web", network="n")
        assert [c.name for c in client.containers.list(all=True)] == ["web"]
        container.remove()
        network.remove()
        client.close()
    store.close()


def test_one_connection_serves_many_requests(paths: tuple[Path, Path]) -> None:
    """A connection is kept open between requests, and `HEAD` has no body."""
    store = Store(":memory:")
    with (
        served_on_socket(application(store, name="docker-1"), paths[1]),
        _listening(Front("g", *paths, None)),
    ):
        request = b"HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n" + b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n"
        request += b"GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n"
        answer = _exchange(paths[0], request)
    assert answer.count(b"HTTP/1.1 200") == 3
    assert answer.count(b"\r\n\r\nOK") == 2
    store.close()


@contextmanager
def _raw_engine(path: Path, answer: bytes) -> Iterator[list[bytes]]:
    """An engine that reads a head, answers with fixed bytes, and then echoes."""
    received: list[bytes] = []
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            received.append(data)
            connection.sendall(answer)
            while part := connection.recv(65536):
                connection.sendall(b"echo " + part)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield received
    finally:
        thread.join(10)
        server.close()


@pytest.mark.parametrize("target", ["/v1.41/exec/abc/start", "/containers/abc/attach?stream=1"])
def test_a_hijacked_stream_passes_both_ways(paths: tuple[Path, Path], target: str) -> None:
    """After an exec or attach request bytes pass unchanged in both directions."""
    head = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    with _raw_engine(paths[1], head) as received, _listening(Front("g", *paths, None)):
        request = f"POST {target} HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        request += "Content-Length: 2\r\n\r\n"
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(paths[0]))
            client.sendall(request.encode() + b"{}")
            data = b""
            while not data.endswith(b"\r\n\r\n"):
                data += client.recv(65536)
            client.sendall(b"\x01\x00hello")
            client.shutdown(socket.SHUT_WR)
            rest = b"".join(iter(lambda: client.recv(65536), b""))
    assert data == head
    assert rest.endswith(b"\x01\x00hello")
    assert b"upgrade: tcp" in received[0].lower()


def test_a_chunked_upload_arrives_whole(paths: tuple[Path, Path]) -> None:
    """A body sent in chunks, as clients upload archives, reaches the engine with the same bytes."""
    store = Store(":memory:")
    with (
        served_on_socket(application(store, name="docker-1"), paths[1]),
        _listening(Front("g", *paths, None)),
    ):
        body = b'{"Name":"chunked"}'
        parts = b"".join(b"%x\r\n%s\r\n" % (1, body[i : i + 1]) for i in range(len(body))) + b"0\r\n\r\n"
        head = b"POST /volumes/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
        answer = _exchange(
            paths[0], head + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + parts
        )
    assert answer.startswith(b"HTTP/1.1 201")
    assert b'"chunked"' in answer
    store.close()


def test_a_client_that_leaves_ends_the_engines_connection(paths: tuple[Path, Path]) -> None:
    """A follower of events that goes away is gone for the engine too: its connection is closed."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
    with _raw_engine(paths[1], head), _listening(Front("g", *paths, None)):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(10)
        client.connect(str(paths[0]))
        client.sendall(b"GET /events HTTP/1.1\r\nHost: d\r\n\r\n")
        response = http.client.HTTPResponse(client)
        response.begin()
        assert response.read(2) == b"{}"
        response.close()
        client.close()
    # `_raw_engine` joined its thread, which ends only when its connection is closed.
