"""What somebody said may be: the flows of a plan, asked for one source, target and port.

A flow from a segment is for every machine on it, one to a segment is to every machine
on it and to what those publish. Whoever has a machine has the containers on it, so what
a container may, its host may as well. What lies on one segment without a filter of ours
was put together on purpose: those paths are called `same segment` and need no flow.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lab.flows import Endpoint, Flow, Port
from lab.isolation.guards import port_covers
from lab.isolation.reach import Reach
from lab.plan.directory import INTERNET


@dataclass(frozen=True)
class Permission:
    """Why a path may be there."""

    kind: str
    """`flow`, `same segment`, `own host` or `accepted`."""
    because: str
    flow: Flow | None = None


class Declared:
    """The permissions of one plan."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self.plan = reach.plan
        self.directory = reach.directory

    def permission(self, source: Endpoint, target: Endpoint, port: Port | None) -> Permission | None:
        """Why a source may reach a port of a target; None where nobody said so.

        Args:
            source: an endpoint that sends packets of its own, as `Reach.machine` gives it.
            target: the same.
            port: the target's own port; None for one that nobody declared.
        """
        container = self.directory.containers.get(target)
        if container is not None and self.reach.grounds.host_endpoint(container.host) == source:
            # Asked first: a host may what each of its containers may, and has many.
            return Permission("own host", "a Docker host reaches its own containers")
        if (flow := self.flow(source, target, port)) is not None:
            return Permission("flow", flow.because, flow)
        if self.same_segment(source, target):
            return Permission("same segment", "both were put on one segment, and neither is filtered")
        return None

    def flow(self, source: Endpoint, target: Endpoint, port: Port | None) -> Flow | None:
        """The flow that permits it."""
        aims = list(self._aims(target, port))
        for giver in self.identities(source):
            for flow in self._flows.get(giver, ()):
                for aim, number in aims:
                    if aim in self._targets(flow) and port_covers(flow.target.port, number):
                        return flow
        return None

    @cached_property
    def _flows(self) -> dict[Endpoint, list[Flow]]:
        found: dict[Endpoint, list[Flow]] = {}
        for flow in self.plan.flows:
            for member in self.directory.members(flow.source):
                found.setdefault(self.reach.machine(member), []).append(flow)
        return found

    def _targets(self, flow: Flow) -> frozenset[Endpoint]:
        found = self._expanded.get(flow.target.endpoint)
        if found is None:
            members = self.directory.members(flow.target.endpoint)
            found = frozenset(map(self.reach.machine, members)) | frozenset(members)
            self._expanded[flow.target.endpoint] = found
        return found

    @cached_property
    def _expanded(self) -> dict[Endpoint, frozenset[Endpoint]]:
        return {}

    def identities(self, source: Endpoint) -> Iterator[Endpoint]:
        """Everybody for whom a permission is one for this source too.

        A machine is somebody on its segment; what the whole internet may, everybody may; a Docker host may what
        its containers may; a subnet router carries what the tailnet's users may. A container is only itself.
        """
        yield source
        if source.kind == "tailnet" and source.name:
            yield Endpoint("tailnet")
        if source in self.directory.routers:
            yield from self._users
        if source in self.directory.containers:
            return
        yield from self._segments_of(source)
        yield INTERNET
        for container in self._hosts.get(source, ()):
            yield container
            if container in self.directory.routers:
                yield from self._users

    @cached_property
    def _users(self) -> tuple[Endpoint, ...]:
        groups = self.plan.tailnet.groups if self.plan.tailnet else ()
        return (Endpoint("tailnet"), *(Endpoint("tailnet", name) for name in groups))

    def _segments_of(self, machine: Endpoint) -> Iterator[Endpoint]:
        if machine.kind == "vlan":
            return
        for spot in self.reach.segments.spots.get(machine, ()):
            yield Endpoint("vlan", spot.vlan)

    @cached_property
    def _hosts(self) -> dict[Endpoint, list[Endpoint]]:
        """Every Docker host with the containers on it."""
        found: dict[Endpoint, list[Endpoint]] = {}
        for endpoint, container in self.directory.containers.items():
            found.setdefault(self.reach.grounds.host_endpoint(container.host), []).append(endpoint)
        return found

    def _aims(self, target: Endpoint, port: Port | None) -> Iterator[tuple[Endpoint, Port | None]]:
        """Everything that a target is when a permission names it, with the port under which it is meant there."""
        yield target, port
        container = self.directory.containers.get(target)
        if container is None:
            yield from ((vlan, port) for vlan in self._segments_of(target))
            yield from self._published_at.get((target, port), ()) if port else ()
            return
        host = self.reach.grounds.host_endpoint(container.host)
        for published in container.published_as(port) if port else ():
            external = Port(published.external, published.protocol)
            yield host, external
            yield from ((vlan, external) for vlan in self._segments_of(host))

    @cached_property
    def _published_at(self) -> dict[tuple[Endpoint, Port], list[tuple[Endpoint, Port]]]:
        """The container ports that each port of a Docker host leads to."""
        found: dict[tuple[Endpoint, Port], list[tuple[Endpoint, Port]]] = {}
        for endpoint, container in self.directory.containers.items():
            host = self.reach.grounds.host_endpoint(container.host)
            for published in container.service.published:
                external = Port(published.external, published.protocol)
                inner = endpoint, Port(published.internal, published.protocol)
                found.setdefault((host, external), []).append(inner)
        return found

    def same_segment(self, source: Endpoint, target: Endpoint) -> bool:
        """Whether two were put on one segment and nothing of the lab stands between them."""
        segments = self.reach.segments
        if {source, target} & self.directory.containers.keys():
            return False
        own = (spot.vlan for spot in segments.spots.get(source, ()))
        return not segments.unfiltered_at(target).isdisjoint(own)
