"""Protocols and ports of rules: what is understood, and what is refused before anybody relies on it."""

from typing import Any

import pytest

from sandbox.portfilter.macros import MACROS
from sandbox.portfilter.services import Service, ServiceError, services_of


@pytest.mark.parametrize(
    ("rule", "service"),
    [
        ({}, Service()),
        ({"proto": "tcp", "dport": "443"}, Service(protocol=6, to_ports=((443, 443),))),
        ({"proto": "TCP", "dport": "ssh"}, Service(protocol=6, to_ports=((22, 22),))),
        ({"proto": "17", "sport": "9,5:7,8"}, Service(protocol=17, from_ports=((5, 9),))),
        ({"proto": "tcp", "dport": "1:3,2:9,20"}, Service(protocol=6, to_ports=((1, 9), (20, 20)))),
        ({"proto": "gre"}, Service(protocol=47)),
        ({"proto": "icmp", "icmp-type": "host-unreachable"}, Service(protocol=1, icmp=(3, 1))),
        ({"proto": "icmp", "dport": "8"}, Service(protocol=1, icmp=(8, None))),
        ({"proto": "ipv6-icmp", "icmp-type": "1/4"}, Service(protocol=58, icmp=(1, 4))),
    ],
)
def test_a_rule_is_about_a_protocol_and_ports(rule: dict[str, Any], service: Service) -> None:
    """Numbers and names are the same, ports become ranges that do not overlap, ICMP has a type."""
    assert services_of(rule) == (service,)


def test_a_macro_is_several_services() -> None:
    """DNS is both protocols, and every macro that is known here can be read."""
    assert [service.protocol for service in services_of({"macro": "DNS"})] == [17, 6]
    assert all(services_of({"macro": name}) for name in MACROS)


@pytest.mark.parametrize(
    ("rule", "field", "text"),
    [
        (
            {"macro": "Ceph"},
            "macro",
            "the sandbox knows no macro 'Ceph'; give its protocol and ports instead",
        ),
        ({"macro": "SSH", "dport": "1"}, "dport", "the macro 'SSH' has its own protocol and ports"),
        ({"proto": "wonder"}, "proto", "the sandbox knows no protocol 'wonder'; give its number"),
        ({"proto": "256"}, "proto", "the sandbox knows no protocol '256'; give its number"),
        (
            {"proto": "tcp", "dport": "gopher"},
            "dport",
            "the sandbox knows no service 'gopher'; give its port",
        ),
        ({"proto": "tcp", "sport": "70000"}, "sport", "invalid port range '70000'"),
        ({"proto": "gre", "dport": "1"}, "dport", "the protocol 'gre' has no ports"),
        ({"proto": "icmp", "sport": "1"}, "sport", "the protocol 'icmp' has no ports"),
        ({"proto": "icmp", "dport": "8", "icmp-type": "0"}, "dport", "an ICMP rule has one type"),
        (
            {"proto": "icmp", "icmp-type": "x"},
            "icmp-type",
            "the sandbox knows no ICMP type 'x'; give its number",
        ),
        ({"proto": "tcp", "icmp-type": "8"}, "icmp-type", "only the protocols icmp and icmpv6 have types"),
    ],
)
def test_what_cannot_be_enforced_is_refused(rule: dict[str, Any], field: str, text: str) -> None:
    """With the property and a sentence, which the API answers."""
    with pytest.raises(ServiceError) as refused:
        services_of(rule)
    assert (refused.value.field, str(refused.value)) == (field, text)
