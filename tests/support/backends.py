"""What stands behind an ingress in tests: services on loopback that say their name and what they were asked."""

import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOCAL = "127.0.0.1"
OUTPOST_AUTH = "/outpost.goauthentik.io/auth/traefik"


@dataclass
class Backends:
    """Services that run until the test ends."""

    stack: ExitStack
    banned: str = ""
    """The address that the intrusion prevention bans."""
    keys: set[str] = field(default_factory=set)
    """The keys with which the intrusion prevention was asked."""
    hold: threading.Event = field(default_factory=threading.Event)
    """Answers below `/slow` wait for it."""
    held: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released by each request that has come to wait."""

    def http(self, name: str, tls: ssl.SSLContext | None = None) -> str:
        """A web server; its answer is JSON: its name, the path and the headers that arrived."""
        server = ThreadingHTTPServer((LOCAL, 0), _handler(self, name))
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        return self._run(server)

    def tcp(self, name: str) -> str:
        """Says its name to whoever connects."""

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.sendall(name.encode())

        return self._run(socketserver.ThreadingTCPServer((LOCAL, 0), Handler))

    def udp(self, name: str) -> str:
        """Answers each datagram with its name."""

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request[1].sendto(name.encode(), self.client_address)

        return self._run(socketserver.ThreadingUDPServer((LOCAL, 0), Handler))

    def _run(self, server: socketserver.TCPServer) -> str:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        self.stack.callback(server.server_close)
        self.stack.callback(thread.join)
        self.stack.callback(server.shutdown)
        return f"{LOCAL}:{server.server_address[1]}"


@contextmanager
def backends() -> Iterator[Backends]:
    """Start with none, and stop all at the end."""
    with ExitStack() as stack:
        yield Backends(stack)


def _handler(own: Backends, name: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/slow"):
                own.held.release()
                own.hold.wait(10)
            if self.path.startswith("/v1/decisions"):
                own.keys.add(self.headers.get("X-Api-Key", ""))
                banned = self.path.endswith(f"ip={own.banned}") and bool(own.banned)
                self._answer(200, b'[{"type": "ban"}]' if banned else b"null")
            elif self.path == OUTPOST_AUTH and "session=ann" not in self.headers.get("Cookie", ""):
                self._answer(401, b"sign in first")
            else:
                said = {"service": name, "path": self.path, "headers": dict(self.headers), "pad": "x" * 4096}
                self._answer(200, json.dumps(said).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Powered-By", "a test")
            if self.path == OUTPOST_AUTH and status == 200:
                self.send_header("X-authentik-username", "ann")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def shown_certificate(address: str, port: int, name: str) -> bytes:
    """The certificate that answers for a name, in DER form.

    Raises:
        ssl.SSLError: nobody answers for that name.
    """
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((address, port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return secure.getpeercert(binary_form=True) or b""
