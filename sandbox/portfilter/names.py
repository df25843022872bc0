"""The names that rules may use: the aliases and IP sets of the cluster, and those of a guest before them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.portfilter.addresses import Span, Spans, list_spans, network_span, set_spans

_LOCAL_NETWORK, _MANAGEMENT = "local_network", "management"
_REFERENCE = re.compile(r"\+?(?:(?P<prefix>dc|guest|sdn)/)?(?P<name>[A-Za-z][A-Za-z0-9_-]*)")


class UnknownNameError(Exception):
    """A name does not exist; the text is the name."""


@dataclass(frozen=True)
class Names:
    """Names in lower case, as Proxmox VE compares them.

    Attributes:
        prefix: what a reference may write before a name of this scope: `dc` or `guest`.
        aliases: the network of each.
        sets: the addresses of each.
        outer: where a name is looked for next.
    """

    prefix: str
    aliases: Mapping[str, Span] = field(default_factory=dict)
    sets: Mapping[str, Spans] = field(default_factory=dict)
    outer: "Names | None" = None

    def addresses(self, text: str) -> Spans:
        """What `source` or `dest` of a rule, or an entry of an IP set, names.

        Raises:
            UnknownNameError: it refers to a name that does not exist.
        """
        match = _REFERENCE.fullmatch(text)
        if match is None:
            return list_spans(text)
        name = match["name"].lower()
        for scope in self._scopes(match["prefix"]):
            if text.startswith("+") and name in scope.sets:
                return scope.sets[name]
            if not text.startswith("+") and name in scope.aliases:
                return (scope.aliases[name],)
        raise UnknownNameError(text)

    def _scopes(self, prefix: str | None) -> Iterator["Names"]:
        """This scope and those around it, as far as the prefix of a name allows."""
        scope: Names | None = self
        while scope is not None:
            if prefix in (None, scope.prefix):
                yield scope
            scope = scope.outer


def read_names(document: Mapping[str, Any], prefix: str, outer: Names | None, ignored: list[str]) -> Names:
    """The names of the cluster or of a guest.

    Args:
        document: its firewall, as the API keeps it.
        prefix: see `Names`.
        outer: the cluster's names, for a guest.
        ignored: takes a sentence for each entry that has no effect.
    """
    aliases = {name.lower(): network_span(alias["cidr"]) for name, alias in document["aliases"].items()}
    plain = Names(prefix, aliases, {}, outer)
    sets = {
        name.lower(): set_spans(_entries(f"{prefix}/{name}", ip_set["entries"], plain, ignored))
        for name, ip_set in document["ipset"].items()
    }
    if _LOCAL_NETWORK in aliases and outer is None:
        # Proxmox VE adds the network of its nodes, which this alias names in its stead.
        sets[_MANAGEMENT] = set_spans(
            [(span, False) for span in (*sets.get(_MANAGEMENT, ()), aliases[_LOCAL_NETWORK])]
        )
    return Names(prefix, aliases, sets, outer)


def _entries(
    where: str, entries: Mapping[str, Mapping[str, Any]], names: Names, ignored: list[str]
) -> Iterator[tuple[Span, bool]]:
    for text, entry in entries.items():
        try:
            spans = names.addresses(text)
        except UnknownNameError:
            ignored.append(f"IP set {where}: there is no alias {text}, so the entry is skipped")
            continue
        yield from ((span, bool(entry.get("nomatch"))) for span in spans)
