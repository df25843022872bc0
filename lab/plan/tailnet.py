"""The tailnet of a plan: who advertises what, and who may use it.

A route and a grant are two conditions, and both are needed. The ingress address is
advertised rather than a whole segment, unless the lab says otherwise.
"""

import itertools
from ipaddress import IPv4Network

from lab.addresses import Claim, overlaps
from lab.flows import Endpoint, Port
from lab.plan.draft import Draft
from lab.plan.endpoints import check_endpoint, expand
from lab.plan.places import Places
from lab.plan.records import GrantPlan, IngressPlan, TailnetPlan


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
    """The policy of the tailnet: groups, approved routes and one grant for each way in."""
    tailnet = draft.config.tailnet
    if tailnet is None:
        for path in advertised:
            draft.refuse(
                f"{path}.tailscale", "there is no tailnet to advertise to", "declare tailnet with its groups"
            )
        return None
    groups = tuple(f"group:{name}" for name in sorted(tailnet.groups)) or ("autogroup:member",)
    grants: list[GrantPlan] = []
    if ingress is not None and ingress.entry_points:
        destination = f"{ingress.entry_points[0].address}/32"
        for audience, port, _ in ingress.openings():
            if "tailnet" in draft.config.audiences.get(audience, (audience,)):
                grants.append(GrantPlan(sources=groups, destination=destination, ports=(_granted(port),)))
    grants += _declared_grants(draft, places, groups)
    return TailnetPlan(
        groups={name: tuple(users) for name, users in sorted(tailnet.groups.items())},
        routes=tuple(sorted({subnet for subnets in advertised.values() for subnet in subnets})),
        grants=tuple(grants),
        members=tailnet.members,
        description=tailnet.description,
        managed="tailnet-policy" in draft.config.owns,
    )


def _declared_grants(draft: Draft, places: Places, everybody: tuple[str, ...]) -> list[GrantPlan]:
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
                    "name the ingress, a vlan, or a machine with a fixed address",
                )
            for destination in destinations:
                grants.append(
                    GrantPlan(
                        sources=(f"group:{source.name}",) if source.name else everybody,
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
