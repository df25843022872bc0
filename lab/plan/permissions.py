"""Who may talk to whom: what a person declared, and what follows from the declaration.

Nobody should have to declare that a routed service is reached by Traefik, that a
service reaches what it needs, or that an engine pulls images; default deny would break
all of it. So these flows are derived, each with its reason, and listed like any other.
"""

from collections.abc import Iterator

from lab.flows import Endpoint, Flow, Port, Target
from lab.plan.draft import Draft
from lab.plan.endpoints import check_endpoint, expand
from lab.plan.needs import need_targets
from lab.plan.places import Places
from lab.plan.records import DockerHostPlan, IngressPlan, RulePlan, StackPlan, SubnetRouterPlan
from lab.plan.routes import OUTSIDE

INTERNET, OPERATOR, INGRESS = Endpoint("internet"), Endpoint("operator"), Endpoint("ingress")
_EVERY_PORT = Port(0)
_HTTPS, _DNS, _NTP, _SSH, _PVE = Port(443), Port(53, "udp"), Port(123, "udp"), Port(22), Port(8006)


def plan_flows(
    draft: Draft,
    hosts: dict[str, DockerHostPlan],
    stacks: tuple[StackPlan, ...],
    ingress: IngressPlan | None,
    routers: tuple[SubnetRouterPlan, ...],
) -> tuple[Flow, ...]:
    """Every permission of the lab, without repetition."""
    flows = [
        *_declared(draft),
        *_needs(draft),
        *_routes(draft, ingress),
        *_derived(draft, hosts, stacks, ingress, routers),
    ]
    return tuple(sorted(dict.fromkeys(flows), key=_order))


def _order(flow: Flow) -> tuple[Endpoint, Endpoint, Port, str, str]:
    """By source, then by target and port, every port first."""
    return flow.source, flow.target.endpoint, flow.target.port or _EVERY_PORT, flow.because, flow.origin


def _declared(draft: Draft) -> Iterator[Flow]:
    for index, flow in enumerate(draft.config.flows):
        for source in flow.from_:
            check_endpoint(draft, source, f"flows[{index}].from")
        for target in flow.to:
            check_endpoint(draft, target.endpoint, f"flows[{index}].to")
        yield from (Flow(source, target, flow.because) for source in flow.from_ for target in flow.to)


def _needs(draft: Draft) -> Iterator[Flow]:
    for stack_name, stack in draft.config.stacks.items():
        for name, service in stack.services.items():
            source = Endpoint("service", f"{stack_name}/{name}")
            for target in need_targets(service, stack_name):
                yield Flow(source, target, f"{stack_name}/{name} needs it", "needs")
            if service.egress:
                yield Flow(source, Target(INTERNET), "egress is declared", "needs")


def _routes(draft: Draft, ingress: IngressPlan | None) -> Iterator[Flow]:
    if ingress is None:
        return
    for route in ingress.routes:
        yield Flow(INGRESS, Target(route.target, route.port), f"route {route.host}", "route")
    used = {audience for route in ingress.routes for audience in route.audiences}
    ports = {entry.audience: Port(entry.port) for entry in ingress.entry_points}
    for audience in sorted(used):
        for member in draft.config.audiences.get(audience, (audience,)):
            source = Endpoint(member) if member in OUTSIDE else Endpoint("vlan", member)
            yield Flow(source, Target(INGRESS, ports.get(audience, _HTTPS)), f"audience {audience}", "route")


def _derived(
    draft: Draft,
    hosts: dict[str, DockerHostPlan],
    stacks: tuple[StackPlan, ...],
    ingress: IngressPlan | None,
    routers: tuple[SubnetRouterPlan, ...],
) -> Iterator[Flow]:
    def derived(source: Endpoint, target: Target, because: str) -> Flow:
        return Flow(source, target, because, "derived")

    for name in draft.config.nodes:
        yield derived(OPERATOR, Target(Endpoint("node", name), _PVE), "pulumi speaks to the Proxmox API")
    for name, guest in draft.config.guests.items():
        if guest.manage == "observe":
            continue
        source = Endpoint("guest", name)
        yield derived(source, Target(INTERNET, _HTTPS), "packages and, with Docker, image pulls")
        yield derived(source, Target(INTERNET, _DNS), "name resolution")
        yield derived(source, Target(INTERNET, _NTP), "time")
    for host in hosts.values():
        kind = "guest" if host.guest else "device"
        yield derived(
            OPERATOR, Target(Endpoint(kind, host.name), _SSH), "pulumi speaks to the Docker Engine over SSH"
        )
    if ingress is not None and ingress.managed and draft.config.certificate is not None:
        yield derived(INGRESS, Target(INTERNET, _HTTPS), "the certificate authority and Cloudflare's API")
    members = [Endpoint("service", f"{router.name}/router") for router in routers]
    members += [Endpoint("guest", name) for name, guest in draft.config.guests.items() if guest.tailscale]
    members += [Endpoint("node", name) for name, node in draft.config.nodes.items() if node.tailscale]
    for source in members:
        yield derived(source, Target(INTERNET, _HTTPS), "the Tailscale control plane and its relays")
        yield derived(source, Target(INTERNET, Port(3478, "udp")), "Tailscale finds its own address (STUN)")


def guest_rules(
    flows: tuple[Flow, ...],
    name: str,
    draft: Draft,
    places: Places,
    ingress: IngressPlan | None,
    stacks: tuple[StackPlan, ...],
) -> tuple[RulePlan, ...]:
    """What a guest's firewall accepts: every flow that ends at it, from where it begins.

    A service is reached at its guest by the port that is published there; services of
    one guest meet inside it, and no rule is about them.
    """
    here = Endpoint("guest", name)
    published = {s.endpoint: s.published for stack in stacks if stack.host == name for s in stack.services}
    serves_ingress = ingress is not None and ingress.host == name
    own = places.all_of(name)
    rules: list[RulePlan] = []
    for flow in flows:
        ends = expand(draft, flow.target.endpoint)
        ports = [flow.target.port] if here in ends or (INGRESS in ends and serves_ingress) else []
        ports += [
            Port(port.external, port.protocol)
            for end in ends
            for port in published.get(end, ())
            if flow.target.port in (None, Port(port.internal, port.protocol))
        ]
        sources = [source for source in _addresses(flow.source, draft, places) if source not in own]
        rules += [_rule(source, port, flow) for source in sources for port in ports]
    return tuple(dict.fromkeys(rules))


def vlan_rules(flows: tuple[Flow, ...], name: str, draft: Draft, places: Places) -> tuple[RulePlan, ...]:
    """What the zone of a segment accepts: every flow to the segment as a whole."""
    rules: list[RulePlan] = []
    for flow in flows:
        if Endpoint("vlan", name) in expand(draft, flow.target.endpoint):
            sources = _addresses(flow.source, draft, places)
            rules += [_rule(source, flow.target.port, flow) for source in sources]
    return tuple(dict.fromkeys(rules))


def _rule(source: str, port: Port | None, flow: Flow) -> RulePlan:
    span = ""
    if port is not None:
        span = f"{port.number}:{port.last}" if port.last else str(port.number)
    return RulePlan(source=source, port=span, protocol=port.protocol if port else "", comment=flow.because)


def _addresses(source: Endpoint, draft: Draft, places: Places) -> tuple[str, ...]:
    """The addresses that a source has on the wire; empty text for anywhere."""
    found = [address for member in expand(draft, source) for address in _own_addresses(member, draft, places)]
    return tuple(dict.fromkeys(found))


def _own_addresses(source: Endpoint, draft: Draft, places: Places) -> tuple[str, ...]:
    config = draft.config
    if source.kind == "internet":
        return ("",)
    if source.kind == "vlan" and source.name in config.vlans:
        return (str(config.vlans[source.name].subnet),)
    if source.kind == "node":
        return tuple(filter(None, [places.nodes.get(source.name)]))
    if source.kind in ("guest", "device"):
        return places.all_of(source.name)
    if source.kind in ("service", "stack") and source.name.partition("/")[0] in config.stacks:
        return places.all_of(config.stacks[source.name.partition("/")[0]].host)
    if source.kind == "ingress" and config.ingress:
        return places.all_of(config.ingress.host)
    if source.kind == "tailnet":
        return _router_addresses(draft, places)
    return _operator_addresses(draft, places) if source.kind == "operator" else ()


def _router_addresses(draft: Draft, places: Places) -> tuple[str, ...]:
    """Subnet routers masquerade by default, so packets of the tailnet carry their addresses."""
    stacks = [places.of_machine(stack.host) for stack in draft.config.stacks.values() if stack.tailscale]
    guests = [places.of_machine(name) for name, guest in draft.config.guests.items() if guest.tailscale]
    nodes = [places.nodes.get(name) for name, node in draft.config.nodes.items() if node.tailscale]
    return tuple(sorted({address for address in [*stacks, *guests, *nodes] if address}))


def _operator_addresses(draft: Draft, places: Places) -> tuple[str, ...]:
    operator = draft.config.operator
    if places.operator is not None:
        return (places.operator,)
    vlan = draft.config.vlans.get(operator.vlan or "")
    return (str(vlan.subnet),) if vlan else ()
