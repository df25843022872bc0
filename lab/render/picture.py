"""The lab as a tree of text: from the outside in, each line one step of a way."""

from collections.abc import Iterator

from lab.plan.records import IngressPlan, LabPlan, NetworkPlan, ServicePlan, StackPlan


def picture(plan: LabPlan) -> list[str]:
    """The lines of the tree, without trailing space."""
    lines = list(_outside(plan))
    for host in plan.docker_hosts:
        vlan = _vlan_of(plan, host.name)
        lines.append(f"{host.name} {host.address}{f' in {vlan}' if vlan else ''}")
        branches = [*_ingress_branch(plan, host.name), *_stack_branches(plan, host.name)]
        for index, branch in enumerate(branches):
            last = index == len(branches) - 1
            lines += _hang(branch, last)
    others = [guest.name for guest in plan.guests if not guest.runs_docker]
    if others:
        lines.append("guests without Docker: " + ", ".join(others))
    return [line.rstrip() for line in lines]


def _outside(plan: LabPlan) -> Iterator[str]:
    if plan.ingress is None:
        return
    for entry in plan.ingress.entry_points:
        bringing = " or ".join(map(str, plan.ingress.bringing(entry)))
        steps = [entry.audience, *([bringing] if bringing else [])]
        if entry.published:
            steps.append(f"{entry.address}:{entry.port}")
        yield " ──► ".join([*steps, plan.ingress.software])


def _vlan_of(plan: LabPlan, host: str) -> str:
    for guest in plan.guests:
        if guest.name == host and guest.nics:
            nic = guest.nics[0]
            return f"vlan {nic.vlan}{f' ({nic.tag})' if nic.tag else ''} on {guest.node}"
    return next((f"vlan {device.vlan}" for device in plan.devices if device.name == host), "")


def _ingress_branch(plan: LabPlan, host: str) -> Iterator[list[str]]:
    ingress = plan.ingress
    if ingress is None or ingress.host != host:
        return
    owners = _slot_owners(plan, ingress)
    used = [
        [f"{slot.name} {slot.subnet} ── {owners[slot.name]}"] for slot in ingress.slots if slot.name in owners
    ]
    free = len(ingress.slots) - len(used)
    branches = [*used, *([[f"{free} edge slots free"]] if free else [])]
    lines = [f"{ingress.software} (the only way in)"]
    for index, branch in enumerate(branches):
        lines += _hang(branch, index == len(branches) - 1)
    yield lines


def _slot_owners(plan: LabPlan, ingress: IngressPlan) -> dict[str, str]:
    slots = {slot.name for slot in ingress.slots}
    owners: dict[str, list[str]] = {}
    for stack in plan.stacks:
        if stack.host != ingress.host:
            continue
        for service in stack.services:
            for attachment in service.attachments:
                if attachment.network in slots:
                    owners.setdefault(attachment.network, []).append(f"{stack.name}/{service.name}")
    return {name: ", ".join(sorted(members)) for name, members in owners.items()}


def _stack_branches(plan: LabPlan, host: str) -> Iterator[list[str]]:
    for stack in plan.stacks:
        if stack.host == host:
            yield _stack_lines(stack)
    for router in plan.subnet_routers:
        if router.host == host:
            routes = ", ".join(router.advertises)
            yield [
                f"{router.name}: subnet router for {routes}",
                f"└─ {router.network.name} {router.network.subnet}",
            ]


def _stack_lines(stack: StackPlan) -> list[str]:
    lines = [f"{stack.name}"]
    for index, network in enumerate(stack.networks):
        lines += _hang([_network_line(network, stack.services)], index == len(stack.networks) - 1)
    return lines


def _network_line(network: NetworkPlan, services: tuple[ServicePlan, ...]) -> str:
    members = [s.name for s in services if any(a.network == network.name for a in s.attachments)]
    way_out = "" if network.internal else " (has a way out)"
    return f"{network.name} {network.subnet}{way_out}: {', '.join(members)}"


def _hang(lines: list[str], last: bool) -> list[str]:
    first, rest = ("└─ ", "   ") if last else ("├─ ", "│  ")
    return [first + lines[0], *(rest + line for line in lines[1:])]
