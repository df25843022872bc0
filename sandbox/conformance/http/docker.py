"""Docker: recorded requests to a fresh simulated engine with what the conversation takes for granted.

Recordings keep no body of the real engine's successes, so an answer is compared by its status; what the bodies hold
shows in what the stand-in plugin makes of them (`stand-ins`).
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from sandbox.conformance.difference import Difference
from sandbox.conformance.docker_engine import LOCAL_IMAGES, DockerEngine
from sandbox.conformance.errors import Unplayable
from sandbox.conformance.http.api import Exchange, Server, exchange_of
from sandbox.conformance.http.served import other_outcome
from sandbox.conformance.recording import Case, Step
from sandbox.conformance.request_body import Request
from sandbox.conformance.script import Answer, Script

_VERSION = re.compile(r"/v\d+\.\d+(?=/)")
_NAMED = re.compile(
    r"/(containers|networks|volumes|images|exec)/(?!create$|json$|prune$|search$)(.+?)(/[a-z]+)?"
)
# Data sources, which look for what cases of containers begin with.
_LOOKED_UP = ("docker:index/getNetwork:getNetwork", "docker:index/getRemoteImage:getRemoteImage")
_EXISTS, _IN_USE = "the thing exists already before create", "a container uses the image"
_USER = json.dumps({"Image": LOCAL_IMAGES[0]}).encode()


class _Server:
    def __init__(self, folder: Path) -> None:
        self.engine = DockerEngine(Script(), folder)

    def seed(self, case: Case) -> None:
        """Images, networks and volumes, as the notes of the recordings say."""
        self.engine.begin(case)
        if case.type in _LOOKED_UP:
            self.engine.furnish()
        recorded = [exchange_of(one) for step in case.steps for one in step.get("http") or ()]
        creates = [one for one in recorded if one.request.path.endswith("/create")]
        if case.note == _EXISTS and creates:
            self.send(creates[0])
        if case.note == _IN_USE:
            self.engine.forward("POST", "/containers/create", _USER, {"Content-Type": "application/json"})

    def outside(self, case: Case, step: Step) -> None:
        """A removal; other changes cannot be made here."""
        number = next(number for number, one in enumerate(case.steps) if one is step)
        before = [one for one in case.steps[:number] if "properties" in (one.get("result") or {})]
        if not before:
            raise Unplayable(f"nothing was made that could change: {step['what']}")
        self.engine.change(step, case.type, before[-1])

    def send(self, exchange: Exchange) -> Answer:
        """Send it; the engine translates the recording's placeholders of ids."""
        request = exchange.request
        query = urlencode(request.query, doseq=True)
        target = request.path + (f"?{query}" if query else "")
        kind, content = _content(request.body)
        status, _, _, body = self.engine.forward(request.method, target, content, {"Content-Type": kind})
        return Answer(status=status, body=body.decode(errors="replace"))

    def refuses(self, answer: Answer) -> bool:
        """Whether the simulated engine says that it does not do this."""
        return answer.status == 501

    def compare(self, exchange: Exchange, answer: Answer) -> list[Difference]:
        """The same status."""
        return other_outcome(str(exchange.answer.status), str(answer.status), answer)


def _content(body: Any) -> tuple[str, bytes]:
    """The content type of a recorded body, and its bytes."""
    if body is None:
        return "", b""
    if isinstance(body, dict) and set(body) == {"tar"}:
        return "application/x-tar", _archive(body["tar"])
    return "application/json", json.dumps(body).encode()


def _archive(files: list[dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for file in files:
            content = file["content"].encode()
            entry = tarfile.TarInfo(file["name"])
            entry.mode, entry.size = int(file["mode"], 8), len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


class DockerApi:
    """The adapter of package docker."""

    package = "docker"

    def endpoint(self, request: Request) -> str:
        """Method and path without version and names."""
        path = _VERSION.sub("", request.path)
        named = _NAMED.fullmatch(path)
        return f"{request.method} {f'/{named[1]}/{{name}}{named[3] or str()}' if named else path}"

    @contextmanager
    def start(self) -> Iterator[Server]:
        """A fresh engine."""
        with TemporaryDirectory(prefix="hl-") as folder:
            server = _Server(Path(folder))
            try:
                yield server
            finally:
                server.engine.close()
