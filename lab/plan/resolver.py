"""The resolver inside: which names it answers, for whom, and where its files go.

A host name of a route answers with the ingress' address inside, whatever the public zone
says of it (split horizon), and comes before a machine of the same name.
"""

from collections.abc import Iterator

from lab.config.dns import InternalDnsConfig
from lab.flows import Endpoint
from lab.plan.directory import INGRESS, Container, Directory
from lab.plan.dns import inside_address
from lab.plan.draft import Draft
from lab.plan.records import LabPlan, NamePlan, ResolverPlan

_FOLDERS = {"bind9": "/etc/bind", "adguard": "/opt/adguardhome/conf"}
"""Where the software's own images and Debian's package look for their files."""
_MACHINES = ("service", "guest", "node", "device")


def plan_resolver(draft: Draft, plan: LabPlan) -> ResolverPlan | None:
    """The resolver of a lab whose machines and routes are planned."""
    inside = draft.config.dns.internal
    if inside is None:
        return None
    rendered = inside.software in _FOLDERS
    zone = inside.zone or (draft.config.domain if rendered else None)
    directory = Directory(plan)
    container = directory.containers.get(inside.endpoint)
    if rendered:
        _check_place(draft, inside, directory)
    if rendered and container is not None:
        _check_container(draft, inside.endpoint, container, _FOLDERS[inside.software])
    forward = inside.forward
    return ResolverPlan(
        software=inside.software,
        endpoint=inside.endpoint,
        zone=zone,
        folder=_FOLDERS.get(inside.software, ""),
        name=f"{container.host if container else inside.endpoint.name}.{zone}" if zone else "",
        address=next(iter(directory.addresses(inside.endpoint)), ""),
        names=_names(draft, directory, zone) if rendered and zone else (),
        asked_from=_asked_from(directory, container),
        forwards_to=forward.addresses if forward else (),
        forward_tls_name=forward.tls_name if forward else None,
        filters=inside.filters,
    )


def _check_place(draft: Draft, inside: InternalDnsConfig, directory: Directory) -> None:
    endpoint = inside.endpoint
    if endpoint.kind not in _MACHINES:
        draft.refuse(
            "dns.internal.endpoint",
            f"{endpoint} is no machine that {inside.software} could run on",
            "write service:STACK/NAME, guest:NAME, node:NAME or device:NAME",
        )
    elif endpoint.name in directory.machines and not directory.addresses(endpoint):
        draft.refuse(
            "dns.internal.endpoint",
            f"{endpoint} has no fixed address, so nobody could be told to ask it",
            "give it one",
        )


def _check_container(draft: Draft, endpoint: Endpoint, container: Container, folder: str) -> None:
    """Refuse a service that could not answer, or whose files would not be those that are rendered."""
    service = container.service
    stack, _, name = endpoint.name.partition("/")
    path = f"stacks.{stack}.services.{name}"
    asked = any(port.internal == 53 and port.protocol == "udp" for port in service.published)
    if not asked and not service.host_network:
        draft.refuse(
            f"{path}.publishes",
            "it is the lab's resolver, and no machine can ask it: port 53/udp is not published",
            "write listens: [53/udp, 53] and publishes: {53/udp: 53, 53: 53}",
        )
    if service.read_only:
        draft.refuse(
            f"{path}.read-only",
            f"the resolver's files in {folder} cannot be put into a container whose root file system is read-only",
            "leave read-only out",
        )
    for kind, taken in (
        ("files", [f.path for f in service.files]),
        ("volumes", [v.mount for v in service.volumes]),
    ):
        for place in taken:
            if f"{place.rstrip('/')}/".startswith(f"{folder}/"):
                draft.refuse(
                    f"{path}.{kind}",
                    f"{place} lies where the resolver's rendered files are, and would hide them",
                    f"leave it out: everything in {folder} follows from the lab file",
                )


def _asked_from(directory: Directory, container: Container | None) -> tuple[str, ...]:
    """The lab's segments; and the gateways of its own networks, under whose addresses its host's containers come."""
    found = [vlan.subnet for vlan in directory.plan.vlans]
    if container is not None:
        networks = (
            directory.networks.get((container.host, a.network)) for a in container.service.attachments
        )
        found += [network.gateway for network in networks if network is not None]
    return tuple(dict.fromkeys(found))


def _names(draft: Draft, directory: Directory, zone: str) -> tuple[NamePlan, ...]:
    """Every name once, sorted; a machine that loses its name to somebody else's route is told about."""
    found = {name.name: (name, machine) for name, machine in _route_names(directory)}
    for path, name in _machine_names(directory, zone):
        taken, machine = found.setdefault(name.name, (name, name.of))
        if taken.address != name.address and machine != name.of:
            draft.warn(
                path,
                f"{name.name} is the {taken.of} inside, so that name does not lead to {name.of}",
                "rename one of the two",
            )
    return tuple(found[name][0] for name in sorted(found))


def _route_names(directory: Directory) -> Iterator[tuple[NamePlan, str]]:
    """The name of each route, with the machine on which its target is."""
    ingress = directory.plan.ingress
    if ingress is None:
        return
    ways_in = next(iter(directory.addresses(INGRESS)), "")
    for route in ingress.routes:
        address = inside_address(ingress, route.audiences) or ways_in
        target = next(iter(directory.addresses(route.target)), "")
        if address:
            name = NamePlan(name=route.host, address=address, of=f"route to {route.target}")
            yield name, str(directory.owner(target) or route.target)


def _machine_names(directory: Directory, zone: str) -> Iterator[tuple[str, NamePlan]]:
    plan = directory.plan
    for kind, names in (
        ("node", [node.name for node in plan.nodes]),
        ("guest", [guest.name for guest in plan.guests]),
        ("device", [device.name for device in plan.devices]),
    ):
        for name in names:
            endpoint = Endpoint(kind, name)
            address = next(iter(directory.addresses(endpoint)), "")
            if address:
                full = f"{name}.{zone}"
                yield (
                    f"{kind}s.{name}",
                    NamePlan(name=full, address=address, of=str(endpoint), is_machine=True),
                )
