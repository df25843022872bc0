"""The packet filter that each device of a tailnet gets from a policy: who may open connections to it, on which ports.

Takes a policy that has passed `check_policy`. Rules are those of the control plane, inferred from captures: a device
gets only what leads to itself or to a route that it serves; tagged devices belong to no user; `*` as a source is the
tailnet's own addresses (without the range that ChromeOS uses) and every approved route; `via` narrows a grant to
the routers with that tag. Not compiled: capabilities (`app`), `ipset:`, service names, postures and roles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final

from sandbox.tailscale.rules import split_destination

TAILNET: Final = ("100.64.0.0-100.115.91.255", "100.115.94.0-100.127.255.255", "fd7a:115c:a1e0::/48")
EXIT_ROUTES: Final = frozenset({"0.0.0.0/0", "::/0"})
ALL_PORTS: Final = (0, 65535)
PROTOCOLS: Final = {
    "icmp": (1,), "igmp": (2,), "ipv4": (4,), "ip-in-ip": (4,), "tcp": (6,), "egp": (8,), "igp": (9,),
    "udp": (17,), "gre": (47,), "esp": (50,), "ah": (51,), "ipv6-icmp": (58,), "sctp": (132,),
}  # fmt: skip


class NotCompiled(Exception):
    """The policy uses something that is not compiled here; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device: its addresses, its owner's login name unless it is tagged, and the routes that are in force."""

    name: str
    addresses: tuple[str, ...]
    user: str = ""
    tags: frozenset[str] = frozenset()
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, order=True)
class Permission:
    """Packets that a device lets in; `protocols` empty means the usual ones (TCP, UDP, ICMP)."""

    source: str
    target: str
    ports: tuple[int, int]
    protocols: tuple[int, ...] = ()


def packet_filters(policy: Mapping[str, Any], devices: Iterable[Device]) -> dict[str, frozenset[Permission]]:
    """The permissions of every device, by its name; a device that lets nothing in has none.

    Raises:
        NotCompiled: the policy uses something that this compiler does not have.
    """
    compiler = _Compiler(policy, tuple(devices))
    return {device.name: frozenset(compiler.permissions(device)) for device in compiler.devices}


class _Compiler:
    def __init__(self, policy: Mapping[str, Any], devices: tuple[Device, ...]) -> None:
        self._policy = policy
        self._groups = policy.get("groups") or {}
        self._hosts = policy.get("hosts") or {}
        self.devices = devices

    def permissions(self, device: Device) -> Iterable[Permission]:
        """What one device lets in. A policy with neither section of rules lets everything in."""
        if self._policy.get("acls") is None and self._policy.get("grants") is None:
            every = {"src": ["*"]}
            yield from self._rule(device, every, "*", [(ALL_PORTS, ())])
        for rule in self._policy.get("acls") or []:
            protocols = _protocols(rule.get("proto"))
            for text in rule.get("dst") or []:
                target, ports = split_destination(text)
                yield from self._rule(device, rule, target, [(one, protocols) for one in _ports(ports)])
        for grant in self._policy.get("grants") or []:
            if grant.get("app") or grant.get("srcPosture"):
                raise NotCompiled("a grant with app or srcPosture")
            allowed = [one for text in grant.get("ip") or [] for one in _grant_ports(text)]
            via = frozenset(grant.get("via") or ())
            for target in grant.get("dst") or []:
                yield from self._rule(device, grant, target, allowed, via)

    def _rule(
        self,
        device: Device,
        rule: Mapping[str, Any],
        target: str,
        allowed: list[tuple[tuple[int, int], tuple[int, ...]]],
        via: frozenset[str] = frozenset(),
    ) -> Iterable[Permission]:
        if via and not via & device.tags:
            return
        own = target == "autogroup:self"
        if own and device.tags:
            return
        sources = {
            source
            for text in rule.get("src") or []
            for source in (self._own(text, device) if own else self._sources(text))
        }
        for address in self._targets(target, device, routed=bool(via)):
            for ports, protocols in allowed:
                for source in sources:
                    yield Permission(source=source, target=address, ports=ports, protocols=protocols)

    def _own(self, selector: str, device: Device) -> Iterable[str]:
        """Of a source, the devices of the same user."""
        named = self.devices if selector == "*" else self._named(selector) or ()
        for other in named:
            if not other.tags and other.user == device.user:
                yield from other.addresses

    def _sources(self, selector: str) -> Iterable[str]:
        if selector == "*":
            routes = {route for device in self.devices for route in device.routes} - EXIT_ROUTES
            return [*TAILNET, *routes]
        named = self._named(selector)
        if named is None:
            return [_short(self._hosts.get(selector, selector))]
        return [address for device in named for address in device.addresses]

    def _targets(self, selector: str, device: Device, *, routed: bool) -> Iterable[str]:
        """What a destination is to one device: `*`, its addresses, a prefix that it serves, or nothing."""
        if selector == "autogroup:internet":
            return []
        if selector == "*":
            return ["*"]
        if selector == "autogroup:self":
            return device.addresses
        named = self._named(selector)
        if named is not None:
            return device.addresses if device in named and not routed else []
        prefix = self._hosts.get(selector, selector)
        if _touches(prefix, device.routes) or (not routed and _touches(prefix, device.addresses)):
            return [_short(prefix)]
        return []

    def _named(self, selector: str) -> list[Device] | None:
        """The devices of a tag, user, group or autogroup; None where the selector is an address."""
        if selector.startswith("tag:"):
            return [device for device in self.devices if selector in device.tags]
        if selector.startswith("group:"):
            members = self._groups.get(selector) or []
            return [device for one in members for device in self._named(one) or []]
        if selector == "autogroup:tagged":
            return [device for device in self.devices if device.tags]
        if selector == "autogroup:member":
            return [device for device in self.devices if not device.tags]
        if selector.startswith(("autogroup:", "ipset:", "svc:", "user:")):
            raise NotCompiled(f"the selector {selector}")
        if "@" in selector:
            return [device for device in self.devices if device.user == selector and not device.tags]
        return None


def _short(prefix: str) -> str:
    """A single address without the length of its prefix."""
    address, slash, length = prefix.partition("/")
    whole = slash and ip_address(address).max_prefixlen == int(length)
    return address if whole else prefix


def _touches(prefix: str, others: Iterable[str]) -> bool:
    first, dash, last = prefix.partition("-")
    if dash:
        raise NotCompiled(f"the range of addresses {first}-{last} as a destination")
    mine = ip_network(prefix, strict=False)
    return any(_overlaps(mine, ip_network(one, strict=False)) for one in others if one not in EXIT_ROUTES)


def _overlaps(one: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _ports(text: str) -> list[tuple[int, int]]:
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.append(ALL_PORTS if part == "*" else (int(first), int(last or first)))
    return found


def _protocols(given: Any) -> tuple[int, ...]:
    text = str(given or "").lower()
    if not text:
        return ()
    return (int(text),) if text.isdecimal() else PROTOCOLS[text]


def _grant_ports(text: str) -> list[tuple[tuple[int, int], tuple[int, ...]]]:
    protocol, colon, ports = text.rpartition(":")
    return [(one, _protocols(protocol if colon else "")) for one in _ports(ports)]
