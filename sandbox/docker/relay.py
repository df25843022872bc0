"""HTTP/1.1 between one client connection and an engine: heads read, bodies streamed, hijacked streams passed
raw.

It changes nothing: what changes documents is in `front`. Timeouts belong to the client and the engine, for a
stream of logs or events may be silent for hours.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import h11

CHUNK = 65536
# After these requests the connection carries a raw stream, with or without an `Upgrade` header.
_HIJACKED = re.compile(r"(/v\d+\.\d+)?/(containers/[^/]+/attach|exec/[^/]+/start|session|grpc)(\?.*)?$")
_HOP_HEADERS = frozenset({b"expect", b"connection", b"keep-alive", b"proxy-connection"})
# What h11 gives for a connection's next event.
_Next = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]


class GoneError(Exception):
    """The other side closed its connection in the middle of something."""


@dataclass(frozen=True, kw_only=True)
class Streams:
    """One connection: its reader and its writer."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def close(self) -> None:
        """Close it, whatever state it is in."""
        self.writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self.writer.wait_closed()


class ClientSide:
    """The server's half of one client connection."""

    def __init__(self, streams: Streams) -> None:
        self.streams = streams
        self.state = h11.Connection(h11.SERVER)

    async def request(self) -> h11.Request | None:
        """The next request's head; None when the client has closed."""
        event = await self._event()
        return event if isinstance(event, h11.Request) else None

    async def body(self) -> AsyncIterator[bytes]:
        """The rest of the request."""
        if self.state.they_are_waiting_for_100_continue:
            await self.send(h11.InformationalResponse(status_code=100, headers=[]))
        while isinstance(event := await self._event(), h11.Data):
            yield bytes(event.data)
        if not isinstance(event, h11.EndOfMessage):
            raise GoneError

    async def send(self, event: h11.Event) -> None:
        """Send a part of the response."""
        data = self.state.send(event)
        if data:
            self.streams.writer.write(data)
            await self.streams.writer.drain()

    async def answer(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        """Send a whole response."""
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        await self.send(h11.Response(status_code=status, headers=headers))
        await self.send(h11.Data(data=body))
        await self.send(h11.EndOfMessage())

    async def answer_lines(self, lines: AsyncIterator[bytes]) -> None:
        """Send a response of one chunk per line, as engines send progress; clients tell by the chunks.

        It begins with the first line: an error before that can still be answered as one.
        """
        headers = [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]
        head = h11.Response(status_code=200, headers=headers)
        async for line in lines:
            if self.state.our_state is h11.SEND_RESPONSE:
                await self.send(head)
            await self.send(h11.Data(data=line + b"\r\n"))
        await self.send(h11.EndOfMessage())

    async def until_closed(self) -> None:
        """Return when the client closes; what it sends meanwhile is kept for the next request."""
        while data := await self.streams.reader.read(CHUNK):
            self.state.receive_data(data)
        self.state.receive_data(b"")

    async def _event(self) -> _Next:
        while (event := self.state.next_event()) is h11.NEED_DATA:
            self.state.receive_data(await self.streams.reader.read(CHUNK))
        return event


def is_hijack(request: h11.Request) -> bool:
    """Whether the connection becomes a raw stream with this request."""
    upgrades = any(name == b"upgrade" for name, _ in request.headers)
    return upgrades or (request.method == b"POST" and bool(_HIJACKED.fullmatch(request.target.decode())))


async def connect(path: Path) -> Streams:
    """Open a connection to an engine; OSError when nothing listens."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    return Streams(reader=reader, writer=writer)


async def forward(
    client: ClientSide, request: h11.Request, engine: Streams, body: bytes | None = None
) -> None:
    """Send a request to the engine and its response to the client, as both arrive.

    Args:
        client: who asks.
        request: the head that was read from it.
        engine: a fresh connection, closed by the caller.
        body: replaces the request's body, already read; None streams the client's.
    """
    side = h11.Connection(h11.CLIENT)
    await _send_request(client, request, engine, side, body)
    sending = asyncio.ensure_future(_send_response(client, engine, side, request.method))
    watching = asyncio.ensure_future(client.until_closed())
    try:
        await asyncio.wait({sending, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            raise GoneError
        await sending
    finally:
        for task in (sending, watching):
            task.cancel()
        await asyncio.gather(sending, watching, return_exceptions=True)


async def fetch(request: h11.Request, engine: Streams) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Send a request without a body and collect the response: status, headers, body."""
    side = h11.Connection(h11.CLIENT)
    engine.writer.write(side.send(_onward(request, None)) or b"")
    engine.writer.write(side.send(h11.EndOfMessage()) or b"")
    head: h11.Response | None = None
    parts: list[bytes] = []
    while True:
        event = await _response_event(engine, side)
        if isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            parts.append(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return head.status_code, list(head.headers), b"".join(parts)
        elif not isinstance(event, h11.InformationalResponse):
            raise GoneError


async def hijack(client: ClientSide, request: h11.Request, engine: Streams) -> None:
    """Send a request to the engine, then pass bytes both ways until both sides have finished."""
    side = h11.Connection(h11.CLIENT)
    body = b""
    if any(name in (b"content-length", b"transfer-encoding") for name, _ in request.headers):
        body = b"".join([part async for part in client.body()])
    headers = [
        (n, v)
        for n, v in request.headers.raw_items()
        if n.lower() not in (b"transfer-encoding", b"content-length")
    ]
    headers.append((b"Content-Length", str(len(body)).encode()))
    head = h11.Request(method=request.method, target=request.target, headers=headers)
    engine.writer.write((side.send(head) or b"") + body)
    trailing, _ = client.state.trailing_data
    if trailing:
        engine.writer.write(trailing)
    await asyncio.gather(
        _pass_bytes(client.streams.reader, engine.writer), _pass_bytes(engine.reader, client.streams.writer)
    )


async def _pass_bytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        writer.close()
        return
    # The other direction may go on: a client that has ended its input still reads output.
    with contextlib.suppress(OSError):
        writer.write_eof()


async def _send_request(
    client: ClientSide, request: h11.Request, engine: Streams, side: h11.Connection, body: bytes | None
) -> None:
    engine.writer.write(side.send(_onward(request, body)) or b"")
    if body is not None:
        engine.writer.write(side.send(h11.Data(data=body)) or b"")
    else:
        async for part in client.body():
            engine.writer.write(side.send(h11.Data(data=part)) or b"")
            await engine.writer.drain()
    engine.writer.write(side.send(h11.EndOfMessage()) or b"")
    await engine.writer.drain()


def _onward(request: h11.Request, body: bytes | None) -> h11.Request:
    headers = [
        (name, value) for name, value in request.headers.raw_items() if name.lower() not in _HOP_HEADERS
    ]
    if body is not None:
        replaced = (b"content-length", b"transfer-encoding")
        headers = [(name, value) for name, value in headers if name.lower() not in replaced]
        headers.append((b"Content-Length", str(len(body)).encode()))
    return h11.Request(method=request.method, target=request.target, headers=headers)


async def _response_event(engine: Streams, side: h11.Connection) -> _Next:
    while (event := side.next_event()) is h11.NEED_DATA:
        side.receive_data(await engine.reader.read(CHUNK))
    if isinstance(event, h11.ConnectionClosed):
        raise GoneError
    return event


async def _send_response(client: ClientSide, engine: Streams, side: h11.Connection, method: bytes) -> None:
    while True:
        event = await _response_event(engine, side)
        if isinstance(event, h11.Response):
            event = h11.Response(
                status_code=event.status_code,
                reason=event.reason,
                headers=[
                    (name, value)
                    for name, value in event.headers.raw_items()
                    if name.lower() not in _HOP_HEADERS
                ],
            )
        if isinstance(event, (h11.Response, h11.Data, h11.EndOfMessage, h11.InformationalResponse)):
            await client.send(event)
        if isinstance(event, h11.EndOfMessage):
            return
