"""Which registries are asked, how often, and for how long."""

import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent import futures
from concurrent.futures import Future

import pytest

from sandbox.docker.registries import OFFLINE_SECONDS, ONLINE_SECONDS, Registries, address_of, wait_for
from sandbox.docker.targets import Targets


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """What lookups that hang wait for; they end with the test."""
    event = threading.Event()
    yield event
    event.set()


class Waits:
    """Every wait, with a clock of its own: an answer takes no time, and silence all that is granted."""

    def __init__(self) -> None:
        self.granted: list[float] = []

    def for_silence(self, question: Future[None], seconds: float) -> float:
        """Nobody answers."""
        self.granted.append(seconds)
        return seconds

    def for_an_answer(self, question: Future[None], seconds: float) -> float:
        """Somebody answers."""
        self.granted.append(seconds)
        futures.wait([question])
        return 0.0


def _answering(port: int, asked: list[str]) -> Targets:
    def resolve(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    return Targets(ports=frozenset({port}), resolve=resolve, allowed=lambda address: True)


def test_a_machine_offline_waits_once_for_all_registries(never: threading.Event) -> None:
    """Name servers that never answer cost `OFFLINE_SECONDS`, for any number of images and registries together."""

    def resolve(host: str, port: int) -> Sequence[str]:
        never.wait()
        raise OSError("no name server")

    waits = Waits()
    registries = Registries(Targets(resolve=resolve), waits.for_silence)
    for _ in range(10):
        for name in ("docker.io", "ghcr.io", "quay.io", "lscr.io", "registry.k8s.io"):
            assert not registries.answer(name)
    assert waits.granted == [OFFLINE_SECONDS, 0.0, 0.0, 0.0, 0.0]


def test_a_registry_is_asked_once() -> None:
    """The answer that a name has no address is kept, per registry."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        raise OSError("no address")

    registries = Registries(Targets(resolve=resolve), Waits().for_an_answer)
    for name in ("docker.io", "docker.io", "ghcr.io"):
        assert not registries.answer(name)
    assert asked == ["registry-1.docker.io", "ghcr.io"]


def test_a_registry_answers_until_it_goes_silent() -> None:
    """A registry that accepts connections is tried, until a pull from it has stalled."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        registries = Registries(_answering(port, asked), Waits().for_an_answer)
        one, other = f"one.test:{port}", f"other.test:{port}"
        assert registries.answer(one)
        registries.gave_nothing(one)
        assert not registries.answer(one)
        assert registries.answer(other)
    assert asked == ["one.test", "other.test"]


def test_a_registry_on_another_port_is_not_asked() -> None:
    """What the way out would refuse is not tried."""
    assert not Registries(Targets(resolve=lambda host, port: ["8.8.8.8"])).answer("ghcr.io:5000")


def test_more_patience_where_a_registry_has_answered() -> None:
    """Online, each answer may take longer than all waiting offline together."""
    waits = Waits()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        registries = Registries(_answering(port, []), waits.for_an_answer)
        for host in ("first.test", "second.test", "third.test"):
            assert registries.answer(f"{host}:{port}")
    assert waits.granted == [OFFLINE_SECONDS, ONLINE_SECONDS, ONLINE_SECONDS]


def test_an_answer_that_came_in_the_meantime_counts() -> None:
    """A question put early counts once it is answered, also when no patience is left."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        registries = Registries(_answering(port, asked), Waits().for_silence)
        early = registries.ask(f"early.test:{port}")
        assert not registries.answer("ghcr.io:1")
        futures.wait([early])
        assert registries.answer(f"early.test:{port}")
    assert asked == ["early.test"]


def test_a_wait_ends_with_the_answer_or_with_its_seconds() -> None:
    """By the clock: what is answered is not waited for, and what is silent counts as waited for."""
    answered: Future[None] = Future()
    answered.set_result(None)
    wait_for(answered, threading.TIMEOUT_MAX)
    assert wait_for(Future(), 0.01) > 0.0


def test_a_defect_is_no_answer() -> None:
    """An error that is none of the network's is not taken for silence."""

    def resolve(host: str, port: int) -> Sequence[str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Registries(Targets(resolve=resolve), Waits().for_an_answer).answer("ghcr.io")


def test_addresses_of_registries() -> None:
    """Docker Hub has its registry elsewhere; a port is read from the name."""
    assert address_of("docker.io") == ("registry-1.docker.io", 443)
    assert address_of("ghcr.io") == ("ghcr.io", 443)
    assert address_of("registry.test:5000") == ("registry.test", 5000)
