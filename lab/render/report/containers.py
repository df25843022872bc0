"""The sections about what runs on Docker hosts."""

from collections.abc import Iterator

from lab.plan.records import GuardPlan, LabPlan, ServicePlan
from lab.render.report.words import ports_text
from lab.render.table import table


def networks(plan: LabPlan) -> Iterator[list[str]]:
    """Docker networks, those of the ingress and of subnet routers among them."""
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


def services(plan: LabPlan) -> Iterator[list[str]]:
    """Services, and what is said of their stacks."""
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
            ports_text(service.listens),
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


def guards(plan: LabPlan) -> Iterator[list[str]]:
    """What each Docker host's guard accepts, in numbers."""
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
