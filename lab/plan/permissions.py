"""Who may talk to whom: what a person declared, and what follows from the declaration.

Nobody should have to declare that a routed service is reached by Traefik, that a
service reaches what it needs, or that an engine pulls images; default deny would break
all of it. So these flows are derived, each with its reason, and listed like any other.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address

from lab.flows import Endpoint, Flow, Port, Target
from lab.plan.directory import INGRESS, INTERNET, OPERATOR
from lab.plan.docker_proxies import proxy_of
from lab.plan.draft import Draft
from lab.plan.endpoints import check_endpoint
from lab.plan.ingress import DEFAULT_AUTH_PORTS
from lab.plan.needs import need_targets
from lab.plan.places import Places
from lab.plan.records import COROSYNC_PORTS, MANAGEMENT_PORTS, DockerHostPlan, IngressPlan, SubnetRouterPlan
from lab.plan.routes import audience_endpoint
from lab.plan.tailnet_names import tailnet_resolver

_EVERY_PORT = Port(0)
_HTTPS, _NTP, _SSH, _PVE = Port(443), Port(123, "udp"), Port(22), Port(8006)
_DNS = (Port(53, "udp"), Port(53))
"""A long answer is asked for again over TCP (RFC 7766)."""


def plan_flows(
    draft: Draft,
    places: Places,
    hosts: dict[str, DockerHostPlan],
    ingress: IngressPlan | None,
    routers: tuple[SubnetRouterPlan, ...],
) -> tuple[Flow, ...]:
    """Every permission of the lab, without repetition."""
    flows = [
        *_declared(draft),
        *_needs(draft),
        *_routes(draft, ingress),
        *_derived(draft, places, hosts, ingress, routers),
    ]
    flows += _resolution(draft, places, flows)
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
            if (proxy := proxy_of(service, stack_name, name)) is not None:
                yield from (
                    Flow(
                        source,
                        Target(Endpoint("service", proxy), port),
                        "it asks the Docker API there",
                        "needs",
                    )
                    for port in _listens(draft, proxy)
                )


def _routes(draft: Draft, ingress: IngressPlan | None) -> Iterator[Flow]:
    if ingress is None:
        return
    for route in ingress.routes:
        yield Flow(INGRESS, Target(route.target, route.port), f"route {route.host}", "route")
    if ingress.managed and (auth := draft.config.ingress and draft.config.ingress.auth):
        port = auth.port or Port(DEFAULT_AUTH_PORTS[auth.kind])
        yield Flow(INGRESS, Target(auth.endpoint, port), "it is asked before a visitor is let in", "route")
    if ingress.crowdsec is not None and ingress.ips is not None:
        port = Port(int(ingress.crowdsec.address.rpartition(":")[2]))
        yield Flow(INGRESS, Target(ingress.ips, port), "the bouncer asks it about every visitor", "route")
    for audience, port, because in ingress.openings():
        for member in draft.config.audiences.get(audience, (audience,)):
            source = audience_endpoint(member)
            for carrier, why in _carried(ingress, source, port, because):
                yield Flow(carrier, Target(INGRESS, port), why, "route")


def _carried(
    ingress: IngressPlan, source: Endpoint, port: Port, because: str
) -> Iterator[tuple[Endpoint, str]]:
    """Who connects for a source: itself, or for the internet whoever ends its TLS, where that was said."""
    ends_here = ingress.tunnel is None and port not in ingress.carried
    if source != INTERNET or ends_here or not ingress.carriers:
        yield source, because
        return
    bringing = "the tunnel carries" if ingress.tunnel is not None else "the terminator passes on"
    yield from ((carrier, f"{bringing} {because}") for carrier in dict.fromkeys(ingress.carriers.values()))


def _derived(
    draft: Draft,
    places: Places,
    hosts: dict[str, DockerHostPlan],
    ingress: IngressPlan | None,
    routers: tuple[SubnetRouterPlan, ...],
) -> Iterator[Flow]:
    def derived(source: Endpoint, target: Target, because: str) -> Flow:
        return Flow(source, target, because, "derived")

    for name in draft.config.nodes:
        yield derived(OPERATOR, Target(Endpoint("node", name), _PVE), "pulumi speaks to the Proxmox API")
    for name, vlan in draft.config.vlans.items():
        if vlan.internet:
            yield derived(Endpoint("vlan", name), Target(INTERNET), f"vlan {name} has internet: yes")
    if "cluster-firewall" in draft.config.owns:
        yield from _management(draft, places)
    for name, guest in draft.config.guests.items():
        if guest.manage == "observe":
            continue
        source = Endpoint("guest", name)
        yield derived(source, Target(INTERNET, _HTTPS), "packages and, with Docker, image pulls")
        yield from (derived(source, target, "name resolution") for target in _resolvers(draft, places, name))
        yield derived(source, Target(INTERNET, _NTP), "time")
    for host in hosts.values():
        kind = "guest" if host.guest else "device"
        yield derived(
            OPERATOR, Target(Endpoint(kind, host.name), _SSH), "pulumi speaks to the Docker Engine over SSH"
        )
    if ingress is not None and ingress.crowdsec is not None:
        yield derived(INGRESS, Target(INTERNET, _HTTPS), "Traefik fetches its plugin when it starts")
    asked = draft.config.certificate is not None and draft.config.certificate.pair is None
    if ingress is not None and ingress.managed and asked:
        yield derived(INGRESS, Target(INTERNET, _HTTPS), "the certificate authority and Cloudflare's API")
        # At public resolvers, and then at the zone's own name servers, whose addresses nobody knows beforehand.
        because = "Traefik looks for its answer to the challenge"
        yield from (derived(INGRESS, Target(INTERNET, port), because) for port in _DNS)
    if (resolver := tailnet_resolver(draft, places)) is not None:
        because = "the tailnet's devices ask the lab's resolver for its names"
        yield from (derived(Endpoint("tailnet"), Target(resolver.endpoint, port), because) for port in _DNS)
    members = [Endpoint("service", f"{router.name}/router") for router in routers]
    members += [Endpoint("guest", name) for name, guest in draft.config.guests.items() if guest.tailscale]
    members += [Endpoint("node", name) for name, node in draft.config.nodes.items() if node.tailscale]
    for source in members:
        yield derived(source, Target(INTERNET, _HTTPS), "the Tailscale control plane and its relays")
        yield derived(source, Target(INTERNET, Port(3478, "udp")), "Tailscale finds its own address (STUN)")


def _management(draft: Draft, places: Places) -> Iterator[Flow]:
    """Proxmox puts the segment of a node into its set `management` by itself, so this is so whoever declares it."""
    because = "Proxmox opens its own ports to the segment of its node"
    for name, node in draft.config.nodes.items():
        if node.manage == "yes" and (vlan := places.node_vlans.get(name)) is not None:
            for port in MANAGEMENT_PORTS:
                yield Flow(Endpoint("vlan", vlan), Target(Endpoint("node", name), port), because, "derived")
    if len(draft.config.nodes) > 1:
        because = "Proxmox lets the nodes of a cluster speak to each other (corosync)"
        yield Flow(Endpoint("nodes"), Target(Endpoint("nodes"), COROSYNC_PORTS), because, "derived")


def _listens(draft: Draft, member: str) -> tuple[Port, ...]:
    stack, _, name = member.partition("/")
    services = draft.config.stacks[stack].services if stack in draft.config.stacks else {}
    return services[name].listens if name in services else ()


def _resolution(draft: Draft, places: Places, flows: list[Flow]) -> Iterator[Flow]:
    """Names for every container that may reach the internet: Docker asks the resolvers of its host for it, with
    the container's own packets (libnetwork `resolver.go`: the query leaves from the container's namespace)."""
    sources = {flow.source: None for flow in flows if flow.target.endpoint == INTERNET}
    for source in sources:
        if (host := _docker_host(draft, source)) is not None:
            yield from (
                Flow(source, target, "name resolution", "derived")
                for target in _resolvers(draft, places, host)
            )


def _docker_host(draft: Draft, source: Endpoint) -> str | None:
    if source == INGRESS:
        return draft.config.ingress.host if draft.config.ingress else None
    stack = draft.config.stacks.get(source.name.partition("/")[0]) if source.kind == "service" else None
    return stack.host if stack else None


def _resolvers(draft: Draft, places: Places, machine: str) -> tuple[Target, ...]:
    """Where a machine asks for names: the name servers of its node, or somewhere on the internet."""
    guest = draft.config.guests.get(machine)
    node = draft.config.nodes.get(guest.node) if guest else None
    servers = [_at(draft, places, address) for address in node.dns] if node else []
    return tuple(Target(server, port) for server in dict.fromkeys(servers or [INTERNET]) for port in _DNS)


def _at(draft: Draft, places: Places, text: str) -> Endpoint:
    """The machine of an address; the router for that of a gateway, and the internet for a foreign one."""
    owner = places.owners.get(IPv4Address(text), "")
    kind, _, name = owner.partition(" ")
    if kind in ("guest", "device", "node"):
        return Endpoint(kind, name)
    router = draft.config.router
    if owner.startswith("the gateway of ") and (router.guest or router.device):
        return Endpoint("guest", router.guest) if router.guest else Endpoint("device", router.device or "")
    return next(
        (Endpoint("vlan", v) for v, part in draft.config.vlans.items() if IPv4Address(text) in part.subnet),
        INTERNET,
    )
