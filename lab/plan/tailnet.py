"""The tailnet of a plan: who advertises what, and who may use it.

A route and a grant are two conditions, and both are needed. The ingress address is
advertised rather than a whole segment, unless the lab says otherwise.
"""

import itertools
from collections.abc import Iterator
from ipaddress import IPv4Network

from lab.addresses import Claim, overlaps
from lab.flows import Endpoint, Port
from lab.names import tailnet_tag
from lab.plan.draft import Draft
from lab.plan.endpoints import check_endpoint, expand
from lab.plan.places import Places
from lab.plan.records import GrantPlan, IngressPlan, SplitDnsPlan, TailnetPlan
from lab.plan.routes import audience_endpoint
from lab.plan.tailnet_names import DNS_PORTS, Resolver, check_split_dns, tailnet_resolver
from lab.plan.tailnet_shells import ssh_rules


def advertised_routes(draft: Draft, places: Places) -> dict[str, tuple[str, ...]]:
    """What each subnet router advertises, in CIDR notation, by where it is declared."""
    config = draft.config
    declared = {
        **{f"nodes.{name}": node.tailscale for name, node in config.nodes.items()},
        **{f"guests.{name}": guest.tailscale for name, guest in config.guests.items()},
        **{f"stacks.{name}": stack.tailscale for name, stack in config.stacks.items()},
    }
    routes: dict[str, tuple[str, ...]] = {}
    claims: list[Claim] = []
    for path, router in declared.items():
        if router is None:
            continue
        found = [_subnet(draft, places, endpoint, path) for endpoint in router.advertise]
        routes[path] = tuple(subnet for subnet in found if subnet)
        claims += [Claim(IPv4Network(subnet), path) for subnet in routes[path]]
    for first, second in overlaps(claims):
        draft.refuse(
            f"{second.owner}.tailscale.advertise",
            f"{second.network} overlaps {first.network}, which {first.owner} advertises",
            "let one subnet router advertise it",
        )
    return routes


def _subnet(draft: Draft, places: Places, endpoint: Endpoint, path: str) -> str | None:
    config = draft.config
    where = f"{path}.tailscale.advertise"
    if endpoint.kind not in ("vlan", "ingress", "guest", "device"):
        draft.refuse(
            where, f"{endpoint} cannot be advertised", "write ingress, vlan:NAME, guest:NAME or device:NAME"
        )
        return None
    known_before = len(draft.issues)
    check_endpoint(draft, endpoint, where)
    if len(draft.issues) > known_before:
        return None
    if endpoint.kind == "vlan":
        return str(config.vlans[endpoint.name].subnet)
    name = config.ingress.host if endpoint.kind == "ingress" and config.ingress else endpoint.name
    address = places.of_machine(name)
    if address is None:
        draft.refuse(where, f"{endpoint} has no fixed address", "give it one, or advertise its vlan")
        return None
    return f"{address}/32"


def plan_tailnet(
    draft: Draft, places: Places, advertised: dict[str, tuple[str, ...]], ingress: IngressPlan | None
) -> TailnetPlan | None:
    """The policy of the tailnet: groups, tags, approved routes, one grant for each way in, and who gets a shell."""
    tailnet = draft.config.tailnet
    if tailnet is None:
        for path in advertised:
            draft.refuse(
                f"{path}.tailscale", "there is no tailnet to advertise to", "declare tailnet with its groups"
            )
        return None
    check_split_dns(draft, places, advertised)
    resolver = tailnet_resolver(draft, places)
    grants = [
        *_audience_grants(draft, ingress),
        *_declared_grants(draft, places),
        *_resolver_grants(draft, resolver),
    ]
    routes = _approved(draft, advertised)
    _warn_of_halves(draft, advertised, routes, grants)
    return TailnetPlan(
        environment=draft.environment,
        groups={name: tuple(users) for name, users in sorted(tailnet.groups.items())},
        tags=tuple(sorted({*routes.values(), *(tag for _, tag in _machines(draft))})),
        routes=routes,
        grants=tuple(grants),
        ssh=ssh_rules(draft, dict(_machines(draft))),
        split_dns=SplitDnsPlan(domain=resolver.domain, nameserver=resolver.address) if resolver else None,
        members=tailnet.members,
        overwrite=tailnet.overwrite,
        description=tailnet.description,
        managed="tailnet-policy" in draft.config.owns,
    )


def _router_tag(draft: Draft, path: str) -> str:
    """The tag of the subnet router that is declared at `stacks.way-in`, `guests.edge` or `nodes.pve-a`."""
    kinds, _, name = path.partition(".")
    return tailnet_tag(kinds.removesuffix("s"), name, draft.environment)


def _approved(draft: Draft, advertised: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Each route with the tag of its router, those of other environments' routers included."""
    tailnet = draft.config.tailnet
    foreign = tailnet.approves if tailnet else {}
    owners = [
        (route, _router_tag(draft, path), path) for path, routes in advertised.items() for route in routes
    ]
    approved = {route: tag for route, tag, _ in owners}
    for tag, subnets in foreign.items():
        for subnet in subnets:
            for route, other, path in owners:
                if subnet.overlaps(IPv4Network(route)):
                    draft.refuse(
                        f"tailnet.approves.{tag}",
                        f"{subnet} overlaps {route}, which {path} advertises ({other})",
                        "let one subnet router advertise it",
                    )
            owners.append((str(subnet), tag, f"tailnet.approves.{tag}"))
            approved[str(subnet)] = tag
    return dict(sorted(approved.items()))


def _machines(draft: Draft) -> Iterator[tuple[Endpoint, str]]:
    """The lab's machines that are in the tailnet themselves, each with its tag."""
    config = draft.config
    members = config.tailnet.members if config.tailnet else ()
    found = [member for end in members for member in expand(draft, end) if member.kind in ("guest", "node")]
    found += [Endpoint("guest", name) for name, guest in config.guests.items() if guest.tailscale]
    found += [Endpoint("node", name) for name, node in config.nodes.items() if node.tailscale]
    for machine in dict.fromkeys(found):
        yield machine, tailnet_tag(machine.kind, machine.name, draft.environment)


def _everybody(draft: Draft) -> tuple[str, ...]:
    """All groups; whoever is a member where there are none."""
    tailnet = draft.config.tailnet
    return tuple(f"group:{name}" for name in sorted(tailnet.groups if tailnet else ())) or (
        "autogroup:member",
    )


def _sources(draft: Draft, endpoint: Endpoint) -> tuple[str, ...]:
    return (f"group:{endpoint.name}",) if endpoint.name else _everybody(draft)


def _audience_grants(draft: Draft, ingress: IngressPlan | None) -> Iterator[GrantPlan]:
    """One for each port of the ingress that a route uses and that users of the tailnet are meant for."""
    if ingress is None or not ingress.entry_points:
        return
    destination = f"{ingress.entry_points[0].address}/32"
    for audience, port in dict.fromkeys((audience, port) for audience, port, _ in ingress.openings()):
        members = map(audience_endpoint, draft.config.audiences.get(audience, (audience,)))
        groups = [source for m in members if m.kind == "tailnet" for source in _sources(draft, m)]
        if groups:
            sources = tuple(dict.fromkeys(groups))
            yield GrantPlan(sources=sources, destination=destination, ports=(_granted(port),))


def _resolver_grants(draft: Draft, resolver: Resolver | None) -> Iterator[GrantPlan]:
    if resolver is not None:
        ports = tuple(_granted(port) for port in DNS_PORTS)
        yield GrantPlan(sources=_everybody(draft), destination=f"{resolver.address}/32", ports=ports)


def _warn_of_halves(
    draft: Draft, advertised: dict[str, tuple[str, ...]], approved: dict[str, str], grants: list[GrantPlan]
) -> None:
    """A route without a grant and a grant without a route lead nowhere; nor does a router that nobody approves."""
    if "tailnet-policy" not in draft.config.owns:
        for path, found in advertised.items():
            draft.warn(
                f"{path}.tailscale",
                "another environment owns the tailnet's policy, which has to approve "
                f"{', '.join(found)} for {_router_tag(draft, path)}",
                "write it under tailnet.approves of the environment that owns tailnet-policy",
            )
        return
    routes = {IPv4Network(route) for route in approved}
    aims = {IPv4Network(grant.destination) for grant in grants}
    for aim in sorted(aims):
        if not any(aim.subnet_of(route) for route in routes):
            draft.warn(
                "tailnet",
                f"{aim} is granted and no subnet router advertises it, so nobody of the tailnet gets there",
                "add it to the advertise list of a subnet router, or remove the flow or audience",
            )
    for path, found in advertised.items():
        for route in map(IPv4Network, found):
            if not any(aim.overlaps(route) for aim in aims):
                draft.warn(
                    f"{path}.tailscale.advertise",
                    f"{route} is advertised and no grant uses it",
                    "remove it, or declare a flow from the tailnet to it",
                )


def _declared_grants(draft: Draft, places: Places) -> list[GrantPlan]:
    grants = []
    for index, flow in enumerate(draft.config.flows):
        users = [source for source in flow.from_ if source.kind == "tailnet"]
        for source, target in itertools.product(users, flow.to):
            destinations = [
                d for end in expand(draft, target.endpoint) for d in _destinations(draft, places, end)
            ]
            if not destinations:
                draft.warn(
                    f"flows[{index}].to",
                    f"{target.endpoint} has no address of its own, so the tailnet's policy cannot grant it",
                    "give a service a route for that audience; or name the ingress, a vlan, or a machine with a "
                    "fixed address",
                )
            for destination in destinations:
                grants.append(
                    GrantPlan(
                        sources=_sources(draft, source),
                        destination=destination,
                        ports=(_granted(target.port),) if target.port else ("*",),
                    )
                )
    return grants


def _destinations(draft: Draft, places: Places, endpoint: Endpoint) -> tuple[str, ...]:
    if endpoint.kind == "vlan" and endpoint.name in draft.config.vlans:
        return (str(draft.config.vlans[endpoint.name].subnet),)
    if endpoint.kind == "ingress" and draft.config.ingress is not None:
        return tuple(f"{address}/32" for address in places.all_of(draft.config.ingress.host))
    if endpoint.kind in ("guest", "device"):
        return tuple(f"{address}/32" for address in places.all_of(endpoint.name))
    if endpoint.kind == "node" and places.nodes.get(endpoint.name):
        return (f"{places.nodes[endpoint.name]}/32",)
    return ()


def _granted(port: Port) -> str:
    return f"{port.protocol}:{port.number}-{port.last}" if port.last else f"{port.protocol}:{port.number}"
