"""A plan as text for a person: what there is, where it is, and who may talk to whom."""

from collections.abc import Iterator
from ipaddress import IPv4Address

from lab.plan.records import (
    DnsRecordPlan,
    EntryPointPlan,
    GuardPlan,
    GuestPlan,
    IngressPlan,
    LabPlan,
    NodePlan,
    ResolverPlan,
    RoutePlan,
    ServicePlan,
    VlanPlan,
)
from lab.render.picture import picture
from lab.render.table import table


def plan_text(plan: LabPlan, *, flows: bool = True) -> str:
    """The whole plan.

    Args:
        plan: the plan.
        flows: whether every permission is listed too.
    """
    lines: list[str] = []
    for section in _sections(plan, flows):
        lines += [*section, ""]
    return "\n".join(lines).rstrip() + "\n"


def _sections(plan: LabPlan, flows: bool) -> Iterator[list[str]]:
    about = f": {plan.description}" if plan.description else ""
    yield [f"{plan.environment} ({plan.domain}, site {plan.site}){about}"]
    yield ["Picture", *(f"  {line}".rstrip() for line in picture(plan))]
    yield from _machines(plan)
    yield from _networks(plan)
    yield from _services(plan)
    yield from _guards(plan)
    yield from _edge(plan)
    yield from _names(plan)
    yield from _care(plan)
    if flows and plan.flows:
        rows = [(str(f.source), str(f.target), f.origin, f.because) for f in plan.flows]
        yield ["Flows (everything else is denied)", *table(rows, head=("from", "to", "origin", "because"))]
    if plan.warnings:
        yield ["Warnings", *(f"  - {warning}" for warning in plan.warnings)]


def _machines(plan: LabPlan) -> Iterator[list[str]]:
    if plan.vlans:
        head = ("vlan", "tag", "subnet", "gateway", "dhcp", "internet", "purpose")
        yield ["VLANs", *table([_vlan_row(vlan) for vlan in plan.vlans], head=head)]
    router = f"{plan.router.kind} {plan.router.endpoint or ''}".strip()
    yield [f"Router: {router}{_after(plan.router.description)}"]
    if plan.nodes:
        yield ["Nodes", *(line for node in plan.nodes for line in _node_lines(node))]
    if plan.guests:
        titles = (
            "guest",
            "kind",
            "id",
            "node",
            "vlan",
            "address",
            "cores",
            "memory",
            "disks",
            "listens",
            "for",
        )
        yield ["Guests", *table([_guest_row(guest) for guest in plan.guests], head=titles)]
    if plan.devices:
        rows = [
            (
                d.name,
                d.vlan,
                d.address or "leased",
                _ports(d.listens),
                "; ".join(filter(None, (d.model, d.description))),
            )
            for d in plan.devices
        ]
        yield [
            "Devices (observed, never changed)",
            *table(rows, head=("device", "vlan", "address", "listens", "what")),
        ]


def _vlan_row(vlan: VlanPlan) -> tuple[str, ...]:
    tag = str(vlan.tag) if vlan.tag else "untagged"
    dhcp = f"{vlan.dhcp[0]}-{vlan.dhcp[1].rpartition('.')[2]}" if vlan.dhcp else "none"
    out = "nat" if vlan.nat else "yes" if vlan.internet else "no"
    return vlan.name, tag, vlan.subnet, vlan.gateway or "none", dhcp, out, vlan.purpose


def _node_lines(node: NodePlan) -> Iterator[str]:
    hardware = [
        node.cpu,
        f"{node.memory_mib // 1024} GiB memory" if node.memory_mib else "",
        f"{node.disk_gib} GiB storage" if node.disk_gib else "",
        *(f"{pci.name} ({pci.id} at {pci.path}) {pci.description}".rstrip() for pci in node.pci),
    ]
    bridge = f"{node.bridge} (created)" if node.creates_bridge else node.bridge
    state = "" if node.managed else ", observed"
    yield f"  {node.name}  {node.address} in {node.vlan or 'no vlan'}, bridge {bridge}{state}"
    for label, text in (
        ("role", node.role),
        ("hardware", ", ".join(filter(None, hardware))),
        ("kernel", " ".join(node.kernel_arguments)),
        ("advertises", ", ".join(node.advertises)),
        ("about", node.description),
    ):
        if text:
            yield f"      {label}: {text}"


def _guest_row(guest: GuestPlan) -> tuple[str, ...]:
    disks = [guest.system_disk, *guest.data_disks]
    addresses = [nic.address or ("-" if nic.trunks else "leased") for nic in guest.nics]
    return (
        guest.name,
        guest.kind,
        str(guest.vm_id),
        guest.node,
        " ".join(nic.vlan for nic in guest.nics),
        " ".join(addresses),
        str(guest.cores),
        f"{guest.memory_mib} MiB",
        " ".join(f"{disk.name}:{disk.size_gib}G" for disk in disks),
        _ports(guest.listens),
        _about_guest(guest),
    )


def _about_guest(guest: GuestPlan) -> str:
    facts = [
        guest.description,
        "runs docker" if guest.runs_docker else "",
        f"has {', '.join(guest.pci)}" if guest.pci else "",
        f"boots {guest.startup}." if guest.startup else "",
        f"advertises {', '.join(guest.advertises)}" if guest.advertises else "",
        f"trunk {' '.join(map(str, guest.nics[0].trunks))}" if guest.nics and guest.nics[0].trunks else "",
        "" if guest.managed else "observed",
    ]
    return "; ".join(filter(None, facts))


def _networks(plan: LabPlan) -> Iterator[list[str]]:
    rows = [
        (stack.host, n.name, n.subnet, n.interface, "internal" if n.internal else "has a way out")
        for stack in plan.stacks
        for n in stack.networks
    ]
    rows += [
        (r.host, r.network.name, r.network.subnet, r.network.interface, "has a way out")
        for r in plan.subnet_routers
    ]
    if plan.ingress is not None:
        edge = [*plan.ingress.slots, *([plan.ingress.front] if plan.ingress.front else [])]
        rows += [
            (plan.ingress.host, n.name, n.subnet, n.interface, "internal" if n.internal else "has a way out")
            for n in edge
        ]
    if rows:
        yield ["Docker networks", *table(rows, head=("host", "network", "subnet", "bridge", ""))]


def _services(plan: LabPlan) -> Iterator[list[str]]:
    services = [(stack.host, service) for stack in plan.stacks for service in stack.services]
    services += [(router.host, router.service) for router in plan.subnet_routers]
    if plan.ingress is not None and plan.ingress.service is not None:
        services.append((plan.ingress.host, plan.ingress.service))
    if not services:
        return
    rows = [
        (
            str(service.endpoint),
            host,
            service.image.partition("@")[0],
            _ports(service.listens),
            _where(service),
            _service_facts(service),
        )
        for host, service in services
    ]
    yield ["Services", *table(rows, head=("service", "host", "image", "listens", "networks", ""))]
    observed = {stack.name: "" if stack.managed else "observed" for stack in plan.stacks}
    about = [
        f"  {stack.name}: {'; '.join(filter(None, (stack.description, observed[stack.name])))}"
        for stack in plan.stacks
        if stack.description or observed[stack.name]
    ]
    if about:
        yield ["Stacks", *about]


def _where(service: ServicePlan) -> str:
    shown = [f"{a.network} {a.address}" for a in service.attachments[:3]]
    more = len(service.attachments) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _service_facts(service: ServicePlan) -> str:
    facts = [
        service.description,
        f"published {' '.join(f'{p.external}/{p.protocol}' for p in service.published)}"
        if service.published
        else "",
        f"docker api: {', '.join(service.docker_rights)}" if service.docker_rights else "",
        f"through {service.docker_proxy}" if service.docker_proxy else "",
        "holds the Docker socket" if service.docker_socket and not service.docker_filter else "",
        "privileged" if service.privileged else "",
        "host network" if service.host_network else "",
    ]
    return "; ".join(filter(None, facts))


def _guards(plan: LabPlan) -> Iterator[list[str]]:
    if plan.guards:
        head = ("host", "networks", "rules", "within a network", "out", "in", "to the host")
        yield [
            "Guards (what no rule of a Docker host's packet filter accepts is dropped)",
            *table([_guard_row(guard) for guard in plan.guards], head=head),
        ]


def _guard_row(guard: GuardPlan) -> tuple[str, ...]:
    ways = [rule.way for rule in guard.rules]
    counts = (len(guard.bridges), len(ways), *(ways.count(way) for way in ("within", "out", "in", "local")))
    return guard.host, *map(str, counts)


def _edge(plan: LabPlan) -> Iterator[list[str]]:
    ingress = plan.ingress
    if ingress is None:
        return
    state = "" if ingress.managed else ", observed"
    head = [
        f"Ingress: {ingress.software} on {ingress.host}, tls {ingress.tls}{state}{_after(ingress.description)}"
    ]
    head += [f"  {entry.audience}: {_way_in(entry)}" for entry in ingress.entry_points]
    head += _protection(ingress)
    yield head
    rows = [
        (
            _address(r),
            str(r.target),
            ", ".join(r.audiences),
            r.auth,
            r.covered_by or "-",
        )
        for r in ingress.routes
    ]
    if rows:
        yield ["Routes", *table(rows, head=("url", "to", "audience", "asks for", "certificate"))]


def _way_in(entry: EntryPointPlan) -> str:
    place = (
        f"{entry.address}:{entry.port}" if entry.published else f"port {entry.port}, through the tunnel only"
    )
    return place if entry.redirect is None else f"{place}, redirected to from port {entry.redirect}"


def _address(route: RoutePlan) -> str:
    own = f":{route.entry}" if route.own_port else ""
    return f"{route.scheme}://{route.host}{own}{route.path or ''}"


def _protection(ingress: IngressPlan) -> list[str]:
    lines = []
    if ingress.auth_kind:
        lines.append(f"  authentication: {ingress.auth_kind} at {ingress.auth_url}")
    if ingress.ips:
        asked = "asked about every visitor" if ingress.crowdsec else "which reads logs"
        lines.append(f"  intrusion prevention: {ingress.ips}, {asked}")
    if ingress.tunnel:
        lines.append(f"  the tunnel is opened by {ingress.tunnel} ({', '.join(ingress.trusted_upstreams)})")
    elif ingress.trusted_upstreams:
        lines.append(f"  TLS ends upstream at {', '.join(ingress.trusted_upstreams)}")
    if ingress.rate_limit:
        lines.append(f"  rate limit: {ingress.rate_limit} requests a second")
    return lines


def _names(plan: LabPlan) -> Iterator[list[str]]:
    if plan.certificate is not None:
        c = plan.certificate
        how = (
            f"by DNS-01 at {c.dns}"
            if c.pair is None
            else f"as the secrets {c.pair.certificate.name} and {c.pair.key.name}"
        )
        yield [f"Certificate: {', '.join(c.names)} from {c.ca} {how}"]
    dns = plan.dns
    if dns.records:
        head = ("name", "type", "leads to", "zone", "")
        rows = [(r.name, r.type, r.content, r.zone, _record_facts(r)) for r in dns.records]
        yield [f"Public names: {dns.provider}", *table(rows, head=head)]
    if dns.resolver is not None:
        yield _resolver(dns.resolver)
    if plan.tailnet is not None:
        t = plan.tailnet
        groups = [f"  group {name}: {', '.join(users)}" for name, users in t.groups.items()]
        routes = [f"  route {route}, approved for {tag}" for route, tag in t.routes.items()]
        grants = [f"  {', '.join(g.sources)} may use {g.destination} {' '.join(g.ports)}" for g in t.grants]
        shells = [
            f"  {', '.join(s.sources)} may have a shell on {', '.join(s.tags)} as {', '.join(s.users)} ({s.action})"
            for s in t.ssh
        ]
        names = (
            [f"  names below {t.split_dns.domain} are asked of {t.split_dns.nameserver}"]
            if t.split_dns
            else []
        )
        members = [f"  members: {', '.join(map(str, t.members))}"] if t.members else []
        yield [f"Tailnet{_after(t.description)}", *groups, *routes, *grants, *shells, *names, *members]


def _record_facts(record: DnsRecordPlan) -> str:
    private = record.type == "A" and IPv4Address(record.content).is_private
    return "; ".join(
        filter(None, ("proxied" if record.proxied else "", "private address" if private else ""))
    )


def _resolver(resolver: ResolverPlan) -> list[str]:
    forward = f", forwards to {' '.join(resolver.forwards_to)}" if resolver.forwards_to else ""
    tls = f" over TLS as {resolver.forward_tls_name}" if resolver.forward_tls_name else ""
    zone = f", zone {resolver.zone}" if resolver.zone else ""
    filters = ", filters advertisers and malware" if resolver.filters else ""
    head = f"Resolver: {resolver.software} at {resolver.endpoint}{zone}{forward}{tls}{filters}"
    rows = [(name.name, name.address, name.of) for name in resolver.names]
    return [head, *table(rows, head=("name inside", "leads to", "what"))] if rows else [head]


def _care(plan: LabPlan) -> Iterator[list[str]]:
    if plan.identity is not None:
        i = plan.identity
        clients = f" for {', '.join(map(str, i.clients))}" if i.clients else ""
        yield [f"Identity: {i.kind} at {i.endpoint}, {i.factors} factors{clients}"]
    for b in plan.backup:
        yield [
            f"Backup: {b.tool} of {b.what} to {', '.join(b.to)}, {b.schedule or 'unscheduled'} ({b.encrypted})"
        ]
    if plan.sets:
        yield [
            "Sets",
            *(f"  {name}: {', '.join(map(str, members))}" for name, members in sorted(plan.sets.items())),
        ]


def _ports(ports: tuple[object, ...]) -> str:
    return " ".join(str(port) for port in ports) or "-"


def _after(text: str) -> str:
    return f" ({text})" if text else ""
