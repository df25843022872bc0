"""Real pulls: an engine in its guest, and a registry that only this test serves and allows."""

import base64
import logging
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import docker
import pytest

from sandbox.boot import plan_boot
from sandbox.docker.targets import Targets
from sandbox.docker.way_out import PORT
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import inside
from sandbox.grounds import RealGround
from tests.sandbox.docker.registry import ANSWER, HOST, LAYER_HOST, PROGRAM, Registry, served_registry
from tests.sandbox.docker.running import Running
from tests.sandbox.engine_ground import guest, host_network, left_over, real_checkout
from toolchain import resolve

pytestmark = pytest.mark.engine
SPEC = guest("docker-1", 201, "10.10.20.11", engine=True)
LABELS = {"homelab.listens": "80/tcp", "homelab.endpoint": "service:real/app"}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """One registry for the tests of this file."""
    binary = resolve.obtain(["standin"])["standin"]
    with served_registry(binary, tmp_path_factory.mktemp("registry")) as own:
        yield own


@pytest.fixture(scope="module")
def running(registry: Registry) -> Iterator[Running]:
    """One engine that may reach this registry, and nothing else."""
    names = {HOST: ["127.0.0.1"], LAYER_HOST: ["127.0.0.1"]}

    def addresses(host: str, _: int) -> list[str]:
        if host not in names:
            raise OSError(f"{host} is not a name of this test")
        return names[host]

    targets = Targets(
        ports=frozenset({registry.port}), resolve=addresses, allowed=lambda address: address == "127.0.0.1"
    )
    with real_checkout() as checkout:
        before = host_network()
        own = Running(checkout, SPEC, targets, (registry.name,))
        try:
            own.machine.start(SPEC)
            yield own
        finally:
            own.close()
        assert left_over(checkout) == []
        assert host_network() == before


@pytest.fixture
def client(running: Running) -> Iterator[docker.DockerClient]:
    """A client; every container and image of the test is removed afterwards."""
    own = running.client()
    yield own
    for container in own.containers.list(all=True):
        container.remove(force=True)
    for image in own.images.list():
        own.images.remove(str(image.id), force=True)
    own.close()


def _ask_proxy(running: Running, key: str | None = None) -> bytes:
    """What the proxy answers in the guest's own namespace."""
    head = b"CONNECT registry.test:443 HTTP/1.1\r\nHost: registry.test\r\n"
    if key:
        head += b"Proxy-Authorization: Basic " + base64.b64encode(f"engine:{key}".encode()) + b"\r\n"
    with running.connect("127.0.0.1", PORT) as stream:
        stream.sendall(head + b"\r\n")
        return stream.recv(4096).split(b"\r\n")[0]


def test_a_served_image_is_the_real_one(
    running: Running, client: docker.DockerClient, registry: Registry
) -> None:
    """Its digest is the registry's, its container runs the image's own command, and no label says stand-in."""
    lines = list(client.api.pull(registry.reference, stream=True, decode=True))
    assert {"status": "homelab: downloaded"} in lines
    image = client.images.get(registry.reference)
    assert image.attrs["RepoDigests"] == [f"{registry.name}/lab/real@{registry.digest}"]
    assert image.id == registry.image_id
    assert not image.labels
    container = client.containers.run(registry.reference, name="real", labels=LABELS, detach=True)
    container.reload()
    assert container.labels == LABELS
    assert container.attrs["Config"]["Image"] == registry.reference
    pid = container.attrs["State"]["Pid"]
    assert Path(f"/proc/{pid}/cmdline").read_bytes() == f"{PROGRAM}\0serve\0".encode()
    assert running.get(container.attrs["NetworkSettings"]["IPAddress"], 8080) == ANSWER
    deadline = time.monotonic() + 10
    while container.attrs["State"]["Health"]["Status"] != "healthy" and time.monotonic() < deadline:
        time.sleep(0.1)
        container.reload()
    assert container.attrs["State"]["Health"]["Status"] == "healthy"
    assert any(line.startswith(f"{LAYER_HOST}:{registry.port}/") for line in registry.asked)


def test_a_real_image_can_be_removed_by_its_reference(
    client: docker.DockerClient, registry: Registry
) -> None:
    """After the removal it is absent, and another pull gets it again."""
    for _ in range(2):
        client.images.pull(registry.reference)
        client.images.remove(registry.reference)
        with pytest.raises(docker.errors.ImageNotFound):
            client.images.get(registry.reference)


def test_a_failed_pull_says_why_and_gives_a_stand_in(
    client: docker.DockerClient, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    """The registry's own words are in the log, the label says stand-in, and other images are still pulled."""
    reference = f"{registry.name}/lab/absent@sha256:{'ab' * 32}"
    with caplog.at_level(logging.WARNING):
        client.images.pull(reference)
    assert f"{reference} could not be pulled, a stand-in is used: manifest" in caplog.text
    assert "unknown" in caplog.text
    container = client.containers.run(reference, name="absent", labels=LABELS, detach=True)
    container.reload()
    assert container.labels["homelab.stand-in"] == "true"
    assert client.images.pull(registry.reference).id == registry.image_id


def test_the_engine_alone_cannot_pull(
    running: Running, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    """Who asks the engine's own socket, past the front socket, gets no way out."""
    path = running.checkout.engine_socket("docker-1")
    own = docker.DockerClient(base_url=f"unix://{path}", timeout=60)
    before = len(registry.asked)
    with caplog.at_level(logging.INFO), pytest.raises(docker.errors.APIError):
        own.images.pull(registry.reference)
    own.close()
    assert "docker-1: refused: no pull is under way" in caplog.text
    assert len(registry.asked) == before


def test_containers_cannot_use_the_way_out(
    running: Running, client: docker.DockerClient, registry: Registry
) -> None:
    """It is neither on a container's loopback nor on an address of the guest; sharing its network needs a key."""
    client.images.pull(registry.reference)
    container = client.containers.run(registry.reference, name="inside", detach=True)
    container.reload()
    namespace = Path(f"/proc/{container.attrs['State']['Pid']}/ns/net")
    gateway = container.attrs["NetworkSettings"]["Gateway"]
    for address in ("127.0.0.1", gateway, "10.10.20.11"):
        with pytest.raises(ConnectionRefusedError):
            inside(namespace, partial(socket.create_connection, (address, PORT), 2))
    assert _ask_proxy(running) == b"HTTP/1.1 407 only the engine of this guest is served"


def test_the_way_out_ends_with_the_guest(running: Running) -> None:
    """A stopped guest has none; the key is for root only, on no command line, and serves only during a pull."""
    pid, path = running.pid, running.checkout.engine_dir("docker-1") / "proxy.key"
    key = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert _ask_proxy(running, key) == b"HTTP/1.1 403 no pull is under way"
    assert key not in Path(f"/proc/{pid}/cmdline").read_text()
    running.machine.stop(SPEC.vmid)
    with pytest.raises(OSError, match="No such file"):
        running.connect("127.0.0.1", PORT)
    # The kernel takes the guest's port away when nothing holds its namespace any more: no socket of the proxy.
    deadline = time.monotonic() + 5
    while (held := "tap201i0" in running.ground.fabric.segments()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not held
    running.machine.start(SPEC)
    assert path.read_text() != key
    assert _ask_proxy(running, path.read_text()) == b"HTTP/1.1 403 no pull is under way"


def test_an_adopted_engine_gets_its_way_out_again(running: Running) -> None:
    """A daemon that finds the engine running opens the way with the engine's key, and restarts nothing."""
    pid, key = running.pid, (running.checkout.engine_dir("docker-1") / "proxy.key").read_text()
    next_one = RealGround(running.checkout)
    assert not next_one.is_up(SPEC)
    with pytest.raises(SandboxError, match=f"docker-1 cannot listen on its port {PORT}"):
        next_one.up(SPEC, partial(plan_boot, None))
    # What the kernel does when the first daemon is killed.
    running.ground._ways_out["docker-1"].close()
    assert not running.ground.is_up(SPEC)
    running.machine.start(SPEC)
    assert running.ground.is_up(SPEC)
    assert running.pid == pid
    assert _ask_proxy(running, key) == b"HTTP/1.1 403 no pull is under way"
