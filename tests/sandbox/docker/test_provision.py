"""Pulled, or made here: what is decided, said and logged."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web
from docker import APIClient
from docker.errors import APIError

from sandbox.conformance.serving import served_on_socket
from sandbox.docker.client import EngineClient, SlowError
from sandbox.docker.front import Front
from sandbox.docker.images import ImageMaker
from sandbox.docker.provision import Provision
from sandbox.docker.registries import Registries
from sandbox.docker.targets import Targets
from sandbox.docker.way_out import WayOut
from sandbox.errors import SandboxError

Line = dict[str, object]
REFERENCE = "ghcr.io/lab/app@sha256:" + "ab" * 32


class _Answering(Registries):
    """Registries that answer, without asking them."""

    def __init__(self) -> None:
        super().__init__(Targets(ports=frozenset()))
        self.silent: list[str] = []

    def answer(self, registry: str) -> bool:
        return registry not in self.silent

    def gave_nothing(self, registry: str) -> None:
        self.silent.append(registry)


def _engine(*lines: Line, hangs: bool = False) -> web.Application:
    """An engine that answers a pull with these lines and has what was loaded; it may hang after the lines."""
    loaded: list[str] = []
    ended = asyncio.Event()

    async def end(_: web.Application) -> None:
        ended.set()

    async def create(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for line in lines:
            await response.write(json.dumps(line).encode() + b"\r\n")
        if hangs:
            await ended.wait()
        return response

    async def load(request: web.Request) -> web.Response:
        await request.read()
        loaded.append("sha256:1")
        return web.json_response({"stream": "Loaded"})

    async def listing(_: web.Request) -> web.Response:
        return web.json_response([{"Id": name} for name in loaded])

    async def inspect(request: web.Request) -> web.Response:
        if request.match_info["name"] in loaded:
            return web.json_response({"Id": "sha256:1"})
        return web.json_response({"message": "no such image"}, status=404)

    app = web.Application()
    app.on_shutdown.append(end)
    app.router.add_post("/images/create", create)
    app.router.add_post("/images/load", load)
    app.router.add_get("/images/json", listing)
    app.router.add_get("/images/{name:.+}/json", inspect)
    return app


def _provision(tmp_path: Path, registries: Registries) -> Provision:
    (tmp_path / "standin").write_bytes(b"program")

    def find(name: str) -> Path:
        if not (tmp_path / name).exists():
            raise SandboxError(f"{name} is missing")
        return tmp_path / name

    maker = ImageMaker(find, tmp_path / "cache")
    return Provision(tmp_path / "e.sock", maker, registries, WayOut("docker-1", Targets(ports=frozenset())))


def _pull(provision: Provision) -> list[object]:
    lines: list[Line] = []
    provision.pull(REFERENCE, lines.append)
    return [line["status"] for line in lines]


def test_a_refused_pull_is_logged_and_made_here(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log and the client have the engine's own words, and the registry is asked for other images."""
    registries = _Answering()
    words = "manifest for app not found: manifest unknown"
    engine = _engine({"status": "Pulling from lab/app"}, {"errorDetail": {"message": words}, "error": words})
    with served_on_socket(engine, tmp_path / "e.sock"), caplog.at_level(logging.WARNING):
        said = _pull(_provision(tmp_path, registries))
    assert said == [
        "Pulling from lab/app",
        f"homelab: not pulled: {words}",
        "homelab: made here: a stand-in",
        "Pulling from lab/app",
        f"Digest: sha256:{'ab' * 32}",
        f"Status: Downloaded newer image for {REFERENCE}",
    ]
    assert caplog.messages == [f"{REFERENCE} could not be pulled, a stand-in is used: {words}"]
    assert registries.silent == []


def test_a_pull_that_stalls_is_given_up_for_the_registry(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registry that says nothing more in the middle of a pull is not waited for again."""
    monkeypatch.setattr("sandbox.docker.provision.SILENCE_SECONDS", 0.2)
    registries = _Answering()
    engine = _engine({"status": "Pulling from lab/app"}, hangs=True)
    with served_on_socket(engine, tmp_path / "e.sock"), caplog.at_level(logging.WARNING):
        assert "homelab: made here: a stand-in" in _pull(_provision(tmp_path, registries))
    assert registries.silent == ["ghcr.io"]
    assert "no progress for 0 s; ghcr.io is not asked again until the sandbox is started again" in caplog.text


def test_what_the_engine_lacks_after_a_pull_was_not_pulled(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A pull that ends without an error and without the image is said to have failed."""
    with served_on_socket(_engine(), tmp_path / "e.sock"), caplog.at_level(logging.WARNING):
        assert "homelab: made here: a stand-in" in _pull(_provision(tmp_path, _Answering()))
    assert "the engine says that it was pulled, but does not have it" in caplog.text


def test_without_an_answer_no_pull_is_tried(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A registry that does not answer leaves no warning: the stand-in is what one expects offline."""
    registries = _Answering()
    registries.gave_nothing("ghcr.io")
    engine = _engine({"error": "the engine was asked"})
    with served_on_socket(engine, tmp_path / "e.sock"), caplog.at_level(logging.WARNING):
        assert _pull(_provision(tmp_path, registries))[0] == "homelab: made here: a stand-in"
    assert caplog.messages == []


@pytest.mark.parametrize(("silence", "total"), [(0.2, 30.0), (30.0, 0.0)])
def test_progress_has_two_limits(tmp_path: Path, silence: float, total: float) -> None:
    """It ends when nothing comes for a while, and after a time although something comes."""
    with served_on_socket(_engine({"status": "one"}, hangs=True), tmp_path / "e.sock"):
        lines = EngineClient(tmp_path / "e.sock").progress("/images/create", silence, total)
        assert next(lines) == {"status": "one"}
        with pytest.raises(SlowError):
            next(lines)


@contextmanager
def _front(provision: Provision, folder: Path) -> Iterator[APIClient]:
    front = Front("docker-1", folder / "f.sock", folder / "e.sock", provision)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(front.listen(), loop).result(10)
    client = APIClient(base_url=f"unix://{folder / 'f.sock'}", version="1.41", timeout=10)
    try:
        yield client
    finally:
        client.close()
        asyncio.run_coroutine_threadsafe(front.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def test_a_client_sees_progress_as_it_comes(tmp_path: Path) -> None:
    """The first line arrives while the engine still pulls: a client with a short timeout does not give up."""
    with (
        served_on_socket(_engine({"status": "one"}, hangs=True), tmp_path / "e.sock"),
        _front(_provision(tmp_path, _Answering()), tmp_path) as client,
    ):
        assert next(client.pull(REFERENCE, stream=True, decode=True)) == {"status": "one"}


@pytest.mark.parametrize("began", [False, True])
def test_an_image_that_cannot_be_made_is_an_error(tmp_path: Path, began: bool) -> None:
    """It is a 500 with the sentence, or an error line, as Docker sends it, where progress was shown before."""
    registries = _Answering()
    if not began:
        registries.gave_nothing("ghcr.io")
    provision = _provision(tmp_path, registries)
    (tmp_path / "standin").unlink()
    with (
        served_on_socket(_engine({"status": "one"}, {"error": "denied"}), tmp_path / "e.sock"),
        _front(provision, tmp_path) as client,
    ):
        if began:
            lines = list(client.pull(REFERENCE, stream=True, decode=True))
            assert lines[-1]["error"] == lines[-1]["errorDetail"]["message"] == "standin is missing"
        else:
            with pytest.raises(APIError, match="standin is missing"):
                client.pull(REFERENCE)
