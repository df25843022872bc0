"""The names that rules may use: the aliases and IP sets of the cluster, and those of a guest before them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.simulate.proxmox.addresses import (
    Addresses,
    IpSet,
    Network,
    SetEntry,
    Spans,
    network_span,
    read_list,
    read_network,
)
from lab.simulate.proxmox.reading import Reading
from lab.simulate.proxmox.sections import Document, Section

LOCAL_NETWORK, MANAGEMENT, BLACKLIST = "local_network", "management", "blacklist"

_NAME = r"[A-Za-z][A-Za-z0-9_-]+"
_REFERENCE = re.compile(rf"^(?:(?P<prefix>dc|guest)/)?(?P<name>{_NAME})$")


@dataclass(frozen=True)
class Scope:
    """Names in lower case, with those of the cluster behind those of a guest."""

    prefix: str
    """What a reference may write before a name of this scope: `dc` or `guest`."""
    aliases: Mapping[str, Network] = field(default_factory=dict)
    sets: Mapping[str, IpSet] = field(default_factory=dict)
    outer: "Scope | None" = None

    def alias(self, prefix: str, name: str) -> Network | None:
        """The network that an alias names, or None."""
        if prefix in ("", self.prefix) and name in self.aliases:
            return self.aliases[name]
        return self.outer.alias(prefix, name) if self.outer else None

    def ip_set(self, prefix: str, name: str) -> IpSet | None:
        """The IP set of this name, or None."""
        if prefix in ("", self.prefix) and name in self.sets:
            return self.sets[name]
        return self.outer.ip_set(prefix, name) if self.outer else None

    def addresses(self, text: str) -> Addresses | None:
        """What `-source` or `-dest` names; None where it refers to a name that does not exist.

        Raises:
            ValueError: the text is no reference and no list of addresses.
        """
        match = _REFERENCE.match(text.removeprefix("+"))
        if match is None:
            return read_list(text)
        prefix, name = match["prefix"] or "", match["name"].lower()
        if text.startswith("+"):
            return self.ip_set(prefix, name)
        network = self.alias(prefix, name)
        return None if network is None else Spans((network_span(network),))


def read_scope(document: Document, prefix: str, outer: Scope | None, reading: Reading) -> Scope:
    """The aliases and IP sets of a file."""
    aliases = _aliases(document, reading)
    plain = Scope(prefix, aliases, {}, outer)
    sets = {section.name: _ip_set(document, section, plain, reading) for section in document.named("ipset")}
    return Scope(prefix, aliases, sets, outer)


def with_local_network(scope: Scope, network: Network) -> Scope:
    """The cluster's names with what Proxmox VE adds: the alias, and its member of the set `management`."""
    declared = scope.sets.get(MANAGEMENT, IpSet(MANAGEMENT, ()))
    management = IpSet.of(MANAGEMENT, [*declared.entries, SetEntry(network)])
    return Scope(
        scope.prefix, {**scope.aliases, LOCAL_NETWORK: network}, {**scope.sets, MANAGEMENT: management}
    )


def _aliases(document: Document, reading: Reading) -> dict[str, Network]:
    found: dict[str, Network] = {}
    network: Network | None
    for line in document.lines("aliases"):
        where = f"{document.name} line {line.number}"
        name, _, value = line.text.replace("\t", " ").partition(" ")
        try:
            network = read_network(value.strip())
        except ValueError:
            network = None
        if network is None or not re.fullmatch(_NAME, name):
            reading.refuse(where, f'"{line.text}" is not a name and its address', "write `name 10.0.0.1`")
            continue
        if name.lower() in found:
            reading.refuse(where, f"alias {name} is there twice", "remove one of them")
        found[name.lower()] = network
    return found


def _ip_set(document: Document, section: Section, scope: Scope, reading: Reading) -> IpSet:
    entries: dict[Network, SetEntry] = {}
    for line in section.lines:
        where = f"{document.name} line {line.number}"
        text = line.text.removeprefix("!").strip()
        network = _member(text, scope)
        if network is None:
            reading.refuse(
                where,
                f'"{text}" in IP set {section.name} is no address and no alias that exists',
                "write an address, a network or the name of an alias",
            )
        elif network in entries:
            reading.refuse(where, f"{network} is twice in IP set {section.name}", "remove one of them")
        else:
            entries[network] = SetEntry(network, nomatch=line.text.startswith("!"))
    return IpSet.of(section.name, entries.values())


def _member(text: str, scope: Scope) -> Network | None:
    match = _REFERENCE.match(text)
    if match is not None:
        return scope.alias(match["prefix"] or "", match["name"].lower())
    try:
        return read_network(text)
    except ValueError:
        return None
