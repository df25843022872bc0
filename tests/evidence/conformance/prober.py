"""Asks many addresses at once from many network namespaces, and tells whom each question reached.

A socket belongs to the namespace in which it was made, whoever uses it: a thread of its
own enters each namespace, makes the sockets and ends, and all are waited for together.
Over TCP only an answer's text counts, because a proxy accepts a connection before its
target does. Over UDP the arrival counts: an answer may be lost on its way back, by
another route than the question took, and the question was heard all the same.
"""

import fcntl
import secrets
import selectors
import socket
import struct
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab.flows import Port
from sandbox.fabric.kernel import inside
from tests.evidence.conformance.aims import Aim

_REQUEST = b"?\n"
"""No HTTP, for which a stand-in waits 300 ms: it says its name to this at once, and else after that time."""
_LONGEST_ANSWER = 2048
_SIOCGIFADDR = 0x8915
_SO_RCVBUFFORCE = 33
_ROOM = 8 << 20
"""Bytes for datagrams that arrive while the sockets of other questions are still being made."""
_LONGEST_ROUND = 30.0
_AT_ONCE = 4000
"""Sockets; a process may have 20,000 files on the systems seen."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """An aim, and from where it is asked."""

    namespace: Path
    aim: Aim
    scope: str
    """For a link-local address: the interface by which to go, by its name or its own IPv4 address."""


@dataclass(frozen=True, kw_only=True)
class Ear:
    """Somebody who listens to datagrams."""

    name: str
    namespace: Path
    ports: tuple[Port, ...]


class Ears:
    """Sockets for datagrams in the namespaces of those who listen."""

    def __init__(self) -> None:
        self.sockets: dict[socket.socket, str] = {}

    def open(self, ears: Iterable[Ear]) -> None:
        """Listen for several."""
        for ear in ears:
            for opened in inside(ear.namespace, partial(_listen_all, ear.ports)):
                self.sockets[opened] = ear.name

    def close(self) -> None:
        """Stop listening; a socket keeps the namespace of a removed container alive."""
        for opened in self.sockets:
            opened.close()
        self.sockets.clear()


@contextmanager
def listening(ears: Iterable[Ear]) -> Iterator[Ears]:
    """Ears, for a while."""
    found = Ears()
    try:
        found.open(ears)
        yield found
    finally:
        found.close()


def ask(questions: Sequence[Question], ears: Ears, quiet: float) -> list[str]:
    """Whom each question reached, empty where nobody.

    Args:
        questions: from any number of namespaces.
        ears: of all who could hear a datagram.
        quiet: seconds after the last answer until nothing more is waited for. A busy machine answers late, but it
            goes on answering.
    """
    reached: list[str] = []
    for start in range(0, len(questions), _AT_ONCE):
        reached += _Round(questions[start : start + _AT_ONCE], ears).run(quiet)
    return reached


class _Round:
    """Questions that are asked at once."""

    def __init__(self, questions: Sequence[Question], ears: Ears) -> None:
        self._questions = questions
        self._ears = ears
        self._reached = [""] * len(questions)
        # Datagrams of an earlier round may still be on their way.
        self._mark = secrets.token_bytes(8)

    def run(self, quiet: float) -> list[str]:
        by_namespace: dict[Path, list[int]] = {}
        for index, question in enumerate(self._questions):
            by_namespace.setdefault(question.namespace, []).append(index)
        with selectors.DefaultSelector() as selector:
            for opened, name in self._ears.sockets.items():
                selector.register(opened, selectors.EVENT_READ, name)
            try:
                for namespace, indexes in by_namespace.items():
                    sockets = inside(namespace, partial(self._start_all, indexes))
                    for index, connection in zip(indexes, sockets, strict=True):
                        if connection is not None:
                            selector.register(connection, selectors.EVENT_WRITE, index)
                self._wait(selector, quiet)
            finally:
                for key in list(selector.get_map().values()):
                    if isinstance(key.data, int):
                        self._end(selector, key.fileobj)
        return self._reached

    def _start_all(self, indexes: Sequence[int]) -> list[socket.socket | None]:
        scoped = any(self._questions[index].scope for index in indexes)
        interfaces = _interfaces() if scoped else {}
        return [self._start(index, interfaces) for index in indexes]

    def _start(self, index: int, interfaces: Mapping[str, int]) -> socket.socket | None:
        """A connection on its way; None for a datagram, and where the kernel knows at once that there is no way."""
        question = self._questions[index]
        aim = question.aim
        address: tuple[str, int] | tuple[str, int, int, int] = (aim.address, aim.port.number)
        if aim.link_local:
            address = (aim.address, aim.port.number, 0, interfaces[question.scope])
        family = socket.AF_INET6 if aim.ipv6 else socket.AF_INET
        if aim.port.protocol == "udp":
            with socket.socket(family, socket.SOCK_DGRAM) as sender, suppress(OSError):
                sender.sendto(self._mark + struct.pack("!I", index), address)
            return None
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            with suppress(BlockingIOError):
                connection.connect(address)
        except OSError:
            connection.close()
            return None
        return connection

    def _wait(self, selector: selectors.BaseSelector, quiet: float) -> None:
        started = heard = time.monotonic()
        while (now := time.monotonic()) < heard + quiet and now < started + _LONGEST_ROUND:
            for key, events in selector.select(heard + quiet - now):
                heard = time.monotonic()
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                if isinstance(key.data, str):
                    self._hear(connection, key.data)
                elif self._advance(selector, connection, key.data, events):
                    self._end(selector, connection)

    def _hear(self, ear: socket.socket, name: str) -> None:
        with suppress(BlockingIOError):
            while True:
                text = ear.recv(_LONGEST_ANSWER)
                if text.startswith(self._mark):
                    (index,) = struct.unpack("!I", text[len(self._mark) :])
                    self._reached[index] = name

    def _advance(
        self, selector: selectors.BaseSelector, connection: socket.socket, index: int, events: int
    ) -> bool:
        """Take a connection one step further; whether it has ended."""
        try:
            if events & selectors.EVENT_WRITE:
                if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    return True
                with suppress(OSError):
                    connection.sendall(_REQUEST)
                selector.modify(connection, selectors.EVENT_READ, index)
                return False
            answer = connection.recv(_LONGEST_ANSWER).decode("utf-8", "replace")
        except OSError:
            return True
        self._reached[index] = answer.partition("\n")[0]
        return True

    def _end(self, selector: selectors.BaseSelector, connection: object) -> None:
        assert isinstance(connection, socket.socket)
        selector.unregister(connection)
        connection.close()


def _listen_all(ports: Sequence[Port]) -> list[socket.socket]:
    found = []
    for port in ports:
        ear = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        found.append(ear)
        ear.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ROOM)
        ear.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        ear.setblocking(False)
        ear.bind(("::", port.number))
    return found


def _interfaces() -> dict[str, int]:
    """The number of each interface of the present namespace, by its name and by its IPv4 address."""
    found: dict[str, int] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for index, name in socket.if_nameindex():
            found[name] = index
            with suppress(OSError):
                answer = fcntl.ioctl(any_socket, _SIOCGIFADDR, struct.pack("256s", name.encode()))
                found[socket.inet_ntoa(answer[20:24])] = index
    return found
