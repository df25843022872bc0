"""The way out of a guest for its engine's pulls: an HTTP proxy on its loopback that knows only CONNECT.

The listening socket belongs to the guest's network namespace; connections to registries are made in the
machine's. What a registry redirects to is hidden in TLS, so the rule names no hosts. It is: who has the
engine's own key, while a pull that the front socket started is under way, to public addresses on port 443
(`targets`). When the last pull ends, all tunnels are cut.

Everything else is refused, also for containers: theirs is another loopback, and one that shares the guest's
network has no key. It goes away with the engine, or with the process that opened it.
"""

import base64
import contextlib
import hmac
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import h11

from sandbox.docker.targets import INTERNET, RefusedError, Targets
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import inside

_LOG = logging.getLogger(__name__)
# Above the ports that Linux gives to clients (32768 to 60999), and none that services are known by.
PORT = 61300
USER = "engine"
HEAD_SECONDS = 5.0
CONNECT_SECONDS = 5.0
# An engine uses about ten; more would only be somebody who holds threads of the sandbox.
MOST_CLIENTS = 64
# Such as when the process has no file numbers left.
ACCEPT_PAUSE_SECONDS = 0.2
CHUNK = 65536


class _RefusalError(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class WayOut:
    """The proxy of one engine; may be opened and closed many times, from any thread.

    Args:
        guest: the guest's name, for messages.
        targets: what may be reached.
    """

    def __init__(self, guest: str, targets: Targets = INTERNET) -> None:
        self._guest = guest
        self._targets = targets
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._accepting: threading.Thread | None = None
        self._pulls = 0
        self._streams: set[socket.socket] = set()
        self._free = threading.BoundedSemaphore(MOST_CLIENTS)

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._listener is not None

    def open(self, listener: socket.socket, key: str) -> None:
        """Listen, instead of where it listened before.

        Args:
            listener: a listening socket, closed by `close`.
            key: the password that clients must send.
        """
        self.close()
        accepting = threading.Thread(
            target=self._accept, args=(listener, key), name=f"way out of {self._guest}", daemon=True
        )
        with self._lock:
            self._listener, self._accepting = listener, accepting
        accepting.start()

    def close(self) -> None:
        """Listen no more and cut all connections; one that is being made ends within `CONNECT_SECONDS`."""
        with self._lock:
            listener, accepting = self._listener, self._accepting
            self._listener = self._accepting = None
        if listener is not None and accepting is not None:
            with contextlib.suppress(OSError):
                # Closing alone would not wake the thread that accepts.
                listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            listener.close()
        with self._lock:
            self._cut()

    @contextmanager
    def pulling(self) -> Iterator[None]:
        """While this lasts, the engine may connect outward."""
        with self._lock:
            self._pulls += 1
        try:
            yield
        finally:
            with self._lock:
                self._pulls -= 1
                if self._pulls == 0:
                    self._cut()

    def _cut(self) -> None:
        """End all connections; the caller holds the lock."""
        for stream in self._streams:
            _shut(stream)

    def _accept(self, listener: socket.socket, key: str) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError as error:
                if self._listener is not listener:
                    # `close` has shut it down.
                    return
                _LOG.warning("%s: a connection could not be accepted: %s", self._guest, error)
                time.sleep(ACCEPT_PAUSE_SECONDS)
                continue
            if not self._free.acquire(blocking=False):
                client.close()
                continue
            with self._lock:
                self._streams.add(client)
            threading.Thread(target=self._serve, args=(client, key), daemon=True).start()

    def _serve(self, client: socket.socket, key: str) -> None:
        try:
            client.settimeout(HEAD_SECONDS)
            far, early = self._connect(client, key)
            with self._lock:
                self._streams.add(far)
                # The pull may have ended while the connection was made, before it could be cut.
                late = not self._pulls or self._listener is None
            try:
                if not late:
                    _tunnel(client, far, early)
            finally:
                self._end(far)
        except _RefusalError as refusal:
            _LOG.info("%s: refused: %s", self._guest, refusal)
        except (OSError, h11.RemoteProtocolError) as error:
            _LOG.debug("%s: connection ended: %r", self._guest, error)
        finally:
            self._end(client)
            self._free.release()

    def _end(self, stream: socket.socket) -> None:
        # Under the lock, so that `_cut` never shuts a socket whose number is somebody else's by now.
        with self._lock:
            self._streams.discard(stream)
            stream.close()

    def _connect(self, client: socket.socket, key: str) -> tuple[socket.socket, bytes]:
        """The far side that a client asks for, and what it sent after its request's head."""
        state = h11.Connection(h11.SERVER)
        try:
            far = self._far(_read_request(client, state), key)
        except _RefusalError as refusal:
            # Go's clients show the text of the status line, and nothing of the body.
            reason = str(refusal).encode("ascii", "replace").decode()
            head = f"HTTP/1.1 {refusal.status} {reason}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            client.sendall(head.encode())
            raise
        try:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        except OSError:
            far.close()
            raise
        return far, state.trailing_data[0]

    def _far(self, request: h11.Request, key: str) -> socket.socket:
        if request.method != b"CONNECT":
            raise _RefusalError(405, "only CONNECT is served here")
        given = b"".join(value for name, value in request.headers if name == b"proxy-authorization")
        wanted = b"Basic " + base64.b64encode(f"{USER}:{key}".encode())
        if not hmac.compare_digest(given, wanted):
            raise _RefusalError(407, "only the engine of this guest is served")
        if not self._pulls:
            raise _RefusalError(403, "no pull is under way")
        host, _, port = request.target.decode("ascii", "replace").rpartition(":")
        if not (port.isascii() and port.isdigit()) or len(port) > 5:
            raise _RefusalError(400, "the target is not written as host:port")
        try:
            return self._targets.connect(host, int(port), CONNECT_SECONDS)
        except RefusedError as error:
            raise _RefusalError(403, str(error)) from None
        except OSError as error:
            raise _RefusalError(502, f"{host} cannot be reached: {error.strerror or error}") from None


def listener_inside(namespace: Path, guest: str) -> socket.socket:
    """A socket that listens on the loopback of a guest.

    Raises:
        SandboxError: when something in the guest holds the port.
    """
    try:
        return inside(namespace, partial(socket.create_server, ("127.0.0.1", PORT)))
    except OSError as error:
        raise SandboxError(
            f"the way out for image pulls of guest {guest} cannot listen on its port {PORT}: "
            f"{error.strerror}; stop the container that uses the guest's network and this port"
        ) from None


def _read_request(client: socket.socket, state: h11.Connection) -> h11.Request:
    while (event := state.next_event()) is h11.NEED_DATA:
        state.receive_data(client.recv(CHUNK))
    if not isinstance(event, h11.Request):
        raise ConnectionAbortedError("the client sent no request")
    return event


def _tunnel(client: socket.socket, far: socket.socket, early: bytes) -> None:
    """Pass bytes both ways until both sides have finished, or one is cut."""
    client.settimeout(None)
    far.settimeout(None)
    far.sendall(early)
    back = threading.Thread(target=_pass_bytes, args=(far, client), daemon=True)
    back.start()
    _pass_bytes(client, far)
    back.join()


def _pass_bytes(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(CHUNK):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        _shut(source)
        _shut(sink)


def _shut(stream: socket.socket) -> None:
    with contextlib.suppress(OSError):
        stream.shutdown(socket.SHUT_RDWR)
