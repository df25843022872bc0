"""What holds for every lab: nothing overlaps, nothing moves, and order and repetition do not matter."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations, pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.addresses import DOCKER_DEFAULT_POOLS, TAILNET_RANGE
from lab.config.load import parse
from lab.ledger import Ledger
from lab.plan import plan_with_ledger
from lab.plan.records import LabPlan, NetworkPlan, ServicePlan
from lab.render.data import plan_data
from lab.render.emit import json_text
from lab.render.report import plan_text
from tests.support.strategies import labs, shuffled, tenants

SOME = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
Raw = dict[str, Any]


def planned(raw: Raw, ledger: Ledger | None = None) -> tuple[LabPlan, Ledger]:
    """The plan of a lab and the ledger that it leaves behind."""
    return plan_with_ledger(parse(raw), ledger or Ledger(), environment="test")


def docker_networks(plan: LabPlan) -> Iterator[NetworkPlan]:
    """Every Docker network of a plan."""
    for stack in plan.stacks:
        yield from stack.networks
    for router in plan.subnet_routers:
        yield router.network
    if plan.ingress is not None:
        yield from plan.ingress.slots
        if plan.ingress.front is not None:
            yield plan.ingress.front


def containers(plan: LabPlan) -> Iterator[ServicePlan]:
    """Every container of a plan."""
    for stack in plan.stacks:
        yield from stack.services
    for router in plan.subnet_routers:
        yield router.service
    if plan.ingress is not None and plan.ingress.service is not None:
        yield plan.ingress.service


def no_two_overlap(networks: list[IPv4Network]) -> bool:
    """Whether every pair is apart, looked at one by one."""
    return not any(first.overlaps(second) for first, second in combinations(networks, 2))


@SOME
@given(labs())
def test_allocations_never_overlap_anything(raw: Raw) -> None:
    """Networks overlap no VLAN, no reservation, no tailnet device, none of Docker's pools and not each other."""
    plan, _ = planned(raw)
    given_out = [IPv4Network(network.subnet) for network in docker_networks(plan)]
    fixed = [IPv4Network(vlan.subnet) for vlan in plan.vlans]
    fixed += [IPv4Network(part["subnet"]) for part in raw["reserved"].values()]
    fixed += [TAILNET_RANGE, *DOCKER_DEFAULT_POOLS]
    assert no_two_overlap(given_out)
    assert not any(ours.overlaps(theirs) for ours in given_out for theirs in fixed)


@SOME
@given(labs())
def test_allocations_lie_in_their_pool(raw: Raw) -> None:
    """Edge networks come from the edge pool and all others from Docker's, also where the pools share addresses."""
    plan, _ = planned(raw)
    pools = {name: IPv4Network(text) for name, text in raw["pools"].items()}
    for network in docker_networks(plan):
        pool = pools["edge" if network.purpose in ("edge", "ingress") else "docker"]
        assert IPv4Network(network.subnet).subnet_of(pool)


@SOME
@given(labs())
def test_every_address_is_a_container_s(raw: Raw) -> None:
    """An address is inside its network, is nobody else's, and is neither network, gateway nor broadcast."""
    plan, _ = planned(raw)
    seen: set[str] = set()
    by_name = {network.name: IPv4Network(network.subnet) for network in docker_networks(plan)}
    for container in containers(plan):
        for attachment in container.attachments:
            network, address = by_name[attachment.network], IPv4Address(attachment.address)
            assert address in network
            assert address not in (network[0], network[1], network[-1])
            assert attachment.address not in seen
            seen.add(attachment.address)


@SOME
@given(labs())
def test_guests_have_ids_macs_and_addresses_of_their_own(raw: Raw) -> None:
    """No VM id, MAC address or address is that of two guests, and none is leased or a node's."""
    plan, _ = planned(raw)
    ids = [guest.vm_id for guest in plan.guests] + [
        guest.holder_id for guest in plan.guests if guest.holder_id
    ]
    macs = [nic.mac for guest in plan.guests for nic in guest.nics]
    addresses = [nic.address for guest in plan.guests for nic in guest.nics]
    taken = [node.address for node in plan.nodes] + [vlan.gateway for vlan in plan.vlans]
    for values in (ids, macs, [*addresses, *taken]):
        assert len(values) == len(set(values))
    leased = {f"10.10.20.{number}" for number in range(100, 201)}
    assert not leased & set(addresses)


@SOME
@given(labs(), tenants(), tenants())
def test_nothing_ever_moves(raw: Raw, second: Raw, third: Raw) -> None:
    """Whatever comes and goes, what was recorded keeps its value, and has it again when it returns."""
    ledger = Ledger()
    history: list[Ledger] = []
    for step in (raw, {**raw, **second}, {**raw, **third}, raw):
        _, ledger = planned(step, ledger)
        history.append(ledger)
    for before, after in pairwise(history):
        for kind, records in before.records.items():
            assert {key: after.records[kind][key] for key in records} == records


@SOME
@given(labs(), tenants())
def test_nothing_is_reused_while_its_record_stands(raw: Raw, second: Raw) -> None:
    """After any change, no two records hold one value, whether their owners are there or gone."""
    _, ledger = planned(raw)
    _, ledger = planned({**raw, **second}, ledger)
    assert no_two_overlap(list(ledger.networks().values()))
    for kind, records in ledger.records.items():
        assert len(set(records.values())) == len(records), kind


@SOME
@given(labs())
def test_planning_twice_gives_one_plan(raw: Raw) -> None:
    """Equal declarations give equal plans, and the input is left as it was."""
    before = deepcopy(raw)
    assert planned(raw)[0] == planned(deepcopy(raw))[0]
    assert raw == before


@SOME
@given(labs())
def test_a_recorded_plan_gives_nothing_out(raw: Raw) -> None:
    """With its ledger written, a lab plans to the same and has nothing left to record."""
    plan, ledger = planned(raw)
    again, same = planned(raw, ledger)
    assert again.unrecorded == ()
    assert same == ledger
    assert _without_unrecorded(again) == _without_unrecorded(plan)


def _without_unrecorded(plan: LabPlan) -> Mapping[str, Any]:
    return {key: value for key, value in plan_data(plan).items() if key != "unrecorded"}


@SOME
@given(labs(), st.data())
def test_the_order_of_keys_does_not_matter(raw: Raw, data: st.DataObject) -> None:
    """A lab whose mappings are written in another order gives the same plan, and the same text of it."""
    other = shuffled(raw, data.draw)
    first, ledger = planned(raw)
    second, same = planned(other)
    assert first == second
    assert ledger.text() == same.text()
    assert plan_text(first) == plan_text(second)
    assert json_text(plan_data(first)) == json_text(plan_data(second))
