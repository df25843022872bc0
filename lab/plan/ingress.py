"""The ingress of a plan: Traefik, its entry points, and whom it asks before it lets somebody in."""

from dataclasses import replace
from ipaddress import IPv4Address
from itertools import chain

from lab.config.ingress import IngressConfig
from lab.flows import Endpoint, Port
from lab.names import did_you_mean
from lab.plan.containers import FILES, SECRETS
from lab.plan.directory import INTERNET
from lab.plan.draft import Draft
from lab.plan.entries import tls_of
from lab.plan.middlewares import audience_chain, plan_middlewares, users_files
from lab.plan.places import Places
from lab.plan.records import (
    AttachmentPlan,
    CrowdsecPlan,
    DockerHostPlan,
    EntryPointPlan,
    IngressPlan,
    PublishedPort,
    SecretFilePlan,
    SecretRef,
    ServicePlan,
    StackPlan,
    VolumePlan,
)
from lab.plan.route_targets import TargetAddresses, shared_address
from lab.plan.routes import Routes, check_audiences, refuse_routes_without_ingress
from lab.plan.sign_in import check_identity
from lab.plan.wires import FRONT, TRAEFIK, Wiring

DEFAULT_AUTH_PORTS = {"authelia": 9091, "authentik": 9000}
"""Where each answers when the lab file names no port (their own documentation)."""
CROWDSEC_PORT = 8080
"""Where CrowdSec's local API answers (its own documentation)."""
PLUGINS = "/plugins-storage"
"""Where Traefik unpacks plugins (Traefik `pkg/plugins`), below its working directory, which is `/` in its image."""


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
    published = {s.endpoint.name: s.published for stack in stacks for s in stack.services}
    targets = TargetAddresses(draft, ingress, places, hosts, wiring, published)
    middlewares = plan_middlewares(draft, ingress)
    entry_points = tuple(
        EntryPointPlan(
            audience=audience,
            port=entry.port,
            address=address,
            redirect=entry.redirect,
            tls=tls_of(draft, ingress, audience),
            middlewares=audience_chain(draft, ingress, audience, middlewares),
        )
        for audience, entry in sorted(ingress.audiences.items())
    )
    routes = Routes(draft, ingress, targets).all()
    check_audiences(draft, ingress)
    check_identity(draft)
    edge = [
        network
        for key, network in sorted(wiring.networks.items())
        if wiring.wires[key].purpose == "edge" and wiring.wires[key].host == ingress.host
    ]
    tunnel = _tunnel_address(draft, ingress, wiring)
    plan = IngressPlan(
        host=ingress.host,
        software=ingress.software,
        front=wiring.networks.get(f"{ingress.host}/{FRONT}"),
        slots=tuple(edge),
        entry_points=entry_points,
        routes=routes,
        middlewares=middlewares,
        auth=ingress.auth.endpoint if ingress.auth else None,
        auth_kind=ingress.auth.kind if ingress.auth else None,
        auth_default=ingress.auth.default if ingress.auth else "none",
        auth_url=_auth_url(draft, ingress, places, wiring),
        ips=ingress.ips.endpoint if ingress.ips else None,
        crowdsec=_crowdsec(draft, ingress, places, wiring),
        tls=ingress.tls,
        tls_minimum=ingress.tls_options.minimum,
        refuses_unknown_names=ingress.tls_options.unknown_names == "refuse",
        tunnel=ingress.tunnel,
        carriers=_carriers(draft, ingress, places, tunnel),
        rate_limit=ingress.rate_limit,
        description=ingress.description,
        managed=ingress.manage == "yes",
    )
    pair = draft.config.certificate.pair if draft.config.certificate and plan.ends_tls else None
    shown = (pair.certificate, pair.key) if pair else ()
    return replace(plan, service=_traefik(ingress, wiring, plan, shown)) if plan.managed else plan


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


def _traefik(
    ingress: IngressConfig, wiring: Wiring, plan: IngressPlan, shown: tuple[str, ...]
) -> ServicePlan:
    attachments: list[AttachmentPlan] = sorted(wiring.attachments.get(TRAEFIK, ()), key=lambda a: a.network)
    ports = _listens(plan)
    return ServicePlan(
        name="traefik",
        image=ingress.image or "",
        attachments=tuple(attachments),
        endpoint=Endpoint("ingress"),
        listens=tuple(sorted(ports)),
        speaks_http=True,
        command=(f"--configFile={FILES}/traefik.yaml",),
        secret_files=_secret_files(ingress, plan, shown),
        volumes=(VolumePlan(name="acme", mount="/acme"),),
        capabilities=("CAP_NET_BIND_SERVICE",),
        read_only=True,
        tmpfs=("/tmp", PLUGINS) if plan.crowdsec else ("/tmp",),
        published=tuple(
            PublishedPort(internal=port.number, external=port.number, address=address, protocol=port.protocol)
            for port, address in ports.items()
            if address
        ),
        description="the only way in",
    )


def _listens(plan: IngressPlan) -> dict[Port, str]:
    """Every port, with the address of the host on which it is published; empty for one that is not."""
    ports: dict[Port, str] = {}
    for entry in plan.entry_points:
        ports[Port(entry.port)] = entry.address if entry.published else ""
        if entry.redirect is not None:
            ports[Port(entry.redirect)] = entry.address
    addresses = {entry.address for entry in plan.entry_points}
    for route in plan.routes:
        if (own := route.own_port) is not None:
            ports[own] = next(iter(addresses), "")
    return ports


def _secret_files(
    ingress: IngressConfig, plan: IngressPlan, shown: tuple[str, ...]
) -> tuple[SecretFilePlan, ...]:
    """Lists of users, authorities of targets, the bouncer's key, and the certificate that is shown, each once."""
    names = {*users_files(ingress), *shown}
    names |= {route.target_tls.ca.name for route in plan.routes if route.target_tls and route.target_tls.ca}
    names |= {ingress.ips.key} if ingress.ips and ingress.ips.key else set()
    return tuple(SecretFilePlan(path=f"{SECRETS}/{name}", secret=SecretRef(name)) for name in sorted(names))


def _tunnel_address(draft: Draft, ingress: IngressConfig, wiring: Wiring) -> str:
    if ingress.tunnel is None:
        return ""
    address = shared_address(wiring, ingress.tunnel.name) if ingress.tunnel.kind == "service" else ""
    if not address:
        draft.refuse(
            "ingress.tunnel",
            f"{ingress.tunnel} shares no network with {ingress.software}, so the tunnel would end nowhere",
            f"name a service of a stack on {ingress.host}, in networks of its own",
        )
    return address


def _carriers(draft: Draft, ingress: IngressConfig, places: Places, tunnel: str) -> dict[str, Endpoint]:
    if ingress.tunnel is not None:
        return {tunnel: ingress.tunnel} if tunnel else {}
    return {address: _whose(draft, places, address) for address in ingress.trusted_upstreams}


def _whose(draft: Draft, places: Places, address: str) -> Endpoint:
    """Who has a terminator's address: a machine, somebody unnamed on a segment, or somebody on the internet."""
    guests = (Endpoint("guest", name) for name in places.guests if address in places.all_of(name))
    devices = (Endpoint("device", name) for name in places.devices if address in places.all_of(name))
    nodes = (Endpoint("node", name) for name, own in places.nodes.items() if own == address)
    vlans = draft.config.vlans.items()
    around = (Endpoint("vlan", name) for name, vlan in vlans if IPv4Address(address) in vlan.subnet)
    return next(chain(guests, devices, nodes, around), INTERNET)


def _crowdsec(draft: Draft, ingress: IngressConfig, places: Places, wiring: Wiring) -> CrowdsecPlan | None:
    ips = ingress.ips
    if ips is None or ips.key is None:
        return None
    host = _asked_at(draft, ingress, ips.endpoint, "ingress.ips.endpoint", places, wiring)
    port = ips.port.number if ips.port else CROWDSEC_PORT
    return CrowdsecPlan(address=f"{host}:{port}", key_file=f"{SECRETS}/{ips.key}")


def _auth_url(draft: Draft, ingress: IngressConfig, places: Places, wiring: Wiring) -> str | None:
    if ingress.auth is None:
        return None
    endpoint, port = ingress.auth.endpoint, ingress.auth.port
    number = port.number if port else DEFAULT_AUTH_PORTS[ingress.auth.kind]
    host = _asked_at(draft, ingress, endpoint, "ingress.auth.endpoint", places, wiring)
    path = (
        "/api/authz/forward-auth"
        if ingress.auth.kind == "authelia"
        else "/outpost.goauthentik.io/auth/traefik"
    )
    return f"http://{host}:{number}{path}"


def _asked_at(
    draft: Draft, ingress: IngressConfig, endpoint: Endpoint, where: str, places: Places, wiring: Wiring
) -> str:
    """The address of somebody whom Traefik asks before it lets a visitor in."""
    if endpoint.kind != "service":
        return places.of_machine(endpoint.name) or endpoint.name
    address = shared_address(wiring, endpoint.name)
    if not address and ingress.manage == "yes" and wiring.attachments.get(endpoint.name):
        draft.refuse(
            where,
            f"{endpoint} shares no network with {ingress.software}, so it could never be asked",
            "give it a route (people sign in there), which puts the two on one edge slot",
        )
    return address or endpoint.name.partition("/")[2]
