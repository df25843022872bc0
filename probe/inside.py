"""Runs inside a source's network namespace: connects to what it is told, and says who answered.

Started as a program of its own, with the standard library only, because it has to
enter the namespace before it does anything else. Reads one JSON object from standard
input (`{"deadline": seconds, "aims": [[address, port], ...]}`) and writes one list:
for each aim `[connected, answer, milliseconds]`. An answer is read before a connection
counts as one: a proxy accepts before its target does.
"""

import json
import selectors
import socket
import sys
import time

REQUEST = b"GET / HTTP/1.0\r\nHost: probe\r\n\r\n"
_READ = 400


def probe(aims: list[tuple[str, int]], deadline: float) -> list[tuple[bool, str, float]]:
    """Connect to all aims at once.

    Args:
        aims: addresses and TCP ports.
        deadline: seconds after which what has not answered has not.
    """
    selector = selectors.DefaultSelector()
    results: list[tuple[bool, str, float]] = [(False, "", 0.0)] * len(aims)
    started = time.monotonic()
    for index, (address, port) in enumerate(aims):
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.setblocking(False)
        connection.connect_ex((address, port))
        selector.register(connection, selectors.EVENT_WRITE, index)
    while selector.get_map() and (left := started + deadline - time.monotonic()) > 0:
        for key, events in selector.select(left):
            opened = key.fileobj
            assert isinstance(opened, socket.socket)
            if done := _advance(selector, opened, key.data, events):
                results[key.data] = (*done, (time.monotonic() - started) * 1000)
                selector.unregister(opened)
                opened.close()
    for key in list(selector.get_map().values()):
        results[key.data] = (False, "", deadline * 1000)
        selector.unregister(key.fileobj)
        assert isinstance(key.fileobj, socket.socket)
        key.fileobj.close()
    selector.close()
    return results


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


if __name__ == "__main__":
    task = json.load(sys.stdin)
    json.dump(probe([(a, p) for a, p in task["aims"]], task["deadline"]), sys.stdout)
