"""Which Docker networks there are, and who is in each.

One wire is one Docker network on one host. A stack has private wires of its own; a
service that Traefik speaks to meets it on an edge slot that nobody else is in; a service that may
go out, or whose ports are published, has one outer wire; a service that needs one of
another stack shares a link with just that one, as a service that asks the Docker API does
with its proxy. Nothing else is shared, unless the ingress is declared `attachment:
shared`. Two owners of one name are refused, because their members would meet. Subnets
and addresses are given out in `wire_addresses`.
"""

from dataclasses import dataclass, field
from ipaddress import IPv4Network

from lab.config.ingress import IngressConfig
from lab.config.stacks import ServiceConfig, StackConfig
from lab.names import did_you_mean
from lab.plan.docker_proxies import consumer_of, proxy_of
from lab.plan.draft import Draft
from lab.plan.meetings import declared_pairs, declared_to_go_out, goes_out, is_elsewhere, met_by_ingress
from lab.plan.needs import need_targets
from lab.plan.records import AttachmentPlan, DockerHostPlan, NetworkPlan, NetworkPurpose

TRAEFIK = "ingress/traefik"
FRONT = "vnet-front"
SHARED = "vnet-ingress"
_SMALL_PREFIX = 29
"""Edge slots, links and ways out hold two or three containers, and a /29 holds five."""


def slot_name(number: int) -> str:
    """The name of an edge slot."""
    return f"edge-{number:03d}"


@dataclass
class Wire:
    """One Docker network while it is planned."""

    host: str
    name: str
    owner: str
    path: str
    purpose: NetworkPurpose = "private"
    internal: bool = True
    pool: str = "docker"
    prefix: int | None = None
    """The declared prefix; None to follow from the number of members."""
    subnet: IPv4Network | None = None
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Members as `stack/service`, with the names under which others find them."""

    @property
    def key(self) -> str:
        """Its record in the ledger."""
        return f"{self.host}/{self.name}"


@dataclass
class Wiring:
    """All wires, and for each member its wires in order."""

    wires: dict[str, Wire] = field(default_factory=dict)
    of: dict[str, list[str]] = field(default_factory=dict)
    networks: dict[str, NetworkPlan] = field(default_factory=dict)
    attachments: dict[str, list[AttachmentPlan]] = field(default_factory=dict)

    def add(self, draft: Draft, wire: Wire) -> Wire:
        """Add a wire, or find it; one of that name with another owner is refused."""
        found = self.wires.setdefault(wire.key, wire)
        if found.owner != wire.owner:
            draft.refuse(
                wire.path,
                f"the Docker network {wire.name} of {wire.owner} would be that of {found.owner} too",
                "rename one of the two stacks",
            )
        return found

    def join(self, wire: Wire, member: str, *aliases: str) -> None:
        """Put a member on a wire."""
        wire.members[member] = (*wire.members.get(member, ()), *aliases)
        keys = self.of.setdefault(member, [])
        if wire.key not in keys:
            keys.append(wire.key)


def lay_wires(draft: Draft, hosts: dict[str, DockerHostPlan]) -> Wiring:
    """Lay every wire of the lab."""
    wiring = Wiring()
    ingress = draft.config.ingress
    if ingress is not None and ingress.manage == "yes" and ingress.host in hosts:
        _lay_ingress(draft, wiring, ingress)
    stacks = sorted(draft.config.stacks.items())
    for name, stack in stacks:
        if stack.host in hosts:
            _lay_stack(draft, wiring, name, stack)
    for member in declared_to_go_out(draft):
        if draft.config.stacks[member.partition("/")[0]].host in hosts:
            _lay_outer(draft, wiring, member)
    for name, stack in stacks:
        for service_name, service in sorted(stack.services.items()):
            _lay_links(draft, wiring, name, service_name, service)
    for member, other in declared_pairs(draft):
        _lay_link(draft, wiring, member, other)
    return wiring


def _lay_stack(draft: Draft, wiring: Wiring, name: str, stack: StackConfig) -> None:
    if stack.tailscale is not None:
        outer = wiring.add(draft, _outer(stack.host, name, "router", f"stacks.{name}.tailscale"))
        wiring.join(outer, f"{name}/router")
    if not stack.services:
        return
    private = {network: wiring.add(draft, wire) for network, wire in _private_wires(stack, name).items()}
    for service_name, service in stack.services.items():
        member = f"{name}/{service_name}"
        for network in _networks_of(draft, name, service_name, service, private):
            wiring.join(private[network], member, service_name)
        if goes_out(draft, name, stack, service):
            _lay_outer(draft, wiring, member)


def _private_wires(stack: StackConfig, name: str) -> dict[str, Wire]:
    if stack.networks:
        return {
            network: Wire(
                host=stack.host,
                name=f"vnet-{name}-{network}",
                owner=f"network {network} of stack {name}",
                path=f"stacks.{name}.networks.{network}",
                prefix=part.size,
                subnet=part.subnet,
            )
            for network, part in stack.networks.items()
        }
    return {
        "": Wire(
            host=stack.host,
            name=f"vnet-{name}",
            owner=f"stack {name}",
            path=f"stacks.{name}.subnet",
            prefix=stack.size,
            subnet=stack.subnet,
        )
    }


def _networks_of(
    draft: Draft, stack: str, name: str, service: ServiceConfig, private: dict[str, Wire]
) -> tuple[str, ...]:
    if service.host_network or consumer_of(draft.config.stacks[stack], name) is not None:
        return ()
    for network in service.networks:
        if network not in private:
            draft.refuse(
                f"stacks.{stack}.services.{name}.networks",
                f'the stack has no network "{network}"',
                did_you_mean(network, [n for n in private if n]),
            )
    chosen = tuple(n for n in service.networks if n in private)
    return chosen or tuple(private)


def _lay_outer(draft: Draft, wiring: Wiring, member: str) -> None:
    stack, _, service = member.partition("/")
    path = f"stacks.{stack}.services.{service}"
    wiring.join(wiring.add(draft, _outer(draft.config.stacks[stack].host, stack, service, path)), member)


def _outer(host: str, stack: str, service: str, path: str) -> Wire:
    return Wire(
        host=host,
        name=f"out-{stack}-{service}",
        owner=f"the way out of {stack}/{service}",
        path=path,
        purpose="egress",
        internal=False,
        prefix=_SMALL_PREFIX,
    )


def _lay_links(draft: Draft, wiring: Wiring, stack: str, name: str, service: ServiceConfig) -> None:
    targets = need_targets(service, stack)
    wanted = [target.endpoint.name for target in targets if target.endpoint.kind == "service"]
    if service.host_network:
        return
    for other in wanted:
        _lay_link(draft, wiring, f"{stack}/{name}", other)
    if (proxy := proxy_of(service, stack, name)) is not None:
        _lay_socket(draft, wiring, f"{stack}/{name}", proxy)


def _lay_link(draft: Draft, wiring: Wiring, member: str, other: str) -> None:
    stack, _, service = other.partition("/")
    own = draft.config.stacks[member.partition("/")[0]]
    theirs = draft.config.stacks.get(stack)
    if theirs is None or service not in theirs.services or is_elsewhere(draft, own, other):
        return
    if set(wiring.of.get(member, ())) & set(wiring.of.get(other, ())):
        return
    wire = wiring.add(
        draft,
        Wire(
            host=own.host,
            name=f"link-{member.replace('/', '-')}--{other.replace('/', '-')}",
            owner=f"the link from {member} to {other}",
            path=f"stacks.{member.replace('/', '.services.')}.needs",
            prefix=_SMALL_PREFIX,
        ),
    )
    wiring.join(wire, member)
    wiring.join(wire, other, service)


def _lay_socket(draft: Draft, wiring: Wiring, member: str, proxy: str) -> None:
    stack, _, service = member.partition("/")
    wire = wiring.add(
        draft,
        Wire(
            host=draft.config.stacks[stack].host,
            name=f"socket-{stack}-{service}",
            owner=f"the way of {member} to the Docker API",
            path=f"stacks.{stack}.services.{service}.docker-api",
            prefix=_SMALL_PREFIX,
        ),
    )
    wiring.join(wire, member)
    wiring.join(wire, proxy, proxy.partition("/")[2])


def _lay_ingress(draft: Draft, wiring: Wiring, ingress: IngressConfig) -> None:
    front = Wire(
        host=ingress.host,
        name=FRONT,
        owner="the front of the ingress",
        path="ingress",
        purpose="ingress",
        internal=False,
        pool="edge",
        prefix=_SMALL_PREFIX,
    )
    wiring.join(wiring.add(draft, front), TRAEFIK)
    met = met_by_ingress(draft, ingress)
    if ingress.attachment == "shared":
        _lay_shared(draft, wiring, ingress, met)
    else:
        _lay_slots(draft, wiring, ingress, met)


def _lay_shared(draft: Draft, wiring: Wiring, ingress: IngressConfig, met: list[str]) -> None:
    shared = wiring.add(
        draft,
        Wire(
            host=ingress.host,
            name=SHARED,
            owner="the shared network of the ingress",
            path="ingress.subnet",
            purpose="edge",
            pool="edge",
            subnet=ingress.subnet,
        ),
    )
    wiring.join(shared, TRAEFIK)
    for member in met:
        wiring.join(shared, member, member.partition("/")[2])


def _lay_slots(draft: Draft, wiring: Wiring, ingress: IngressConfig, met: list[str]) -> None:
    for number in range(ingress.slots):
        wire = wiring.add(
            draft,
            Wire(
                host=ingress.host,
                name=slot_name(number),
                owner=f"edge slot {number}",
                path="ingress.slots",
                purpose="edge",
                pool="edge",
                prefix=_SMALL_PREFIX,
            ),
        )
        wiring.join(wire, TRAEFIK)
    slots = draft.numbers("edge-slots", met, range(ingress.slots))
    for member in met:
        number = slots.get(member, ingress.slots)
        if number >= ingress.slots:
            draft.refuse(
                "ingress.slots",
                f"{ingress.slots} edge slots do not hold all services that the ingress speaks to: {member} has none",
                "raise slots (which replaces Traefik once), or drop edge-slots records whose owners are gone",
            )
            continue
        wiring.join(wiring.wires[f"{ingress.host}/{slot_name(number)}"], member, member.partition("/")[2])
