"""A clone's lab while it is up: its containers, its kernel's rules, and its routes as a browser would ask."""

import contextlib
import http.client
import json
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import docker

from sandbox.checkout import cache_dir
from sandbox.guest_tools import guest_tools
from tests.acceptance.clone import Answer, Clone

LAB_FILE = "Pulumi.dev.yaml"
HOST = "docker-1"


@dataclass(frozen=True)
class Started:
    """One container, and since when it runs."""

    id: str
    at: str


@dataclass(frozen=True)
class RunningLab:
    """The dev lab of a clone."""

    clone: Clone

    def status(self) -> Any:
        """What the sandbox says."""
        return json.loads(self.clone.shell("python -m sandbox status --format json").out)

    @contextlib.contextmanager
    def edited(self, changes: Mapping[str, str]) -> Iterator[None]:
        """The lab file with some texts replaced, for as long as the block runs."""
        path = self.clone.root / LAB_FILE
        before = after = path.read_text()
        for old, new in changes.items():
            assert after.count(old) == 1, old
            after = after.replace(old, new)
        path.write_text(after)
        try:
            yield
        finally:
            path.write_text(before)

    def up(self) -> Answer:
        """One `pulumi up` as a person runs it."""
        return self.clone.shell("pulumi up --stack dev --non-interactive --yes --skip-preview", timeout=600)

    def preview(self) -> tuple[dict[str, str], str]:
        """What an update would do: every resource that is not left as it is with its operation, and what is told."""
        answer = self.clone.shell("pulumi preview --stack dev --non-interactive --json", timeout=600)
        assert answer.code == 0, answer
        document = json.loads(answer.out)
        left = ("same", "read", "refresh")
        steps = {step["urn"]: step["op"] for step in document["steps"] if step["op"] not in left}
        return steps, "\n".join(told["message"] for told in document.get("diagnostics", []))

    def verify(self) -> tuple[int, Any]:
        """The exit code and the JSON of `lab verify`."""
        answer = self.clone.shell("python -m cli verify --format json")
        assert answer.out, answer
        return answer.code, json.loads(answer.out)

    @contextlib.contextmanager
    def engine(self) -> Iterator[docker.DockerClient]:
        """The Docker host's engine."""
        path = self.clone.root / ".sandbox" / "docker" / f"{HOST}.sock"
        with contextlib.closing(docker.DockerClient(base_url=f"unix://{path}", timeout=60)) as client:
            yield client

    def containers(self) -> dict[str, Started]:
        """Every running container of the lab by its endpoint."""
        with self.engine() as client:
            found = client.containers.list(filters={"label": "homelab.endpoint"})
            return {
                container.labels["homelab.endpoint"]: Started(
                    str(container.id), container.attrs["State"]["StartedAt"]
                )
                for container in found
            }

    def nft(self, *words: str) -> str:
        """The guest's own `nft`, in the guest's network."""
        tools = guest_tools(cache_dir())
        [namespace] = [guest["namespace"] for guest in self.status()["guests"] if guest["name"] == HOST]
        done = subprocess.run(
            ["nsenter", f"--net={namespace}", str(tools.nft), *words],
            env={**os.environ, "LD_LIBRARY_PATH": str(tools.libraries)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    @contextlib.contextmanager
    def visited(self, host: str, port: int) -> Iterator[list[str]]:
        """A browser that opens a page again and again while the block runs; the list is what went wrong."""
        [listen] = [f["listen"] for f in self.status()["forwards"] if f["port"] == port]
        address, _, local = str(listen).rpartition(":")
        visitor = _Visitor(address, int(local), host)
        thread = threading.Thread(target=visitor.visit)
        thread.start()
        try:
            yield visitor.failures
        finally:
            visitor.done.set()
            thread.join(30)
        # A browser that never got through would have seen no failure either.
        assert visitor.visits > 20, visitor.visits


class _Visitor:
    def __init__(self, address: str, port: int, host: str) -> None:
        self._address, self._port, self._host = address, port, host
        self._context = ssl.create_default_context()
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        self.failures: list[str] = []
        self.visits = 0
        self.done = threading.Event()

    def visit(self) -> None:
        while not self.done.is_set():
            try:
                status = self._status()
                if status != 200:
                    self.failures.append(f"status {status}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
            self.visits += 1
            time.sleep(0.1)

    def _status(self) -> int:
        connection = http.client.HTTPConnection(self._address, self._port, timeout=10)
        with contextlib.closing(connection):
            connection.connect()
            # By its name: who asks for none is refused.
            connection.sock = self._context.wrap_socket(connection.sock, server_hostname=self._host)
            connection.request("GET", "/", headers={"Host": self._host})
            response = connection.getresponse()
            response.read()
            return response.status


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.2)
    return holds()
