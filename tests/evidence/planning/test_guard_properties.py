"""What holds for the guards of every lab: nothing without a flow, no flow without its rule, nobody disturbed.

Whom an endpoint is seen as is worked out here once more, from the records alone, so that the planner is
not held against itself.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.config.load import parse
from lab.flows import Endpoint, Flow, Port
from lab.ledger import Ledger
from lab.plan import plan_with_ledger
from lab.plan.records import ANYWHERE, GuardRule, LabPlan, ServicePlan
from lab.render.guard import guard_text
from tests.support.builders import route, service, stack
from tests.support.guards import containers, guard_of
from tests.support.strategies import HOSTS, labs, shuffled, tenants

SOME = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
Raw = dict[str, Any]


def planned(raw: Raw, ledger: Ledger | None = None) -> tuple[LabPlan, Ledger]:
    """The plan of a lab and the ledger that it leaves behind."""
    return plan_with_ledger(parse(raw), ledger or Ledger(), environment="test")


def seen_as(plan: LabPlan, endpoint: Endpoint) -> Iterator[str]:
    """Every address under which somebody may appear: its own, its host's, its subnet router's."""
    guests = {guest.name: guest.address or "" for guest in plan.guests}
    for host, container in containers(plan):
        router = endpoint.kind == "tailnet" and container.endpoint.name.endswith("/router")
        if router or container.endpoint == endpoint:
            yield from (attachment.address for attachment in container.attachments)
            yield guests[host]
    if endpoint.kind == "internet":
        yield ANYWHERE
    if endpoint.kind == "guest":
        yield guests[endpoint.name]


def ports_of(plan: LabPlan, flow: Flow) -> set[Port | None]:
    """The port of a flow, and the ports of a host that lead to it."""
    target = flow.target
    for _, container in containers(plan):
        if container.endpoint == target.endpoint:
            found = {p for p in container.published if target.port in (None, Port(p.internal, p.protocol))}
            return {target.port, *(Port(p.external, p.protocol) for p in found)}
    return {target.port}


def follows(plan: LabPlan, rule: GuardRule, flow: Flow) -> bool:
    """Whether a rule is about a flow: its reason, both its ends and its port."""
    return (
        rule.because == flow.because
        and rule.source in seen_as(plan, flow.source)
        and rule.destination in seen_as(plan, flow.target.endpoint)
        and rule.port in ports_of(plan, flow)
    )


@SOME
@given(labs())
def test_every_rule_follows_from_a_flow(raw: Raw) -> None:
    """There is no rule that no permission of the lab explains."""
    plan, _ = planned(raw)
    for guard in plan.guards:
        for rule in guard.rules:
            assert any(follows(plan, rule, flow) for flow in plan.flows), rule


@SOME
@given(labs())
def test_no_rule_is_for_everybody(raw: Raw) -> None:
    """Every rule names its source and its destination, a way out its bridge, and no rule says what another does."""
    plan, _ = planned(raw)
    for guard in plan.guards:
        assert len(set(guard.rules)) == len(guard.rules)
        for rule in guard.rules:
            assert rule.source
            assert rule.destination
            assert (rule.interface == "") == (rule.way == "in")
            assert rule.interface in {"", *guard.bridges}


@SOME
@given(labs())
def test_every_flow_between_containers_has_its_rule(raw: Raw) -> None:
    """What is permitted and has a wire is not dropped: on the shared network, or at the published port."""
    plan, _ = planned(raw)
    by_endpoint = {container.endpoint: (host, container) for host, container in containers(plan)}
    for flow in plan.flows:
        if flow.source in by_endpoint and flow.target.endpoint in by_endpoint:
            (host, source), (other, target) = by_endpoint[flow.source], by_endpoint[flow.target.endpoint]
            rules = guard_of(plan, host).rules
            if host == other:
                pairs = set(shared(source, target))
                assert pairs <= {(r.source, r.destination) for r in rules if r.port == flow.target.port}
                assert pairs
            else:
                (published,) = target.published
                assert [r for r in rules if r.way == "out" and r.port == Port(published.external)]
                arriving = [r.port for r in guard_of(plan, other).rules if r.way == "in"]
                assert Port(published.external) in arriving


def shared(source: ServicePlan, target: ServicePlan) -> Iterator[tuple[str, str]]:
    """The addresses of two containers in each network that both are in."""
    theirs = {attachment.network: attachment.address for attachment in target.attachments}
    for attachment in source.attachments:
        if attachment.network in theirs:
            yield attachment.address, theirs[attachment.network]


@SOME
@given(labs(), st.sampled_from(HOSTS))
def test_a_stack_that_comes_disturbs_nobody(raw: Raw, host: str) -> None:
    """A new stack adds rules for its own flows; every rule and bridge of others stays as it was."""
    before, ledger = planned(raw)
    app = service(listens=[80], route=route("newcomer"), egress="yes", needs=["db:80"])
    new = {"newcomer": stack(host, app=app, db=service(listens=[80]))}
    after, _ = planned({**raw, "stacks": {**raw["stacks"], **new}}, ledger)
    for guard in before.guards:
        now = guard_of(after, guard.host)
        assert set(guard.rules) <= set(now.rules)
        assert guard.bridges.items() <= now.bridges.items()
        for rule in set(now.rules) - set(guard.rules):
            assert any(follows(after, rule, flow) for flow in set(after.flows) - set(before.flows)), rule


@SOME
@given(labs(), tenants())
def test_a_rule_is_on_a_host_that_it_is_about(raw: Raw, other: Raw) -> None:
    """A host's rules name an address of its own containers or itself, whatever else the lab holds."""
    plan, _ = planned({**raw, **other})
    for guard in plan.guards:
        own = {a.address for host, c in containers(plan) if host == guard.host for a in c.attachments}
        own |= {nic.address or "" for g in plan.guests if g.name == guard.host for nic in g.nics}
        assert all(own & {rule.source, rule.destination} for rule in guard.rules)


@SOME
@given(labs(), st.data())
def test_the_order_of_keys_does_not_matter(raw: Raw, data: st.DataObject) -> None:
    """A lab whose mappings are written in another order has the same guards, and the same files of them."""
    first, _ = planned(deepcopy(raw))
    second, _ = planned(shuffled(raw, data.draw))
    assert first.guards == second.guards
    assert [guard_text(guard) for guard in first.guards] == [guard_text(guard) for guard in second.guards]
