"""Runs inside a network namespace: connects to what it is told, or listens as a canary.

Started as a program of its own, with the standard library only, because it has to enter
the namespace before it does anything else.

Asked to connect it reads one JSON object from standard input (`{"deadline": seconds,
"aims": [[address, port, protocol], ...]}`) and writes one list: for each aim
`[answered, text, milliseconds]`. An answer is read before a connection counts as one: a
proxy accepts before its target does. Asked to `listen PORT NAME` it answers every TCP
connection and every UDP packet with the name, says `ready`, and ends with its input.
"""

import json
import selectors
import socket
import struct
import sys
import threading
import time

REQUEST = b"GET / HTTP/1.0\r\nHost: probe\r\n\r\n"
_READ = 400
_IP_PKTINFO = 8
"""Linux, `in.h`; Python's `socket` names it from 3.14 on."""
_PKTINFO = struct.Struct("i4s4s")
"""The interface, the address to answer from, and the one that was asked (`struct in_pktinfo`)."""

Aim = tuple[str, int, str]
Seen = tuple[bool, str, float]


def probe(aims: list[Aim], deadline: float) -> list[Seen]:
    """Connect to all aims at once.

    Args:
        aims: addresses, ports and protocols (`tcp`, `udp`).
        deadline: seconds after which what has not answered has not.
    """
    selector = selectors.DefaultSelector()
    results: list[Seen] = [(False, "", deadline * 1000)] * len(aims)
    started = time.monotonic()
    for index, aim in enumerate(aims):
        _open(selector, index, aim)
    while selector.get_map() and (left := started + deadline - time.monotonic()) > 0:
        for key, events in selector.select(left):
            opened = key.fileobj
            assert isinstance(opened, socket.socket)
            if done := _advance(selector, opened, key.data, events):
                results[key.data] = (*done, (time.monotonic() - started) * 1000)
                selector.unregister(opened)
                opened.close()
    for key in list(selector.get_map().values()):
        selector.unregister(key.fileobj)
        assert isinstance(key.fileobj, socket.socket)
        key.fileobj.close()
    selector.close()
    return results


def _open(selector: selectors.BaseSelector, index: int, aim: Aim) -> None:
    address, port, protocol = aim
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    connection = socket.socket(socket.AF_INET, kind)
    connection.setblocking(False)
    connection.connect_ex((address, port))
    selector.register(connection, selectors.EVENT_WRITE, index)


def _advance(
    selector: selectors.BaseSelector, connection: socket.socket, index: int, events: int
) -> tuple[bool, str] | None:
    try:
        if events & selectors.EVENT_WRITE:
            if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                return False, ""
            connection.sendall(REQUEST)
            selector.modify(connection, selectors.EVENT_READ, index)
            return None
        return True, connection.recv(_READ).decode("utf-8", "replace")
    except OSError:
        return False, ""


def listen(port: int, name: str) -> None:
    """Answer on every address over TCP and UDP until the standard input ends."""
    answer = f"{name}\n".encode()
    stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    stream.bind(("", port))
    stream.listen(64)
    packets = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    packets.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    packets.bind(("", port))
    threading.Thread(target=_answer_streams, args=(stream, answer), daemon=True).start()
    threading.Thread(target=_answer_packets, args=(packets, answer), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


def _answer_streams(stream: socket.socket, answer: bytes) -> None:
    while True:
        connection, _ = stream.accept()
        try:
            connection.settimeout(2)
            connection.recv(_READ)
            connection.sendall(answer)
        except OSError:
            pass
        finally:
            connection.close()


def _answer_packets(packets: socket.socket, answer: bytes) -> None:
    while True:
        try:
            _, ancillary, _, sender = packets.recvmsg(_READ, socket.CMSG_SPACE(_PKTINFO.size))
            packets.sendmsg([answer], _from_where_it_was_asked(ancillary), 0, sender)
        except OSError:
            continue


def _from_where_it_was_asked(ancillary: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """A machine with several addresses would answer from another one, which the asker does not take for an answer."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            _, _, address = _PKTINFO.unpack(data)
            return [(level, kind, _PKTINFO.pack(0, address, bytes(4)))]
    return []


if __name__ == "__main__":
    if sys.argv[1:2] == ["listen"]:
        listen(int(sys.argv[2]), sys.argv[3])
    else:
        task = json.load(sys.stdin)
        json.dump(probe([(a, p, k) for a, p, k in task["aims"]], task["deadline"]), sys.stdout)
