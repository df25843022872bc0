"""The artefacts: golden firewall files, plain data, and what the provider sends although nobody set it."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lab.plan.records import GuestPlan, RulePlan
from lab.render.artefacts import artefacts
from lab.render.proxmox_firewall import cluster_fw, group_name, guest_fw, host_fw
from tests.components import records as r
from tests.labs.reading import CASES, LABS, lab_file
from tests.support.builders import guest, plan, service, stack
from tests.support.golden import assert_golden
from tests.support.plans import plan_of
from tests.support.shared import shared_path

ROOT = Path(__file__).resolve().parents[3]
FILES = {"dev": ROOT / "Pulumi.dev.yaml", "full": ROOT / "tests" / "support" / "full_lab.yaml"}
FILES |= {case: lab_file(case) for case in CASES}
GOLDEN = ("dev", "flat-subnet")


def firewall_files(name: str) -> dict[str, str]:
    """The firewall files of a lab, by the name that Proxmox gives them."""
    proxmox = artefacts(plan_of(FILES[name]))["proxmox"]
    nodes = {f"{node['name']}.host.fw": node["host.fw"] for node in proxmox["nodes"]}
    guests = {f"{part['vmid']}.fw": part["firewall"] for part in proxmox["guests"]}
    return {"cluster.fw": proxmox["cluster.fw"], **nodes, **guests}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_firewall_files_are_golden(name: str, update_golden: bool) -> None:
    """Each file of a lab is exactly as it was when somebody last read it, and no other file is there."""
    folder = LABS / name / "expected" / "firewall"
    files = firewall_files(name)
    for file, text in files.items():
        assert_golden(folder / file, text, update=update_golden)
    assert {path.name for path in folder.iterdir()} == set(files)


@pytest.mark.parametrize("name", FILES)
def test_artefacts_are_plain_data(name: str) -> None:
    """JSON gives back what was put in, so an evaluator needs nothing but the text."""
    found = artefacts(plan_of(FILES[name]))
    assert json.loads(json.dumps(found)) == found


def section(text: str, header: str) -> list[str]:
    """The lines of one section of a firewall file."""
    _, _, after = text.partition(f"[{header}]")
    return [line for line in after.partition("\n[")[0].splitlines()[1:] if line]


def recorded(case: str) -> dict[str, str]:
    """What the official provider sends in the first step that writes, by the recorded conversations."""
    with gzip.open(shared_path("schemas/plugin-recordings/proxmoxve.jsonl.gz"), "rt") as lines:
        found = json.loads(next(line for line in lines if f'"id":"{case}"' in line))
    puts = (part for step in found["steps"] for part in step.get("http", ()) if part["method"] == "PUT")
    body: dict[str, str] = next(puts)["body"]
    return body


def options_of(text: str) -> dict[str, str]:
    """The options of a firewall file."""
    return dict(line.split(": ") for line in section(text, "OPTIONS"))


def test_the_cluster_s_options_are_what_the_provider_sends() -> None:
    """Options that nobody sets are sent all the same, and are in the file with the provider's values."""
    sent = recorded("proxmoxve:cluster/firewallLegacy:FirewallLegacy/1-life/enabled")
    assert options_of(cluster_fw(plan_of(FILES["dev"]))) == sent


def test_a_node_s_options_are_what_the_provider_sends() -> None:
    """The same for a node, whose firewall the program only switches on."""
    assert options_of(host_fw(r.NODE)) == recorded("proxmoxve:node/firewall:Firewall/1-life/enabled")


def test_a_node_s_rules_follow_its_options() -> None:
    """What a flow to a node needs is in the file as Proxmox VE writes a rule."""
    rule = RulePlan(source="10.10.20.11", port="8006", protocol="tcp", comment="route pve")
    text = host_fw(replace(r.NODE, rules=(rule,)))
    assert section(text, "RULES") == ["IN ACCEPT -source 10.10.20.11 -p tcp -dport 8006 # route pve"]
    assert options_of(text) == options_of(host_fw(r.NODE))


def test_a_guest_s_options_are_all_that_the_provider_sends() -> None:
    """The same for a guest: every option of the request is in the file."""
    sent = recorded("proxmoxve:firewall/optionsLegacy:OptionsLegacy/1-life/rich")
    assert set(options_of(guest_fw(r.VM, {}))) == set(sent)


def test_long_group_names_fit_and_stay_apart() -> None:
    """Proxmox allows 18 characters; two long names with one beginning are still two."""
    first, second = group_name("dev", "management-a"), group_name("dev", "management-b")
    assert len(first) == len(second) == 18
    assert first != second
    assert group_name("dev", "services") == "dev-vlan-services"


def test_a_leased_address_needs_dhcp() -> None:
    """A guest whose address is leased may ask for it, and one with a fixed address has no reason to."""
    leased = replace(r.VM, nics=(replace(r.VM.nics[0], address=None),))
    assert options_of(guest_fw(leased, {}))["dhcp"] == "1"
    assert options_of(guest_fw(r.VM, {}))["dhcp"] == "0"


def test_a_comment_stays_on_its_line() -> None:
    """A reason with a line break does not become a rule of its own."""
    rule = RulePlan(source="10.0.0.1", port="22", protocol="tcp", comment="one\nIN ACCEPT # two")
    guest_plan: GuestPlan = replace(r.VM, rules=(rule,))
    assert section(guest_fw(guest_plan, {}), "RULES") == [
        "IN ACCEPT -source 10.0.0.1 -p tcp -dport 22 # one IN ACCEPT # two"
    ]


def test_what_is_observed_is_null() -> None:
    """What another hand decides is not there, so that nobody takes it for empty."""
    found = artefacts(
        plan(
            owns=[],
            nodes={"pve": {"address": "10.10.20.2", "manage": "observe"}},
            guests={"docker-1": guest(address=11, runs="docker")},
            stacks={"web": {**stack(app=service(listens=[80])), "manage": "observe"}},
            tailnet={},
        )
    )
    assert found["proxmox"]["switch_known"] is False
    assert found["proxmox"]["nodes"][0]["host.fw"] is None
    assert found["proxmox"]["guests"][0]["firewall"] is None
    assert found["docker"][0]["guard"] is None
    assert found["tailnet"]["policy"] is None
    assert "[OPTIONS]" not in found["proxmox"]["cluster.fw"]


def test_nodes_of_a_cluster_know_each_other() -> None:
    """Two nodes have a corosync.conf with both addresses, and one node has none."""
    two = artefacts(plan(nodes={"a": {"address": "10.10.20.2"}, "b": {"address": "10.10.20.3"}}, guests={}))
    text = two["proxmox"]["corosync.conf"]
    assert [line.strip() for line in text.splitlines() if "ring0_addr" in line] == [
        "ring0_addr: 10.10.20.2",
        "ring0_addr: 10.10.20.3",
    ]
    assert artefacts(plan())["proxmox"]["corosync.conf"] is None
