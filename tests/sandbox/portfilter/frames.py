"""Frames as a guest may forge them, and who hears them."""

import socket
import struct
from functools import partial
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Self

from sandbox.fabric.kernel import inside

_ALL, _TAGGED = 0x0003, b"\x81\x00\x00\x14"
HEARD_SECONDS = 0.5


def udp(source: str, target: str, from_port: int, to_port: int, body: bytes) -> bytes:
    """An IPv4 packet of UDP."""
    datagram = struct.pack("!HHHH", from_port, to_port, 8 + len(body), 0) + body
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0,
        ip_address(source).packed, ip_address(target).packed,
    )  # fmt: skip
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + datagram


def icmpv6(source: str, target: str, kind: int, body: bytes) -> bytes:
    """An IPv6 packet of ICMPv6 with code 0."""
    ends = IPv6Address(source).packed + IPv6Address(target).packed
    message = struct.pack("!BBHI", kind, 0, 0, 0) + body
    pseudo = ends + struct.pack("!II", len(message), 58)
    total = _checksum(pseudo + message)
    message = message[:2] + struct.pack("!H", total) + message[4:]
    return struct.pack("!IHBB", 0x60000000, len(message), 58, 255) + ends + message


def frame(target: str, source: str, packet: bytes, *, tagged: bool = False) -> bytes:
    """A frame from one MAC address to another; a tag is that of VLAN 20."""
    kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
    addresses = bytes.fromhex(target.replace(":", "") + source.replace(":", ""))
    return addresses + (_TAGGED if tagged else b"") + kind + packet


class Ear:
    """Hears every frame that arrives at a namespace's NIC.

    Args:
        namespace: whose.
    """

    def __init__(self, namespace: Path) -> None:
        self._socket = inside(namespace, partial(_raw, _ALL))
        self._socket.settimeout(HEARD_SECONDS)

    def hears(self, body: bytes) -> bool:
        """Whether a frame with this text arrives."""
        try:
            while body not in self._socket.recv(2048):
                pass
        except TimeoutError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def send(namespace: Path, data: bytes) -> None:
    """Send a frame as it is."""
    with inside(namespace, partial(_raw, 0)) as stream:
        stream.send(data)


def mac(namespace: Path) -> str:
    """The MAC address of a namespace's NIC."""
    with inside(namespace, partial(_raw, 0)) as stream:
        return ":".join(f"{byte:02x}" for byte in stream.getsockname()[4])


def _raw(protocol: int) -> socket.socket:
    found = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    found.bind(("eth0", protocol))
    return found


def _checksum(data: bytes) -> int:
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total > 0xFFFF:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF
