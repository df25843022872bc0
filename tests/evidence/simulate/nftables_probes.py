"""Real packets between the places of the ground, and what became of each."""

import select
import socket
import struct
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal

from sandbox.fabric.kernel import inside
from tests.evidence.simulate.nftables_ground import PLACES, Ground, Place, addresses

PORTS = (5001, 5002, 8080)
"""On which every address listens, for TCP and for UDP."""
_ECHO_REQUEST, _ECHO_REPLY = 8, 0
_ABORT = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Probe:
    """One packet to send; each has a source port, or for ICMP an identifier, that is used once."""

    source: Place
    address: str
    protocol: Literal["tcp", "udp", "icmp"]
    source_port: int
    target: str
    port: int
    mark: int = 0


@dataclass
class Sight:
    """What was seen of a probe.

    Attributes:
        arrived: its first packet reached the target; for TCP, the last one of the handshake.
        answered: the target's answer reached the source.
        refused: the source was told that it may not.
    """

    arrived: bool = False
    answered: bool = False
    refused: bool = False


class Prober:
    """Listeners in every namespace, and senders that come and go.

    Args:
        ground: the namespaces.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._streams: list[socket.socket] = []
        self._datagrams: list[socket.socket] = []
        for place in PLACES:
            inside(ground.path(place), partial(self._listen, place))

    def _listen(self, place: Place) -> None:
        for address in addresses(place):
            for port in PORTS:
                stream = socket.create_server((address, port), family=_family(address), backlog=64)
                datagram = socket.socket(_family(address), socket.SOCK_DGRAM)
                datagram.bind((address, port))
                self._streams.append(stream)
                self._datagrams.append(datagram)
        for listener in (*self._streams, *self._datagrams):
            listener.setblocking(False)

    def close(self) -> None:
        """Close the listeners."""
        for listener in (*self._streams, *self._datagrams):
            listener.close()

    def send(self, probes: Sequence[Probe], quiet: float) -> dict[Probe, Sight]:
        """Send UDP and ICMP probes, answer those that arrive, and see who gets the answer.

        Args:
            probes: all at once.
            quiet: seconds without any packet after which none is expected any more.
        """
        sights = {probe.source_port: Sight() for probe in probes}
        senders = self._senders(probes)
        watch = _Watch()
        for listener in self._datagrams:
            watch.add(listener, partial(_answer, listener, sights))
        for probe, sender in senders.items():
            sight, icmp = sights[probe.source_port], probe.protocol == "icmp"
            watch.add(sender, partial(_read_answer, sender, probe, sight))
            payload = struct.pack("!H", probe.source_port)
            try:
                sender.send(_echo(payload) if icmp else payload)
            except PermissionError:
                # The output hook of the sender said no, and the packet was never sent.
                continue
        watch.run(quiet)
        for sender in senders.values():
            sender.close()
        return {probe: sights[probe.source_port] for probe in probes}

    def connect(self, probes: Sequence[Probe], quiet: float) -> dict[Probe, Sight]:
        """Open TCP connections, and see which side is told so; all are aborted afterwards.

        Args:
            probes: all at once.
            quiet: seconds without any packet after which none is expected any more.
        """
        sights = {probe.source_port: Sight() for probe in probes}
        accepted: list[socket.socket] = []
        senders = self._senders(probes)
        watch = _Watch()
        for listener in self._streams:
            watch.add(listener, partial(_accept, listener, sights, accepted))
        for probe, sender in senders.items():
            watch.add(sender, partial(_connected, sender, sights[probe.source_port], watch), select.POLLOUT)
        watch.run(quiet)
        for part in (*senders.values(), *accepted):
            part.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            part.close()
        return {probe: sights[probe.source_port] for probe in probes}

    def _senders(self, probes: Iterable[Probe]) -> dict[Probe, socket.socket]:
        by_place: dict[Place, list[Probe]] = {}
        for probe in probes:
            by_place.setdefault(probe.source, []).append(probe)
        found: dict[Probe, socket.socket] = {}
        for place, own in by_place.items():
            found.update(inside(self._ground.path(place), partial(_make_senders, own)))
        return found


class _Watch:
    """Sockets, and what is done when something comes."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._handlers: dict[int, Callable[[], None]] = {}

    def add(self, part: socket.socket, handler: Callable[[], None], event: int = select.POLLIN) -> None:
        self._poll.register(part, event)
        self._handlers[part.fileno()] = handler

    def remove(self, part: socket.socket) -> None:
        self._poll.unregister(part)

    def run(self, quiet: float) -> None:
        while ready := self._poll.poll(quiet * 1000):
            for number, _ in ready:
                self._handlers[number]()


def _make_senders(probes: Iterable[Probe]) -> dict[Probe, socket.socket]:
    return {probe: _sender(probe) for probe in probes}


def _sender(probe: Probe) -> socket.socket:
    """A socket that is connected, or for TCP has begun to."""
    family = _family(probe.target)
    if probe.protocol == "icmp":
        sender = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    else:
        sender = socket.socket(family, socket.SOCK_STREAM if probe.protocol == "tcp" else socket.SOCK_DGRAM)
    sender.setblocking(False)
    if probe.mark:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, probe.mark)
    sender.bind((probe.address, 0 if probe.protocol == "icmp" else probe.source_port))
    # What a TCP socket's own output hook says comes as an error of the socket later.
    sender.connect_ex((probe.target, probe.port))
    return sender


def _answer(listener: socket.socket, sights: dict[int, Sight]) -> None:
    data, peer = listener.recvfrom(64)
    sights[struct.unpack("!H", data)[0]].arrived = True
    with suppress(PermissionError):
        listener.sendto(data, peer)


def _read_answer(sender: socket.socket, probe: Probe, sight: Sight) -> None:
    try:
        data = sender.recv(256)
    except OSError:
        sight.refused = True
        return
    if probe.protocol == "udp":
        sight.answered = True
        return
    header = (data[0] & 15) * 4
    kind, identifier = data[header], struct.unpack("!H", data[header + 4 : header + 6])[0]
    if kind == _ECHO_REPLY and identifier == probe.source_port:
        # The kernel of the target answers, so that arriving is seen by the answer only.
        sight.arrived = sight.answered = True


def _accept(listener: socket.socket, sights: dict[int, Sight], accepted: list[socket.socket]) -> None:
    connection, peer = listener.accept()
    accepted.append(connection)
    sights[peer[1]].arrived = True


def _connected(sender: socket.socket, sight: Sight, watch: _Watch) -> None:
    watch.remove(sender)
    if sender.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        sight.refused = True
    else:
        sight.answered = True


def _echo(identifier: bytes) -> bytes:
    """An echo request with an identifier of two bytes and sequence number 0 (RFC 792)."""
    words = (_ECHO_REQUEST << 8) + int.from_bytes(identifier, "big")
    checksum = ~((words & 0xFFFF) + (words >> 16)) & 0xFFFF
    return bytes([_ECHO_REQUEST, 0]) + struct.pack("!H", checksum) + identifier + b"\0\0"


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
