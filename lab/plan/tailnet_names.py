"""Split DNS: devices of the tailnet ask the lab's own resolver for the lab's names, and nobody else for them.

Tailscale's client asks a name server by its address at port 53, by UDP and, for long
answers, by TCP. So the resolver needs a fixed address, that port, a route and a grant.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from lab.flows import Endpoint, Port
from lab.plan.draft import Draft
from lab.plan.places import Places

DNS_PORTS = (Port(53, "udp"), Port(53))


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """The lab's own resolver, as devices of the tailnet find it."""

    endpoint: Endpoint
    address: str
    domain: str
    """The domain that it is asked for."""


def tailnet_resolver(draft: Draft, places: Places) -> Resolver | None:
    """The resolver of split DNS; None where it is not wanted, or cannot be found (`check_split_dns` says why)."""
    config = draft.config
    inside = config.dns.internal
    if config.tailnet is None or not config.tailnet.split_dns or inside is None:
        return None
    address = _address(draft, places, inside.endpoint)
    if address is None:
        return None
    return Resolver(endpoint=inside.endpoint, address=address, domain=inside.zone or config.domain)


def _address(draft: Draft, places: Places, endpoint: Endpoint) -> str | None:
    if endpoint.kind in ("guest", "device"):
        return places.of_machine(endpoint.name)
    if endpoint.kind == "node":
        return places.nodes.get(endpoint.name)
    stack_name, _, name = endpoint.name.partition("/")
    stack = draft.config.stacks.get(stack_name) if endpoint.kind == "service" else None
    if stack is None or name not in stack.services:
        return None
    service = stack.services[name]
    published = {Port.parse(text): number for text, number in service.publishes.items()}
    if service.host_network or all(published.get(port) == port.number for port in DNS_PORTS):
        return places.of_machine(stack.host)
    return None


def check_split_dns(draft: Draft, places: Places, advertised: dict[str, tuple[str, ...]]) -> None:
    """Refuse split DNS without a resolver, or with one that no device of the tailnet could ask."""
    config = draft.config
    if config.tailnet is None or not config.tailnet.split_dns:
        return
    path = "tailnet.split-dns"
    if config.dns.internal is None:
        draft.refuse(
            path, "there is no resolver of the lab to ask", "declare dns.internal, or remove split-dns"
        )
        return
    endpoint = config.dns.internal.endpoint
    resolver = tailnet_resolver(draft, places)
    if resolver is None:
        draft.refuse(
            path,
            f"{endpoint} has no fixed address where port 53 answers over UDP and TCP",
            "give the machine an address, or let the service publish 53/udp and 53/tcp as 53",
        )
        return
    routes = (IPv4Network(route) for found in advertised.values() for route in found)
    if not any(IPv4Address(resolver.address) in route for route in routes):
        draft.refuse(
            path,
            f"no subnet router advertises {resolver.address} of {endpoint}",
            f"add {endpoint if endpoint.kind in ('guest', 'device') else 'its machine or vlan'} to the advertise "
            "list of a subnet router",
        )
