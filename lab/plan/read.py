"""From a lab file on disk to its plan: the file, its ledger, and the site it shares."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.addresses import Claim
from lab.config.load import environment_of, load
from lab.config.model import LabConfig
from lab.errors import ConfigError, Issue, LabError, LedgerError, PlanError
from lab.ledger import Ledger, ledger_path, read_ledger
from lab.plan.build import plan_with_ledger
from lab.plan.records import LabPlan


@dataclass(frozen=True)
class Neighbour:
    """Another lab file beside this one."""

    environment: str
    config: LabConfig
    ledger: Ledger


def load_plan(path: Path, pulumi_reads: Mapping[str, Any] | None = None) -> LabPlan:
    """Plan the lab of a file.

    Args:
        path: the lab file; its ledger lies beside it.
        pulumi_reads: what Pulumi made of the same file, to be compared.

    Raises:
        LabError: with every problem found.
    """
    return load_plan_and_ledger(path, pulumi_reads)[0]


def load_plan_and_ledger(path: Path, pulumi_reads: Mapping[str, Any] | None = None) -> tuple[LabPlan, Ledger]:
    """The same, with the ledger as it has to be written."""
    try:
        ledger = read_ledger(ledger_path(path))
    except LedgerError as error:
        try:
            load(path, pulumi_reads)
        except ConfigError as other:
            raise LabError([*other.issues, *error.issues]) from None
        raise
    return plan_with(path, ledger, pulumi_reads)


def pruned_ledger(path: Path) -> Ledger:
    """The ledger of a lab file less the records whose owners are gone.

    Raises:
        LabError: with every problem found.
    """
    ledger = read_ledger(ledger_path(path))
    # What a plan from an empty ledger gives out is what has an owner.
    needed = set(plan_with(path, Ledger())[0].unrecorded)
    return ledger.without(name for name in ledger.names() if name not in needed)


def plan_with(
    path: Path, ledger: Ledger, pulumi_reads: Mapping[str, Any] | None = None
) -> tuple[LabPlan, Ledger]:
    """Plan the lab of a file with a ledger other than the one beside it.

    Raises:
        LabError: with every problem found.
    """
    config = load(path, pulumi_reads)
    neighbours = list(_neighbours(path))
    issues = [issue for neighbour in neighbours for issue in _second_owners(config, neighbour)]
    claims = [c for n in neighbours if n.config.site == config.site for c in _claims(n)]
    try:
        plan, complete = plan_with_ledger(config, ledger, environment=environment_of(path), neighbours=claims)
    except PlanError as error:
        raise PlanError([*error.issues, *issues]) from None
    if issues:
        raise PlanError(issues)
    return plan, complete


def _neighbours(path: Path) -> Iterator[Neighbour]:
    for other in sorted(path.parent.glob("Pulumi.*.yaml")):
        if other.resolve() == path.resolve():
            continue
        try:
            yield Neighbour(environment_of(other), load(other), read_ledger(ledger_path(other)))
        except LabError as error:
            problem = error.issues[0].problem if error.issues else "it does not load"
            raise PlanError(
                [
                    Issue(
                        path=other.name,
                        problem=f"what it holds of the site cannot be told: {problem}",
                        repair=f"mend it (`lab check --lab {environment_of(other)}`), or move it elsewhere",
                    )
                ]
            ) from None


def _claims(neighbour: Neighbour) -> Iterator[Claim]:
    name, config = neighbour.environment, neighbour.config
    for vlan, part in config.vlans.items():
        yield Claim(part.subnet, f"vlan {vlan} of environment {name}")
    recorded = neighbour.ledger.networks()
    for key, network in recorded.items():
        yield Claim(network, f"network {key} of environment {name}")
    for stack_name, stack in config.stacks.items():
        declared = (stack.subnet, *(network.subnet for network in stack.networks.values()))
        for subnet in declared:
            if subnet is not None and subnet not in recorded.values():
                yield Claim(subnet, f"stack {stack_name} of environment {name}")
    if config.ingress is not None and config.ingress.subnet is not None:
        yield Claim(config.ingress.subnet, f"the ingress of environment {name}")


def _second_owners(config: LabConfig, neighbour: Neighbour) -> Iterator[Issue]:
    """Objects that two labs would both change: a tailnet, a zone, the firewall of one cluster."""
    other = neighbour.config
    shared = {
        "tailnet-policy": config.tailnet is not None and other.tailnet is not None,
        "dns-zone": "none" not in (config.dns.provider, other.dns.provider)
        and bool(_zones(config) & _zones(other)),
        "cluster-firewall": bool(
            {n.address for n in config.nodes.values()} & {n.address for n in other.nodes.values()}
        ),
    }
    for owned in config.owns:
        if owned in other.owns and shared[owned]:
            yield Issue(
                path="lab.owns",
                problem=f"{owned} is also owned by environment {neighbour.environment}, and each would undo the other",
                repair=f"remove {owned} from owns in one of the two",
            )


def _zones(config: LabConfig) -> set[str]:
    return {config.dns.zone or config.domain, *config.dns.zones}
