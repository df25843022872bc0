"""What the tailnet's policy decides about a way through a subnet router: its route, and who may use it."""

from lab.flows import Endpoint, Port
from lab.isolation.guards import covers, port_covers
from lab.isolation.verdict import Leg, no, unknown, yes
from lab.plan.records import GrantPlan, LabPlan


def advertised(plan: LabPlan, router: Endpoint, address: str) -> Leg:
    """Whether a subnet router leads to an address: advertised by itself, and approved by the policy."""
    if not any(covers(route, address) for route in _routes(plan, router)):
        return no(f"{router} advertises no route to {address}")
    if plan.tailnet is not None and any(covers(route, address) for route in plan.tailnet.routes):
        return yes(f"{router} advertises {address}, and the policy approves it")
    return unknown(f"{router} advertises {address}, and nobody here approves it")


def _routes(plan: LabPlan, router: Endpoint) -> tuple[str, ...]:
    found = [r.advertises for r in plan.subnet_routers if r.service.endpoint == router]
    found += [g.advertises for g in plan.guests if Endpoint("guest", g.name) == router]
    found += [n.advertises for n in plan.nodes if Endpoint("node", n.name) == router]
    return tuple(route for routes in found for route in routes)


def granted(plan: LabPlan, source: Endpoint, address: str, port: Port | None) -> Leg:
    """Whether the policy lets users of the tailnet connect to an address; no port means one that nobody declared."""
    tailnet = plan.tailnet
    if tailnet is None or not tailnet.managed:
        return unknown("another environment owns the tailnet's policy")
    for grant in tailnet.grants:
        meant = _is_for(grant, source) and covers(grant.destination, address)
        if meant and any(port_covers(granted_port(text), port) for text in grant.ports):
            return yes(f"the policy grants {grant.destination} {', '.join(grant.ports)}")
    return no(f"no grant of the policy lets {source} use {address}")


def _is_for(grant: GrantPlan, source: Endpoint) -> bool:
    """Whether a grant is for a source; all users together are meant by every group."""
    if not source.name:
        return True
    return not {f"group:{source.name}", "autogroup:member", "*"}.isdisjoint(grant.sources)


def granted_port(text: str) -> Port | None:
    """The port of a grant, which is `tcp:8443`, a range `tcp:8000-8010`, or `*` for every one."""
    if text == "*":
        return None
    protocol, _, span = text.partition(":")
    return Port.parse(f"{span}/{protocol}")
