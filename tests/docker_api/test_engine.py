"""The proxy of a service in front of a real engine: what it was granted works, and every other documented call is
refused before the engine hears of it."""

import http.client
import io
import socket
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import docker
import pytest
from docker.models.containers import Container

from lab.docker_api import RIGHTS, Call, calls_of, root_calls
from lab.plan.records import ServicePlan
from lab.render.docker_proxy import SOCKET, configured
from tests.docker_api.calls import documented, path_of
from tests.sandbox.docker.running import NOWHERE, Running
from tests.sandbox.engine_ground import guest, real_checkout
from tests.support.builders import DIGEST, plan, service, service_of, stack

pytestmark = pytest.mark.engine
READING = tuple(right for right in RIGHTS if not root_calls([right]))
DASHBOARD = ("list", "events", "logs", "stats", "info")
SOCKET_PROXY = {"kind": "socket-proxy", "image": f"docker.io/wollomatic/socket-proxy:1.12.3{DIGEST}"}
KINDS: dict[str, dict[str, str]] = {"cetusguard": {}, "socket-proxy": SOCKET_PROXY}
SPEC = guest("docker-1", 201, "10.10.20.11", engine=True)
QUERIES = {
    "/containers/{id}/logs": "?stdout=1",
    "/containers/{id}/stats": "?stream=false",
    "/containers/{id}/archive": "?path=/standin",
    "/events": "?since=1&until=2",
}
"""What a call needs in order to succeed, and to end."""
REFUSED = {403, 405}
"""CetusGuard's answer and, of socket-proxy, to a method that no right needs; the engine gives neither."""


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """One engine for the tests of this file."""
    with real_checkout() as checkout:
        own = Running(checkout, SPEC, NOWHERE)
        try:
            own.machine.start(SPEC)
            yield own
        finally:
            own.close()


@contextmanager
def asking(stream: socket.socket, method: str, path: str) -> Iterator[http.client.HTTPResponse]:
    """The answer to a request without a body; the connection ends with the block."""
    with stream, closing(http.client.HTTPResponse(stream, method=method)) as response:
        head = f"{method} {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        stream.sendall(head.encode())
        response.begin()
        yield response


@dataclass(frozen=True)
class Asked:
    """The things of an engine that calls are about, and the ways to ask for them."""

    running: Running
    client: docker.DockerClient
    names: dict[str, str]

    def send(self, address: str, call: Call, prefix: str = "") -> tuple[int, bytes]:
        """Status and the beginning of the body of a call that a proxy is sent."""
        path = f"{prefix}{path_of(call, self.names)}{QUERIES.get(call.path, '')}"
        with asking(self.running.connect(address, 2375), call.method, path) as response:
            return response.status, response.read(1000)


@pytest.fixture
def asked(running: Running) -> Iterator[Asked]:
    """An engine with one container, one network and one volume; all is removed afterwards."""
    client = running.client()
    reference = f"docker.io/library/nginx:1.29{DIGEST}"
    client.api.pull(reference)
    target = client.containers.run(
        reference, name="target", detach=True, labels={"homelab.listens": "80/tcp"}
    )
    names = {
        "containers": "target",
        "networks": str(client.networks.create("a-network", internal=True).name),
        "volumes": str(client.volumes.create("a-volume").name),
        "images": str(target.attrs["Image"]).removeprefix("sha256:"),
    }
    yield Asked(running, client, names)
    for container in client.containers.list(all=True):
        container.remove(force=True)
    client.networks.prune()
    client.volumes.prune()
    client.close()


def proxy(asked: Asked, kind: str, rights: tuple[str, ...]) -> str:
    """Start the proxy of a planned service with the settings that it is rendered; answers its address."""
    api = {"rights": list(rights), **({"proxy": KINDS[kind]} if KINDS[kind] else {})}
    decided = plan(stacks={"web": stack(app=service(docker_api=api))})
    made = configured(service_of(decided, "web/app-docker-api"))
    asked.client.api.pull(made.image)
    volume = asked.client.volumes.create("rules")
    loader = asked.client.containers.create(made.image, volumes={volume.name: {"bind": "/run/homelab/files"}})
    loader.put_archive("/run/homelab/files", _archive(made))
    started = asked.client.containers.run(
        made.image,
        name="proxy",
        detach=True,
        user=made.user,
        read_only=made.read_only,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        environment=dict(made.environment),
        network="a-network",
        volumes={
            SOCKET: {"bind": SOCKET, "mode": "ro"},
            volume.name: {"bind": "/run/homelab/files", "mode": "ro"},
        },
    )
    with _connected(asked, started, 2375):
        return _address(started)


def _archive(made: ServicePlan) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for file in made.files:
            entry = tarfile.TarInfo(file.path.rpartition("/")[2])
            entry.size, entry.mode = len(file.content), 0o444
            archive.addfile(entry, io.BytesIO(file.content.encode()))
    return buffer.getvalue()


def _address(container: Container) -> str:
    container.reload()
    return str(container.attrs["NetworkSettings"]["Networks"]["a-network"]["IPAddress"])


def _connected(asked: Asked, container: Container, port: int) -> socket.socket:
    """A connection to a container, which is given ten seconds to listen."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return asked.running.connect(_address(container), port)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, container.logs().decode()
            time.sleep(0.05)


@pytest.mark.parametrize("rights", [DASHBOARD, READING], ids=["dashboard", "reading"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_granted_works_and_nothing_else(asked: Asked, kind: str, rights: tuple[str, ...]) -> None:
    """Each call of the rights is answered by the engine with success, each other documented one by the proxy."""
    address = proxy(asked, kind, rights)
    granted = set(calls_of(right for right in RIGHTS if right in rights))
    answers = {call: asked.send(address, call) for call in documented()}
    assert {call: answer for call, answer in answers.items() if call in granted and answer[0] != 200} == {}
    others = {call: answer for call, answer in answers.items() if call not in granted}
    assert {call: answer for call, answer in others.items() if answer[0] not in REFUSED} == {}
    assert len(others) > 80
    assert [container.name for container in asked.client.containers.list()] == ["proxy", "target"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_version_before_a_path_opens_nothing(asked: Asked, kind: str) -> None:
    """The same with a version in front of the path, as clients send it."""
    address = proxy(asked, kind, DASHBOARD)
    granted = set(calls_of(right for right in RIGHTS if right in DASHBOARD))
    for call in documented():
        status, _ = asked.send(address, call, prefix="/v1.41")
        assert (status == 200) == (call in granted), call
        assert (status in REFUSED) == (call not in granted), call


@pytest.mark.parametrize("kind", KINDS)
def test_events_arrive_while_they_happen(asked: Asked, kind: str) -> None:
    """The stream of events goes through the proxy as it comes."""
    address = proxy(asked, kind, DASHBOARD)
    with asking(asked.running.connect(address, 2375), "GET", "/events") as response:
        asked.client.volumes.create("seen-by-events")
        assert b"seen-by-events" in response.readline()


def test_without_rules_the_proxy_does_not_start(asked: Asked) -> None:
    """A CetusGuard whose built-in rules are on would let more through; the stand-in says so and ends."""
    image = f"docker.io/hectorm/cetusguard:v1.1.2{DIGEST}"
    asked.client.api.pull(image)
    started = asked.client.containers.run(image, detach=True, network="a-network")
    assert started.wait(timeout=10)["StatusCode"] == 1
    assert b"CETUSGUARD_NO_BUILTIN_RULES" in started.logs()


def test_the_dashboard_shows_what_it_is_told(asked: Asked) -> None:
    """The page lists the containers and the events of the engine, and says that it is a stand-in."""
    proxy(asked, "cetusguard", DASHBOARD)
    image = f"ghcr.io/amir20/dozzle:v8.14.8{DIGEST}"
    asked.client.api.pull(image)
    labels = {"homelab.listens": "8080/tcp", "homelab.endpoint": "service:dashboard/dozzle"}
    shown = asked.client.containers.run(
        image,
        detach=True,
        network="a-network",
        labels=labels,
        environment={"DOCKER_HOST": "tcp://proxy:2375"},
    )
    page = _page(asked, shown)
    assert page.startswith("service:dashboard/dozzle\n(a stand-in: ")
    assert "target" in page.partition("The last events")[0]
    assert "container start target" in page.partition("The last events")[2]
    asked.client.containers.get("proxy").stop(timeout=0)
    assert "the Docker API gave no answer" in _page(asked, shown)


def _page(asked: Asked, container: Container) -> str:
    with asking(_connected(asked, container, 8080), "GET", "/") as response:
        return response.read().decode()
