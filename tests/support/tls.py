"""A web server with TLS on loopback, for tests of those who ask one."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"service:b/b"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def tls_server(context: ssl.SSLContext) -> Iterator[int]:
    """Answer every request with `service:b/b`; yields the port on 127.0.0.1."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def refusing_others(context: ssl.SSLContext, covered: str) -> ssl.SSLContext:
    """End handshakes for names that do not end as given, as a Traefik does that is strict about names."""

    def only_its_own(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> int | None:
        return None if name and name.endswith(covered) else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    context.sni_callback = only_its_own
    return context
