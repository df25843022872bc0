"""How the tests of the five labs read them: one declaration, one plan, and questions about its flows.

Owns no expectation. Flows are compared as text (`guest:a -> guest:b:80/tcp`), because that
is how the sentences of the original descriptions are written down beside them.
"""

from functools import cache
from pathlib import Path

from lab.config.load import load
from lab.config.model import LabConfig
from lab.plan.records import LabPlan, ServicePlan
from tests.support.plans import plan_of

LABS = Path(__file__).resolve().parent
CASES = ("docker-front-back", "audience-gateways", "per-service-networks", "four-vlans-dmz", "flat-subnet")


def lab_file(case: str) -> Path:
    """The lab file of a case."""
    return LABS / case / "lab.yaml"


@cache
def declared(case: str) -> LabConfig:
    """What the lab file of a case declares."""
    return load(lab_file(case))


@cache
def planned(case: str) -> LabPlan:
    """The plan of a case, with nothing recorded before."""
    return plan_of(lab_file(case))


def flows(plan: LabPlan) -> set[str]:
    """Every permission as text."""
    return {str(flow) for flow in plan.flows}


def sources(plan: LabPlan, target: str) -> set[str]:
    """Who may open connections to a target, written with its port."""
    return {str(flow.source) for flow in plan.flows if str(flow.target) == target}


def targets(plan: LabPlan, source: str) -> set[str]:
    """What a source may open connections to."""
    return {str(flow.target) for flow in plan.flows if str(flow.source) == source}


def service(plan: LabPlan, member: str) -> ServicePlan:
    """The container `stack/service`."""
    stack_name, _, name = member.partition("/")
    return next(
        found
        for stack in plan.stacks
        if stack.name == stack_name
        for found in stack.services
        if found.name == name
    )


def networks(plan: LabPlan, member: str) -> set[str]:
    """The names of the Docker networks that a service is in."""
    return {attachment.network for attachment in service(plan, member).attachments}


def share_a_network(plan: LabPlan, first: str, second: str) -> bool:
    """Whether two services are in one Docker network."""
    return bool(networks(plan, first) & networks(plan, second))


def subnet_of(plan: LabPlan, network: str) -> str:
    """The subnet of a Docker network of some stack."""
    return next(net.subnet for stack in plan.stacks for net in stack.networks if net.name == network)
