"""The ports of the ingress: one for each audience, one for each redirect, one for each TCP or UDP route.

Owns the rule that a port has one meaning, so that packets tell audiences apart. All of
them are in Traefik's static file and among its published ports, so adding one replaces
Traefik's container.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lab.config.ingress import EntryConfig, IngressConfig
from lab.flows import Port
from lab.plan.draft import Draft
from lab.plan.records import Tls
from lab.plan.route_targets import declared_routes

PING = Port(8082)
"""Where Traefik answers its own health check, on its own loopback address."""


@dataclass(frozen=True, kw_only=True)
class ClaimedPort:
    """A port of the ingress, with what it is for."""

    port: Port
    where: str
    what: str
    published: bool = True


def claimed_ports(draft: Draft, ingress: IngressConfig) -> Iterator[ClaimedPort]:
    """Every port that the ingress listens on for others."""
    for name, entry in sorted(ingress.audiences.items()):
        path = f"ingress.audiences.{name}"
        yield ClaimedPort(
            port=Port(entry.port),
            where=f"{path}.port",
            what=f"the way in of audience {name}",
            published=tls_of(draft, ingress, name) != "tunnel",
        )
        if entry.redirect is not None:
            what = f"the redirect of audience {name}"
            yield ClaimedPort(port=Port(entry.redirect), where=f"{path}.redirect", what=what)
    for declared in declared_routes(draft):
        if declared.route.entry is not None and declared.route.protocol != "http":
            yield ClaimedPort(
                port=Port(declared.route.entry, declared.route.protocol),
                where=f"{declared.where}.entry",
                what=f"the port of the route at {declared.where}",
            )


def check_ports(draft: Draft, ingress: IngressConfig) -> None:
    """Refuse two meanings of one port."""
    seen = {PING: "where Traefik answers its own health check"}
    for claimed in claimed_ports(draft, ingress):
        other = seen.setdefault(claimed.port, claimed.what)
        if other != claimed.what:
            draft.refuse(
                claimed.where,
                f"port {claimed.port} is also {other}, so packets could not tell them apart",
                "give each a port of its own",
            )


def tls_of(draft: Draft, ingress: IngressConfig, audience: str) -> Tls:
    """Who ends TLS for an audience: only the internet's may end in front of the ingress."""
    members = draft.config.audiences.get(audience, (audience,))
    return ingress.tls if "internet" in members else "own"


def check_tls(draft: Draft, ingress: IngressConfig) -> None:
    """Refuse ways in that are half behind a terminator, and redirects that nobody could follow."""
    for name, entry in sorted(ingress.audiences.items()):
        if tls_of(draft, ingress, name) == "own":
            continue
        _check_entry(draft, ingress, name, entry)


def _check_entry(draft: Draft, ingress: IngressConfig, name: str, entry: EntryConfig) -> None:
    others = [member for member in draft.config.audiences.get(name, ()) if member != "internet"]
    if others:
        draft.refuse(
            f"ingress.audiences.{name}",
            f"with tls: {ingress.tls} it is for the internet without TLS, and {', '.join(others)} would come past it",
            "give internet an entry of its own, and the others theirs",
        )
    if entry.redirect is not None:
        draft.refuse(
            f"ingress.audiences.{name}.redirect",
            f"with tls: {ingress.tls} there is no HTTPS here to redirect to",
            "remove it; who ends TLS redirects",
        )
