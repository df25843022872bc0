"""What a guard lets through, asked one packet at a time."""

from collections.abc import Iterable
from ipaddress import IPv4Network

from lab.flows import Port
from lab.plan.records import ANYWHERE, GuardPlan, GuardRule

_SPECIAL = tuple(
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/3"),
    )
)


_UNWATCHED = GuardRule(way="out", because="it does not watch this network")


class GuardRules:
    """The rules of one guard, found by what they are about."""

    def __init__(self, guard: GuardPlan) -> None:
        self.guard = guard
        self._published = frozenset(guard.published)
        self._rules: dict[tuple[str, str], list[GuardRule]] = {}
        for rule in guard.rules:
            self._rules.setdefault((rule.way, rule.interface), []).append(rule)
        self._by_source: dict[tuple[str, str, str], list[GuardRule]] = {}
        self._wide: dict[tuple[str, str], list[GuardRule]] = {}
        for rule in guard.rules:
            if not rule.interface or not is_wide(rule.source):
                self._by_source.setdefault((rule.way, rule.interface, rule.source), []).append(rule)
            else:
                self._wide.setdefault((rule.way, rule.interface), []).append(rule)

    def accepts(
        self, way: str, interface: str, source: str, destination: str, port: Port | None
    ) -> GuardRule | None:
        """The rule that accepts a packet, if any does.

        Args:
            way: within, out, in or local.
            interface: the bridge by which it comes; empty for the world.
            source: its address; a subnet for somebody of whom only that is known; `internet`.
            destination: the same; the address that it had when it arrived.
            port: where to; None for a port that nobody declared, which only a rule for all ports accepts.
        """
        if interface and not self.watches(interface):
            # What a process of the host would accept for a container of ours it does not leave to that process.
            return None if way == "local" and (destination, port) in self._published else _UNWATCHED
        rules = self.of(way, interface, source) if interface else self._rules.get((way, ""), ())
        return next((r for r in rules if _meets(r, source, destination, port)), None)

    def of(self, way: str, interface: str, source: str) -> Iterable[GuardRule]:
        """Every rule about what one container sends by one bridge."""
        own = self._by_source.get((way, interface, source), ())
        wide = self._wide.get((way, interface), ())
        return [*own, *(rule for rule in wide if covers(rule.source, source))] if wide else own

    def watches(self, interface: str) -> bool:
        """Whether it knows a bridge; what the members of another send and are sent does not meet its rules."""
        return interface in self.guard.bridges


def _meets(rule: GuardRule, source: str, destination: str, port: Port | None) -> bool:
    return (
        covers(rule.source, source) and covers(rule.destination, destination) and port_covers(rule.port, port)
    )


def port_covers(rule: Port | None, port: Port | None) -> bool:
    """Whether a rule's port, None for all, holds another one; None there is one that nobody declared."""
    if rule is None:
        return True
    if port is None or rule.protocol != port.protocol:
        return False
    return rule.number <= port.number and (port.last or port.number) <= (rule.last or rule.number)


def covers(rule: str, text: str) -> bool:
    """Whether a rule's address, subnet, `internet` or empty text holds all of another one."""
    if rule in ("", text):
        return True
    if text in ("", ANYWHERE):
        return rule != ANYWHERE and text == ANYWHERE and _network(rule).prefixlen == 0
    network = _network(text)
    if rule == ANYWHERE:
        return not any(special.overlaps(network) for special in _SPECIAL)
    return network.subnet_of(_network(rule))


_parsed: dict[str, IPv4Network] = {}


def _network(text: str) -> IPv4Network:
    """Parsed once: a proof of a large lab asks for the same few again and again."""
    found = _parsed.get(text)
    if found is None:
        found = _parsed[text] = IPv4Network(text, strict=False)
    return found


def is_wide(text: str) -> bool:
    """Whether a rule's source is more than one address."""
    return text in ("", ANYWHERE) or "/" in text
