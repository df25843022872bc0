"""The rules of a file: checked, their references resolved and their groups expanded in place."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lab.simulate.proxmox.addresses import Addresses
from lab.simulate.proxmox.icmp import read_icmp_type
from lab.simulate.proxmox.macros import MACROS, Service
from lab.simulate.proxmox.packet import Action
from lab.simulate.proxmox.protocols import ICMP, ICMPV6, WITH_PORTS, read_ports, read_protocol
from lab.simulate.proxmox.reading import Reading
from lab.simulate.proxmox.rule import Rule
from lab.simulate.proxmox.rule_text import RuleText, is_disabled, split_rule
from lab.simulate.proxmox.scope import Scope
from lab.simulate.proxmox.sections import Document, Line

_ACTIONS: Mapping[str, Action] = {"ACCEPT": "ACCEPT", "DROP": "DROP", "REJECT": "REJECT"}
_REPAIR = "correct the rule, or remove it"

Groups = Mapping[str, Sequence[Rule]]


@dataclass(frozen=True, kw_only=True)
class RuleReader:
    """Reads the rules of one file, or of one group of it."""

    scope: Scope
    reading: Reading
    groups: Groups = field(default_factory=dict)
    allows_interface: Callable[[str], bool] = lambda name: True
    """Whether a rule may name this interface."""

    def read(self, where: str, lines: Iterable[Line]) -> tuple[Rule, ...]:
        """The rules that count, in order; `where` is the file, or the group with its file."""
        found: list[Rule] = []
        for number, line in enumerate(lines, start=1):
            if not is_disabled(line.text):
                found += self._rule(f"{where} rule {number}", line.text)
        return tuple(found)

    def _rule(self, where: str, text: str) -> Sequence[Rule]:
        try:
            parts = split_rule(text)
            interface = parts.options.get("iface", "")
            if interface and not self.allows_interface(interface):
                raise ValueError(f"no rule at this place can name interface {interface}")
            if parts.kind == "group":
                return self._included(where, parts, interface)
            if parts.kind == "forward":
                self._ignore(where, parts, "rules of direction FORWARD have no effect without `nftables: 1`")
                return ()
            return self._resolved(where, parts, interface)
        except ValueError as error:
            self.reading.refuse(where, f'"{text}" cannot be evaluated: {error}', _REPAIR)
            return ()

    def _included(self, where: str, parts: RuleText, interface: str) -> Sequence[Rule]:
        group = self.groups.get(parts.action.lower())
        if group is None:
            raise ValueError(f"there is no group {parts.action} in cluster.fw, or groups cannot be used here")
        return [
            replace(rule, where=f"{rule.where} (included by {where})", interface=interface) for rule in group
        ]

    def _resolved(self, where: str, parts: RuleText, interface: str) -> Sequence[Rule]:
        if parts.action not in _ACTIONS:
            raise ValueError(f"{parts.action} is not an action; write ACCEPT, DROP or REJECT")
        options = parts.options
        if "proto" not in options and not parts.macro and ("dport" in options or "sport" in options):
            self._ignore(where, parts, "ports without a protocol: Proxmox VE skips the rule")
            return ()
        places: dict[str, Addresses] = {}
        for end in ("source", "dest"):
            if end in options:
                place = self.scope.addresses(options[end])
                if place is None:
                    self._ignore(where, parts, f"{options[end]} does not exist: Proxmox VE skips the rule")
                    return ()
                places[end] = place
        return [
            Rule(
                where=where,
                text=parts.text,
                direction="in" if parts.kind == "in" else "out",
                action=_ACTIONS[parts.action],
                services=_services(parts),
                source=places.get("source"),
                destination=places.get("dest"),
                interface=interface,
            )
        ]

    def _ignore(self, where: str, parts: RuleText, because: str) -> None:
        self.reading.ignore(where, f'"{parts.text}" has no effect; {because}', _REPAIR)


def read_groups(document: Document, scope: Scope, reading: Reading) -> Groups:
    """The security groups of the cluster; their rules name no interface, the rule that includes them may."""
    reader = RuleReader(scope=scope, reading=reading, allows_interface=lambda name: False)
    return {
        section.name: reader.read(f"{document.name} group {section.name}", section.lines)
        for section in document.named("group")
    }


def _services(parts: RuleText) -> tuple[Service, ...]:
    """The protocols and ports that a rule asks for.

    Raises:
        ValueError: they do not fit together, or a macro is not known here.
    """
    options = parts.options
    if parts.macro:
        if parts.macro not in MACROS:
            raise ValueError(f"macro {parts.macro} is not known here; known are {', '.join(MACROS)}")
        if options.keys() & {"proto", "dport", "sport", "icmp-type"}:
            raise ValueError("a macro with a protocol or ports beside it is not known here")
        return MACROS[parts.macro]
    protocol = read_protocol(options["proto"]) if "proto" in options else None
    if protocol in (ICMP, ICMPV6):
        return (_icmp_service(protocol, options),)
    if "icmp-type" in options:
        raise ValueError("icmp-type needs -p icmp or -p icmpv6")
    if protocol not in WITH_PORTS and ("dport" in options or "sport" in options):
        raise ValueError(f"protocol {options['proto']} has no ports")
    to_ports, from_ports = (
        read_ports(options[name]) if name in options else () for name in ("dport", "sport")
    )
    return (Service(protocol, to_ports, from_ports),)


def _icmp_service(protocol: int, options: Mapping[str, str]) -> Service:
    """An ICMP type, which Proxmox VE also takes from `-dport`."""
    if "sport" in options or {"dport", "icmp-type"} <= options.keys():
        raise ValueError("an ICMP rule has one type, by -icmp-type or by -dport, and no -sport")
    kind = options.get("icmp-type", options.get("dport"))
    return Service(protocol, icmp=read_icmp_type(kind, protocol) if kind is not None else None)
