"""The program that runs inside a source's namespace, against sockets of this test."""

import socket
import threading
from collections.abc import Iterator

import pytest

from probe.inside import probe


def _serve(listener: socket.socket, answer: bytes) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(200)
            connection.sendall(answer)


@pytest.fixture
def served() -> Iterator[int]:
    """A port of loopback that answers with a name."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, b"service:web/app\n"), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def closed() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_an_answer_is_a_connection(served: int) -> None:
    """The answer is handed back, so that it can be seen who gave it."""
    connected, answer, _ = probe([("127.0.0.1", served)], 2.0)[0]

    assert connected
    assert answer == "service:web/app\n"


def test_a_refusal_is_no_connection(closed: int) -> None:
    """A closed port is told apart at once, without waiting for the deadline."""
    connected, _, milliseconds = probe([("127.0.0.1", closed)], 5.0)[0]

    assert not connected
    assert milliseconds < 1000


def test_silence_is_no_connection(silent: int) -> None:
    """A proxy accepts before its target does, so an accepted connection alone proves nothing."""
    connected, _, milliseconds = probe([("127.0.0.1", silent)], 0.3)[0]

    assert not connected
    assert milliseconds == 300


def test_results_keep_the_order_of_the_questions(served: int, closed: int) -> None:
    """Each result stands where its question stood."""
    results = probe([("127.0.0.1", closed), ("127.0.0.1", served), ("127.0.0.1", closed)], 2.0)

    assert [result[0] for result in results] == [False, True, False]
