"""The program that runs inside a source's namespace, against sockets of this test."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from probe import inside
from probe.inside import probe

PROGRAM = [sys.executable, "-I", "-S", str(Path(inside.__file__))]


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
    connected, answer, _ = probe([("127.0.0.1", served, "tcp")], 2.0)[0]

    assert connected
    assert answer == "service:web/app\n"


def test_a_refusal_is_no_connection(closed: int) -> None:
    """A closed port is told apart at once, without waiting for the deadline."""
    connected, _, milliseconds = probe([("127.0.0.1", closed, "tcp")], 5.0)[0]

    assert not connected
    assert milliseconds < 1000


def test_silence_is_no_connection(silent: int) -> None:
    """A proxy accepts before its target does, so an accepted connection alone proves nothing."""
    connected, _, milliseconds = probe([("127.0.0.1", silent, "tcp")], 0.3)[0]

    assert not connected
    assert milliseconds == 300


def test_results_keep_the_order_of_the_questions(served: int, closed: int) -> None:
    """Each result stands where its question stood."""
    results = probe([("127.0.0.1", port, "tcp") for port in (closed, served, closed)], 2.0)

    assert [result[0] for result in results] == [False, True, False]


def test_many_connections_wait_side_by_side(silent: int) -> None:
    """A hundred closed doors cost one deadline and not a hundred."""
    results = probe([("127.0.0.1", silent, "tcp")] * 100, 0.5)

    assert len(results) == 100
    assert {answered for answered, _, _ in results} == {False}


@pytest.fixture
def listening() -> Iterator[int]:
    """The port of a canary that calls itself so, started as a program."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [*PROGRAM, "listen", str(port), "canary service:b/b"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as canary:
        assert canary.stdout is not None
        assert canary.stdout.readline() == "ready\n"
        yield port
        # The end of its input ends it; nobody has to find and kill it.
        canary.communicate(timeout=10)
        assert canary.returncode == 0


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_canary_says_its_name(listening: int, protocol: str) -> None:
    """Over TCP and UDP, on every address, more than once."""
    aims = [(address, listening, protocol) for address in ("127.0.0.1", "127.0.0.9", "127.0.0.1")]

    assert [(answered, text) for answered, text, _ in probe(aims, 2.0)] == [
        (True, "canary service:b/b\n")
    ] * 3


def test_a_refusal_over_udp_is_no_answer(closed: int) -> None:
    """The kernel's word that nobody listens is not somebody's answer."""
    answered, _, _ = probe([("127.0.0.1", closed, "udp")], 0.5)[0]

    assert not answered


def test_started_as_a_program_it_reads_its_task_and_writes_what_it_saw(listening: int, closed: int) -> None:
    """That is how it runs in a namespace, with nothing but the standard library."""
    aims = [["127.0.0.1", listening, "tcp"], ["127.0.0.1", closed, "tcp"]]
    task = json.dumps({"deadline": 2.0, "aims": aims})
    done = subprocess.run(PROGRAM, input=task, capture_output=True, text=True, timeout=20, check=True)

    assert [(answered, text) for answered, text, _ in json.loads(done.stdout)] == [
        (True, "canary service:b/b\n"),
        (False, ""),
    ]
