"""The macros of Proxmox VE that are known here (pve-docs, appendix "Firewall Macro Definitions").

The list is what home labs use; another macro is refused by name, never ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lab.simulate.proxmox.icmp import IcmpType, read_icmp_type
from lab.simulate.proxmox.protocols import PortRanges, in_ranges, read_ports, read_protocol


@dataclass(frozen=True)
class Service:
    """A protocol with the ports or the type that a rule asks for."""

    protocol: int | None = None
    """None is every protocol."""
    destination_ports: PortRanges = ()
    source_ports: PortRanges = ()
    icmp: IcmpType | None = None

    def takes(
        self, protocol: int, source: int | None, destination: int | None, icmp: IcmpType | None
    ) -> bool:
        """Whether a packet of these ports or this type is meant."""
        if self.protocol not in (None, protocol):
            return False
        if self.icmp is not None and (icmp is None or not self.icmp.covers(icmp)):
            return False
        return in_ranges(source, self.source_ports) and in_ranges(destination, self.destination_ports)


def _to(protocol: str, ports: str, source_ports: str = "") -> Service:
    return Service(
        read_protocol(protocol), read_ports(ports), read_ports(source_ports) if source_ports else ()
    )


def _icmp(protocol: str, kind: str) -> Service:
    number = read_protocol(protocol)
    return Service(number, icmp=read_icmp_type(kind, number))


MACROS: Mapping[str, tuple[Service, ...]] = {
    "DHCPfwd": (_to("udp", "67:68", "67:68"),),
    "DHCPv6": (_to("udp", "546:547", "546:547"),),
    "DNS": (_to("udp", "53"), _to("tcp", "53")),
    "HTTP": (_to("tcp", "80"),),
    "HTTPS": (_to("tcp", "443"),),
    "IMAP": (_to("tcp", "143"),),
    "IMAPS": (_to("tcp", "993"),),
    "LDAP": (_to("tcp", "389"),),
    "LDAPS": (_to("tcp", "636"),),
    "Mail": (_to("tcp", "25"), _to("tcp", "465"), _to("tcp", "587")),
    "MySQL": (_to("tcp", "3306"),),
    "NTP": (_to("udp", "123"),),
    "NeighborDiscovery": tuple(
        _icmp("icmpv6", kind)
        for kind in (
            "router-solicitation",
            "router-advertisement",
            "neighbor-solicitation",
            "neighbor-advertisement",
        )
    ),
    "OpenVPN": (_to("udp", "1194"),),
    "Ping": (_icmp("icmp", "echo-request"), _icmp("icmpv6", "echo-request")),
    "PostgreSQL": (_to("tcp", "5432"),),
    "RDP": (_to("tcp", "3389"),),
    "SMB": (
        _to("udp", "135,445"),
        _to("udp", "137:139"),
        _to("udp", "1024:65535", "137"),
        _to("tcp", "135,139,445"),
    ),
    "SMTP": (_to("tcp", "25"),),
    "SSH": (_to("tcp", "22"),),
    "Syslog": (_to("udp", "514"), _to("tcp", "514")),
    "Web": (_to("tcp", "80"), _to("tcp", "443")),
}
