"""From what is filtered to rules of nftables: one chain per port and direction, named as on Proxmox VE.

Ports can be told apart only where frames are bridged, and known connections only where packets are routed; bridge
netfilter (`br_netfilter`) passes bridged packets through both. So the packet filter of IP writes into the mark what
it knows of a packet, the bridge's one decides, and what shall be answered goes back to the first, which can. The
mark of a packet is the fabric's own: the kernel clears it on the way in and out.

A packet passes the chain of the port that it comes from, where `return` accepts, then that of the port it goes to.
"""

from collections.abc import Iterable, Iterator

from sandbox.fabric.port_rules import BRIDGE_TABLE, IP_TABLE
from sandbox.fabric.segments import segment_mark
from sandbox.portfilter.addresses import Spans, families, of_family
from sandbox.portfilter.model import Action, Direction, FilterRule, Filters, GuestFilter, PortFilter
from sandbox.portfilter.protocols import ICMP, ICMPV6, TCP, UDP, Ports
from sandbox.portfilter.services import Service

_INVALID, _KNOWN, _REFUSED = 1, 2, 3
_FAMILY = {4: "ip", 6: "ip6"}
_ICMP_FAMILY = {ICMP: 4, ICMPV6: 6}
_VERDICTS: dict[tuple[Direction, Action], str] = {
    ("in", "ACCEPT"): "accept",
    ("out", "ACCEPT"): "return",
    ("in", "DROP"): "drop",
    ("out", "DROP"): "drop",
    ("in", "REJECT"): "goto refuse",
    ("out", "REJECT"): "goto refuse",
}
_POLICIES: dict[Action, str] = {"DROP": "goto policy-drop", "REJECT": "goto policy-reject"}


def rules_text(filters: Filters) -> str:
    """The definitions of both tables; empty where nothing is filtered."""
    if not filters.enabled:
        return ""
    return "\n".join([*_ip_table(filters.ports), *_bridge_table(filters), ""])


def _ip_table(ports: tuple[PortFilter, ...]) -> Iterator[str]:
    segments = sorted({port.segment for port in ports})
    marks = ", ".join(f'"{segment}" : {segment_mark(segment):#x}' for segment in segments)
    yield f"table {IP_TABLE} {{"
    yield from _chain(
        "prerouting",
        "type filter hook prerouting priority filter; policy accept;",
        f"ct state invalid meta mark set {_INVALID}",
        f"ct state established,related meta mark set {_KNOWN}",
    )
    yield from _chain(
        "forward",
        "type filter hook forward priority filter; policy accept;",
        f"meta mark {_REFUSED} goto answer",
    )
    yield from _chain(
        "answer",
        # An answer leaves through the segment that its mark names (`fabric.segments`).
        *([f"meta mark set iifname map {{ {marks} }}"] if segments else []),
        "meta l4proto tcp reject with tcp reset",
        "meta l4proto udp reject with icmpx port-unreachable",
        "reject with icmpx admin-prohibited",
    )
    yield "}"


def _bridge_table(filters: Filters) -> Iterator[str]:
    yield f"table {BRIDGE_TABLE} {{"
    yield from _chain(
        "forward",
        # Before bridge netfilter's own hook, so that what is marked here is seen there.
        "type filter hook forward priority filter; policy accept;",
        # A tag would hide a packet from bridge netfilter; here each VLAN is a bridge, and frames carry none.
        "ether type { 8021q, 8021ad } drop",
        "ether type != { ip, ip6 } accept",
        f"meta mark {_INVALID} drop",
        f"meta mark {_KNOWN} accept",
        *_jumps("iifname", "OUT", [port for port in filters.ports if port.guest is not None]),
        *_jumps("oifname", "IN", filters.ports),
    )
    yield from _chain(
        "refuse",
        # Nobody is answered who sent to many, or with ICMP; such a packet is dropped.
        "meta pkttype { broadcast, multicast } drop",
        "ip saddr 224.0.0.0/4 drop",
        "meta l4proto { icmp, ipv6-icmp } drop",
        f"meta mark set {_REFUSED} accept",
    )
    yield from _chain("policy-drop", *_BEFORE_POLICY, "drop")
    yield from _chain("policy-reject", *_BEFORE_POLICY, *_QUIET, "goto refuse")
    for port in filters.ports:
        if port.guest is not None:
            yield from _chain(f"{port.port}-OUT", *_outgoing(port.guest))
        yield from _chain(f"{port.port}-IN", *_incoming(port, filters.blacklist))
    yield "}"


_BEFORE_POLICY = (
    "meta pkttype { broadcast, multicast } drop",
    "ip daddr 224.0.0.0/4 drop",
    # Connections break without these.
    "icmp type 3 icmp code 4 accept",
    "icmp type 11 accept",
    "icmpv6 type { 1, 2, 3 } accept",
)
_QUIET = (
    # As Proxmox VE does: Windows' discovery is answered, other discovery and stray packets are not.
    "udp dport { 135, 137-139, 445 } goto refuse",
    "udp sport 137 udp dport 1024-65535 goto refuse",
    "tcp dport { 135, 139, 445 } goto refuse",
    "udp dport 1900 drop",
    "tcp flags & (fin | syn | rst | ack) != syn drop",
    "udp sport 53 drop",
)


def _chain(name: str, *lines: str) -> Iterator[str]:
    yield f"  chain {name} {{"
    yield from (f"    {line}" for line in lines)
    yield "  }"


def _jumps(side: str, direction: str, ports: Iterable[PortFilter]) -> Iterator[str]:
    """Compared one by one: a packet that is under way while the tables are replaced finds a verdict map empty, and
    would pass (seen on Linux 6.18, under load)."""
    yield from (f'{side} "{port.port}" jump {port.port}-{direction}' for port in ports)


def _outgoing(guest: GuestFilter) -> Iterator[str]:
    if guest.dhcp:
        yield "ether type ip udp sport 68 udp dport 67 return"
        yield "ether type ip6 udp sport 546-547 udp dport 546-547 return"
    if guest.macfilter:
        yield f"ether saddr != {guest.mac} drop"
    if not guest.radv:
        yield "icmpv6 type 134 drop"
    if guest.own_addresses is not None:
        for version, word in _FAMILY.items():
            own = of_family(guest.own_addresses, version)
            yield f"{word} saddr != {_spans(own)} drop" if own else f"ether type {word} drop"
    if guest.ndp:
        yield "icmpv6 type { 133, 134, 135, 136 } return"
    for rule in guest.rules:
        if rule.direction == "out":
            yield from _rule(rule)
    yield _POLICIES.get(guest.policy_out, "return")


def _incoming(port: PortFilter, blacklist: Spans) -> Iterator[str]:
    for version, word in _FAMILY.items():
        if listed := of_family(blacklist, version):
            yield f"{word} saddr {_spans(listed)} drop"
    if port.nosmurfs:
        yield "ip saddr { 224.0.0.0/4, 255.255.255.255 } drop"
    guest = port.guest
    if guest is None:
        return
    if guest.dhcp:
        yield "ether type ip udp sport 67 udp dport 68 accept"
        yield "ether type ip6 udp sport 546-547 udp dport 546-547 accept"
    if guest.ndp:
        yield "icmpv6 type { 133, 134, 135, 136 } accept"
    for rule in guest.rules:
        if rule.direction == "in":
            yield from _rule(rule)
    yield _POLICIES.get(guest.policy_in, "accept")


def _rule(rule: FilterRule) -> Iterator[str]:
    verdict = f'{_VERDICTS[rule.direction, rule.action]} comment "{rule.where}"'
    for service in rule.services:
        only = _ICMP_FAMILY.get(service.protocol or 0)
        if only is None and rule.sources is None and rule.targets is None:
            yield " ".join([*_service(service), verdict])
            continue
        for version in families(rule.sources, rule.targets):
            if only in (None, version):
                yield " ".join([*_addresses(rule, version), *_service(service), verdict])


def _addresses(rule: FilterRule, version: int) -> list[str]:
    """What a rule says of the addresses of one family, or that a packet is of this family."""
    ends = {"saddr": rule.sources, "daddr": rule.targets}
    word = _FAMILY[version]
    found = [
        f"{word} {end} {_spans(of_family(spans, version))}"
        for end, spans in ends.items()
        if spans is not None
    ]
    return found or [f"ether type {word}"]


def _service(service: Service) -> Iterator[str]:
    if service.protocol is None:
        return
    name = {ICMP: "icmp", ICMPV6: "icmpv6", TCP: "tcp", UDP: "udp"}.get(service.protocol)
    if service.icmp is not None:
        kind, code = service.icmp
        yield f"{name} type {kind}" + (f" {name} code {code}" if code is not None else "")
        return
    header = name if name is not None and (service.to_ports or service.from_ports) else None
    if header is None:
        yield f"meta l4proto {service.protocol}"
    for key, ports in (("sport", service.from_ports), ("dport", service.to_ports)):
        if ports:
            yield f"{header or 'th'} {key} {_ports(ports)}"


def _spans(spans: Spans) -> str:
    return _set(str(span) for span in spans)


def _ports(ports: Ports) -> str:
    return _set(str(first) if first == last else f"{first}-{last}" for first, last in ports)


def _set(members: Iterable[str]) -> str:
    found = list(members)
    return found[0] if len(found) == 1 else f"{{ {', '.join(found)} }}"
