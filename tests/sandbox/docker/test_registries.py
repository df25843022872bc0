"""Which registries are asked, how often, and for how long."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from sandbox.docker.registries import Registries, address_of
from sandbox.docker.targets import Targets


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """What lookups that hang wait for; they end with the test."""
    event = threading.Event()
    yield event
    event.set()


def _answering(port: int, asked: list[str]) -> Targets:
    def resolve(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    return Targets(ports=frozenset({port}), resolve=resolve, allowed=lambda address: True)


def test_a_machine_offline_waits_once_for_all_registries(never: threading.Event) -> None:
    """Name servers that never answer cost less than 0.2 s for any number of images and registries."""

    def resolve(host: str, port: int) -> Sequence[str]:
        never.wait(30)
        raise OSError("no name server")

    registries = Registries(Targets(resolve=resolve))
    begin = time.monotonic()
    for _ in range(10):
        for name in ("docker.io", "ghcr.io", "quay.io", "lscr.io", "registry.k8s.io"):
            assert not registries.answer(name)
    assert time.monotonic() - begin < 0.2


def test_a_registry_is_asked_once() -> None:
    """The answer that a name has no address is kept, per registry."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        raise OSError("no address")

    registries = Registries(Targets(resolve=resolve))
    for name in ("docker.io", "docker.io", "ghcr.io"):
        assert not registries.answer(name)
    assert asked == ["registry-1.docker.io", "ghcr.io"]


def test_a_registry_answers_until_it_goes_silent() -> None:
    """A registry that accepts connections is tried, until a pull from it has stalled."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        registries = Registries(_answering(port, asked))
        one, other = f"one.test:{port}", f"other.test:{port}"
        assert registries.answer(one)
        registries.gave_nothing(one)
        assert not registries.answer(one)
        assert registries.answer(other)
    assert asked == ["one.test", "other.test"]


def test_a_registry_on_another_port_is_not_asked() -> None:
    """What the way out would refuse is not tried."""
    assert not Registries(Targets(resolve=lambda host, port: ["8.8.8.8"])).answer("ghcr.io:5000")


def test_a_slow_registry_is_waited_for_where_another_has_answered() -> None:
    """Online, an answer may take longer than all waiting offline together."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def resolve(host: str, _: int) -> Sequence[str]:
            time.sleep(0.4 if host == "slow.test" else 0)
            return ["127.0.0.1"]

        targets = Targets(ports=frozenset({port}), resolve=resolve, allowed=lambda address: True)
        assert not Registries(targets).answer(f"slow.test:{port}")
        registries = Registries(targets)
        assert registries.answer(f"quick.test:{port}")
        assert registries.answer(f"slow.test:{port}")


def test_an_answer_that_came_in_the_meantime_counts() -> None:
    """A question put early is not waited for later, however slow its answer was."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def resolve(host: str, _: int) -> Sequence[str]:
            time.sleep(0.3)
            return ["127.0.0.1"]

        registries = Registries(
            Targets(ports=frozenset({port}), resolve=resolve, allowed=lambda address: True)
        )
        registries.ask(f"early.test:{port}")
        time.sleep(0.5)
        assert registries.answer(f"early.test:{port}")


def test_a_defect_is_no_answer() -> None:
    """An error that is none of the network's is not taken for silence."""

    def resolve(host: str, port: int) -> Sequence[str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Registries(Targets(resolve=resolve)).answer("ghcr.io")


def test_addresses_of_registries() -> None:
    """Docker Hub has its registry elsewhere; a port is read from the name."""
    assert address_of("docker.io") == ("registry-1.docker.io", 443)
    assert address_of("ghcr.io") == ("ghcr.io", 443)
    assert address_of("registry.test:5000") == ("registry.test", 5000)
