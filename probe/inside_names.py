"""Runs inside a network namespace: asks a name server for one name, and says what it answered.

Started as a program of its own, with the standard library only, like `inside.py`:
`inside_names.py SERVER PORT NAME SECONDS` writes the answer's code (`NOERROR`, `NXDOMAIN`,
`SERVFAIL` …), or nothing where none came.
"""

import secrets
import socket
import struct
import sys
import time

CODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
"""RFC 1035, section 4.1.1."""
_HEADER = struct.Struct("!HHHHHH")
_RECURSION_DESIRED, _IS_ANSWER = 0x0100, 0x8000
_A, _IN = 1, 1
_LARGEST = 4096


def question(identity: int, name: str) -> bytes:
    """A query for the address of a name."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return _HEADER.pack(identity, _RECURSION_DESIRED, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, _A, _IN)


def code(identity: int, packet: bytes) -> str | None:
    """The code of the answer to a query; None for any other packet."""
    if len(packet) < _HEADER.size:
        return None
    found, flags, *_ = _HEADER.unpack_from(packet)
    if found != identity or not flags & _IS_ANSWER:
        return None
    number = flags & 0xF
    return CODES[number] if number < len(CODES) else f"code {number}"


def ask(server: str, port: int, name: str, seconds: float) -> str | None:
    """Ask over UDP, and once more halfway, as resolvers do."""
    identity, ends = secrets.randbelow(1 << 16), time.monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for left in (2, 1):
            try:
                asking.connect((server, port))
                asking.send(question(identity, name))
                while (wait := ends - time.monotonic()) > 0:
                    asking.settimeout(max(wait / left, 0.01))
                    if (found := code(identity, asking.recv(_LARGEST))) is not None:
                        return found
            except OSError:
                continue
    return None


if __name__ == "__main__":
    print(ask(sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])) or "")
