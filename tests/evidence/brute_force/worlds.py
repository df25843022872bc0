"""What a plan leaves open, decided in every way that there is."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from lab.plan.records import EngineFacts, LabPlan

INTERNAL_WITHOUT_ROUTE = 28
"""The version from which internal networks have no default route (facts: measured on 20.10.24 and 28.5.2)."""


@dataclass(frozen=True)
class Engine:
    """How one engine treats packets."""

    recent: bool
    proxy: bool
    netfilter: bool
    closes: bool
    """Whether Docker's own rules close what they were seen to close: they were not seen in nftables."""


@dataclass(frozen=True)
class World:
    """One way in which everything may be that nobody said."""

    engines: tuple[tuple[str, Engine], ...]
    others_open: bool
    """Whether whatever is not this lab's lets everything through, or nothing."""

    def engine(self, host: str) -> Engine:
        """The engine of a host."""
        return next(engine for name, engine in self.engines if name == host)


def worlds(plan: LabPlan) -> tuple[World, ...]:
    """Every way, each once."""
    return tuple(dict.fromkeys(_worlds(plan)))


def _worlds(plan: LabPlan) -> Iterator[World]:
    for recent, proxy, netfilter, closes, others in itertools.product((False, True), repeat=5):
        engines = [
            (host.name, _engine(host.engine, recent, proxy, netfilter, closes)) for host in plan.docker_hosts
        ]
        yield World(tuple(engines), others)


def _engine(facts: EngineFacts, recent: bool, proxy: bool, netfilter: bool, closes: bool) -> Engine:
    """What is known of an engine, and for the rest what this world has."""
    new = recent if facts.version is None else facts.version >= INTERNAL_WITHOUT_ROUTE
    return Engine(
        recent=new,
        proxy=proxy if facts.userland_proxy is None else facts.userland_proxy,
        netfilter=netfilter if facts.bridge_netfilter is None else facts.bridge_netfilter,
        closes=closes or not new or not _may_use_nftables(facts),
    )


def _may_use_nftables(facts: EngineFacts) -> bool:
    """Docker can since 29, where it is not said what it uses."""
    if facts.firewall is not None:
        return facts.firewall == "nftables"
    return facts.version is None or facts.version >= 29
