"""A real engine in a guest, reached through the front socket."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from sandbox.checkout import cache_dir
from sandbox.docker.packages import engine_programs
from sandbox.fabric.kernel import inside
from sandbox.grounds import group_name
from sandbox.guest_tools import guest_tools
from tests.sandbox.docker.running import NOWHERE, Running
from tests.sandbox.engine_ground import guest, host_network, left_over, real_checkout

pytestmark = pytest.mark.engine
DIGEST = "sha256:" + "ab" * 32
REFERENCE = f"docker.io/vaultwarden/server:1.32.7@{DIGEST}"
SPEC = guest("docker-1", 201, "10.10.20.11", engine=True)
_KEYS_BEFORE = sorted(path.name for path in Path("/etc").glob("docker/key.json"))
LABELS = {"homelab.listens": "80/tcp", "homelab.endpoint": "service:vault/app"}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """One engine for the tests of this file."""
    with real_checkout() as checkout:
        before = host_network()
        # A reference with a made-up digest must not be looked for in the world.
        own = Running(checkout, SPEC, NOWHERE)
        try:
            own.machine.start(SPEC)
            yield own
        finally:
            own.close()
        assert left_over(checkout) == []
        assert host_network() == before


@pytest.fixture
def client(running: Running) -> Iterator[docker.DockerClient]:
    """A client; every container and network of the test is removed afterwards."""
    own = running.client()
    yield own
    for container in own.containers.list(all=True):
        container.remove(force=True)
    own.networks.prune()
    own.close()


def _network(client: docker.DockerClient, name: str, subnet: str, **options: Any) -> None:
    pool = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet=subnet)])
    client.networks.create(name, internal=True, ipam=pool, **options)


def test_an_image_that_nobody_serves_is_a_stand_in(running: Running, client: docker.DockerClient) -> None:
    """It is absent before the pull, shows the asked digest after, and is gone when it is removed."""
    with pytest.raises(docker.errors.ImageNotFound):
        client.images.get(REFERENCE)
    lines = list(client.api.pull(REFERENCE, stream=True, decode=True))
    assert {"status": "homelab: made here: a stand-in"} in lines
    image = client.images.get(REFERENCE)
    assert image.attrs["RepoDigests"] == [f"vaultwarden/server@{DIGEST}"]
    assert client.images.get(str(image.id)).attrs["RepoDigests"] == image.attrs["RepoDigests"]
    client.images.remove(REFERENCE)
    with pytest.raises(docker.errors.ImageNotFound):
        client.images.get(REFERENCE)


def test_a_stand_in_listens_and_answers_with_its_name(running: Running, client: docker.DockerClient) -> None:
    """Read-only and without capabilities it is healthy and says who it is; inspect shows the request."""
    _network(client, "vnet-vault", "10.128.0.0/28")
    client.images.pull(REFERENCE)
    container = client.containers.create(
        REFERENCE,
        ["/start.sh"],
        name="app",
        network="vnet-vault",
        labels=LABELS,
        read_only=True,
        user="1000:1000",
        cap_drop=["ALL"],
        healthcheck={"test": ["CMD", "curl", "x"], "interval": 200_000_000},
    )
    container.start()
    container.reload()
    address = container.attrs["NetworkSettings"]["Networks"]["vnet-vault"]["IPAddress"]
    assert running.get(address) == "service:vault/app"
    assert (container.attrs["Config"]["Cmd"], container.attrs["Config"]["User"]) == (
        ["/start.sh"],
        "1000:1000",
    )
    assert container.labels["homelab.stand-in"] == "true"
    deadline = time.monotonic() + 10
    while container.attrs["State"]["Health"]["Status"] != "healthy" and time.monotonic() < deadline:
        time.sleep(0.1)
        container.reload()
    assert container.attrs["State"]["Health"]["Status"] == "healthy"
    assert container.exec_run(["/standin", "health"]).exit_code == 0


def test_networks_isolate_as_docker_does(running: Running, client: docker.DockerClient) -> None:
    """A service is reached from its own network and not from another one."""
    client.images.pull(REFERENCE)
    addresses = {}
    for number, name in enumerate(("one", "two")):
        _network(client, f"vnet-{name}", f"10.128.1.{16 * number}/28")
        one = client.containers.run(REFERENCE, name=name, network=f"vnet-{name}", labels=LABELS, detach=True)
        one.reload()
        addresses[name] = one.attrs["NetworkSettings"]["Networks"][f"vnet-{name}"]["IPAddress"]
    pid = client.containers.get("one").attrs["State"]["Pid"]
    namespace = Path(f"/proc/{pid}/ns/net")
    inside(namespace, lambda: socket.create_connection((addresses["one"], 80), timeout=2)).close()
    with pytest.raises(OSError, match=r"timed out|unreachable"):
        inside(namespace, lambda: socket.create_connection((addresses["two"], 80), timeout=0.7))


def test_containers_and_volumes_survive_a_stopped_guest(
    running: Running, client: docker.DockerClient
) -> None:
    """After stop and start a container with a restart policy runs again, with its volume's files."""
    client.images.pull(REFERENCE)
    client.volumes.create("data")
    client.containers.run(  # type: ignore[call-overload] # the stubs do not know "unless-stopped"
        REFERENCE,
        name="kept",
        labels=LABELS,
        detach=True,
        restart_policy={"Name": "unless-stopped"},
        volumes={"data": {"bind": "/data", "mode": "rw"}},
    )
    running.machine.stop(SPEC.vmid)
    assert not running.machine.running(SPEC.vmid)
    with pytest.raises(docker.errors.APIError, match="the guest docker-1 is not running: it was stopped"):
        client.ping()
    running.machine.start(SPEC)
    assert running.machine.running(SPEC.vmid)
    deadline = time.monotonic() + 10
    while client.containers.get("kept").status != "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert client.containers.get("kept").status == "running"
    assert [volume.name for volume in client.volumes.list()] == ["data"]


def test_a_killed_engine_starts_again(running: Running, client: docker.DockerClient) -> None:
    """After SIGKILL of the daemon the next start ends what is left and answers again."""
    client.images.pull(REFERENCE)
    client.containers.run(
        REFERENCE, name="killed", labels=LABELS, detach=True, restart_policy={"Name": "always"}
    )
    pid = int((running.checkout.engine_dir("docker-1") / "launch.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    running.machine.start(SPEC)
    deadline = time.monotonic() + 10
    while client.containers.get("killed").status != "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert client.containers.get("killed").status == "running"


def test_the_engine_stays_in_its_guest(running: Running, client: docker.DockerClient) -> None:
    """It has the guest's name and control group, and adds nothing to the machine's /opt."""
    assert client.info()["Name"] == "docker-1"
    assert running.ground.fabric.guest_path("docker-1").exists()
    pid = int((running.checkout.engine_dir("docker-1") / "launch.pid").read_text())
    assert f"/{group_name(running.checkout)}/docker-1/engine" in Path(f"/proc/{pid}/cgroup").read_text()
    assert not Path("/opt/containerd").exists()


def test_a_container_writes_to_the_guest_and_not_to_the_machine(
    running: Running, client: docker.DockerClient
) -> None:
    """Folders that exist on every Docker host can be mounted, and the machine's own ones stay as they are."""
    client.images.pull(REFERENCE)
    binds = ["/var/lib/docker:/docker:ro", "/var/run/docker.sock:/docker.sock:ro", "/etc:/guest-etc:rw"]
    client.containers.run(REFERENCE, name="mounts", labels=LABELS, detach=True, volumes=binds)
    pid = client.containers.get("mounts").attrs["State"]["Pid"]
    mounted = Path(f"/proc/{pid}/root")
    (mounted / "guest-etc" / "homelab-test").write_text("written by a container")
    assert not Path("/etc/homelab-test").exists()
    assert (mounted / "docker" / "volumes").is_dir()
    assert (mounted / "docker.sock").is_socket()
    assert sorted(path.name for path in Path("/etc").glob("docker/key.json")) == _KEYS_BEFORE


def test_unpacked_programs_are_found_again() -> None:
    """The second question for the same cache fetches nothing."""
    with real_checkout():
        lines: list[str] = []
        engine_programs(cache_dir(), lines.append)
        guest_tools(cache_dir(), lines.append)
        assert lines == []
