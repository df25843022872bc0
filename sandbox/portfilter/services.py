"""What a rule says of protocol and ports, read from the form in which the API keeps it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.portfilter.macros import MACROS
from sandbox.portfilter.protocols import (
    ICMP,
    ICMPV6,
    WITH_PORTS,
    IcmpType,
    Ports,
    icmp_type,
    protocol_number,
    read_ports,
)

T = TypeVar("T")
FIELDS = ("proto", "dport", "sport", "icmp-type")


class ServiceError(Exception):
    """A rule names something that the sandbox cannot enforce.

    Attributes:
        field: the property of the rule.
    """

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class Service:
    """A protocol with the ports or the type that a rule is about.

    Attributes:
        protocol: its number; None is every protocol.
        to_ports: destination ports; none are all.
        from_ports: source ports; none are all.
        icmp: the type of ICMP; None is every type.
    """

    protocol: int | None = None
    to_ports: Ports = ()
    from_ports: Ports = ()
    icmp: IcmpType | None = None


def services_of(rule: Mapping[str, Any]) -> tuple[Service, ...]:
    """The services of a rule; it takes a packet that fits one of them.

    Raises:
        ServiceError: the sandbox cannot tell what the rule takes.
    """
    macro = rule.get("macro")
    if macro is None:
        return (_service(rule),)
    if macro not in MACROS:
        raise ServiceError(
            "macro", f"the sandbox knows no macro '{macro}'; give its protocol and ports instead"
        )
    own = next((field for field in FIELDS if field in rule), None)
    if own is not None:
        raise ServiceError(own, f"the macro '{macro}' has its own protocol and ports")
    return tuple(_service(entry) for entry in MACROS[macro])


def _service(rule: Mapping[str, Any]) -> Service:
    protocol = _read("proto", rule, protocol_number)
    if protocol in (ICMP, ICMPV6):
        return _icmp_service(protocol, rule)
    if "icmp-type" in rule:
        raise ServiceError("icmp-type", "only the protocols icmp and icmpv6 have types")
    for field in ("dport", "sport"):
        if field in rule and protocol not in WITH_PORTS:
            raise ServiceError(field, f"the protocol '{rule.get('proto', '')}' has no ports")
    return Service(
        protocol=protocol,
        to_ports=_read("dport", rule, read_ports) or (),
        from_ports=_read("sport", rule, read_ports) or (),
    )


def _icmp_service(protocol: int, rule: Mapping[str, Any]) -> Service:
    """A type of ICMP, which Proxmox VE takes from `dport` as well."""
    if "sport" in rule:
        raise ServiceError("sport", f"the protocol '{rule['proto']}' has no ports")
    if "dport" in rule and "icmp-type" in rule:
        raise ServiceError("dport", "an ICMP rule has one type")
    field = "icmp-type" if "icmp-type" in rule else "dport"
    return Service(protocol=protocol, icmp=_read(field, rule, lambda text: icmp_type(text, protocol)))


def _read(field: str, rule: Mapping[str, Any], read: Callable[[str], T]) -> T | None:
    """A property of a rule, read; None where the rule lacks it."""
    if field not in rule:
        return None
    try:
        return read(str(rule[field]))
    except ValueError as error:
        raise ServiceError(field, str(error)) from None
