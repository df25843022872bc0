"""The policy of a tailnet, read from its text: which routes are approved, and who may use which port behind them."""

import json
import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from lab.errors import Issue
from lab.simulate.answers import Hop, ends, nobody_knows, passes
from lab.simulate.artefacts import ArtefactError
from lab.simulate.artefacts import Tailnet as Rendered

_EVERYBODY = ("*", "autogroup:member")
_KNOWN = {"groups", "tagOwners", "autoApprovers", "grants", "tests", "ssh", "sshTests"}
_COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)


class Tailnet:
    """Who reaches what by a subnet router; a route and a grant are two conditions, and both are needed."""

    def __init__(self, rendered: Rendered) -> None:
        self.advertised: Mapping[str, tuple[IPv4Network, ...]] = rendered.advertised
        self._policy = _read(rendered.policy) if rendered.policy is not None else None

    @property
    def groups(self) -> tuple[str, ...]:
        """Endpoints of the policy's groups; all users as one where there are none."""
        names = [name.removeprefix("group:") for name in (self._policy or {}).get("groups", {})]
        return tuple(f"tailnet:{name}" for name in names) or ("tailnet",)

    def hops(
        self, source: str, router: str, destination: IPv4Address, protocol: str, port: int
    ) -> Iterator[Hop]:
        """From a user of the tailnet to a subnet router of it."""
        routes = [route for route in self.advertised[router] if destination in route]
        if not routes:
            yield ends(f"{router} advertises no route to {destination}")
        elif self._policy is None:
            yield nobody_knows("the policy of the tailnet is not this lab's")
        else:
            yield self._approved(router, routes[0])
            yield self._granted(source, destination, protocol, port)

    def _approved(self, router: str, route: IPv4Network) -> Hop:
        approved = (self._policy or {}).get("autoApprovers", {}).get("routes", {})
        if any(route.subnet_of(IPv4Network(text)) for text in approved):
            return passes(f"{router} advertises {route}, and the policy approves it")
        return nobody_knows(f"{router} advertises {route}, and somebody has to approve it by hand")

    def _granted(self, source: str, destination: IPv4Address, protocol: str, port: int) -> Hop:
        _, _, group = source.partition(":")
        for grant in (self._policy or {}).get("grants", ()):
            meant = not group or {*_EVERYBODY, f"group:{group}"} & set(grant["src"])
            if (
                meant
                and any(
                    destination in IPv4Network(text) for text in grant["dst"] if not text.startswith("tag:")
                )
                and any(_holds(text, protocol, port) for text in grant["ip"])
            ):
                return passes(f"the policy grants {grant['src']} {grant['dst']} {grant['ip']}")
        return ends(f"no grant of the policy lets {source} use {destination}:{port}")


def _read(text: str) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(_COMMENT.sub("", text))
    if unknown := sorted(set(policy) - _KNOWN):
        raise ArtefactError(
            [
                Issue(
                    path="tailnet.policy",
                    problem=f"what {', '.join(unknown)} means is not known here",
                    repair="say it with grants",
                )
            ]
        )
    return policy


def _holds(text: str, protocol: str, port: int) -> bool:
    """Whether `*`, `tcp:443` or `udp:8000-8010` holds a port."""
    if text == "*":
        return True
    named, _, span = text.partition(":")
    first, _, last = span.partition("-")
    return named == protocol and int(first) <= port <= int(last or first)
