"""A packet, with what conntrack knows of its connection."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

Address = IPv4Address | IPv6Address
State = Literal["new", "established", "related", "invalid", "untracked"]

PROTOCOLS = {
    "icmp": 1,
    "igmp": 2,
    "tcp": 6,
    "udp": 17,
    "dccp": 33,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "ipv6-icmp": 58,
    "icmpv6": 58,
    "sctp": 132,
    "udplite": 136,
}
"""IANA's numbers, under the names that nft knows."""
WITH_PORTS = frozenset(PROTOCOLS[name] for name in ("tcp", "udp", "dccp", "sctp", "udplite"))
"""Those whose header starts with the source port and the destination port."""


@dataclass(frozen=True, kw_only=True)
class Packet:
    """One packet where routing has decided, with the addresses that it has in the hook that is asked.

    A hook does not see what is not known yet: there is no outgoing interface in prerouting and
    input, no incoming one in output, and no translated destination before destination NAT.

    Raises:
        ValueError: the parts do not make a packet.
    """

    source: Address
    destination: Address
    protocol: str | int
    """A name of `PROTOCOLS`, or a number."""
    source_port: int | None = None
    destination_port: int | None = None
    in_interface: str = ""
    out_interface: str = ""
    ct_state: State = "new"
    """Neighbour discovery and multicast listener messages are `untracked`."""
    reply: bool = False
    """Whether it goes from the connection's responder to its originator."""
    original_destination: Address | None = None
    """Whom the originator addressed; None: nothing was translated."""
    original_destination_port: int | None = None
    mark: int = 0
    icmp_type: int | None = None

    def __post_init__(self) -> None:
        if type(self.source) is not type(self.destination):
            raise ValueError(f"{self.source} and {self.destination} are not of one family")
        if isinstance(self.protocol, str) and self.protocol not in PROTOCOLS:
            raise ValueError(f'protocol "{self.protocol}" is not one of {", ".join(PROTOCOLS)}')
        ports = (self.source_port, self.destination_port)
        if any((port is not None) != (self.number in WITH_PORTS) for port in ports):
            raise ValueError(f"protocol {self.protocol} with ports {ports[0]} and {ports[1]}")
        if self.number not in WITH_PORTS and self.original_destination_port is not None:
            raise ValueError(f"protocol {self.protocol} with an original port")
        icmp = PROTOCOLS["icmp"] if self.family == "ip" else PROTOCOLS["icmpv6"]
        if (self.icmp_type is not None) != (self.number == icmp):
            raise ValueError(f"protocol {self.protocol} of {self.family} with ICMP type {self.icmp_type}")

    @property
    def family(self) -> Literal["ip", "ip6"]:
        """The network protocol, as nft writes it."""
        return "ip" if isinstance(self.source, IPv4Address) else "ip6"

    @property
    def number(self) -> int:
        """The number of the transport protocol."""
        return PROTOCOLS[self.protocol] if isinstance(self.protocol, str) else self.protocol

    @property
    def original(self) -> tuple[Address, int | None]:
        """Address and port that the originator of the connection addressed."""
        address, port = self._responder
        return (
            address if self.original_destination is None else self.original_destination,
            port if self.original_destination_port is None else self.original_destination_port,
        )

    @property
    def translated(self) -> bool:
        """Whether the destination of the connection was translated (DNAT)."""
        return self.original != self._responder

    @property
    def _responder(self) -> tuple[Address, int | None]:
        return (self.source, self.source_port) if self.reply else (self.destination, self.destination_port)
