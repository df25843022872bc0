"""Names, a verdict of their own: whether a container's question for a name outside reaches a name server.

A container asks its engine (127.0.0.11), which answers for the container's neighbours and
passes on the rest. It sends that from the container's own network namespace, so that every
rule about the container is met, except to a name server on its host's loopback: that one it
asks itself, past all of them (libnetwork, `resolver.go`, `HostLoopback`). From 23.0.11,
25.0.5 and 26.0 on it does not do so for a container in internal networks only
(CVE-2024-29018, moby pull request 47538). Whoever may ask may send: data leaves in names.

Where a host has systemd-resolved, the engine takes the servers behind its 127.0.0.53 (moby,
`resolvconf.Path`), so the servers of a guest's cloud-init are what it asks.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address

from lab.flows import Endpoint, Port
from lab.isolation.guards import covers
from lab.isolation.reach import Reach
from lab.isolation.verdict import Leg, Path, best_first, no, unknown, yes
from lab.plan.directory import INTERNET, Container

NAMES = Port(53, "udp")
_FIXED, _PARTLY_FIXED = 26, (23, 25)
"""The major versions that never ask for internal networks, and those of which only the later ones do not."""


class Names:
    """Who of one lab's containers may ask a name server."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def of(self, service: Endpoint) -> Path:
        """The best way by which a container's question for a name outside gets to a name server.

        Args:
            service: a container of the lab; for one on its host's network, what the host itself asks.
        """
        container = self._reach.directory.containers[service]
        servers = self.servers(container.host)
        if container.service.host_network:
            host = self._reach.grounds.host_endpoint(container.host)
            return best_first(self._unsaid(container, servers, self._from_host(host, servers)))[0]
        return best_first(self._unsaid(container, servers, self._asked(container, servers)))[0]

    def servers(self, host: str) -> tuple[str, ...]:
        """The name servers of a Docker host; empty where nobody said."""
        plan = self._reach.plan
        return next((g.dns for g in plan.guests if g.name == host and g.managed), ())

    def _unsaid(self, container: Container, servers: tuple[str, ...], ways: Iterator[Path]) -> Iterator[Path]:
        yield from ways
        if servers:
            return
        asked = self._engine_asks(container)
        nobody = f"nobody said which name servers {container.host} asks (key dns of its node)"
        if asked.verdict is no("").verdict:
            yield Path((asked,))
        else:
            yield Path((unknown(f"{nobody}, and one on its loopback is asked past every rule"),))

    def _asked(self, container: Container, servers: tuple[str, ...]) -> Iterator[Path]:
        for server in servers:
            if IPv4Address(server).is_loopback:
                yield Path((self._engine_asks(container),))
            else:
                yield from self._sent(container.service.endpoint, server)

    def _from_host(self, host: Endpoint, servers: tuple[str, ...]) -> Iterator[Path]:
        for server in servers:
            if IPv4Address(server).is_loopback:
                yield Path((yes(f"{host} asks itself ({server})"),))
            else:
                yield from self._sent(host, server)

    def _engine_asks(self, container: Container) -> Leg:
        """Whether the engine asks a name server on its host's loopback for a container."""
        networks = self._reach.directory.networks
        if any(not networks[container.host, a.network].internal for a in container.service.attachments):
            return yes("the engine asks a name server on its host's loopback itself, past every rule")
        version = self._reach.directory.hosts[container.host].engine.version
        if version is not None and version >= _FIXED:
            return no("its networks are internal, and this engine asks nobody outside for such a container")
        reason = "its networks are internal, but an engine before 23.0.11, 25.0.5 or 26 asks a name server on loopback"
        return unknown(reason) if version is None or version in _PARTLY_FIXED else yes(reason)

    def _sent(self, source: Endpoint, server: str) -> Iterator[Path]:
        """The ways of a question that is sent from the source's own network namespace."""
        reach = self._reach
        owner = reach.directory.owner(server)
        segment = next((v.name for v in reach.plan.vlans if covers(v.subnet, server)), None)
        if owner is not None:
            yield from reach.answer(source, owner, NAMES).paths
        elif segment is not None:
            yield from reach.to_address(source, segment, server, NAMES)
        else:
            yield from reach.answer(source, INTERNET, NAMES).paths
