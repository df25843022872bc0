"""A guest that starts with a cloud-init file: closed before its engine runs, and open only to what replaces that."""

import os
import signal
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from lab.render.bootstrap import docker_host
from sandbox.fabric.kernel import inside
from sandbox.proxmox.guests import GuestError
from tests.sandbox.docker.rules import nft, tables
from tests.sandbox.docker.running import NOWHERE, Running
from tests.sandbox.engine_ground import (
    BOOTSTRAP,
    guest,
    host_network,
    left_over,
    place_snippet,
    real_checkout,
)

pytestmark = pytest.mark.engine
SPEC = guest("docker-1", 201, "10.10.20.11", engine=True)
BUSYBOX = "docker.io/library/busybox:1.37.0@sha256:" + "cd" * 32
SERVICE = "docker.io/library/nginx@sha256:" + "ef" * 32
GUARD = "table inet homelab\ndelete table inet homelab\ntable inet homelab {\n  chain guard { }\n}\n"
LOADER = {
    "network_mode": "host",
    "cap_drop": ["ALL"],
    "cap_add": ["NET_ADMIN", "SYS_CHROOT"],
    "volumes": ["/:/host:ro"],
}
MACHINE_TABLES: list[str] = []


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """One Docker host that starts with the lab's own file."""
    with real_checkout() as checkout:
        before = host_network()
        place_snippet(checkout, docker_host())
        own = Running(checkout, SPEC, NOWHERE)
        MACHINE_TABLES[:] = tables(None)
        try:
            own.machine.start(SPEC)
            yield own
        finally:
            own.close()
        assert left_over(checkout) == []
        assert host_network() == before
        assert tables(None) == MACHINE_TABLES


@pytest.fixture
def client(running: Running) -> Iterator[docker.DockerClient]:
    """A client; every container and network of the test is removed afterwards."""
    own = running.client()
    yield own
    for container in own.containers.list(all=True):
        container.remove(force=True)
    own.networks.prune()
    own.close()


@pytest.fixture
def namespace(running: Running) -> Iterator[Path]:
    """The guest's network namespace; it has the table of its boot, also after a test has replaced that."""
    path = running.ground.fabric.guest_path(SPEC.name)
    yield path
    nft(running.ground.fabric.guest_path(SPEC.name), "-f", str(_boot_rules(running)))


def _boot_rules(running: Running) -> Path:
    return running.checkout.engine_dir(SPEC.name) / "files" / "etc" / "homelab" / "bootstrap.nft"


def _is_closed(namespace: Path) -> bool:
    return "hook forward priority filter - 5; policy drop" in nft(
        namespace, "list", "table", "inet", "homelab"
    )


def _reaches(source: Container, address: str, port: int) -> bool:
    namespace = Path(f"/proc/{source.attrs['State']['Pid']}/ns/net")
    try:
        inside(namespace, partial(socket.create_connection, (address, port), 0.7)).close()
    except OSError:
        return False
    return True


def _run(client: docker.DockerClient, *command: str, **options: Any) -> str:
    """What a container from the busybox image prints until it ends; it must end well."""
    client.images.pull(BUSYBOX)
    container = client.containers.create(BUSYBOX, list(command), **options)
    container.start()
    code = container.wait(timeout=20)["StatusCode"]
    printed = str(container.logs().decode())
    assert code == 0, printed
    return printed


def _service(client: docker.DockerClient, name: str) -> Container:
    labels = {"homelab.listens": "80/tcp", "homelab.endpoint": f"service:{name}"}
    container = client.containers.run(SERVICE, name=name, network="one", labels=labels, detach=True)
    container.reload()
    return container


def test_no_packet_of_a_container_passes(
    running: Running, client: docker.DockerClient, namespace: Path
) -> None:
    """Not between neighbours, not to the host, not from it; and it is the table that keeps them apart."""
    pool = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet="10.128.0.0/28")])
    options = {"com.docker.network.bridge.name": "br-12345678"}
    client.networks.create("one", ipam=pool, options=options)
    client.images.pull(SERVICE)
    first, second = _service(client, "first"), _service(client, "second")
    address = second.attrs["NetworkSettings"]["Networks"]["one"]["IPAddress"]
    with inside(namespace, partial(socket.create_server, ("0.0.0.0", 8080))):
        assert tables(namespace) == ["homelab"]
        assert not _reaches(first, address, 80)
        assert not _reaches(first, "10.128.0.1", 8080)
        with pytest.raises(TimeoutError):
            running.connect(address, 80)
        nft(namespace, "delete", "table", "inet", "homelab")
        assert _reaches(first, address, 80)
        assert _reaches(first, "10.128.0.1", 8080)
        running.connect(address, 80).close()


def test_settings_are_the_guests_and_not_the_machines(namespace: Path) -> None:
    """IPv6 is off and bridged packets are filtered in the guest; `host_network` watches over the machine."""
    read = {
        name: inside(namespace, (Path("/proc/sys/net") / name).read_text).strip()
        for name in ("bridge/bridge-nf-call-iptables", "ipv6/conf/all/disable_ipv6")
    }
    assert read == {"bridge/bridge-nf-call-iptables": "1", "ipv6/conf/all/disable_ipv6": "1"}
    assert Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").read_text().strip() == "0"


def test_options_of_the_engine_are_honoured(client: docker.DockerClient) -> None:
    """Its log driver is the file's, and logs can be read; live restore is not, as the log of the sandbox says."""
    assert client.info()["LoggingDriver"] == "local"
    assert client.info()["LiveRestoreEnabled"] is False
    assert _run(client, "echo", "hello") == "hello\n"


def test_files_are_the_guests_and_not_the_machines(client: docker.DockerClient) -> None:
    """A container that mounts the guest's / sees what was written; what it writes below /usr stays there."""
    script = "cat /host/etc/homelab/bootstrap.nft && echo x > /host/usr/homelab-test"
    assert "policy drop" in _run(client, "sh", "-c", script, volumes=["/:/host"])
    assert not Path("/etc/homelab").exists()
    assert not Path("/usr/homelab-test").exists()


def test_a_loader_on_the_hosts_network_replaces_the_table(
    running: Running, client: docker.DockerClient, namespace: Path
) -> None:
    """With the guest's own nft, by its own libraries, in the guest alone; the machine's tables stay what they are."""
    script = (
        f"echo '{GUARD}' > /host/run/guard.nft && chroot /host nft -c -f /run/guard.nft && "
        "chroot /host nft -f /run/guard.nft && chroot /host nft list table inet homelab"
    )
    assert "chain guard" in _run(client, "sh", "-c", script, **LOADER)
    assert "chain guard" in nft(namespace, "list", "table", "inet", "homelab")
    assert tables(None) == MACHINE_TABLES


def test_without_the_capability_no_rule_is_changed(client: docker.DockerClient, namespace: Path) -> None:
    """The guest's network alone is not enough."""
    with pytest.raises(AssertionError, match="Operation not permitted"):
        _run(client, "chroot", "/host", "nft", "flush", "ruleset", **{**LOADER, "cap_add": ["SYS_CHROOT"]})
    assert _is_closed(namespace)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("echo $((6 * 7)) | grep 42", "42\n"),
        ("echo x > /tmp/a && cp /tmp/a /tmp/b && cmp /tmp/a /tmp/b && cat /tmp/b", "x\n"),
        ("printf x | sha256sum | cut -c 1-8", "2d711642\n"),
        ("sleep 0 && test -x /bin/chroot && sysctl -n kernel.ostype", "Linux\n"),
        ("ip -o link show lo | cut -d: -f2", " lo\n"),
        ("ls /bin/nc /bin/ping /bin/wget", "/bin/nc\n/bin/ping\n/bin/wget\n"),
    ],
)
def test_busybox_is_a_real_program(client: docker.DockerClient, command: str, answer: str) -> None:
    """Its shell and its applets do what they are for."""
    assert _run(client, "sh", "-c", command) == answer
    assert "homelab.stand-in" not in client.images.get(BUSYBOX).labels


def test_busybox_holds_files_without_being_started(client: docker.DockerClient) -> None:
    """A container that is created and never started takes files into a volume, as loaders do."""
    client.images.pull(BUSYBOX)
    holder = client.containers.create(BUSYBOX, name="loader", volumes=["files:/files"])
    archive, _ = holder.get_archive("/etc/passwd")
    assert holder.put_archive("/files", b"".join(archive))
    assert holder.status == "created"
    assert _run(client, "ls", "/files", volumes=["files:/files"]) == "passwd\n"


def _replace_table(running: Running, namespace: Path) -> None:
    """As the guard does, from outside."""
    path = running.checkout.dir / "guard.nft"
    path.write_text(GUARD)
    nft(namespace, "-f", str(path))
    assert not _is_closed(namespace)


def test_a_guest_that_starts_again_is_closed_again(
    running: Running, client: docker.DockerClient, namespace: Path
) -> None:
    """When its engine answers, the table of the boot is there, and nothing of the one that had replaced it."""
    _replace_table(running, namespace)
    running.machine.stop(SPEC.vmid)
    assert not namespace.exists()
    running.machine.start(SPEC)
    assert tables(namespace) == ["homelab"]
    assert _is_closed(namespace)


def test_a_guest_whose_engine_was_killed_is_closed_again(running: Running, namespace: Path) -> None:
    """Its namespace is made anew, as a machine that crashed boots anew."""
    _replace_table(running, namespace)
    os.kill(running.pid, signal.SIGKILL)
    running.machine.start(SPEC)
    assert _is_closed(namespace)


def test_an_adopted_guest_keeps_the_table_that_it_has(running: Running, namespace: Path) -> None:
    """Who takes over a guest that runs loads nothing, and needs no file on the node."""
    _replace_table(running, namespace)
    snippet = running.checkout.snippets_dir("pve-a", "local") / BOOTSTRAP
    snippet.unlink()
    pid = running.pid
    # What the kernel does when a daemon is killed.
    running.ground._ways_out[SPEC.name].close()
    assert not running.ground.is_up(SPEC)
    try:
        running.machine.start(SPEC)
    finally:
        place_snippet(running.checkout, docker_host())
    assert running.ground.is_up(SPEC)
    assert running.pid == pid
    assert "chain guard" in nft(namespace, "list", "table", "inet", "homelab")


def test_rules_that_nft_refuses_keep_the_engine_from_starting(running: Running) -> None:
    """The task fails with nft's own words, and nothing of the guest runs."""
    other = guest("docker-2", 202, "10.10.20.12", engine=True)
    text = docker_host().replace("policy drop;", "policy perhaps;")
    place_snippet(running.checkout, text)
    try:
        with pytest.raises(GuestError, match=r"the Docker Engine of guest docker-2 ended with 1: .*rror: "):
            running.machine.start(other)
        assert not running.machine.running(other.vmid)
        with pytest.raises(docker.errors.DockerException, match="the guest docker-2 is not running"):
            docker.DockerClient(base_url=f"unix://{running.checkout.front_socket(other.name)}")
    finally:
        place_snippet(running.checkout, docker_host())
        running.machine.destroy(other.vmid)
