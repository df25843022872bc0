"""Packets between network namespaces, and what comes back.

Every probe has a source port that no other has, so that none is taken for a part of an earlier connection.
"""

import itertools
import socket
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from sandbox.fabric.kernel import inside

WAIT_SECONDS = 0.7
FIRST_PORT = 20000
_PORTS = itertools.count(FIRST_PORT)
_BODY = b"answer"


@dataclass(frozen=True)
class Probe:
    """One question.

    Attributes:
        source: the namespace that asks.
        target: the address that is asked.
        protocol: `tcp` or `udp`.
        port: the port that is asked.
        source_port: one that no other probe has.
    """

    source: Path
    target: str
    protocol: str
    port: int
    source_port: int = field(default_factory=lambda: next(_PORTS))


def ask(probe: Probe) -> str:
    """`open`: the target's own answer came; `refused`: somebody refused; `silent`: nothing came."""
    kind = socket.SOCK_STREAM if probe.protocol == "tcp" else socket.SOCK_DGRAM
    family = socket.AF_INET6 if ip_address(probe.target).version == 6 else socket.AF_INET
    with inside(probe.source, partial(socket.socket, family, kind)) as stream:
        stream.settimeout(WAIT_SECONDS)
        stream.bind(("", probe.source_port))
        try:
            stream.connect((probe.target, probe.port))
            stream.send(b"?")
            return "open" if stream.recv(16) == _BODY else "somebody else"
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return "silent"


def ask_all(probes: Iterable[Probe]) -> dict[Probe, str]:
    """The answers to many questions that are asked side by side."""
    asked = list(probes)
    with ThreadPoolExecutor(max_workers=32) as pool:
        return dict(zip(asked, pool.map(ask, asked), strict=True))


@contextmanager
def answering(
    namespace: Path, ports: Sequence[int], protocols: Sequence[str] = ("tcp", "udp")
) -> Iterator[None]:
    """Within it, somebody answers on these ports of every address in a namespace, of both families."""
    with ExitStack() as stack:
        for protocol, port in itertools.product(protocols, ports):
            serve = _serve_tcp if protocol == "tcp" else _serve_udp
            listener = stack.enter_context(inside(namespace, partial(_listener, protocol, port)))
            # Closing alone would not wake the thread that waits.
            stack.callback(_shut, listener)
            threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield


def _listener(protocol: str, port: int) -> socket.socket:
    if protocol == "tcp":
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    found = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    found.bind(("", port))
    return found


def _serve_tcp(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_answer, args=(client,), daemon=True).start()


def _answer(client: socket.socket) -> None:
    """Answer each question until the client goes."""
    with client, suppress(OSError):
        while client.recv(16):
            client.sendall(_BODY)


def _serve_udp(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            question, client = listener.recvfrom(16)
            if not question:
                return
            # A client that has gone refuses the answer, and the refusal comes with the next call.
            with suppress(ConnectionRefusedError):
                listener.sendto(_BODY, client)


def _shut(listener: socket.socket) -> None:
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
