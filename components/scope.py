"""Which parts of a plan are created: what is declared `manage: observe` is proven and probed, never changed.

Also what belongs to several parts at once: the links between stacks, and who manages
the nodes.
"""

from collections import Counter

import pulumi

from lab.errors import Issue, LabError, LedgerError
from lab.plan.records import DockerHostPlan, LabPlan, NetworkPlan, StackPlan, SubnetRouterPlan

_NAMED = 5
"""How many missing records a message names."""


def managed_stacks(plan: LabPlan) -> tuple[StackPlan, ...]:
    """The stacks that are created."""
    return tuple(stack for stack in plan.stacks if stack.managed)


def managed_routers(plan: LabPlan) -> tuple[SubnetRouterPlan, ...]:
    """The subnet routers that are created."""
    return tuple(router for router in plan.subnet_routers if router.managed)


def docker_hosts(plan: LabPlan) -> tuple[DockerHostPlan, ...]:
    """The hosts on which something is created."""
    used = {stack.host for stack in managed_stacks(plan)} | {router.host for router in managed_routers(plan)}
    if plan.ingress is not None and plan.ingress.service is not None:
        used.add(plan.ingress.host)
    return tuple(host for host in plan.docker_hosts if host.name in used)


def links(plan: LabPlan, host: str) -> tuple[NetworkPlan, ...]:
    """The networks of stacks that services of more than one stack join, on one host."""
    stacks = [stack for stack in managed_stacks(plan) if stack.host == host]
    joined = Counter(
        network
        for stack in stacks
        for network in {a.network for service in stack.services for a in service.attachments}
    )
    return tuple(network for stack in stacks for network in stack.networks if joined[network.name] > 1)


def management_sources(plan: LabPlan) -> tuple[str, ...]:
    """Who must keep reaching the nodes: the operator's address, else its segment, and the nodes.

    Empty where another environment owns the cluster's firewall.

    Raises:
        LabError: it is not declared where the operator is.
    """
    if "cluster-firewall" not in plan.owns:
        return ()
    operator = plan.operator_address
    segments = [vlan.subnet for vlan in plan.vlans if vlan.name == plan.operator_vlan]
    sources = [operator] if operator else segments
    if not sources:
        raise LabError(
            [
                Issue(
                    path="lab.operator",
                    problem="it does not say where pulumi runs, so the cluster's firewall would lock it out",
                    repair="declare operator: {vlan: …}, or take cluster-firewall out of owns",
                )
            ]
        )
    return (*sources, *(node.address for node in plan.nodes))


def announce(plan: LabPlan) -> None:
    """Show the plan's warnings; refuse what would lock the operator out, or is not recorded.

    Raises:
        LedgerError: an update would give out something that is not in the ledger.
        LabError: see `management_sources`.
    """
    management_sources(plan)
    for warning in plan.warnings:
        pulumi.log.warn(str(warning))
    if not plan.unrecorded:
        return
    more = len(plan.unrecorded) - _NAMED
    names = ", ".join(plan.unrecorded[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    if pulumi.runtime.is_dry_run():
        pulumi.log.warn(
            f"not in the ledger yet, and refused by `pulumi up`: {names}; run `lab ledger --write`"
        )
        return
    raise LedgerError(
        [
            Issue(
                path=f"ledger.{plan.environment}.yaml",
                problem=f"it lacks what the lab needs, so the next change could move it: {names}",
                repair="run `lab ledger --write`, commit the file, then run `pulumi up` again",
            )
        ]
    )
