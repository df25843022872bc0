"""The plugin as the engine starts it: a process that prints its port, serves, and ends when told."""

import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2_grpc

ROOT = Path(__file__).resolve().parents[3]


def _start(package: str, checkout: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sandbox.plugins", package, "--checkout", str(checkout), "127.0.0.1:1"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("package", "version"), [("docker", "5.2.0"), ("cloudflare", "6.23.1"), ("tailscale", "0.29.2")]
)
def test_a_plugin_prints_its_port_and_ends_cleanly(package: str, version: str, tmp_path: Path) -> None:
    """The first line of output is the port; Cancel and SIGTERM end the process with success."""
    for by_cancel in (True, False):
        with _start(package, tmp_path) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                assert stub.GetPluginInfo(Empty(), timeout=10).version == version
                if by_cancel:
                    stub.Cancel(Empty(), timeout=10)
            if not by_cancel:
                process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


HEAVY = ("docker", "cloudflare", "requests", "httpx", "proxmoxer")


@pytest.mark.parametrize("package", ["docker", "cloudflare", "tailscale"])
def test_a_plugin_starts_without_its_api_client(package: str) -> None:
    """The client's package is imported at the first call, so that a plugin starts fast."""
    program = (
        "import sys; from sandbox.plugins.launch import load; import sandbox.plugins.server;"
        f" load({package!r}); print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
