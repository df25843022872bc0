"""What the Proxmox firewall accepts: at a guest or node the flows that end there, at a segment those to all of it."""

from lab.flows import Endpoint, Flow, Port
from lab.plan.directory import INGRESS, Directory
from lab.plan.records import RulePlan


def guest_rules(directory: Directory, name: str) -> tuple[RulePlan, ...]:
    """What a guest's firewall accepts: every flow that ends at it, from where it begins.

    A service is reached at its guest by the port that is published there, one in the
    host's own network by its own; services of one guest meet inside it, and no rule is
    about them.
    """
    here = Endpoint("guest", name)
    ingress = directory.plan.ingress
    own = directory.machines.get(name, ())
    rules: list[RulePlan] = []
    for flow in directory.plan.flows:
        ends = directory.members(flow.target.endpoint)
        meant = here in ends or (INGRESS in ends and ingress is not None and ingress.host == name)
        ports = [flow.target.port] if meant else []
        ports += [port for end in ends if end != INGRESS for port in _published(directory, name, end, flow)]
        if ports:
            entry = flow.target.port if INGRESS in ends else None
            sources = [source for source in directory.senders(flow.source, entry) if source not in own]
            rules += [_rule(source, port, flow) for source in sources for port in ports]
    return tuple(dict.fromkeys(rules))


def _published(directory: Directory, host: str, endpoint: Endpoint, flow: Flow) -> list[Port | None]:
    container = directory.containers.get(endpoint)
    if container is None or container.host != host:
        return []
    if container.service.host_network:
        return [flow.target.port]
    return [Port(p.external, p.protocol) for p in container.published_as(flow.target.port)]


def node_rules(directory: Directory, name: str) -> tuple[RulePlan, ...]:
    """What a node's own firewall accepts besides what Proxmox VE opens by itself: the flows and routes that end at it.

    What was derived is what Proxmox opens to the operator, to its segment and to other nodes; no rule is about that.
    """
    here = Endpoint("node", name)
    own = directory.addresses(here)
    rules = [
        _rule(source, flow.target.port, flow)
        for flow in directory.plan.flows
        if flow.origin != "derived" and here in directory.members(flow.target.endpoint)
        for source in directory.addresses(flow.source)
        if source not in own
    ]
    return tuple(dict.fromkeys(rules))


def vlan_rules(directory: Directory, name: str) -> tuple[RulePlan, ...]:
    """What the zone of a segment accepts: every flow to the segment as a whole."""
    here = Endpoint("vlan", name)
    rules = [
        _rule(source, flow.target.port, flow)
        for flow in directory.plan.flows
        if here in directory.members(flow.target.endpoint)
        for source in directory.addresses(flow.source)
    ]
    return tuple(dict.fromkeys(rules))


def _rule(source: str, port: Port | None, flow: Flow) -> RulePlan:
    span = ""
    if port is not None:
        span = f"{port.number}:{port.last}" if port.last else str(port.number)
    return RulePlan(source=source, port=span, protocol=port.protocol if port else "", comment=flow.because)
