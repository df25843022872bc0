"""What is asked and what is answered: a packet between two zones, and a verdict with its reason."""

from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address
from typing import Literal

from lab.simulate.proxmox.addresses import Address
from lab.simulate.proxmox.icmp import IcmpType, read_icmp_type
from lab.simulate.proxmox.protocols import ICMP, ICMPV6, read_protocol

Action = Literal["ACCEPT", "DROP", "REJECT"]
Direction = Literal["in", "out"]
AddressType = Literal["UNICAST", "MULTICAST", "BROADCAST", "ANYCAST"]

_EVERY_MACHINE = IPv4Address("255.255.255.255")


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection, or one of a known connection.

    A zone is `host`; `outside`, the wire of bridge vmbr0, or `vmbr1/eth1`, the wire of another; `nfvm`,
    a guest on vmbr0 that no firewall knows; `vm100` or `ct200`, the first NIC of a guest; `vm100i1`, its
    NIC net1.

    Raises:
        ValueError: the protocol or the ICMP type is unknown, or the addresses are of two families.
    """

    from_zone: str
    to_zone: str
    source: Address
    destination: Address
    protocol: str = "tcp"
    """A name or a number."""
    source_port: int | None = None
    """None is a port that no rule names."""
    destination_port: int | None = None
    """None is a port that no rule names."""
    icmp_type: str = ""
    """A type, `8`, a type with its code, `3/1`, or a name; empty is one that no rule names."""
    destination_type: AddressType | None = None
    """What the kernel's routes say of the destination; None takes what the address itself says."""
    source_mac: str = ""
    """Empty is the address of the sending NIC."""
    established: bool = False
    """Whether it belongs to a connection that passed before."""
    host_interface: str = ""
    """Where the host sends or receives it; empty is the bridge of the other zone."""

    def __post_init__(self) -> None:
        if self.source.version != self.destination.version:
            raise ValueError(f"{self.source} and {self.destination} are addresses of two families")
        # Read now, so that a word that nobody knows is found where it was written.
        _ = self.protocol_number, self.icmp

    @cached_property
    def protocol_number(self) -> int:
        """The number of the protocol as IANA gave it."""
        return read_protocol(self.protocol)

    @cached_property
    def icmp(self) -> IcmpType | None:
        """The type of an ICMP packet, where one is given."""
        return read_icmp_type(self.icmp_type, self.protocol_number) if self.icmp_type else None

    @property
    def is_icmp(self) -> bool:
        """Whether it is of ICMP, of either family."""
        return self.protocol_number in (ICMP, ICMPV6)

    @property
    def sent_to(self) -> AddressType:
        """The type of the destination, as given or by its address."""
        if self.destination_type is not None:
            return self.destination_type
        if self.destination.is_multicast:
            return "MULTICAST"
        return "BROADCAST" if self.destination == _EVERY_MACHINE else "UNICAST"


@dataclass(frozen=True)
class Decision:
    """What becomes of a packet."""

    action: Action
    reason: str
    """What decided: a rule with its file, a policy, a flag that is missing; for ACCEPT at every leg."""
