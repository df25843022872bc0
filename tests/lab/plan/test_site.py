"""Environments of one site: they never overlap, and a shared object has one owner."""

from pathlib import Path

import pytest

from lab.errors import PlanError
from lab.plan import load_plan
from tests.support.builders import IMAGE

VLAN = "vlans:\n  services: {id: 20, subnet: 10.10.20.0/24}\n"
HOST = (
    "nodes:\n  pve: {address: 10.10.20.2, manage: observe}\n"
    "guests:\n  docker-1: {kind: vm, node: pve, vlan: services, address: 11, runs: docker}\n"
)


def write(folder: Path, environment: str, text: str, ledger: str = "") -> Path:
    """A lab file of an environment, with its ledger where one is given."""
    path = folder / f"Pulumi.{environment}.yaml"
    path.write_text(f"domain: {environment}.lab.example\nowns: []\n{text}")
    if ledger:
        (folder / f"ledger.{environment}.yaml").write_text(f"version: 1\n{ledger}")
    return path


def test_an_overlap_names_both_owners_and_environments(tmp_path: Path) -> None:
    """A VLAN of this lab and one of its neighbour on the same addresses are both named, with the environment."""
    write(tmp_path, "prod", VLAN)
    with pytest.raises(PlanError) as caught:
        load_plan(write(tmp_path, "dev", "vlans:\n  lab: {id: 99, subnet: 10.10.20.128/25}\n"))
    assert str(caught.value) == (
        "the lab cannot be planned as declared: it has one problem; nothing was created\n"
        "  - lab.vlans.lab.subnet: 10.10.20.128/25 of vlan lab overlaps "
        "10.10.20.0/24 of vlan services of environment prod\n"
        "      repair: give vlan lab another subnet"
    )


def test_the_path_is_ours_whichever_is_wider(tmp_path: Path) -> None:
    """When ours surrounds the neighbour's, the problem is told at ours as well."""
    write(tmp_path, "prod", VLAN)
    with pytest.raises(PlanError) as caught:
        load_plan(write(tmp_path, "dev", "vlans:\n  lab: {id: 99, subnet: 10.10.0.0/16}\n"))
    (issue,) = caught.value.issues
    assert (issue.path, issue.repair) == ("lab.vlans.lab.subnet", "give vlan lab another subnet")


def test_what_a_neighbour_recorded_is_not_given_out(tmp_path: Path) -> None:
    """Networks of the neighbour's ledger, and subnets that it declares, are left alone."""
    declared = (
        f"stacks:\n  web: {{host: docker-1, subnet: 10.128.0.16/28, services: {{app: {{image: {IMAGE}}}}}}}\n"
    )
    prod = VLAN + HOST + declared
    write(tmp_path, "prod", prod, "networks: {docker-1/vnet-old: 10.128.0.0/28}\n")
    other = (VLAN + HOST).replace("10.10.20", "10.10.21")
    stack = f"stacks:\n  web: {{host: docker-1, services: {{app: {{image: {IMAGE}}}}}}}\n"
    plan = load_plan(write(tmp_path, "dev", other + stack))
    assert [network.subnet for network in plan.stacks[0].networks] == ["10.128.0.32/28"]


def test_the_subnet_of_a_neighbours_ingress_is_held(tmp_path: Path) -> None:
    """A declared subnet of a shared ingress network counts like any other."""
    ingress = "ingress: {host: docker-1, manage: observe, attachment: shared, subnet: 10.144.0.0/24}\n"
    write(tmp_path, "prod", VLAN + HOST + ingress)
    with pytest.raises(PlanError, match=r"10\.144\.0\.0/24 of the ingress of environment prod"):
        load_plan(write(tmp_path, "dev", "vlans:\n  lab: {id: 99, subnet: 10.144.0.0/28}\n"))


def test_another_site_holds_nothing_here(tmp_path: Path) -> None:
    """Labs of different sites may have the same addresses."""
    write(tmp_path, "prod", f"site: office\n{VLAN}")
    assert load_plan(write(tmp_path, "dev", VLAN)).site == "home"


def test_neighbours_that_overlap_each_other_are_their_own_business(tmp_path: Path) -> None:
    """A quarrel between two other environments does not stop this one."""
    write(tmp_path, "prod", VLAN)
    write(tmp_path, "staging", VLAN)
    assert load_plan(write(tmp_path, "dev", "vlans:\n  lab: {id: 99, subnet: 10.10.99.0/24}\n")).vlans


def test_a_neighbour_that_cannot_be_read_stops(tmp_path: Path) -> None:
    """What a neighbour holds must be known, so one that does not load is a problem that names it."""
    write(tmp_path, "prod", "colour: blue\n")
    with pytest.raises(PlanError) as caught:
        load_plan(write(tmp_path, "dev", VLAN))
    assert str(caught.value) == (
        "the lab cannot be planned as declared: it has one problem; nothing was created\n"
        '  - Pulumi.prod.yaml: what it holds of the site cannot be told: unknown key "colour"\n'
        "      repair: mend it (`lab check --lab prod`), or move it elsewhere"
    )


SHARED = {
    "tailnet-policy": ("tailnet: {}\n", "tailnet: {}\n"),
    "dns-zone": (
        "dns: {provider: cloudflare, zone: lab.example}\n",
        "dns: {provider: cloudflare, zone: lab.example}\n",
    ),
    "cluster-firewall": (
        "vlans: {a: {id: 1, subnet: 10.0.1.0/24}}\nnodes: {pve: {address: 10.0.1.9, manage: observe}}\n",
        "site: other\nvlans: {a: {id: 1, subnet: 10.0.1.0/24}}\nnodes: {pve: {address: 10.0.1.9, manage: observe}}\n",
    ),
}


@pytest.mark.parametrize("owned", SHARED)
def test_a_second_owner_is_refused(owned: str, tmp_path: Path) -> None:
    """Two labs that would change one shared object are told so, and which environment the other is."""
    ours, theirs = SHARED[owned]
    write(tmp_path, "prod", theirs).write_text(f"domain: prod.lab.example\n{theirs}")
    dev = write(tmp_path, "dev", "")
    dev.write_text(f"domain: dev.lab.example\n{ours}")
    with pytest.raises(PlanError) as caught:
        load_plan(dev)
    assert str(caught.value) == (
        "the lab cannot be planned as declared: it has one problem; nothing was created\n"
        f"  - lab.owns: {owned} is also owned by environment prod, and each would undo the other\n"
        f"      repair: remove {owned} from owns in one of the two"
    )


@pytest.mark.parametrize("owned", SHARED)
def test_one_owner_is_enough(owned: str, tmp_path: Path) -> None:
    """A lab that does not own the shared object may refer to it."""
    ours, theirs = SHARED[owned]
    write(tmp_path, "prod", theirs).write_text(f"domain: prod.lab.example\nowns: []\n{theirs}")
    dev = write(tmp_path, "dev", "")
    dev.write_text(f"domain: dev.lab.example\nsite: mine\n{ours}")
    assert owned in load_plan(dev).owns
