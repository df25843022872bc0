"""The HTTP server behind a plugin: it answers from the script of the step that is being replayed."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from sandbox.certificates import ensure_certificates, server_context
from sandbox.checkout import Checkout
from sandbox.conformance.errors import ConformanceError
from sandbox.conformance.request_body import request_of
from sandbox.conformance.script import NOT_RECORDED, Answer, Script, answer_of


class Answering(Protocol):
    """Gives status, reason, headers and content for a request."""

    def __call__(
        self, method: str, target: str, content: bytes, headers: Any
    ) -> tuple[int, str | None, dict[str, str], bytes]:
        """Answer one request; called from several threads."""
        ...


def from_script(script: Script) -> Answering:
    """Answers that come from the recording alone."""

    def answer(method: str, target: str, content: bytes, headers: Any) -> Any:
        found = script.recorded(request_of(method, target, content, headers))
        return rendered(NOT_RECORDED if found is None else answer_of(found))

    return answer


def rendered(answer: Answer) -> tuple[int, str | None, dict[str, str], bytes]:
    """An answer as bytes; a text is sent as it is, a document as JSON."""
    if answer.body is None:
        return answer.status, answer.reason, {}, b""
    if isinstance(answer.body, str):
        return answer.status, answer.reason, {"Content-Type": "application/hujson"}, answer.body.encode()
    content = json.dumps(answer.body).encode()
    return answer.status, answer.reason, {"Content-Type": "application/json"}, content


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = False
    wbufsize = -1  # one write for a whole answer
    answering: Answering

    def _answer(self) -> None:
        content = self._content()
        status, reason, headers, body = self.answering(self.command, self.path, content, self.headers)
        self.send_response(status, reason)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status not in (204, 304) and self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _answer

    def _content(self) -> bytes:
        if "chunked" not in (self.headers.get("Transfer-Encoding") or ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what came is in the script."""


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class _LoopbackServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a plugin that was ended drops its connections."""


class Counterpart:
    """A running server. `url` is its address without a final slash; `socket` the path of a unix one."""

    def __init__(self, over: str, folder: Path, answering: Answering) -> None:
        """Start it over `http`, `https` or `unix`.

        Raises:
            ConformanceError: the address cannot be used.
        """
        self.socket = folder / "rec.sock"
        handler: Callable[..., Any] = type("Handler", (_Handler,), {"answering": staticmethod(answering)})
        try:
            if over == "unix":
                self._server: Any = _UnixServer(str(self.socket), handler)
                self.host = str(self.socket)
            else:
                self._server = _LoopbackServer(("127.0.0.1", 0), handler)
                self.host = f"127.0.0.1:{self._server.server_address[1]}"
        except OSError as error:
            raise ConformanceError(
                f"HTTP server behind the plugin, {over} on {self.socket if over == 'unix' else '127.0.0.1'}:"
                f" cannot listen: {error}. Free the address, or set TMPDIR to a shorter, writable folder."
            ) from None
        if over == "https":
            self._server.socket = _tls(folder).wrap_socket(self._server.socket, server_side=True)
        self.url = f"{over}://{self.host}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _tls(folder: Path) -> ssl.SSLContext:
    checkout = Checkout(folder)
    ensure_certificates(checkout)
    return server_context(checkout)
