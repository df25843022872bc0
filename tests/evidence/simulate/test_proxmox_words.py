"""The words of Proxmox rules: what macros, ICMP types and protocols stand for."""

import pytest

from lab.simulate.proxmox.icmp import CRITICAL, IcmpType, read_icmp_type
from lab.simulate.proxmox.macros import MACROS, Service
from lab.simulate.proxmox.protocols import ICMP, ICMPV6, read_protocol

# Protocol, destination ports, source ports; or protocol and ICMP type: the tables of pve-docs.
DOCUMENTED = {
    "DHCPfwd": "udp 67:68 67:68",
    "DHCPv6": "udp 546:547 546:547",
    "DNS": "udp 53, tcp 53",
    "HTTP": "tcp 80",
    "HTTPS": "tcp 443",
    "IMAP": "tcp 143",
    "IMAPS": "tcp 993",
    "LDAP": "tcp 389",
    "LDAPS": "tcp 636",
    "Mail": "tcp 25, tcp 465, tcp 587",
    "MySQL": "tcp 3306",
    "NTP": "udp 123",
    "NeighborDiscovery": "icmpv6 133, icmpv6 134, icmpv6 135, icmpv6 136",
    "OpenVPN": "udp 1194",
    "Ping": "icmp 8, icmpv6 128",
    "PostgreSQL": "tcp 5432",
    "RDP": "tcp 3389",
    "SMB": "udp 135+445, udp 137:139, udp 1024:65535 137, tcp 135+139+445",
    "SMTP": "tcp 25",
    "SSH": "tcp 22",
    "Syslog": "udp 514, tcp 514",
    "Web": "tcp 80, tcp 443",
}


def written(service: Service) -> str:
    """A service in the notation of the table above."""
    name = {number: name for name, number in (("tcp", 6), ("udp", 17), ("icmp", ICMP), ("icmpv6", ICMPV6))}
    words = [name[service.protocol or 0]]
    for ranges in (service.destination_ports, service.source_ports):
        spans = [str(first) if first == last else f"{first}:{last}" for first, last in ranges]
        words += ["+".join(spans)] if spans else []
    if service.icmp is not None:
        assert service.icmp.code is None
        words.append(str(service.icmp.number))
    return " ".join(words)


def test_macros_are_those_of_the_documentation() -> None:
    """Each macro stands for the protocols and ports that Proxmox documents."""
    assert {name: ", ".join(map(written, services)) for name, services in MACROS.items()} == DOCUMENTED


@pytest.mark.parametrize(
    ("protocol", "names"),
    [
        (
            ICMP,
            "echo-reply=0 destination-unreachable=3 network-unreachable=3/0 host-unreachable=3/1"
            " protocol-unreachable=3/2 port-unreachable=3/3 fragmentation-needed=3/4 network-prohibited=3/9"
            " host-prohibited=3/10 communication-prohibited=3/13 source-quench=4 redirect=5 echo-request=8"
            " router-advertisement=9 router-solicitation=10 time-exceeded=11 ttl-zero-during-transit=11/0"
            " parameter-problem=12 timestamp-request=13 timestamp-reply=14",
        ),
        (
            ICMPV6,
            "destination-unreachable=1 no-route=1/0 communication-prohibited=1/1 address-unreachable=1/3"
            " port-unreachable=1/4 packet-too-big=2 time-exceeded=3 parameter-problem=4 echo-request=128"
            " echo-reply=129 router-solicitation=133 router-advertisement=134 neighbor-solicitation=135"
            " neighbour-solicitation=135 neighbor-advertisement=136 neighbour-advertisement=136 redirect=137",
        ),
    ],
)
def test_icmp_names_are_those_of_iana(protocol: int, names: str) -> None:
    """A name is the type, and where it says more the code, of IANA's registries."""
    for pair in names.split():
        name, _, number = pair.partition("=")
        assert read_icmp_type(name, protocol) == read_icmp_type(number, protocol)


def test_a_type_without_a_code_covers_every_code() -> None:
    """And a code covers only itself: not the type as a whole, of which the packet may be any."""
    assert read_icmp_type("255/255", ICMP) == IcmpType(255, 255)
    assert IcmpType(3).covers(IcmpType(3, 1))
    assert IcmpType(3).covers(IcmpType(3))
    assert not IcmpType(3, 1).covers(IcmpType(3))
    assert not IcmpType(3, 1).covers(IcmpType(4, 1))


def test_what_connections_break_without() -> None:
    """Path MTU discovery and expired packets, and for IPv6 what cannot be reached."""
    assert {
        ICMP: (IcmpType(3, 4), IcmpType(11)),
        ICMPV6: (IcmpType(1), IcmpType(3), IcmpType(2)),
    } == CRITICAL


def test_protocols_by_name_and_number() -> None:
    """The numbers are those of IANA."""
    names = "icmp=1 igmp=2 tcp=6 udp=17 dccp=33 gre=47 esp=50 ah=51 icmpv6=58 ipv6-icmp=58 ospf=89 vrrp=112"
    for pair in f"{names} sctp=132 udplite=136 TCP=6 0=0 255=255".split():
        name, _, number = pair.partition("=")
        assert read_protocol(name) == int(number)
