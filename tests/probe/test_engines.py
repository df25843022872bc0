"""What an engine says about itself, held against what the proof takes to be so."""

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from lab.plan.records import DockerHostPlan, EngineFacts
from probe.containers import EngineUnreachable
from probe.engines import Fact, facts_against

OURS = EngineFacts(version=20, userland_proxy=True, bridge_netfilter=True, firewall="iptables")


def _host(engine: EngineFacts = OURS) -> DockerHostPlan:
    return DockerHostPlan(
        name="docker-1", address="10.10.20.11", connection="ssh://10.10.20.11", guest=None, engine=engine
    )


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


@contextlib.contextmanager
def _engine(version: str, info: Mapping[str, Any]) -> Iterator[str]:
    """An engine's socket that knows its version and itself."""
    known = {"version": {"Version": version, "ApiVersion": "1.41"}, "info": info}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(known[self.path.rpartition("/")[2]]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "a test"

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with TemporaryDirectory(prefix="hl-") as folder:
        path = Path(folder) / "docker.sock"
        with _Server(str(path), Handler) as server:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield f"unix://{path}"
            server.shutdown()


def _facts(version: str, bridged: bool, engine: EngineFacts = OURS, driver: str = "overlay2") -> list[Fact]:
    with _engine(version, {"BridgeNfIptables": bridged, "Driver": driver}) as connection:
        return list(facts_against(_host(engine), connection))


def test_an_engine_that_is_as_the_proof_takes_it_has_no_facts_against_it() -> None:
    """The major version and the bridge filter are what counts."""
    assert _facts("20.10.24+dfsg1", True) == []


def test_another_version_is_told() -> None:
    """The proof of one version is none of another."""
    assert _facts("28.1.0", True) == [Fact("docker-1", "version", "20", "28")]


def test_a_bridge_that_is_not_filtered_is_told() -> None:
    """With it off, the guard does not see what stays on one bridge."""
    assert _facts("20.10.24", False) == [Fact("docker-1", "bridge-netfilter", "yes", "no")]


def test_what_nobody_declared_is_told_as_unknown() -> None:
    """A person can then write down what was found, and the proof can tell more."""
    assert _facts("27.0.1", True, EngineFacts()) == [
        Fact("docker-1", "version", "unknown", "27"),
        Fact("docker-1", "bridge-netfilter", "unknown", "yes"),
    ]


def test_a_simulated_engine_says_nothing_about_a_real_one() -> None:
    """Where packets are simulated there is no filter that could be on."""
    assert _facts("20.10.24", False, driver="simulated") == []


def test_an_engine_that_does_not_answer_is_named() -> None:
    """The host and the address are in the message."""
    with pytest.raises(EngineUnreachable, match=r"docker-1 does not answer at unix:///nowhere\.sock"):
        list(facts_against(_host(), "unix:///nowhere.sock"))
