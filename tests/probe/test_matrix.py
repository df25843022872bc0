"""Agreement of what was observed with what was expected, also across real network namespaces."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lab.flows import Endpoint, Port, Target
from probe.containers import Running
from probe.expected import Expectation, Pair
from probe.matrix import Observation, Result, observe
from tests.support.needs import need

SOURCE, TARGET = Endpoint("service", "a/a"), Endpoint("service", "b/b")


def _asked(expected: Expectation, *addresses: str) -> Pair:
    return Pair(
        source=SOURCE,
        target=Target(TARGET, Port(8080)),
        host="h",
        addresses=addresses or ("10.0.0.1",),
        expected=expected,
        because="a test",
    )


@pytest.mark.parametrize(
    ("expected", "observed", "agrees"),
    [
        ("declared", "yes", True),
        ("declared", "no", False),
        ("declared", "wrong service", False),
        ("same network", "yes", True),
        ("same network", "no", False),
        ("none", "no", True),
        ("none", "yes", False),
        ("none", "wrong service", False),
    ],
)
def test_agreement(expected: Expectation, observed: Observation, agrees: bool) -> None:
    """A declared path needs the right answer, an undeclared one needs silence."""
    assert Result(pair=_asked(expected), observed=observed).agrees is agrees


def test_a_source_that_does_not_run_is_not_probed() -> None:
    """A simulated container has no process, so nothing is claimed about it."""
    simulated = Running(endpoint=str(SOURCE), host="h", pid=0, image="", stand_in=False)
    matrix = observe([_asked("none")], [simulated], {})

    assert [result.observed for result in matrix.results] == ["not probed"]
    assert matrix.disagreements == ()


ANSWER = """
import socket, sys

server = socket.create_server(("127.0.0.1", 8080))
while True:
    connection, _ = server.accept()
    connection.recv(99)
    connection.sendall(sys.argv[1].encode())
    connection.close()
"""


@pytest.fixture
def namespace() -> Iterator[int]:
    """The process of a server that is alone in a network namespace and calls itself service:b/b."""
    need(
        os.geteuid() == 0 and shutil.which("unshare") is not None,
        "network namespaces take root and util-linux",
    )
    command = ["unshare", "--net", "sh", "-c", 'ip link set lo up && echo up && exec "$@"', "sh"]
    server = subprocess.Popen([*command, sys.executable, "-c", ANSWER, "service:b/b"], stdout=subprocess.PIPE)
    assert server.stdout is not None
    assert server.stdout.readline() == b"up\n"
    yield server.pid
    server.kill()
    server.wait()
    server.stdout.close()


def _container(pid: int, name: str, stand_in: bool = True) -> Running:
    return Running(endpoint=name, host="h", pid=pid, image="", stand_in=stand_in)


@pytest.mark.engine
def test_an_undeclared_path_that_is_open_disagrees(namespace: int) -> None:
    """The probe really enters the namespace: the port is open there and nowhere else."""
    here = [_container(namespace, "service:a/a"), _container(namespace, "service:b/b")]
    result = observe([_asked("none", "127.0.0.1")], here, {}).results[0]

    assert result.observed == "yes"
    assert not result.agrees
    assert result.answer == "service:b/b"


@pytest.mark.engine
def test_a_declared_path_with_another_name_behind_it_disagrees(namespace: int) -> None:
    """Somebody else's answer is not the service's."""
    pair = Pair(
        **{
            **_asked("declared", "127.0.0.1").__dict__,
            "target": Target(Endpoint("service", "c/c"), Port(8080)),
        }
    )
    here = [_container(namespace, "service:a/a"), _container(namespace, "service:c/c")]

    assert observe([pair], here, {}).results[0].observed == "wrong service"


@pytest.mark.engine
def test_the_host_row_is_never_asserted(namespace: int) -> None:
    """What the Docker host itself reaches is printed apart and cannot disagree."""
    matrix = observe([_asked("none", "127.0.0.1")], [], {"h": f"/proc/{namespace}/ns/net"})

    assert [result.observed for result in matrix.host_rows] == ["yes"]
    assert matrix.disagreements == ()
