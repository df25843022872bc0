"""The front socket of a guest: where clients find its Docker API, whether its engine is real, simulated or
stopped.

Everything passes unchanged, except what concerns images that no registry serves: pulling and inspecting them,
and creating and inspecting containers of stand-ins. An engine that does not run yet is a plain 503 with a
sentence.
"""

import asyncio
import contextlib
import json
import logging
import os
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import h11

from sandbox.docker import relay
from sandbox.docker.provision import Provision
from sandbox.docker.rewriting import (
    Document,
    is_local,
    is_stand_in,
    show_container,
    show_image,
    stand_in_container,
)
from sandbox.errors import SandboxError

_LOG = logging.getLogger(__name__)
_VERSION = re.compile(r"^/v\d+\.\d+(?=/)")
_IMAGE = re.compile(r"^/images/(?P<name>.+?)(?P<rest>/json|/history|/tag|/get)?$")
_CONTAINER = re.compile(r"^/containers/[^/]+/json$")

Handler = Callable[[relay.ClientSide, h11.Request, relay.Streams, Provision], Awaitable[None]]


class Front:
    """One listening front socket.

    Args:
        guest: the guest's name, for messages.
        path: where clients connect.
        engine: the engine's own socket.
        provision: makes images for this engine; None where the engine takes any reference itself.
    """

    def __init__(self, guest: str, path: Path, engine: Path, provision: Provision | None) -> None:
        self._guest = guest
        self._path = path
        self._engine = engine
        self._provision = provision
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self.reason = "its engine is not started"

    async def listen(self) -> None:
        """Begin to accept clients; a socket that an earlier process left is replaced."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, path=str(self._path))
        os.chmod(self._path, 0o600)

    async def close(self) -> None:
        """Stop accepting, end all connections, and remove the socket."""
        if self._server is not None:
            self._server.close()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        client = relay.ClientSide(relay.Streams(reader=reader, writer=writer))
        try:
            await self._serve(client)
        except (relay.GoneError, h11.ProtocolError, OSError) as error:
            _LOG.debug("%s: connection ended: %r", self._guest, error)
        except asyncio.CancelledError:
            # Only `close` cancels; asyncio would print the trace of a server's task that ends cancelled.
            _LOG.debug("%s: connection closed with the socket", self._guest)
        finally:
            self._clients.discard(task)
            await client.streams.close()

    async def _serve(self, client: relay.ClientSide) -> None:
        while (request := await client.request()) is not None:
            try:
                engine = await relay.connect(self._engine)
            except OSError:
                await _drain(client)
                await _refuse(client, 503, f"the guest {self._guest} is not running: {self.reason}")
            else:
                try:
                    if relay.is_hijack(request):
                        await relay.hijack(client, request, engine)
                        return
                    await self._handle(client, request, engine)
                finally:
                    await engine.close()
            if client.state.our_state is not h11.DONE or client.state.their_state is not h11.DONE:
                return
            client.state.start_next_cycle()

    async def _handle(self, client: relay.ClientSide, request: h11.Request, engine: relay.Streams) -> None:
        handler = _handler(request) if self._provision else None
        if handler is None or self._provision is None:
            await relay.forward(client, request, engine)
            return
        try:
            await handler(client, request, engine, self._provision)
        except SandboxError as error:
            await _refuse(client, 500, str(error))


def _handler(request: h11.Request) -> Handler | None:
    method, path = request.method.decode(), _path(request)
    if method == "POST" and path == "/images/create" and "fromImage" in _query(request):
        return _pull
    if method == "GET" and path == "/images/json":
        return _list_images
    if method == "POST" and path == "/containers/create":
        return _create_container
    if method == "GET" and _CONTAINER.fullmatch(path):
        return _inspect_container
    found = _IMAGE.fullmatch(path)
    if found and method == "GET" and found["rest"] == "/json":
        return _inspect_image
    # load, search, get, prune and the like have no image in their path.
    if found and (method == "DELETE" or found["rest"]):
        return _about_image
    return None


def _path(request: h11.Request) -> str:
    return unquote(_VERSION.sub("", urlsplit(request.target.decode()).path))


def _query(request: h11.Request) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.target.decode()).query)


async def _pull(
    client: relay.ClientSide, request: h11.Request, _: relay.Streams, provision: Provision
) -> None:
    await _drain(client)
    query = _query(request)
    name, tag = query["fromImage"][0], query.get("tag", [""])[0]
    if tag:
        name += f"@{tag}" if tag.startswith("sha256:") else f":{tag}"
    await client.answer_lines(_progress(provision, name))


async def _progress(provision: Provision, name: str) -> AsyncIterator[bytes]:
    """The lines of a pull; an error after the first one is a line too, as Docker sends it."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[Document | SandboxError | OSError | None] = asyncio.Queue()

    def put(line: Document | SandboxError | OSError | None) -> None:
        # The loop is closed when the sandbox ends in the middle of a pull.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(lines.put_nowait, line)

    def work() -> None:
        try:
            provision.pull(name, put)
        except (SandboxError, OSError) as error:
            put(error)
        finally:
            put(None)

    # A thread of its own: pulls take minutes, and the loop's few threads serve all other requests.
    threading.Thread(target=work, name=f"pull of {name}", daemon=True).start()
    begun = False
    while (line := await lines.get()) is not None:
        if isinstance(line, dict):
            yield json.dumps(line).encode()
        elif begun:
            yield json.dumps({"errorDetail": {"message": str(line)}, "error": str(line)}).encode()
        else:
            raise line
        begun = True


async def _inspect_image(
    client: relay.ClientSide, request: h11.Request, engine: relay.Streams, provision: Provision
) -> None:
    found = _IMAGE.fullmatch(_path(request))
    image = await asyncio.to_thread(provision.find, found["name"]) if found else None
    if image is None:
        await relay.forward(client, request, engine)
        return
    await _drain(client)
    await client.answer(200, json.dumps(image).encode())


async def _about_image(
    client: relay.ClientSide, request: h11.Request, engine: relay.Streams, provision: Provision
) -> None:
    """Requests about an image by a reference that only its label knows are asked by its id."""
    found = _IMAGE.fullmatch(_path(request))
    image = await asyncio.to_thread(provision.find, found["name"]) if found else None
    if found and image and is_local(image) and "@" in found["name"]:
        query = urlsplit(request.target.decode()).query
        target = (
            f"/images/{quote(str(image['Id']), safe=':')}{found['rest'] or ''}{f'?{query}' if query else ''}"
        )
        request = h11.Request(method=request.method, target=target, headers=list(request.headers))
    await relay.forward(client, request, engine)


async def _list_images(
    client: relay.ClientSide, request: h11.Request, engine: relay.Streams, _: Provision
) -> None:
    await _drain(client)
    status, _headers, body = await relay.fetch(request, engine)
    if status == 200:
        body = json.dumps([show_image(image) for image in json.loads(body)]).encode()
    await client.answer(status, body)


async def _create_container(
    client: relay.ClientSide, request: h11.Request, engine: relay.Streams, provision: Provision
) -> None:
    body = b"".join([part async for part in client.body()])
    with contextlib.suppress(ValueError):
        asked = json.loads(body)
        name = asked.get("Image") if isinstance(asked, dict) else None
        image = await asyncio.to_thread(provision.find, name) if name else None
        if image and is_stand_in(image):
            body = json.dumps(stand_in_container(asked, image)).encode()
        elif image and is_local(image) and "@" in str(name):
            body = json.dumps({**asked, "Image": image["Id"]}).encode()
    await relay.forward(client, request, engine, body)


async def _inspect_container(
    client: relay.ClientSide, request: h11.Request, engine: relay.Streams, provision: Provision
) -> None:
    await _drain(client)
    status, _headers, body = await relay.fetch(request, engine)
    if status == 200:
        container = json.loads(body)
        image = await asyncio.to_thread(provision.find, str(container.get("Image")))
        body = json.dumps(show_container(container, image)).encode()
    await client.answer(status, body)


async def _drain(client: relay.ClientSide) -> None:
    async for _ in client.body():
        pass


async def _refuse(client: relay.ClientSide, status: int, message: str) -> None:
    await client.answer(status, json.dumps({"message": message}).encode())
