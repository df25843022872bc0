"""Findings about lists of allowed addresses: where the address that the ingress sees is not the visitor's own."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from lab.flows import Endpoint
from lab.isolation.findings.finding import Finding
from lab.isolation.proof import Proof
from lab.plan.directory import INGRESS
from lab.plan.records import AllowPlan, IngressPlan, RoutePlan


def addresses(proof: Proof) -> Iterator[Finding]:
    """Lists that cannot tell apart those who come to a route."""
    ingress = proof.plan.ingress
    if ingress is None:
        return
    for route in ingress.routes:
        for name in sorted(_lists(ingress, route)):
            allowed = ingress.middlewares[name]
            if isinstance(allowed, AllowPlan):
                for who, shared in _masqueraded(proof, ingress, route):
                    yield _finding(route, name, who, shared, _is_in(shared, allowed))


def _lists(ingress: IngressPlan, route: RoutePlan) -> set[str]:
    names = set(route.middlewares)
    if route.protocol == "http":
        entries = (ingress.entry_point(audience) for audience in route.audiences)
        names |= {name for entry in entries if entry is not None for name in entry.middlewares}
    return names & set(ingress.middlewares)


def _masqueraded(proof: Proof, ingress: IngressPlan, route: RoutePlan) -> Iterator[tuple[str, str]]:
    """Who of a route's visitors arrive under an address that is not their own, with that address."""
    directory, plan = proof.reach.directory, proof.plan
    ports = {ingress.way_in(route, audience) for audience in route.audiences}
    sources = {f.source for f in plan.flows if f.target.endpoint == INGRESS and f.target.port in ports}
    if Endpoint("tailnet") in sources:
        # Subnet routers masquerade by default (Tailscale, `--snat-subnet-routes`).
        yield from (("the tailnet", address) for address in directory.addresses(Endpoint("tailnet")))
    for vlan in plan.vlans:
        if vlan.nat and Endpoint("vlan", vlan.name) in sources:
            yield from ((f"vlan {vlan.name}", node.address) for node in plan.nodes)


def _is_in(address: str, allowed: AllowPlan) -> bool:
    return any(IPv4Address(address) in IPv4Network(subnet) for subnet in allowed.subnets)


def _finding(route: RoutePlan, name: str, who: str, shared: str, inside: bool) -> Finding:
    return Finding(
        kind="address-proves-little",
        where=f"route {route.host}",
        problem=f"{name} decides by addresses, and whoever comes from {who} arrives with {shared}",
        consequence=f"it lets {'all' if inside else 'none'} of them in",
        repair="let an audience of its own or a sign-in decide, and keep the list for those who show their address",
    )
