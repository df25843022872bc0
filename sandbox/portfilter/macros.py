"""The macros of Proxmox VE that the sandbox knows (pve-docs, appendix "Firewall Macro Definitions").

Those that labs use, as text that rules have: protocol, ports there, ports here or ICMP type. A rule with
another macro is refused at the API, because it could not be enforced.
"""

from collections.abc import Mapping

MACROS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "BGP": ({"proto": "tcp", "dport": "179"},),
    "DHCPfwd": ({"proto": "udp", "dport": "67:68", "sport": "67:68"},),
    "DHCPv6": ({"proto": "udp", "dport": "546:547", "sport": "546:547"},),
    "DNS": ({"proto": "udp", "dport": "53"}, {"proto": "tcp", "dport": "53"}),
    "FTP": ({"proto": "tcp", "dport": "21"},),
    "Git": ({"proto": "tcp", "dport": "9418"},),
    "HTTP": ({"proto": "tcp", "dport": "80"},),
    "HTTPS": ({"proto": "tcp", "dport": "443"},),
    "IMAP": ({"proto": "tcp", "dport": "143"},),
    "IMAPS": ({"proto": "tcp", "dport": "993"},),
    "LDAP": ({"proto": "tcp", "dport": "389"},),
    "LDAPS": ({"proto": "tcp", "dport": "636"},),
    "MDNS": ({"proto": "udp", "dport": "5353"},),
    "Mail": tuple({"proto": "tcp", "dport": port} for port in ("25", "465", "587")),
    "MySQL": ({"proto": "tcp", "dport": "3306"},),
    "NTP": ({"proto": "udp", "dport": "123"},),
    "NeighborDiscovery": tuple(
        {"proto": "icmpv6", "icmp-type": kind}
        for kind in (
            "router-solicitation",
            "router-advertisement",
            "neighbor-solicitation",
            "neighbor-advertisement",
        )
    ),
    "OpenVPN": ({"proto": "udp", "dport": "1194"},),
    "POP3": ({"proto": "tcp", "dport": "110"},),
    "POP3S": ({"proto": "tcp", "dport": "995"},),
    "Ping": (
        {"proto": "icmp", "icmp-type": "echo-request"},
        {"proto": "icmpv6", "icmp-type": "echo-request"},
    ),
    "PostgreSQL": ({"proto": "tcp", "dport": "5432"},),
    "RDP": ({"proto": "tcp", "dport": "3389"},),
    "Rsync": ({"proto": "tcp", "dport": "873"},),
    "SMB": (
        {"proto": "udp", "dport": "135,445"},
        {"proto": "udp", "dport": "137:139"},
        {"proto": "udp", "dport": "1024:65535", "sport": "137"},
        {"proto": "tcp", "dport": "135,139,445"},
    ),
    "SMTP": ({"proto": "tcp", "dport": "25"},),
    "SMTPS": ({"proto": "tcp", "dport": "465"},),
    "SSH": ({"proto": "tcp", "dport": "22"},),
    "Submission": ({"proto": "tcp", "dport": "587"},),
    "Syslog": ({"proto": "udp", "dport": "514"}, {"proto": "tcp", "dport": "514"}),
    "Telnet": ({"proto": "tcp", "dport": "23"},),
    "Web": ({"proto": "tcp", "dport": "80"}, {"proto": "tcp", "dport": "443"}),
}
