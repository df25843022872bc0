"""The vocabulary of who may talk to whom: endpoints, ports and flows.

An endpoint is anything that can be the source or target of a packet, written
`kind:name`, with a port where it is a target: `service:media/jellyfin:8096`,
`vlan:iot`, `device:tv`, `internet`, `operator`. This module knows the words and
nothing of any lab, so that an evaluator of rendered artefacts may share it.
"""

import re
from dataclasses import dataclass
from typing import Literal

Protocol = Literal["tcp", "udp"]

NAMED_KINDS = ("service", "guest", "node", "device", "vlan", "tailnet", "set", "stack")
SINGLE_KINDS = ("internet", "operator", "nodes", "guests", "tailnet", "ingress")

_PORT = re.compile(r"^(?P<first>[0-9]{1,5})(-(?P<last>[0-9]{1,5}))?(/(?P<protocol>tcp|udp))?$")
_MAX_PORT = 65535
_NAMES = {"service": "STACK/SERVICE"}


@dataclass(frozen=True, order=True)
class Port:
    """A port, or a range of ports, of one protocol."""

    number: int
    protocol: Protocol = "tcp"
    last: int = 0
    """The end of a range; 0 for a single port."""

    @classmethod
    def parse(cls, text: str | int) -> "Port":
        """Read `443`, `1900/udp` or `47998-48000/udp`.

        Raises:
            ValueError: the text is not a port from 1 to 65535.
        """
        match = _PORT.match(str(text))
        if match is None:
            raise ValueError(f'"{text}" is not a port; write 443, 1900/udp or 8000-8010')
        first, last = int(match["first"]), int(match["last"] or 0)
        if not 1 <= first <= _MAX_PORT or last > _MAX_PORT:
            raise ValueError(f"{text} is not a port; write a number from 1 to {_MAX_PORT}")
        if match["last"] and last <= first:
            raise ValueError(f"{text} is not a range; write the lower port first")
        return cls(first, "udp" if match["protocol"] == "udp" else "tcp", last)

    def __str__(self) -> str:
        span = f"-{self.last}" if self.last else ""
        return f"{self.number}{span}/{self.protocol}"


@dataclass(frozen=True, order=True)
class Endpoint:
    """One source or target of packets."""

    kind: str
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """Read an endpoint without a port.

        Raises:
            ValueError: the kind is unknown, or a name is missing or too much.
        """
        kind, _, name = text.partition(":")
        if name and kind in NAMED_KINDS:
            if kind == "service" and name.count("/") != 1:
                raise ValueError(f'"{text}" needs a stack and a service; write service:STACK/SERVICE')
            return cls(kind, name)
        if not name and kind in SINGLE_KINDS:
            return cls(kind)
        known = ", ".join([*SINGLE_KINDS, *(f"{kind}:{_NAMES.get(kind, 'NAME')}" for kind in NAMED_KINDS)])
        raise ValueError(f'"{text}" is not an endpoint; write one of: {known}')

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


@dataclass(frozen=True)
class Target:
    """An endpoint with the port that is meant; without one, every port."""

    endpoint: Endpoint
    port: Port | None = None

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read `service:media/jellyfin:8096`, `guest:wazuh:1514/udp` or `vlan:iot`.

        Raises:
            ValueError: see `Endpoint.parse` and `Port.parse`.
        """
        head, _, tail = text.rpartition(":")
        if head and _PORT.match(tail):
            return cls(Endpoint.parse(head), Port.parse(tail))
        return cls(Endpoint.parse(text))

    def __str__(self) -> str:
        return f"{self.endpoint}:{self.port}" if self.port else str(self.endpoint)


Origin = Literal["declared", "needs", "route", "derived"]


@dataclass(frozen=True)
class Flow:
    """A permission: from, to, and the reason why it exists."""

    source: Endpoint
    target: Target
    because: str
    origin: Origin = "declared"
    """Whether a person wrote it, or which part of the declaration it follows from."""

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"
