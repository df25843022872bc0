"""Guests and their containers ask for names, and a person on the machine does."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rcode
import docker
import pytest
import requests

from sandbox import lifecycle
from sandbox.checkout import Checkout
from sandbox.environment import name_server
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import NAMESPACES, inside
from sandbox.settings import is_running
from tests.sandbox.engine_ground import guest, host_network, left_over, real_checkout

pytestmark = pytest.mark.engine
ROOT = Path(__file__).resolve().parents[3]
SERVER = "10.10.10.1"
DOCKER = replace(guest("docker-1", 201, "10.10.20.11", engine=True), name_servers=(SERVER,))
PLAIN = guest("plain", 301, "10.10.30.11", tag=30)
BUSYBOX = "docker.io/library/busybox:1.37.0@sha256:" + "cd" * 32
ADDRESS = "203.0.113.7"


def _command(checkout: Checkout, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--checkout", str(checkout.root), *words],
        capture_output=True,
        text=True,
        timeout=90,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    """A running sandbox with two guests, of which one runs an engine, and a zone with one record."""
    with real_checkout() as own:
        before = host_network()
        for name in ("sandbox", "toolchain"):
            (own.root / name).symlink_to(ROOT / name)
        records = {str(spec.vmid): {"spec": asdict(spec), "running": True} for spec in (DOCKER, PLAIN)}
        try:
            # Only guests of a sandbox that was started before are run on real ground.
            _command(own, "start", "--stand-ins")
            lifecycle.stop(own)
            own.guests_file.write_text(json.dumps(records))
            _command(own, "start", "--stand-ins", "--zone", "lab.example")
            _until(lambda: {each["state"] for each in lifecycle.status(own)["guests"]} == {"running"})
            _add_record(own, "app", ADDRESS)
            yield own
        finally:
            lifecycle.stop(own)
        assert left_over(own) == []
        assert host_network() == before


def _add_record(checkout: Checkout, name: str, address: str) -> None:
    """As a program does that has the token."""
    base = f"http://127.0.0.1:{checkout.ports(['cloudflare'])['cloudflare']}/client/v4/zones"
    headers = {"Authorization": f"Bearer {checkout.credential('cloudflare-token')}"}
    zone = requests.get(base, headers=headers, timeout=5).json()["result"][0]["id"]
    body = {"type": "A", "name": name, "content": address, "ttl": 60}
    requests.post(f"{base}/{zone}/dns_records", json=body, headers=headers, timeout=5).raise_for_status()


def _namespace(checkout: Checkout, name: str) -> Path:
    return NAMESPACES / f"{checkout.prefix}{name}"


def _asked(namespace: Path, server: str, name: str, *, tcp: bool = False) -> dns.message.Message:
    query = dns.message.make_query(name, "A")
    ask = dns.query.tcp if tcp else dns.query.udp
    # A datagram from another address than the one that was asked would be an error.
    return inside(namespace, lambda: ask(query, server, timeout=3))


def _address(answer: dns.message.Message) -> str:
    return str(answer.answer[0][0].address)


def _clients(checkout: Checkout, name: str) -> list[Any]:
    return [query["client"] for query in lifecycle.queries(checkout, name)]


def test_a_guest_asks_its_name_server(checkout: Checkout) -> None:
    """Through its gateway, by UDP and TCP; the log says who asked for what."""
    name = "asked-by-guest.lab.example"
    _add_record(checkout, "asked-by-guest", ADDRESS)
    here = _namespace(checkout, "guest-docker-1")
    for tcp in (False, True):
        assert _address(_asked(here, SERVER, name, tcp=tcp)) == ADDRESS
    assert _address(_asked(here, "10.10.20.1", name)) == ADDRESS
    assert _clients(checkout, name) == ["10.10.20.11"] * 3
    assert _asked(here, SERVER, "example.net").rcode() == dns.rcode.REFUSED


def test_a_guest_of_another_segment_asks_too(checkout: Checkout) -> None:
    """Its gateway is there as well."""
    here = _namespace(checkout, "guest-plain")
    assert _address(_asked(here, "10.10.30.1", "app.lab.example")) == ADDRESS


def test_a_packet_to_another_segment_is_not_forwarded(checkout: Checkout) -> None:
    """Neither a guest nor a peer of another segment hears of it."""
    peer = Path(_command(checkout, "peer", "vmbr0.30", "10.10.30.99/24").strip())
    here = _namespace(checkout, "guest-docker-1")
    with inside(peer, partial(_bound_udp, "10.10.30.99")) as listening:
        neighbour = inside(_namespace(checkout, "guest-plain"), partial(_bound_udp, "10.10.30.11"))
        for sender, heard in ((neighbour, True), (inside(here, partial(_bound_udp, "10.10.20.11")), False)):
            with sender:
                sender.sendto(b"hello", ("10.10.30.99", 7777))
                assert _hears(listening) is heard


def _bound_udp(address: str) -> socket.socket:
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.bind((address, 7777))
    own.settimeout(1)
    return own


def _hears(listening: socket.socket) -> bool:
    try:
        return listening.recv(100) == b"hello"
    except TimeoutError:
        return False


def test_a_container_asks_the_engine_which_asks_us(checkout: Checkout) -> None:
    """On a network of its own, by 127.0.0.11; the engine has its name servers from the guest."""
    client = docker.DockerClient(base_url=f"unix://{checkout.front_socket('docker-1')}", timeout=60)
    name = "asked-by-container.lab.example"
    _add_record(checkout, "asked-by-container", ADDRESS)
    try:
        client.images.pull(BUSYBOX)
        client.networks.create("own")
        container = client.containers.create(BUSYBOX, ["nslookup", "-type=a", name], network="own")
        container.start()
        code = container.wait(timeout=30)["StatusCode"]
        printed = container.logs().decode()
    finally:
        client.close()
    assert code == 0, printed
    assert "127.0.0.11" in printed
    assert f"Address: {ADDRESS}" in printed
    assert set(_clients(checkout, name)) == {"10.10.20.11"}


def test_the_machine_asks_on_loopback(checkout: Checkout) -> None:
    """At the address that `status` and the environment name."""
    address, _, port = name_server(checkout).rpartition(":")
    query = dns.message.make_query("app.lab.example", "A")
    for ask in (dns.query.udp, dns.query.tcp):
        assert _address(ask(query, address, timeout=3, port=int(port))) == ADDRESS
    assert f"dns         {address}:{port}" in _command(checkout, "status").splitlines()
    assert f"export SANDBOX_DNS={address}:{port}" in checkout.env_file.read_text()


def test_a_daemon_that_was_killed_answers_again(checkout: Checkout) -> None:
    """The guests go on where they were, and find the next daemon; a log begins anew with it."""
    os.kill(json.loads(checkout.daemon_file.read_text())["pid"], signal.SIGKILL)
    _until(lambda: not is_running(checkout))
    router = _namespace(checkout, "router").stat().st_ino
    with pytest.raises(SandboxError, match="the sandbox is stopped"):
        lifecycle.queries(checkout, "app.lab.example")
    # Then no guest is started anew, with which the name server would come too.
    records = json.loads(checkout.guests_file.read_text())
    records["201"]["running"] = False
    checkout.guests_file.write_text(json.dumps(records))
    _command(checkout, "start", "--stand-ins")
    assert _namespace(checkout, "router").stat().st_ino == router
    for name, server in (("guest-docker-1", SERVER), ("guest-plain", "10.10.30.1")):
        assert _address(_asked(_namespace(checkout, name), server, "app.lab.example")) == ADDRESS
    assert _clients(checkout, "app.lab.example") == ["10.10.20.11", "10.10.30.11"]
