"""Mistakes in a small plan, made by hypothesis: what no lab file says and a wrong planner could."""

from dataclasses import replace

from hypothesis import strategies as st

from lab.flows import Port
from lab.plan.directory import Directory
from lab.plan.records import GrantPlan, GuardPlan, GuardRule, LabPlan, RulePlan
from lab.plan.records.guard import Way
from tests.evidence.brute_force.random_labs import small_plans

NOBODYS_PORT = Port(777)
"""One on which nobody listens and of which no flow speaks."""
_PORTS = (
    None,
    Port(80),
    Port(5432),
    Port(53, "udp"),
    Port(8000, "tcp", 8010),
    Port(9100, "tcp", 9999),
    NOBODYS_PORT,
)
_STRAYS = (
    "",
    "internet",
    "9.9.9.9",
    "0.0.0.0/0",
    "10.10.20.0/28",
    "10.10.20.14",
    "10.10.20.8/29",
    "10.10.30.6",
)


@st.composite
def mistaken_plans(draw: st.DrawFn) -> LabPlan:
    """The plan of a small lab with a few mistakes in its rules."""
    plan = draw(small_plans())
    for _ in range(draw(st.integers(1, 4))):
        plan = draw(draw(st.sampled_from(_MISTAKES))(plan))
    return plan


@st.composite
def _guard_rule(draw: st.DrawFn, plan: LabPlan) -> LabPlan:
    if not plan.guards:
        return plan
    guard = draw(st.sampled_from(plan.guards))
    inside = bool(guard.bridges) and draw(st.booleans())
    rule = draw(_rule_in(plan, guard) if inside else _rule_out(plan, guard))
    return replace(
        plan, guards=tuple(replace(g, rules=(*g.rules, rule)) if g == guard else g for g in plan.guards)
    )


@st.composite
def _rule_out(draw: st.DrawFn, plan: LabPlan, guard: GuardPlan) -> GuardRule:
    """About what comes from the world."""
    return GuardRule(
        way="in",
        source=draw(st.sampled_from((*_STRAYS, *_addresses(plan)))),
        destination=draw(
            st.sampled_from(("", *Directory(plan).machines.get(guard.host, ()), *_own(plan, guard.host)))
        ),
        port=draw(st.sampled_from(_PORTS)),
        because="planted",
    )


@st.composite
def _rule_in(draw: st.DrawFn, plan: LabPlan, guard: GuardPlan) -> GuardRule:
    """About what a container sends."""
    directory = Directory(plan)
    interface = draw(st.sampled_from(sorted(guard.bridges)))
    members = [
        attachment.address
        for container in directory.containers.values()
        for attachment in container.service.attachments
        if container.host == guard.host
        and directory.networks[guard.host, attachment.network].interface == interface
    ]
    ways: tuple[Way, ...] = ("within", "out", "local")
    way = draw(st.sampled_from(ways))
    here = list(directory.machines.get(guard.host, ()))
    far = {"within": ["", *members], "out": [*_STRAYS, *_addresses(plan)], "local": [*_STRAYS, *here]}[way]
    return GuardRule(
        way=way,
        interface=interface,
        source=draw(st.sampled_from(("", "10.128.0.0/12", "10.144.0.0/12", *members))),
        destination=draw(st.sampled_from(far)),
        port=draw(st.sampled_from(_PORTS)),
        because="planted",
    )


def _own(plan: LabPlan, host: str) -> list[str]:
    """The containers' own addresses, to which a neighbour may set a route."""
    containers = [part for part in Directory(plan).containers.values() if part.host == host]
    return [attachment.address for part in containers for attachment in part.service.attachments]


def _addresses(plan: LabPlan) -> list[str]:
    machines = [address for found in Directory(plan).machines.values() for address in found]
    return [*machines, *(node.address for node in plan.nodes)]


def _no_guard(plan: LabPlan) -> st.SearchStrategy[LabPlan]:
    return st.just(replace(plan, guards=plan.guards[1:]))


@st.composite
def _bridge_unknown(draw: st.DrawFn, plan: LabPlan) -> LabPlan:
    """A guard does not know one of its host's networks."""
    guards = []
    for guard in plan.guards:
        lost = draw(st.sampled_from(("", *sorted(guard.bridges))))
        guards.append(replace(guard, bridges={k: v for k, v in guard.bridges.items() if k != lost}))
    return replace(plan, guards=tuple(guards))


@st.composite
def _guest_rule(draw: st.DrawFn, plan: LabPlan) -> LabPlan:
    if not plan.guests:
        return plan
    chosen = draw(st.sampled_from(plan.guests))
    rule = draw(_proxmox_rule(plan))
    return replace(
        plan, guests=tuple(replace(g, rules=(*g.rules, rule)) if g == chosen else g for g in plan.guests)
    )


@st.composite
def _node_rule(draw: st.DrawFn, plan: LabPlan) -> LabPlan:
    if not plan.nodes:
        return plan
    chosen = draw(st.sampled_from(plan.nodes))
    rule = draw(_proxmox_rule(plan))
    return replace(
        plan, nodes=tuple(replace(n, rules=(*n.rules, rule)) if n == chosen else n for n in plan.nodes)
    )


@st.composite
def _vlan_rule(draw: st.DrawFn, plan: LabPlan) -> LabPlan:
    chosen = draw(st.sampled_from(plan.vlans))
    rule = draw(_proxmox_rule(plan))
    return replace(
        plan, vlans=tuple(replace(v, rules=(*v.rules, rule)) if v == chosen else v for v in plan.vlans)
    )


@st.composite
def _proxmox_rule(draw: st.DrawFn, plan: LabPlan) -> RulePlan:
    port, protocol = draw(
        st.sampled_from((("", ""), ("80", "tcp"), ("53", "udp"), ("8000:8010", "tcp"), ("777", "tcp")))
    )
    sources = [text for text in (*_STRAYS, *_addresses(plan)) if text != "internet"]
    return RulePlan(source=draw(st.sampled_from(sources)), port=port, protocol=protocol, comment="planted")


@st.composite
def _grant(draw: st.DrawFn, plan: LabPlan) -> LabPlan:
    if plan.tailnet is None:
        return plan
    addresses = [text for text in (*_STRAYS, *_addresses(plan)) if text not in ("", "internet")]
    grant = GrantPlan(
        sources=(draw(st.sampled_from(("group:admins", "group:family", "autogroup:member", "*"))),),
        destination=draw(st.sampled_from(addresses)),
        ports=(draw(st.sampled_from(("*", "tcp:80", "udp:53", "tcp:8000-9999", "tcp:777"))),),
    )
    return replace(plan, tailnet=replace(plan.tailnet, grants=(*plan.tailnet.grants, grant)))


@st.composite
def _open_network(draw: st.DrawFn, plan: LabPlan) -> LabPlan:
    """A network of a stack that is not internal."""
    names = [network.name for stack in plan.stacks for network in stack.networks]
    if not names:
        return plan
    chosen = draw(st.sampled_from(names))
    stacks = tuple(
        replace(
            stack,
            networks=tuple(
                replace(n, internal=not n.internal) if n.name == chosen else n for n in stack.networks
            ),
        )
        for stack in plan.stacks
    )
    return replace(plan, stacks=stacks)


@st.composite
def _published_elsewhere(draw: st.DrawFn, plan: LabPlan) -> LabPlan:
    """Ports that are published on every address of their host, or on loopback."""
    address = draw(st.sampled_from(("0.0.0.0", "", "127.0.0.1")))
    stacks = tuple(
        replace(
            stack,
            services=tuple(
                replace(s, published=tuple(replace(p, address=address) for p in s.published))
                for s in stack.services
            ),
        )
        for stack in plan.stacks
    )
    return replace(plan, stacks=stacks)


@st.composite
def _untagged(draw: st.DrawFn, plan: LabPlan) -> LabPlan:
    """An interface without its tag."""
    if not plan.guests:
        return plan
    chosen = draw(st.sampled_from(plan.guests))
    nics = (replace(chosen.nics[0], tag=None), *chosen.nics[1:])
    return replace(plan, guests=tuple(replace(g, nics=nics) if g == chosen else g for g in plan.guests))


_MISTAKES = (
    _guard_rule,
    _guard_rule,
    _guard_rule,
    _no_guard,
    _bridge_unknown,
    _guest_rule,
    _node_rule,
    _vlan_rule,
    _grant,
    _open_network,
    _published_elsewhere,
    _untagged,
)
