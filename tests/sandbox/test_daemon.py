"""The whole sandbox as a person uses it: start, use, kill, stop, clean."""

import json
import os
import shlex
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import docker
import pytest
import requests

from lab.render.bootstrap import docker_host
from sandbox import lifecycle
from sandbox.checkout import Checkout
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import Kernel, missing_rights
from sandbox.fabric.segments import Fabric
from sandbox.settings import Settings, held_lock, is_running, write_settings
from tests.sandbox.docker.rules import nft, tables
from tests.sandbox.engine_ground import (
    guest,
    host_network,
    left_over,
    link_program,
    place_snippet,
    real_checkout,
    sandbox_command,
    simulated_checkout,
)

ROOT = Path(__file__).resolve().parents[2]
SPEC = guest("docker-1", 201, "10.10.20.11", engine=True)
REFERENCE = "docker.io/library/nginx@sha256:" + "ef" * 32


def _status(checkout: Checkout) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(sandbox_command(checkout, "status", "--format", "json").stdout)
    return document


def _wants_running(checkout: Checkout) -> None:
    """As after the Proxmox API has started a guest: the record says that it shall run."""
    checkout.guests_file.write_text(json.dumps({"201": {"spec": asdict(SPEC), "running": True}}))


def _until(condition: Any, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    """A checkout on real ground; nothing of it is left afterwards."""
    with real_checkout() as own:
        link_program(own)
        yield own
        lifecycle.stop(own)
        assert left_over(own) == []


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose path leaves room for sockets; pytest's own are long."""
    with TemporaryDirectory(prefix="hl-") as folder:
        yield Path(folder)


def test_only_one_daemon_per_checkout(tmp_path: Path) -> None:
    """While one process holds the lock it is seen as running, and a second is refused."""
    checkout = Checkout(tmp_path)
    checkout.make_dirs()
    assert not is_running(checkout)
    with held_lock(checkout.lock_file):
        assert is_running(checkout)
        with (
            pytest.raises(SandboxError, match="the sandbox of this checkout already runs"),
            held_lock(checkout.lock_file),
        ):
            pass
    assert not is_running(checkout)


def test_real_and_simulated_guests_are_never_mixed(short_path: Path) -> None:
    """Guests that were simulated are not started for real, nor the other way round."""
    checkout = Checkout(short_path)
    checkout.make_dirs()
    _wants_running(checkout)
    write_settings(checkout, Settings(simulated=None, zones=()))
    with pytest.raises(SandboxError, match="ran on real engines, and now they would be simulated"):
        lifecycle.start(checkout, simulated=True, zones=(), secrets=())
    if missing_rights() is None:
        write_settings(checkout, Settings(simulated="no root", zones=()))
        with pytest.raises(SandboxError, match=r"were simulated \(no root\)"):
            lifecycle.start(checkout, simulated=False, zones=(), secrets=())


def test_status_and_logs_of_a_stopped_sandbox(tmp_path: Path) -> None:
    """Asking a sandbox that never ran is no error for status, and one sentence for logs."""
    checkout = Checkout(tmp_path)
    assert sandbox_command(checkout, "status").stdout.startswith("the sandbox is stopped; start it with")
    asked = sandbox_command(checkout, "logs")
    assert (asked.returncode, asked.stderr) == (1, "there is no log of daemon; known: none yet\n")


def _exported(environment: str, variable: str) -> str:
    (line,) = [line for line in environment.splitlines() if line.startswith(f"export {variable}=")]
    return shlex.split(line)[1].partition("=")[2]


def _may_make_tokens(checkout: Checkout, token: str) -> bool:
    base = f"http://127.0.0.1:{checkout.ports(['cloudflare'])['cloudflare']}/client/v4"
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{base}/user/tokens", headers=headers, timeout=5).status_code == 200


@pytest.mark.engine
def test_simulated_from_start_to_clean() -> None:
    """Without real engines everything answers, says what is not real, and is gone after `clean`."""
    with simulated_checkout() as checkout:
        started = sandbox_command(
            checkout, "start", "--simulated", "--zone", "dev.lab.example", "--secret", "db-password"
        )
        assert started.returncode == 0, started.stderr
        assert (
            "not real: network and Docker Engines are simulated (asked for with --simulated)"
            in started.stdout
        )
        environment = checkout.env_file.read_text()
        assert checkout.env_file.stat().st_mode & 0o777 == 0o600
        assert "export LAB_SECRET_DB_PASSWORD=" in environment
        assert _may_make_tokens(checkout, _exported(environment, "LAB_SECRET_CLOUDFLARE_TOKEN_MAKER"))
        assert not _may_make_tokens(checkout, _exported(environment, "LAB_SECRET_CLOUDFLARE_TOKEN"))
        again = sandbox_command(checkout, "start", "--simulated")
        assert again.returncode == 0
        assert checkout.env_file.read_text() == environment
        assert sandbox_command(checkout, "stop").returncode == 0
        _wants_running(checkout)
        place_snippet(checkout)
        assert sandbox_command(checkout, "start", "--simulated").returncode == 0
        assert _until(lambda: _status(checkout)["guests"][0]["state"] == "running")
        client = docker.DockerClient(base_url=f"unix://{checkout.front_socket('docker-1')}")
        client.images.pull("nginx:1.27")
        client.close()
        status = _status(checkout)
        assert (status["firewall"]["enforced"], status["peers"]) == (False, [])
        nobody = sandbox_command(checkout, "peer", "vmbr0.20", "10.10.20.2/24")
        assert nobody.returncode == 1
        assert nobody.stderr.startswith(
            "there is nobody on a simulated network (asked for with --simulated);"
        )
        assert sandbox_command(checkout, "clean").returncode == 0
        assert not checkout.dir.exists()


@pytest.mark.engine
def test_a_port_in_use_stops_the_start() -> None:
    """`start` names the port, and nothing is left running."""
    with simulated_checkout() as checkout:
        port = checkout.ports(["cloudflare"])["cloudflare"]
        with socket.create_server(("127.0.0.1", port)):
            started = sandbox_command(checkout, "start", "--simulated")
        assert started.returncode == 1
        assert started.stderr.startswith(
            f"port {port} on 127.0.0.1, which .sandbox/ports.json keeps for cloudflare,"
        )
        assert not is_running(checkout)


@pytest.mark.engine
def test_killed_daemon_adopted_engine_and_nothing_left(checkout: Checkout) -> None:
    """SIGKILL leaves the engine alone; the next start adopts it, forwards work, and stop leaves nothing."""
    before = host_network()
    assert sandbox_command(checkout, "start").returncode == 0
    lifecycle.stop(checkout)
    _wants_running(checkout)
    assert sandbox_command(checkout, "start").returncode == 0
    assert _until(lambda: _status(checkout)["guests"][0]["state"] == "running")
    client = docker.DockerClient(base_url=f"unix://{checkout.front_socket('docker-1')}", timeout=60)
    client.images.pull(REFERENCE)
    client.containers.run(  # type: ignore[call-overload] # the stubs do not know "unless-stopped"
        REFERENCE,
        name="web",
        detach=True,
        ports={"80/tcp": 8443},
        labels={"homelab.listens": "80/tcp", "homelab.endpoint": "service:web/app"},
        restart_policy={"Name": "unless-stopped"},
    )
    client.close()
    engine = (checkout.engine_dir("docker-1") / "launch.pid").read_text()
    os.kill(json.loads(checkout.daemon_file.read_text())["pid"], signal.SIGKILL)
    assert _until(lambda: not is_running(checkout))
    assert sandbox_command(checkout, "start").returncode == 0
    assert _until(lambda: _status(checkout)["guests"][0]["state"] == "running")
    assert (checkout.engine_dir("docker-1") / "launch.pid").read_text() == engine
    forward = _status(checkout)["forwards"][0]
    assert (forward["guest"], forward["address"], forward["port"]) == ("docker-1", "10.10.20.11", 8443)
    assert _first_line(forward["listen"]) == "service:web/app"
    assert sandbox_command(checkout, "stop").returncode == 0
    assert left_over(checkout) == []
    assert host_network() == before
    assert sandbox_command(checkout, "start").returncode == 0
    assert _until(lambda: [f["listen"] for f in _status(checkout)["forwards"]] == [forward["listen"]])
    assert _until(lambda: _first_line(forward["listen"]) == "service:web/app")


@pytest.mark.engine
def test_rules_outlive_the_daemon_and_not_the_guest(checkout: Checkout) -> None:
    """SIGKILL and a new start leave the rules that a guest has; stop and start bring back those of its boot."""
    place_snippet(checkout, docker_host())
    _wants_running(checkout)
    write_settings(checkout, Settings(simulated=None, zones=()))
    assert sandbox_command(checkout, "start").returncode == 0
    assert _until(lambda: _status(checkout)["guests"][0]["state"] == "running")
    namespace = Fabric(Kernel(checkout.prefix)).guest_path("docker-1")
    assert "policy drop" in nft(namespace, "list", "table", "inet", "homelab")
    guard = checkout.dir / "guard.nft"
    guard.write_text("delete table inet homelab\ntable inet homelab {\n  chain guard { }\n}\n")
    nft(namespace, "-f", str(guard))
    os.kill(json.loads(checkout.daemon_file.read_text())["pid"], signal.SIGKILL)
    assert _until(lambda: not is_running(checkout))
    assert sandbox_command(checkout, "start").returncode == 0
    assert _until(lambda: _status(checkout)["guests"][0]["state"] == "running")
    assert "chain guard" in nft(namespace, "list", "table", "inet", "homelab")
    assert sandbox_command(checkout, "stop").returncode == 0
    assert sandbox_command(checkout, "start").returncode == 0
    assert _until(lambda: _status(checkout)["guests"][0]["state"] == "running")
    assert tables(namespace) == ["homelab"]
    assert "policy drop" in nft(namespace, "list", "table", "inet", "homelab")


@pytest.mark.engine
def test_stop_after_kill_sweeps_everything(checkout: Checkout) -> None:
    """When the daemon was killed, `stop` alone ends engines and removes namespaces."""
    assert sandbox_command(checkout, "start").returncode == 0
    lifecycle.stop(checkout)
    _wants_running(checkout)
    assert sandbox_command(checkout, "start").returncode == 0
    assert _until(lambda: _status(checkout)["guests"][0]["state"] == "running")
    os.kill(json.loads(checkout.daemon_file.read_text())["pid"], signal.SIGKILL)
    assert _until(lambda: not is_running(checkout))
    assert left_over(checkout) != []
    assert sandbox_command(checkout, "stop").returncode == 0
    assert left_over(checkout) == []


@pytest.mark.engine
def test_two_checkouts_do_not_disturb_each_other(checkout: Checkout) -> None:
    """Guests of the same name and address run in both, and stopping one leaves the other."""
    with real_checkout() as other:
        link_program(other)
        try:
            for each in (checkout, other):
                _wants_running(each)
                write_settings(each, Settings(simulated=None, zones=()))
                assert sandbox_command(each, "start").returncode == 0
            for each in (checkout, other):
                assert _until(lambda each=each: _status(each)["guests"][0]["state"] == "running")
            lifecycle.stop(other)
            assert left_over(other) == []
            assert _status(checkout)["guests"][0]["state"] == "running"
        finally:
            lifecycle.stop(other)


def _first_line(listen: str) -> str:
    host, _, port = listen.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=5) as stream:
            stream.sendall(b"GET / HTTP/1.0\r\n\r\n")
            data = b"".join(iter(lambda: stream.recv(65536), b""))
    except OSError:
        return ""
    return data.partition(b"\r\n\r\n")[2].decode().partition("\n")[0]
