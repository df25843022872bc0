"""What is deployed, as one versioned value: the stack's output `lab`.

Plain JSON without a secret, for whoever compares or probes a running lab and may not
read the lab file that it was made from. Readers check `version` first; a change that an
older reader would misread raises it.
"""

from typing import Any

from lab.isolation import Proof
from lab.isolation.difference import open_paths, written
from lab.plan.records import IngressPlan, LabPlan, NetworkPlan, ServicePlan

VERSION = 3


def deployed(plan: LabPlan, proof: Proof) -> dict[str, Any]:
    """The lab as it was created, and who reaches whom in it."""
    stacks = [stack for stack in plan.stacks if stack.managed]
    services = [(stack.host, service) for stack in stacks for service in stack.services]
    networks = [(stack.host, network) for stack in stacks for network in stack.networks]
    services += [(router.host, router.service) for router in plan.subnet_routers if router.managed]
    networks += [(router.host, router.network) for router in plan.subnet_routers if router.managed]
    ingress = plan.ingress
    if ingress is not None and ingress.service is not None and ingress.front is not None:
        services.append((ingress.host, ingress.service))
        networks += [(ingress.host, network) for network in (ingress.front, *ingress.slots)]
    return {
        "version": VERSION,
        "environment": plan.environment,
        "domain": plan.domain,
        "docker_hosts": [
            {"name": host.name, "address": host.address, "connection": host.connection, "guest": host.guest}
            for host in plan.docker_hosts
        ],
        "guests": [
            {"name": guest.name, "kind": guest.kind, "vm_id": guest.vm_id, "address": guest.address}
            for guest in plan.guests
            if guest.managed
        ],
        "networks": sorted((_network(*part) for part in networks), key=lambda n: (n["host"], n["name"])),
        "endpoints": sorted((_service(*part) for part in services), key=lambda s: str(s["endpoint"])),
        "routes": _routes(ingress) if ingress else [],
        "urls": _urls(ingress) if ingress else [],
        "reach": written(open_paths(proof)),
    }


def _network(host: str, network: NetworkPlan) -> dict[str, Any]:
    return {
        "host": host,
        "name": network.name,
        "subnet": network.subnet,
        "purpose": network.purpose,
        "internal": network.internal,
    }


def _service(host: str, service: ServicePlan) -> dict[str, Any]:
    return {
        "endpoint": str(service.endpoint),
        "host": host,
        "image": service.image,
        "listens": [str(port) for port in sorted(service.listens)],
        "http": service.speaks_http,
        "addresses": {attachment.network: attachment.address for attachment in service.attachments},
    }


def _routes(ingress: IngressPlan) -> list[dict[str, Any]]:
    return [
        {
            "name": route.name,
            "host": route.host,
            "path": route.path,
            "target": str(route.target),
            "url": route.url,
            "audiences": list(route.audiences),
        }
        for route in ingress.routes
    ]


def _urls(ingress: IngressPlan) -> list[str]:
    """Where a visitor finds each route, for every audience that it is meant for."""
    return sorted(
        {
            route.address_at(ingress.way_in(route, audience))
            for route in ingress.routes
            for audience in route.audiences
        }
    )
