"""Ports that containers publish on their host's address: declared ones, and those of routes from another host.

Owns the rule that a port of a host has one owner. A route to a service of another
Docker host needs a port that nobody should have to think of, so it is given out and
recorded like an address.
"""

from lab.config.stacks import ServiceConfig
from lab.flows import Port
from lab.plan.draft import Draft
from lab.plan.entries import claimed_ports
from lab.plan.records import DockerHostPlan, PublishedPort
from lab.plan.route_targets import routed_port
from lab.plan.wires import TRAEFIK

_FIRST_PUBLISHED, _LAST_PUBLISHED = 20000, 30000


def published_ports(draft: Draft, hosts: dict[str, DockerHostPlan]) -> dict[str, list[PublishedPort]]:
    """The ports that services publish on their host's address, each host port once."""
    published: dict[str, list[PublishedPort]] = {}
    owners = _ingress_ports(draft)
    for stack_name, stack in sorted(draft.config.stacks.items()):
        host = hosts.get(stack.host)
        if host is None:
            continue
        for name, service in sorted(stack.services.items()):
            member = f"{stack_name}/{name}"
            for text, external in sorted(service.publishes.items()):
                port = Port.parse(text)
                key = (host.name, external, port.protocol)
                if key in owners:
                    draft.refuse(
                        f"stacks.{stack_name}.services.{name}.publishes",
                        f"port {external}/{port.protocol} of {host.name} is also published by {owners[key]}",
                        "publish it under another number",
                    )
                    continue
                owners[key] = member
                published.setdefault(member, []).append(
                    PublishedPort(
                        internal=port.number, external=external, address=host.address, protocol=port.protocol
                    )
                )
    for member, ports in _route_ports(draft, hosts, owners).items():
        published.setdefault(member, []).extend(ports)
    return published


_Owners = dict[tuple[str, int, str], str]
"""Who publishes a port: host, number and protocol to `stack/service`."""


def _ingress_ports(draft: Draft) -> _Owners:
    ingress = draft.config.ingress
    if ingress is None or ingress.manage == "observe":
        return {}
    return {
        (ingress.host, claimed.port.number, claimed.port.protocol): TRAEFIK
        for claimed in claimed_ports(draft, ingress)
        if claimed.published
    }


def _route_ports(
    draft: Draft, hosts: dict[str, DockerHostPlan], owners: _Owners
) -> dict[str, list[PublishedPort]]:
    """Ports by which an ingress on another machine reaches a routed service."""
    ingress = draft.config.ingress
    if ingress is None:
        return {}
    keys: dict[str, tuple[str, str, Port]] = {}
    for stack_name, stack in draft.config.stacks.items():
        if stack.host not in hosts or stack.host == ingress.host:
            continue
        for name, service in stack.services.items():
            for port in sorted(_routed_ports(service)):
                key = f"{stack.host}/{stack_name}/{name}/{port.number}"
                key += "" if port.protocol == "tcp" else f"-{port.protocol}"
                keys[key] = (stack.host, f"{stack_name}/{name}", port)
    taken = {number for _, number, _ in owners}
    free = (n for n in range(_FIRST_PUBLISHED, _LAST_PUBLISHED) if n not in taken)
    ports: dict[str, list[PublishedPort]] = {}
    for key, number in draft.numbers("published-ports", keys, free).items():
        host, member, internal = keys[key]
        if (other := owners.get((host, number, internal.protocol))) is not None:
            stack_name, _, name = other.partition("/")
            draft.refuse(
                f"stacks.{stack_name}.services.{name}.publishes",
                f"port {number} of {host} was given to {member} before (ledger)",
                f"publish it under another number, or drop the record: `lab ledger --drop published-ports/{key}`",
            )
        ports.setdefault(member, []).append(
            PublishedPort(
                internal=internal.number,
                external=number,
                address=hosts[host].address,
                protocol=internal.protocol,
            )
        )
    return ports


def _routed_ports(service: ServiceConfig) -> set[Port]:
    """The ports of routes that a service does not publish anyway."""
    if service.host_network:
        return set()
    routed = {port for route in service.all_routes if (port := routed_port(route, service.listens))}
    return routed - {Port.parse(text) for text in service.publishes}
