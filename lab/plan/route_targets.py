"""Where routes are declared, and at which address the ingress finds what each leads to."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lab.config.ingress import IngressConfig
from lab.config.routes import RouteConfig, Routed
from lab.flows import Endpoint, Port, Protocol
from lab.plan.draft import Draft
from lab.plan.places import Places
from lab.plan.records import DockerHostPlan, PublishedPort
from lab.plan.wires import TRAEFIK, Wiring

PROXMOX = Port(8006)
"""Where a node serves its interface and its API (pveproxy), HTTPS only."""


@dataclass(frozen=True, kw_only=True)
class DeclaredRoute:
    """A route as it stands in the lab file."""

    where: str
    route: RouteConfig
    target: Endpoint
    listens: tuple[Port, ...]
    index: int
    """Its place among the routes of its target."""


def declared_routes(draft: Draft) -> Iterator[DeclaredRoute]:
    """Every route of the lab, services' first."""
    config = draft.config
    for stack_name, stack in sorted(config.stacks.items()):
        for name, service in sorted(stack.services.items()):
            target = Endpoint("service", f"{stack_name}/{name}")
            yield from _of(service, f"stacks.{stack_name}.services.{name}", target, service.listens)
    for name, guest in sorted(config.guests.items()):
        yield from _of(guest, f"guests.{name}", Endpoint("guest", name), guest.listens)
    for name, device in sorted(config.devices.items()):
        yield from _of(device, f"devices.{name}", Endpoint("device", name), device.listens)
    for name, node in sorted(config.nodes.items()):
        yield from _of(node, f"nodes.{name}", Endpoint("node", name), (PROXMOX,))


def _of(part: Routed, path: str, target: Endpoint, listens: tuple[Port, ...]) -> Iterator[DeclaredRoute]:
    for index, route in enumerate(part.all_routes):
        where = f"{path}.route" if part.route is not None else f"{path}.routes[{index}]"
        yield DeclaredRoute(where=where, route=route, target=target, listens=listens, index=index)


def routed_port(route: RouteConfig, listens: Iterable[Port]) -> Port | None:
    """The target's port of a route: the one that it names, else the only one that is served; else None."""
    protocol: Protocol = "udp" if route.protocol == "udp" else "tcp"
    if route.port is not None:
        return Port(route.port.number, protocol)
    served = [port for port in listens if port.protocol == protocol]
    return served[0] if len(served) == 1 else None


@dataclass(frozen=True)
class TargetAddresses:
    """The addresses at which the ingress finds services and machines."""

    draft: Draft
    ingress: IngressConfig
    places: Places
    hosts: Mapping[str, DockerHostPlan]
    wiring: Wiring
    published: Mapping[str, tuple[PublishedPort, ...]]
    """What each service publishes, by `stack/service`."""

    def of(self, declared: DeclaredRoute, port: Port) -> str:
        """The address and port of a route's target; refuses a machine that has no fixed address."""
        target = declared.target
        if target.kind == "service":
            return self._of_service(target.name, port)
        if target.kind == "node":
            address = self.places.nodes.get(target.name)
        else:
            address = self.places.of_machine(target.name)
            if address is None:
                self.draft.refuse(
                    declared.where,
                    f"{target.kind} {target.name} has no fixed address to route to",
                    "give it one",
                )
        return f"{address or ''}:{port.number}"

    def _of_service(self, member: str, port: Port) -> str:
        """On the network that the two share, or at the port that its host publishes."""
        stack_name, _, name = member.partition("/")
        stack = self.draft.config.stacks[stack_name]
        on_host = stack.services[name].host_network
        if stack.host == self.ingress.host and self.ingress.manage == "yes" and not on_host:
            return f"{shared_address(self.wiring, member)}:{port.number}"
        external = next(
            (
                p.external
                for p in self.published.get(member, ())
                if (p.internal, p.protocol) == (port.number, port.protocol)
            ),
            port.number,
        )
        address = self.hosts[stack.host].address if stack.host in self.hosts else ""
        return f"{address}:{external}"


def shared_address(wiring: Wiring, member: str) -> str:
    """The address of a service on a network where Traefik is too; empty where there is none."""
    shared = {a.network for a in wiring.attachments.get(TRAEFIK, ())}
    return next((a.address for a in wiring.attachments.get(member, ()) if a.network in shared), "")
