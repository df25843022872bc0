"""Which places outside may be connected to on behalf of a guest: public addresses, on the port of HTTPS.

A name is resolved once, every address that is not public is dropped, and the connection is made to an address
that was checked, so that a name cannot change its meaning in between. Only IPv4: the machines of a user's own
network carry public IPv6 addresses, which nothing here could tell from a registry's. It reads no proxy
settings: a machine that reaches the Internet only through a proxy counts as offline.
"""

import ipaddress
import re
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

HTTPS_PORT = 443
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")

Resolve = Callable[[str, int], Sequence[str]]


class RefusedError(OSError):
    """A target that nobody may reach; the text says which and why."""


def resolve(host: str, port: int) -> list[str]:
    """The IPv4 addresses of a name, each once; OSError when it has none."""
    found = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an IPv4 address belongs to the Internet.

    Loopback, link-local, private, shared (100.64.0.0/10), documentation, multicast and reserved ones do not.
    """
    ip = ipaddress.IPv4Address(address)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


@dataclass(frozen=True, kw_only=True)
class Targets:
    """The rule; tests replace its parts to reach what they serve themselves.

    Attributes:
        ports: the TCP ports that may be reached.
        resolve: gives the addresses of a name; raises OSError when there are none.
        allowed: whether an address may be reached.
    """

    ports: frozenset[int] = frozenset({HTTPS_PORT})
    resolve: Resolve = resolve
    allowed: Callable[[str], bool] = is_public

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a target that may be reached.

        Raises:
            RefusedError: when there are none, with the reason.
            OSError: when the name has no address.
        """
        if not self.ports:
            raise RefusedError("nothing outside is reached, as was asked for with --stand-ins")
        if port not in self.ports:
            raise RefusedError(f"port {port} is not {' or '.join(map(str, sorted(self.ports)))}")
        if len(host) > 253 or not _HOST.fullmatch(host):
            raise RefusedError("the target is no host name and no IPv4 address")
        found = self.resolve(host, port)
        allowed = [address for address in found if self.allowed(address)]
        if not allowed:
            raise RefusedError(f"{host} has no public address")
        return allowed

    def connect(self, host: str, port: int, seconds: float) -> socket.socket:
        """A TCP connection to the first address that accepts one; `seconds` are for all of them together.

        Raises:
            OSError: RefusedError, or why the last address that was tried did not answer.
        """
        addresses = self.addresses(host, port)
        deadline = time.monotonic() + seconds
        failure: OSError = TimeoutError(f"{host} does not answer")
        for address in addresses:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            try:
                return socket.create_connection((address, port), timeout=left)
            except OSError as error:
                failure = error
        raise failure


INTERNET = Targets()
NOWHERE = Targets(ports=frozenset())
"""For a sandbox that is to run stand-ins also where registries answer."""
