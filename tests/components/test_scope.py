"""Which parts of a plan are created, and what a program says before it creates them."""

from dataclasses import replace

import pytest

from components import scope
from lab.errors import Issue, LabError, LedgerError
from lab.plan.records import AttachmentPlan, LabPlan, NetworkPlan, StackPlan
from tests.components import records as r
from tests.support.engine import record

PLAN = LabPlan(
    environment="dev",
    domain="dev.lab.example",
    nodes=(r.NODE,),
    vlans=(r.VLAN,),
    docker_hosts=(r.HOST, replace(r.HOST, name="edge")),
    stacks=(r.STACK,),
)
LINK = NetworkPlan(name="link-a--b", subnet="10.128.2.0/29", gateway="10.128.2.1", interface="br-00000009")


def test_hosts_without_anything_are_left_alone() -> None:
    """No provider and no barrier for an engine on which nothing is created."""
    assert [host.name for host in scope.docker_hosts(PLAN)] == ["docker-1"]


def test_an_observed_stack_is_not_created() -> None:
    """Neither the stack nor its host is in what is created."""
    plan = replace(PLAN, stacks=(replace(r.STACK, managed=False),))
    assert scope.managed_stacks(plan) == ()
    assert scope.docker_hosts(plan) == ()


def test_a_network_of_two_stacks_is_a_link() -> None:
    """Only what services of two stacks join is a link, whichever of them has the record."""
    joined = (AttachmentPlan(network=LINK.name, address="10.128.2.2"),)
    own = (*r.SERVICE.attachments, *joined)
    stacks = (
        StackPlan(
            name="a",
            host="docker-1",
            networks=(r.NETWORK, LINK),
            services=(replace(r.SERVICE, attachments=own),),
        ),
        StackPlan(name="b", host="docker-1", networks=(), services=(replace(r.SERVICE, attachments=joined),)),
    )
    assert scope.links(replace(PLAN, stacks=stacks), "docker-1") == (LINK,)
    assert scope.links(PLAN, "docker-1") == ()


def test_the_operator_and_the_nodes_keep_their_way_in() -> None:
    """The operator's address, else its whole segment, and every node may manage."""
    owned = replace(PLAN, owns=("cluster-firewall",), operator_vlan="services")
    assert scope.management_sources(owned) == ("10.10.20.0/24", "10.10.10.11")
    assert scope.management_sources(replace(owned, operator_address="10.10.20.5"))[0] == "10.10.20.5"


def test_another_lab_s_firewall_is_not_touched() -> None:
    """Who does not own the cluster's firewall switches nothing."""
    assert scope.management_sources(replace(PLAN, operator_vlan="services")) == ()


def test_an_unknown_operator_is_refused_before_anything_is_made() -> None:
    """A firewall that would lock pulumi out is refused, with the line to add."""
    with pytest.raises(LabError, match=r"declare operator: \{vlan: …\}"):
        scope.announce(replace(PLAN, owns=("cluster-firewall",)))


def test_a_preview_warns_of_what_is_not_recorded() -> None:
    """A preview goes on; it names some of what is missing, how much more there is, and the command."""
    plan = replace(PLAN, unrecorded=tuple(f"networks/n{number}" for number in range(7)))
    recording = record(lambda: scope.announce(plan), preview=True)
    assert recording.log == [
        (
            "warning",
            "not in the ledger yet, and refused by `pulumi up`: networks/n0, networks/n1, networks/n2, "
            "networks/n3, networks/n4 and 2 more; run `lab ledger --write`",
        )
    ]


def test_an_update_refuses_what_is_not_recorded() -> None:
    """An update would give out something that the next change could move."""
    with pytest.raises(LedgerError, match="run `lab ledger --write`"):
        record(lambda: scope.announce(replace(PLAN, unrecorded=("networks/a",))))


def test_warnings_are_shown() -> None:
    """What the planner finds unwelcome is on the screen, and stops nothing."""
    issue = Issue(path="lab.stacks.web", problem="it is unwelcome", repair="change it")
    recording = record(lambda: scope.announce(replace(PLAN, warnings=(issue,))))
    assert recording.log == [("warning", str(issue))]
