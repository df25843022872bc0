"""The one join: a declaration and a ledger become a plan, or every reason why not.

Reads as the list of its steps. Each step adds its problems to one draft, and the plan
is refused at the end with all of them.
"""

from collections.abc import Sequence
from dataclasses import replace

from lab.addresses import Claim
from lab.config.model import LabConfig
from lab.errors import PlanError
from lab.flows import Endpoint
from lab.ledger import Ledger
from lab.names import did_you_mean
from lab.plan.certificate import ZONE_TOKEN, plan_certificate
from lab.plan.containers import plan_stacks, plan_subnet_routers
from lab.plan.directory import Directory
from lab.plan.dns import plan_dns
from lab.plan.docker_proxies import add_proxies
from lab.plan.draft import Draft, check_records
from lab.plan.endpoints import check_references
from lab.plan.guard import plan_guards
from lab.plan.hosts import plan_docker_hosts
from lab.plan.ingress import plan_ingress
from lab.plan.machines import plan_devices, plan_guests, plan_nodes, plan_vlans
from lab.plan.permissions import plan_flows
from lab.plan.places import settle_places
from lab.plan.records import BackupPlan, IdentityPlan, LabPlan, RouterPlan, SecretRef
from lab.plan.resolver import plan_resolver
from lab.plan.rules import guest_rules, node_rules, vlan_rules
from lab.plan.safety import check_expectations, plan_acceptances, plan_expectations
from lab.plan.tailnet import advertised_routes, plan_tailnet
from lab.plan.wire_addresses import number_wires
from lab.plan.wires import lay_wires

_DEFAULT_CONNECTIONS = {
    "cloudflare": "https://api.cloudflare.com/client/v4",
    "tailscale": "https://api.tailscale.com",
}


def build_plan(
    config: LabConfig, ledger: Ledger, *, environment: str, neighbours: Sequence[Claim] = ()
) -> LabPlan:
    """Decide everything about a lab.

    Args:
        config: what was declared.
        ledger: what was given out before; it stays.
        environment: the name of the lab's environment, such as `dev`.
        neighbours: the subnets that other environments of the same site hold.

    Raises:
        PlanError: with every problem found.
    """
    return plan_with_ledger(config, ledger, environment=environment, neighbours=neighbours)[0]


def plan_with_ledger(
    config: LabConfig, ledger: Ledger, *, environment: str, neighbours: Sequence[Claim] = ()
) -> tuple[LabPlan, Ledger]:
    """The same, with the ledger that holds what was given out now as well."""
    draft = Draft(config=config, environment=environment, ledger=ledger, neighbours=tuple(neighbours))
    plan = _planned(draft)
    if draft.issues:
        raise PlanError(draft.issues)
    unrecorded = tuple(sorted(f"{kind}/{key}" for kind, records in draft.given.items() for key in records))
    plan = replace(plan, warnings=tuple(sorted(set(draft.warnings))), unrecorded=unrecorded)
    return plan, ledger.with_records(draft.given)


def _planned(draft: Draft) -> LabPlan:
    check_records(draft)
    add_proxies(draft)
    config = draft.config
    check_references(draft)
    places = settle_places(draft)
    hosts = plan_docker_hosts(draft, places)
    wiring = number_wires(draft, lay_wires(draft, hosts))
    stacks = plan_stacks(draft, hosts, wiring)
    ingress = plan_ingress(draft, places, hosts, wiring, stacks)
    advertised = advertised_routes(draft, places)
    routers = plan_subnet_routers(draft, hosts, wiring, advertised)
    flows = plan_flows(draft, places, hosts, ingress, routers)
    guests = tuple(
        replace(guest, advertises=advertised.get(f"guests.{guest.name}", ()))
        for guest in plan_guests(draft, places)
    )
    nodes = tuple(
        replace(node, advertises=advertised.get(f"nodes.{node.name}", ()))
        for node in plan_nodes(draft, places)
    )
    plan = LabPlan(
        environment=draft.environment,
        domain=config.domain,
        site=config.site,
        description=config.description,
        owns=config.owns,
        operator_vlan=config.operator.vlan,
        operator_address=places.operator,
        nodes=nodes,
        vlans=plan_vlans(draft),
        router=_router(draft),
        devices=plan_devices(draft, places),
        guests=guests,
        docker_hosts=tuple(hosts[name] for name in sorted(hosts)),
        stacks=stacks,
        ingress=ingress,
        certificate=plan_certificate(draft),
        tailnet=plan_tailnet(draft, places, advertised, ingress),
        subnet_routers=routers,
        sets={name: config.sets[name] for name in sorted(config.sets)},
        flows=flows,
        expectations=plan_expectations(draft),
        accepted=plan_acceptances(draft),
        identity=IdentityPlan(**config.identity.__dict__) if config.identity else None,
        backup=tuple(BackupPlan(**part.__dict__) for part in config.backup),
    )
    plan = replace(plan, dns=plan_dns(draft, ingress, plan_resolver(draft, plan)))
    directory = Directory(plan)
    check_expectations(draft, directory)
    plan = _with_rules(directory)
    return replace(plan, connections=_connections(draft, plan), secrets=_secrets(plan))


def _with_rules(directory: Directory) -> LabPlan:
    """The plan with what follows from its flows: the rules of every packet filter."""
    plan = directory.plan
    return replace(
        plan,
        nodes=tuple(replace(node, rules=node_rules(directory, node.name)) for node in plan.nodes),
        guests=tuple(replace(guest, rules=guest_rules(directory, guest.name)) for guest in plan.guests),
        vlans=tuple(replace(vlan, rules=vlan_rules(directory, vlan.name)) for vlan in plan.vlans),
        guards=plan_guards(directory),
    )


def _router(draft: Draft) -> RouterPlan:
    router, config = draft.config.router, draft.config
    endpoint: Endpoint | None = None
    for kind, name, known in (
        ("guest", router.guest, config.guests),
        ("device", router.device, config.devices),
    ):
        if name is None:
            continue
        if name not in known:
            draft.refuse(f"router.{kind}", f'there is no {kind} "{name}"', did_you_mean(name, list(known)))
        endpoint = Endpoint(kind, name)
    if router.kind == "guest" and router.guest is None:
        draft.refuse("router.guest", "a router that is a guest needs the guest's name", "add guest")
    return RouterPlan(kind=router.kind, endpoint=endpoint, description=router.description)


def _connections(draft: Draft, plan: LabPlan) -> dict[str, str]:
    connections = dict(_DEFAULT_CONNECTIONS)
    managed = next((node for node in plan.nodes if node.managed), None)
    if managed is not None:
        connections["proxmox"] = f"https://{managed.address}:8006"
    hosts = {host.name for host in plan.docker_hosts}
    for name, url in sorted(draft.config.connections.items()):
        if name in hosts:
            continue
        if name not in ("proxmox", *_DEFAULT_CONNECTIONS):
            draft.refuse(
                f"connections.{name}",
                "nothing here is connected to under that name",
                did_you_mean(name, {"proxmox", *_DEFAULT_CONNECTIONS, *hosts}),
            )
        connections[name] = url
    return connections


def _secrets(plan: LabPlan) -> tuple[SecretRef, ...]:
    services = [service for stack in plan.stacks if stack.managed for service in stack.services]
    if plan.ingress is not None and plan.ingress.service is not None:
        services.append(plan.ingress.service)
    names = {file.secret.name for service in services for file in service.secret_files}
    if any(node.managed for node in plan.nodes):
        names.add("proxmox-token")
    asks = plan.certificate is not None and plan.certificate.pair is None
    if plan.dns.provider == "cloudflare" and (plan.dns.records or asks):
        names.add(ZONE_TOKEN)
    if plan.certificate is not None and plan.certificate.mint is not None:
        names.add(plan.certificate.mint.maker.name)
    if any(router.managed for router in plan.subnet_routers) or (
        plan.tailnet is not None and plan.tailnet.managed
    ):
        names.add("tailscale-key")
    return tuple(SecretRef(name) for name in sorted(names))
