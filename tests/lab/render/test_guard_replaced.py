"""A guard that is replaced while packets come: on a real kernel with busy processors, nothing slips through."""

import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial

import pytest

from lab.render.guard import guard_text
from sandbox.checkout import cache_dir
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import NAMESPACES, Kernel, inside, missing_rights
from sandbox.guest_tools import GuestTools, guest_tools
from tests.support.guard_samples import OUT, WEB, WITHIN, guard
from tests.support.needs import need

pytestmark = pytest.mark.engine

_SECONDS = 12.0
_PORT = 9
_HOST, _CONTAINER = "10.128.0.1", "10.128.0.2"


@pytest.fixture(scope="module")
def tools() -> GuestTools:
    """The nft of a guest, and the right to make network namespaces."""
    lacking = missing_rights()
    need(lacking is None, f"network namespaces: {lacking}")
    try:
        return guest_tools(cache_dir())
    except SandboxError as error:
        need(False, str(error))
        raise


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """A host and a container's side of one of its bridges, by the name that the guard looks at."""
    made = Kernel(f"hlrace-{os.getpid()}-")
    host, container = f"{made.prefix}host", f"{made.prefix}box"
    try:
        made.add(host)
        made.add(container)
        made.batch(host, [f"link add name {WEB} type veth peer name eth0 netns {container}"])
        for namespace, link, address in ((host, WEB, _HOST), (container, "eth0", _CONTAINER)):
            made.batch(namespace, [f"address add {address}/24 dev {link}", f"link set {link} up"])
        yield made
    finally:
        for namespace in made.namespaces():
            made.delete(namespace)


def _spin() -> None:
    while True:
        pass


@contextmanager
def busy() -> Iterator[None]:
    """More work than processors: a packet that is under way has to wait, and finds the rules replaced meanwhile."""
    processes = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(2 * (os.cpu_count() or 1))]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


@contextmanager
def flood(sending: socket.socket) -> Iterator[list[int]]:
    """Packets to a closed port, as many as go."""
    ended, sent = threading.Event(), [0]

    def run() -> None:
        while not ended.is_set():
            sending.sendto(b"flood", (_HOST, _PORT))
            sent[0] += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield sent
    finally:
        ended.set()
        thread.join()


def heard_by(listening: socket.socket) -> int:
    """How many packets came through."""
    count = 0
    with suppress(BlockingIOError):
        while listening.recv(16):
            count += 1
    return count


def test_no_packet_slips_through_while_the_guard_is_replaced(kernel: Kernel, tools: GuestTools) -> None:
    """Where a map decided, and nothing dropped what it misses, two in a hundred replacements let a packet through."""
    texts = [guard_text(guard()), guard_text(guard(WITHIN, bridges={WEB: "vnet-web", OUT: "out-web-app"}))]
    host, box = (NAMESPACES / f"{kernel.prefix}{name}" for name in ("host", "box"))
    datagrams = partial(socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
    with closing(inside(host, datagrams)) as listening, closing(inside(box, datagrams)) as sending:
        listening.bind((_HOST, _PORT))
        listening.setblocking(False)
        sending.sendto(b"before", (_HOST, _PORT))
        time.sleep(0.2)
        assert heard_by(listening) == 1, "without a guard the packet comes"
        kernel.load_rules(f"{kernel.prefix}host", texts[0], tools)
        replaced, slipped, ends = 0, 0, time.monotonic() + _SECONDS
        with busy(), flood(sending) as sent:
            while time.monotonic() < ends:
                replaced += 1
                kernel.load_rules(f"{kernel.prefix}host", texts[replaced % 2], tools)
                slipped += heard_by(listening)
    assert (slipped, replaced > 50, sent[0] > 10_000) == (0, True, True), (replaced, sent)
