"""Somebody on a segment who is no guest: a namespace with one NIC, from which to see what the segment's guests show.

At most one for each segment. No port of it is filtered, as that of a machine in the house is not. It is known by its
names in the kernel alone, and goes with the fabric.
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.fabric.kernel import NAMESPACES, FabricError, Kernel
from sandbox.fabric.router import Router
from sandbox.fabric.segments import Fabric

_NIC = "eth0"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Somebody on a segment.

    Attributes:
        segment: its name in the fabric, such as `vmbr0.20`.
        address: with its length.
        namespace: the file through which a process enters its network namespace.
    """

    segment: str
    address: str
    namespace: Path


class Peers:
    """The peers of one checkout.

    Args:
        kernel: bound to the checkout's prefix.
        fabric: whose segments.
    """

    def __init__(self, kernel: Kernel, fabric: Fabric) -> None:
        self._kernel = kernel
        self._fabric = fabric
        self._router = Router(kernel, fabric)
        self._prefix = f"{kernel.prefix}peer-"

    def put(self, segment: str, address: str) -> Peer:
        """Make the peer of a segment; one that is there is replaced, unless it has just this address.

        Args:
            segment: an existing one.
            address: with its length, `10.10.20.99/24`.

        Raises:
            SandboxError: there is no such segment, or this is no address; with the repair.
        """
        known = self._fabric.segments()
        if segment not in known:
            raise SandboxError(
                f"there is no segment {segment}: {_listed(known)}; a segment is there once a guest on it has started"
            )
        interface = _interface(address)
        peer = Peer(
            segment=segment, address=str(interface), namespace=NAMESPACES / f"{self._prefix}{segment}"
        )
        if peer in self.listing():
            return peer
        self.remove(segment)
        namespace, port = peer.namespace.name, _port_name(segment)
        self._kernel.add(namespace)
        # The kernel removes the port of a removed peer at a moment of its own.
        self._kernel.delete_link(self._fabric.namespace, port)
        self._kernel.batch(
            self._fabric.namespace,
            [
                f"link add name {port} type veth peer name {_NIC} netns {namespace}",
                f"link set {port} master {segment} up",
            ],
        )
        # It may be used at once: nobody has to be asked whether its IPv6 address is free.
        unasked = " nodad" if interface.version == 6 else ""
        self._kernel.batch(namespace, [f"link set {_NIC} up", f"address add {interface} dev {_NIC}{unasked}"])
        self._router.make_room()
        return peer

    def remove(self, segment: str) -> bool:
        """Remove the peer of a segment with the processes in it; answers whether there was one."""
        namespace = f"{self._prefix}{segment}"
        if namespace not in self._kernel.namespaces():
            return False
        if self._kernel.exists(namespace):
            self._kernel.kill_processes(namespace)
        self._kernel.delete(namespace)
        return True

    def listing(self) -> list[Peer]:
        """The peers by segment."""
        names = [name for name in self._kernel.namespaces() if name.startswith(self._prefix)]
        return [peer for name in names if (peer := self._find(name)) is not None]

    def _find(self, name: str) -> Peer | None:
        """The peer whose namespace this is; None where it is being made or removed by another process."""
        try:
            address = next(iter(self._kernel.addresses(name, _NIC)), None)
        except FabricError:
            return None
        if address is None:
            return None
        return Peer(segment=name.removeprefix(self._prefix), address=address, namespace=NAMESPACES / name)


def _interface(text: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    try:
        if "/" not in text:
            raise ValueError(f"{text} has no length")
        return ipaddress.ip_interface(text)
    except ValueError as error:
        raise SandboxError(
            f"no address of a peer: {error}; write it with its length, as 10.10.20.99/24"
        ) from None


def _port_name(segment: str) -> str:
    return f"peer-{hashlib.sha256(segment.encode()).hexdigest()[:8]}"


def _listed(segments: set[str]) -> str:
    return f"there are {', '.join(sorted(segments))}" if segments else "there is none"
