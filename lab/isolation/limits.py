"""What the proof claims, and what it does not model: printed in short with every proof."""

from lab.plan.records import LabPlan

CLAIM = (
    "claimed: no service, guest or segment opens a connection that no flow permits, against whoever has taken one "
    "service and has no root on its host"
)
NOT_MODELLED = (
    "an escape from a container to its kernel, from a guest to its node, and whoever has the operator's machine",
    "switches, cables and radio: that a VLAN is one, and that nobody plugs into another",
    "forged addresses: a service that keeps CAP_NET_RAW or CAP_NET_ADMIN, or a device, may send as its neighbour",
    "connections that were open when a path closed: they stay open until they end",
    "the seconds in which a replaced container is not there, and in which a removed stack still runs unguarded",
    "what a name server does with a question that it may be asked: the proof takes it to pass it on",
    "timing and other channels that need no packet, shared volumes, and what a service itself passes on",
    "ICMP, broadcast and multicast; IPv6 is dropped by the guard and not given to containers",
    "what a cloud service does with what it is sent: Cloudflare, Tailscale, registries",
    "rules that somebody else made on a machine: on a host, a router or a node",
)
"""Docs: docs/threat-model.md has each with its reason."""


def limits_of(plan: LabPlan) -> tuple[str, ...]:
    """What the proof of one lab rests on or leaves open, beyond what holds for every lab."""
    found = []
    if plan.router.kind not in ("none", "node"):
        found.append(
            f"between segments: {plan.router.endpoint or plan.router.kind} decides, and its rules are not this lab's"
        )
    if plan.ingress is not None and plan.ingress.carriers:
        carriers = ", ".join(sorted(map(str, plan.ingress.carriers.values())))
        found.append(f"taken to pass on whatever the internet asks for: {carriers}")
    guarded = {guard.host for guard in plan.guards}
    open_hosts = sorted(host.name for host in plan.docker_hosts if host.name not in guarded)
    if open_hosts:
        found.append(f"on {', '.join(open_hosts)} nothing is created, so no guard runs there")
    vague = sorted(
        host.name
        for host in plan.docker_hosts
        if None in (host.engine.version, host.engine.userland_proxy, host.engine.bridge_netfilter)
    )
    if vague:
        found.append(f"engine facts are missing for {', '.join(vague)} (key engine of the machine)")
    powerful = sorted(
        str(service.endpoint)
        for stack in plan.stacks
        for service in stack.services
        if {"CAP_NET_RAW", "CAP_NET_ADMIN"} & set(service.capabilities)
    )
    powerful += [str(router.service.endpoint) for router in plan.subnet_routers]
    if powerful:
        found.append(f"may send under another address: {', '.join(powerful)}")
    if guarded:
        found.append(f"the container that loads the guard is root on its host: {', '.join(sorted(guarded))}")
    if plan.tailnet is not None and plan.tailnet.ssh:
        machines = sorted({tag for rule in plan.tailnet.ssh for tag in rule.tags})
        found.append(
            f"Tailscale SSH: who gets a shell on {', '.join(machines)} is decided by the policy alone"
        )
    return tuple(found)
