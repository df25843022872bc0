"""Findings about starting: what has to run before itself, and what everything waits for."""

from collections.abc import Iterator

from lab.flows import Endpoint
from lab.isolation.findings.finding import Finding
from lab.isolation.proof import Proof
from lab.plan.records import LabPlan


def starting(proof: Proof) -> Iterator[Finding]:
    """Circles in what needs what to start: the router of a guest's own node, or the resolver of its own host."""
    needs = _needs(proof)
    for circle in _circles(needs):
        names = " needs ".join(str(endpoint) for endpoint in (*circle, circle[0]))
        yield Finding(
            kind="boot-order-cycle",
            where=str(circle[0]),
            problem=f"after a power failure {names}",
            consequence="neither starts by itself, and somebody has to be there",
            repair="give the node a second resolver outside of the lab, or move one of them to another machine",
        )
    yield from _single_points(proof.plan)


def _needs(proof: Proof) -> dict[Endpoint, set[Endpoint]]:
    """What each machine or service needs in order to start: its machine, its resolver, its router."""
    plan, directory = proof.plan, proof.reach.directory
    needs: dict[Endpoint, set[Endpoint]] = {}

    def need(one: Endpoint, other: Endpoint | None) -> None:
        if other is not None and other != one:
            needs.setdefault(one, set()).add(other)

    router = plan.router.endpoint
    for guest in plan.guests:
        endpoint = Endpoint("guest", guest.name)
        need(endpoint, Endpoint("node", guest.node))
        if router is not None and any(guest.dns):
            outside = [address for address in guest.dns if directory.owner(address) is None]
            need(endpoint, router if outside and guest.runs_docker else None)
    for endpoint, container in directory.containers.items():
        need(endpoint, proof.reach.grounds.host_endpoint(container.host))
    for node in plan.nodes:
        servers = [directory.owner(address) for address in node.dns]
        # One resolver that does not need the node is enough for it to start.
        if servers and all(server is not None for server in servers):
            for server in servers:
                need(Endpoint("node", node.name), server)
    internal = plan.dns.resolver.endpoint if plan.dns.resolver else None
    if internal is not None:
        host = directory.containers.get(internal)
        for node in plan.nodes:
            own = directory.addresses(internal)
            if node.dns and set(node.dns) <= set(own):
                need(Endpoint("node", node.name), internal if host else None)
    return needs


def _circles(needs: dict[Endpoint, set[Endpoint]]) -> Iterator[tuple[Endpoint, ...]]:
    """Every circle once, beginning with its first member by name."""
    seen: set[tuple[Endpoint, ...]] = set()
    for start in sorted(needs):
        path = _back_to(start, needs)
        if path is not None:
            first = path.index(min(path))
            turned = (*path[first:], *path[:first])
            if turned not in seen:
                seen.add(turned)
                yield turned


def _back_to(start: Endpoint, needs: dict[Endpoint, set[Endpoint]]) -> tuple[Endpoint, ...] | None:
    """The shortest way from an endpoint back to itself."""
    waiting: list[tuple[Endpoint, ...]] = [(start,)]
    visited: set[Endpoint] = set()
    while waiting:
        path = waiting.pop(0)
        for other in sorted(needs.get(path[-1], ())):
            if other == start:
                return path
            if other not in visited:
                visited.add(other)
                waiting.append((*path, other))
    return None


def _single_points(plan: LabPlan) -> Iterator[Finding]:
    router = plan.router.endpoint
    if router is not None and router.kind == "guest":
        guest = next((guest for guest in plan.guests if guest.name == router.name), None)
        others = [
            other.name for other in plan.guests if guest and other.node == guest.node and other != guest
        ]
        if guest is not None and others and not guest.startup:
            yield Finding(
                kind="single-router",
                where=f"guests.{guest.name}.startup",
                problem=f"{router} routes for everybody and has no place in the order of starting",
                consequence=f"{', '.join(sorted(others)[:3])} may start before there is a way out",
                repair="write startup: 1 for the router and higher numbers for the others",
            )
