"""Machines with several interfaces: which address, and which rules, count at each of them."""

from dataclasses import replace

import pytest

from lab.flows import Endpoint, Port
from lab.isolation import Verdict, prove
from lab.plan.records import LabPlan, RulePlan
from tests.support.builders import plan, service, stack
from tests.support.proofs import IOT, SERVICES

APP, BOTH = Endpoint("service", "web/app"), Endpoint("guest", "both")
BY_IOT, BY_SERVICES = Endpoint("vlan", "iot"), Endpoint("vlan", "services")


def two_homed() -> LabPlan:
    """A Docker host on two segments, unguarded and with an open firewall, that publishes on its first address."""
    decided = plan(
        vlans={"services": SERVICES, "iot": IOT},
        guests={
            "docker-1": {"kind": "vm", "node": "pve", "runs": "docker", "vlans": {"services": 11, "iot": 3}}
        },
        router={"kind": "none"},
        stacks={"web": stack(app=service(listens=[80], publishes={"80": 8080}))},
    )
    rule = RulePlan(source="", port="8080", protocol="tcp", comment="anybody")
    return replace(decided, guards=(), guests=tuple(replace(g, rules=(rule,)) for g in decided.guests))


@pytest.mark.parametrize("target", [(APP, Port(80)), (Endpoint("guest", "docker-1"), Port(8080))])
def test_a_neighbour_reaches_the_address_of_another_interface(target: tuple[Endpoint, Port]) -> None:
    """Linux answers on each interface for all of its addresses, so a port published on one segment is open on both."""
    answer = prove(two_homed()).answer(BY_IOT, *target)
    assert answer.verdict is Verdict.yes
    assert "both are on vlan iot" in answer.reason
    assert "published for service:web/app" in answer.reason


@pytest.mark.parametrize(("router", "verdict"), [("none", Verdict.no), ("node", Verdict.yes)])
def test_the_rules_of_a_segment_stand_at_its_own_interface(router: str, verdict: Verdict) -> None:
    """What the group of one segment accepts is open by that interface only, for whoever is routed to it."""
    found = prove(
        plan(
            vlans={"services": SERVICES, "iot": IOT},
            guests={"both": {"kind": "vm", "node": "pve", "vlans": ["services", "iot"]}},
            router={"kind": router},
            flows=[{"from": "vlan:services", "to": "vlan:iot:8000", "because": "lamps are switched"}],
        )
    )
    assert found.answer(BY_SERVICES, BOTH, Port(8000)).verdict is verdict


def test_the_untagged_segments_that_a_trunk_carries_are_one_wire() -> None:
    """Frames without a tag on its bridge go to all of them, so machines of both meet although nothing routes."""
    found = prove(
        plan(
            vlans={
                "home": {"subnet": "192.168.1.0/24"},
                "lab": {"subnet": "192.168.7.0/24"},
                "cameras": {"id": 30, "subnet": "192.168.30.0/24"},
            },
            nodes={"pve": {"address": "192.168.1.2", "vlan": "home"}},
            guests={"gate": {"kind": "vm", "node": "pve", "vlans": ["cameras"], "trunk": "yes"}},
            devices={
                "lamp": {"vlan": "lab", "address": 20},
                "tv": {"vlan": "home", "address": 50, "listens": [8009]},
            },
            router={"kind": "none"},
        )
    )
    answer = found.answer(Endpoint("device", "lamp"), Endpoint("device", "tv"), Port(8009))
    assert answer.verdict is Verdict.yes
    assert "one wire" in answer.reason


@pytest.mark.parametrize(("router", "verdict"), [("none", Verdict.no), ("node", Verdict.yes)])
def test_who_tags_may_come_from_another_segment(router: str, verdict: Verdict) -> None:
    """Without a tag on a VLAN-aware bridge a guest takes an address of another VLAN, and is routed like its owner."""
    decided = plan(
        vlans={"home": {"id": 40, "subnet": "192.168.1.0/24"}, "iot": IOT, "services": SERVICES},
        nodes={
            "pve": {"address": "10.10.20.2", "vlan": "services", "bridge": {"name": "vmbr1", "manage": "yes"}}
        },
        guests={
            "build": {"kind": "vm", "node": "pve", "vlan": "home", "address": 11},
            "siem": {"kind": "vm", "node": "pve", "vlan": "services", "address": 12},
        },
        router={"kind": router},
    )
    build, siem = decided.guests
    build = replace(build, nics=tuple(replace(nic, tag=None) for nic in build.nics))
    rule = RulePlan(source="10.10.30.7", port="514", protocol="tcp", comment="the camera's log")
    found = prove(replace(decided, guests=(build, replace(siem, rules=(rule,)))))
    ends = Endpoint("guest", "build"), Endpoint("guest", "siem")
    assert found.answer(*ends, Port(514)).verdict is verdict
    assert found.answer(*ends, Port(515)).verdict is Verdict.no
