"""Answers for Docker: recordings keep no body of the real engine's successes, so the simulated engine gives them.

Refusals are the recorded ones. Ids are the recording's placeholders (`ID1`, `ID2`, … in the order in which
objects are made) on the plugin's side, and the simulated engine's own behind it.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sandbox.conformance.counterpart import rendered
from sandbox.conformance.errors import Unplayable
from sandbox.conformance.recording import Case, Step
from sandbox.conformance.request_body import request_of
from sandbox.conformance.script import Script, answer_of
from sandbox.conformance.serving import served_on_socket
from sandbox.docker.simulated import application
from sandbox.docker.simulated.state import EngineState
from sandbox.store import Store

CONTAINER = "docker:index/container:Container"
IMAGE = "docker:index/remoteImage:RemoteImage"
# What every recorded case of the type began with (its note says so, or the recordings' README).
IMAGES: dict[str, dict[str, Any]] = {
    "rec-img:1": {"Cmd": ["/bin/busybox", "sleep", "3600"]},
    "rec-img:2": {"Cmd": ["/bin/busybox", "sleep", "3601"], "User": "1000", "WorkingDir": "/tmp"},
}
LOCAL_IMAGES = ("127.0.0.1:1/rec-tmp:1", "127.0.0.1:1/rec-tmp:2")
NETWORKS = (("rec-net", "172.31.80.0/24", False), ("rec-net2", "172.31.81.0/24", True))
# Changes behind the plugin's back that are done here.
_REMOVED = "the thing was removed outside of Pulumi"
_PLACEHOLDER = re.compile(rb"ID\d+")


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=120)
        self._path = path

    def connect(self) -> None:
        """Open the engine's socket instead of a port."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


class DockerEngine:
    """The simulated engine of one case at a time, and the placeholders of its ids."""

    def __init__(self, script: Script, folder: Path) -> None:
        """Use `folder` for the engine's socket."""
        self._script = script
        self._socket = folder / "engine.sock"
        self._open = ExitStack()
        self._ids: dict[bytes, bytes] = {}

    def begin(self, case: Case) -> None:
        """Start a fresh engine with what the case began with."""
        self.close()
        self._ids = {}
        store = Store(":memory:")
        self._open.callback(store.close)
        self._open.enter_context(served_on_socket(application(store, name="rec"), self._socket))
        self._store = store
        if case.type == CONTAINER:
            self.furnish()
        if case.type == IMAGE and "not local" not in case.note:
            for image in LOCAL_IMAGES:
                self._name(self._image(store, image, {}))

    def furnish(self) -> None:
        """Make the images, networks and the volume that cases of containers began with."""
        for image, configuration in IMAGES.items():
            self._name(self._image(self._store, image, configuration))
        for name, subnet, internal in NETWORKS:
            ipam = {"Config": [{"Subnet": subnet}]}
            self._post("/networks/create", {"Name": name, "Internal": internal, "IPAM": ipam})
        self._post("/volumes/create", {"Name": "rec-vol"})

    def _image(self, store: Store, reference: str, configuration: dict[str, Any]) -> str:
        """Make an image with this configuration and give its id without algorithm."""
        self._post(f"/images/create?fromImage={quote(reference, safe='')}")
        id: str = json.loads(self._ask("GET", f"/images/{reference}/json")[2])["Id"]
        with store.transaction() as transaction:
            images = EngineState(transaction=transaction, name="rec").images
            made = images.get(id) or {}
            images.put(id, {**made, "RepoDigests": [], "Config": {**made["Config"], **configuration}})
        return id.removeprefix("sha256:")

    def change(self, step: Step, token: str, last: Step | None) -> None:
        """Do what a `world` step says was done.

        Raises:
            Unplayable: it is another change than a removal.
        """
        if step["what"] != _REMOVED or last is None:
            raise Unplayable(f"not made on the simulated engine: {step['what']}")
        id = last["result"].get("id") or last.get("id")
        section = {CONTAINER: "containers", IMAGE: "images"}.get(token) or (
            "networks" if "network" in token else "volumes"
        )
        name = last["result"]["properties"].get("name") if token == IMAGE else id
        self._ask("DELETE", self._real(f"/{section}/{name}?force=1".encode()).decode())

    def __call__(self, method: str, target: str, content: bytes, headers: Any) -> Any:
        """Answer a request of the plugin."""
        if target.endswith("/_ping"):
            return self.forward(method, target, content, headers)
        found = self._script.recorded(request_of(method, target, content, headers))
        if found is not None and found["status"] >= 400:
            return rendered(answer_of(found))
        return self.forward(method, target, content, headers)

    def forward(self, method: str, target: str, content: bytes, headers: Any) -> Any:
        """Answer with what the engine does, whatever was recorded."""
        kind = {"Content-Type": headers["Content-Type"]} if headers.get("Content-Type") else {}
        status, kept, body = self._ask(
            method, self._real(target.encode()).decode(), self._real(content), kind
        )
        if status == 201 and b'"Id"' in body:
            self._name(json.loads(body)["Id"])
        for placeholder, real in self._ids.items():
            # A container's default host name is the beginning of its id.
            body = body.replace(real, placeholder).replace(b'"%s"' % real[:12], b'"%sshort"' % placeholder)
        return status, None, kept, body

    def _name(self, id: str) -> None:
        self._ids[b"ID%d" % (len(self._ids) + 1)] = id.encode()

    def _real(self, content: bytes) -> bytes:
        return _PLACEHOLDER.sub(lambda match: self._ids.get(match.group(), match.group()), content)

    def _post(self, target: str, body: dict[str, Any] | None = None) -> None:
        kind = {"Content-Type": "application/json"}
        self._ask("POST", target, b"" if body is None else json.dumps(body).encode(), kind)

    def _ask(
        self, method: str, target: str, content: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = _UnixConnection(str(self._socket))
        try:
            connection.request(method, target, body=content or None, headers=headers or {})
            answer = connection.getresponse()
            kept = {"Content-Type": answer.headers.get("Content-Type") or "application/json"}
            for name in ("Api-Version", "Ostype"):
                if answer.headers.get(name):
                    kept[name] = answer.headers[name]
            return answer.status, kept, answer.read()
        finally:
            connection.close()

    def close(self) -> None:
        """Stop the engine."""
        self._open.close()
        self._socket.unlink(missing_ok=True)
