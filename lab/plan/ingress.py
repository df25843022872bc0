"""The ingress of a plan: Traefik, its entry points, and whom it asks before it lets somebody in."""

from lab.config.ingress import IngressConfig
from lab.flows import Endpoint, Port
from lab.names import did_you_mean
from lab.plan.containers import FILES
from lab.plan.draft import Draft
from lab.plan.places import Places
from lab.plan.records import (
    AttachmentPlan,
    DockerHostPlan,
    EntryPointPlan,
    IngressPlan,
    PublishedPort,
    ServicePlan,
    StackPlan,
    VolumePlan,
)
from lab.plan.routes import Routes, check_audiences, refuse_routes_without_ingress
from lab.plan.wires import FRONT, TRAEFIK, Wiring

DEFAULT_AUTH_PORTS = {"authelia": 9091, "authentik": 9000}
"""Where each answers when the lab file names no port (their own documentation)."""


def plan_ingress(
    draft: Draft,
    places: Places,
    hosts: dict[str, DockerHostPlan],
    wiring: Wiring,
    stacks: tuple[StackPlan, ...],
) -> IngressPlan | None:
    """The ingress with every route of the lab."""
    ingress = draft.config.ingress
    if ingress is None:
        refuse_routes_without_ingress(draft)
        return None
    address = _ingress_address(draft, ingress, places, hosts)
    routes = Routes(draft, ingress, places, hosts, wiring).all(stacks)
    entry_points = tuple(
        EntryPointPlan(audience=audience, port=entry.port, address=address)
        for audience, entry in sorted(ingress.audiences.items())
    )
    check_audiences(draft, ingress)
    managed = ingress.manage == "yes"
    front = wiring.networks.get(f"{ingress.host}/{FRONT}")
    edge = [
        network
        for key, network in sorted(wiring.networks.items())
        if wiring.wires[key].purpose == "edge" and wiring.wires[key].host == ingress.host
    ]
    return IngressPlan(
        host=ingress.host,
        software=ingress.software,
        service=_traefik(ingress, wiring, entry_points) if managed else None,
        front=front,
        slots=tuple(edge),
        entry_points=entry_points,
        routes=routes,
        auth_kind=ingress.auth.kind if ingress.auth else None,
        auth_url=_auth_url(draft, ingress, places, wiring),
        ips=ingress.ips.endpoint if ingress.ips else None,
        tls=ingress.tls,
        trusted_upstreams=ingress.trusted_upstreams,
        rate_limit=ingress.rate_limit,
        description=ingress.description,
        managed=managed,
    )


def _ingress_address(
    draft: Draft, ingress: IngressConfig, places: Places, hosts: dict[str, DockerHostPlan]
) -> str:
    if ingress.manage == "yes" and ingress.host not in hosts:
        draft.refuse(
            "ingress.host", f'there is no Docker host "{ingress.host}"', did_you_mean(ingress.host, hosts)
        )
        return ""
    address = places.of_machine(ingress.host)
    if address is None:
        machines = [*draft.config.guests, *draft.config.devices]
        draft.refuse(
            "ingress.host",
            f'"{ingress.host}" has no fixed address here',
            did_you_mean(ingress.host, machines),
        )
    return address or ""


def _traefik(ingress: IngressConfig, wiring: Wiring, entry_points: tuple[EntryPointPlan, ...]) -> ServicePlan:
    attachments: list[AttachmentPlan] = sorted(wiring.attachments.get(TRAEFIK, ()), key=lambda a: a.network)
    return ServicePlan(
        name="traefik",
        image=ingress.image or "",
        attachments=tuple(attachments),
        endpoint=Endpoint("ingress"),
        listens=tuple(Port(entry.port) for entry in entry_points),
        speaks_http=True,
        command=(f"--configFile={FILES}/traefik.yaml",),
        volumes=(VolumePlan(name="acme", mount="/acme"),),
        capabilities=("CAP_NET_BIND_SERVICE",),
        read_only=True,
        tmpfs=("/tmp",),
        published=tuple(
            PublishedPort(internal=entry.port, external=entry.port, address=entry.address)
            for entry in entry_points
        ),
        description="the only way in",
    )


def _auth_url(draft: Draft, ingress: IngressConfig, places: Places, wiring: Wiring) -> str | None:
    if ingress.auth is None:
        return None
    endpoint, port = ingress.auth.endpoint, ingress.auth.port
    number = port.number if port else DEFAULT_AUTH_PORTS[ingress.auth.kind]
    host = _auth_host(draft, ingress, endpoint, places, wiring)
    path = (
        "/api/authz/forward-auth"
        if ingress.auth.kind == "authelia"
        else "/outpost.goauthentik.io/auth/traefik"
    )
    return f"http://{host}:{number}{path}"


def _auth_host(
    draft: Draft, ingress: IngressConfig, endpoint: Endpoint, places: Places, wiring: Wiring
) -> str:
    if endpoint.kind != "service":
        return places.of_machine(endpoint.name) or endpoint.name
    shared = {a.network for a in wiring.attachments.get(TRAEFIK, ())}
    mine = wiring.attachments.get(endpoint.name, ())
    address = next((a.address for a in mine if a.network in shared), None)
    if address is None and ingress.manage == "yes" and mine:
        draft.refuse(
            "ingress.auth.endpoint",
            f"{endpoint} shares no network with {ingress.software}, so it could never be asked",
            "give it a route (people sign in there), which puts the two on one edge slot",
        )
    return address or endpoint.name.partition("/")[2]
