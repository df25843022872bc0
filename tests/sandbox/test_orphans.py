"""Which processes count as orphans of a killed engine, and that they end."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.checkout import Checkout
from sandbox.orphans import Process, end_orphans, orphans
from tests.support.needs import need

DEAD = "127.0.0.1:9"
"""An address where no engine listens: the port is discard's, below those that are given out."""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout of its own."""
    return Checkout(tmp_path)


def plugin(checkout: Checkout, *, parent: int = 1, address: str = DEAD, pid: int = 100) -> Process:
    """A stand-in plugin of a checkout."""
    words = ("python", "-m", "sandbox.plugins", "docker", "--checkout", str(checkout.root), address)
    return Process(pid=pid, parent=parent, arguments=words, home=str(checkout.pulumi_home))


def test_a_plugin_without_its_engine_is_an_orphan(checkout: Checkout) -> None:
    """Whoever adopted it: init, or a process that adopts for a session."""
    session = Process(pid=50, parent=1, arguments=("systemd", "--user"))

    assert orphans(checkout, [plugin(checkout)]) == [plugin(checkout)]
    assert orphans(checkout, [session, plugin(checkout, parent=50)]) == [plugin(checkout, parent=50)]


def test_a_plugin_of_a_living_engine_is_none(checkout: Checkout) -> None:
    """Its parent is an engine."""
    engine = Process(pid=50, parent=1, arguments=("/x/pulumi", "up"))

    assert orphans(checkout, [engine, plugin(checkout, parent=50)]) == []


def test_a_plugin_whose_engine_listens_is_none(checkout: Checkout) -> None:
    """An engine that is none of its ancestors, such as one under test, still wants it."""
    with socket.create_server(("127.0.0.1", 0)) as engine:
        address = f"127.0.0.1:{engine.getsockname()[1]}"

        assert orphans(checkout, [plugin(checkout, address=address)]) == []


def test_another_checkouts_plugin_is_none(checkout: Checkout, tmp_path: Path) -> None:
    """Not even where its root begins with ours."""
    other = Checkout(tmp_path / "other")

    assert orphans(checkout, [plugin(other)]) == []
    assert orphans(other, [plugin(checkout)]) == []


def test_hosts_and_programs_are_known_by_their_environment(checkout: Checkout) -> None:
    """A language host, an official plugin and the program itself; a user's shell has it too and is none."""
    home = str(checkout.pulumi_home)
    words = [
        ("/cache/pulumi-language-python", DEAD),
        ("/home/plugins/pulumi-resource-docker", DEAD),
        ("/x/python", "-u", "/cache/pulumi-language-python-exec", "--monitor", DEAD),
    ]
    ours = [Process(pid=n, parent=1, arguments=w, home=home) for n, w in enumerate(words, 100)]
    shell = Process(pid=200, parent=1, arguments=("bash",), home=home)
    elsewhere = Process(pid=201, parent=1, arguments=words[0], home="/elsewhere")

    assert orphans(checkout, [*ours, shell, elsewhere]) == ours


def test_an_orphan_ends_even_if_it_ignores_the_request(checkout: Checkout) -> None:
    """It is asked first and ended then, and it is gone when the function answers."""
    need(sys.platform == "linux", "processes are found in /proc")
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    words = [sys.executable, "-c", code, "sandbox.plugins", "docker", "--checkout", str(checkout.root), DEAD]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        began = time.monotonic()

        assert end_orphans(checkout) == 1
        assert time.monotonic() - began < 10
        assert running.wait(5) != 0
    assert end_orphans(checkout) == 0
    assert os.getpid() > 1
