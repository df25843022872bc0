"""What the components hand to providers is what the artefacts say: the evaluator judges what is created."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components import assembly as create
from components.providers import connect
from lab.plan.records import LabPlan
from lab.render.artefacts import artefacts
from tests.labs.reading import lab_file
from tests.support.engine import Recording, Registration, record
from tests.support.plans import plan_of

ROOT = Path(__file__).resolve().parents[2]
FILES = {"dev": ROOT / "Pulumi.dev.yaml"} | {
    case: lab_file(case) for case in ("flat-subnet", "four-vlans-dmz")
}

Created = Callable[[str], Recording]


@functools.cache
def decided(name: str) -> LabPlan:
    """The plan of a lab."""
    return plan_of(FILES[name])


@functools.cache
def rendered(name: str) -> Any:
    """Its artefacts."""
    return artefacts(decided(name))


def section(text: str, header: str) -> list[str]:
    """The lines of one section of a firewall file."""
    _, _, after = text.partition(f"[{header}]")
    return [line for line in after.partition("\n[")[0].splitlines()[1:] if line]


def everything(plan: LabPlan) -> None:
    """Register a lab as the program does."""
    secrets = {secret.name: "given" for secret in plan.secrets}
    providers = connect(plan, secrets)
    segments = create.segments(plan, providers)
    guests = create.guests(plan, providers, segments)
    hosts = create.docker_hosts(plan, guests)
    guards = create.guards(plan, hosts)
    certificate = create.names(plan, providers, secrets)
    create.tailnet(plan, providers, hosts, guards, overwrite=False)
    ingress = create.ingress(plan, hosts, guards, certificate, secrets)
    create.stacks(plan, hosts, guards, ingress, secrets)


@pytest.fixture(scope="module")
def created() -> Created:
    """What is registered for a lab, once."""
    return functools.cache(lambda name: record(lambda: everything(decided(name))))


@pytest.mark.parametrize("name", ["dev", "flat-subnet"])
def test_traefik_reads_what_was_rendered_and_asks_with_the_token(name: str, created: Created) -> None:
    """Its static file names the resolver, and the token for it is a file of its own."""
    recording, ingress = created(name), decided(name).ingress
    assert ingress is not None
    host = ingress.host
    loader = recording.one("Container", f"{host}-ingress-traefik-files-loader")
    contents = [upload["content"] for upload in loader.inputs["uploads"]]
    assert rendered(name)["ingress"]["static"] in contents
    assert "certificatesResolvers" in rendered(name)["ingress"]["static"]
    traefik = recording.one("Container", f"{host}-ingress-traefik")
    assert "CF_DNS_API_TOKEN_FILE=/run/homelab/secrets/dns-token" in traefik.inputs["envs"]


OPTIONS = {
    "enabled": "enable",
    "inputPolicy": "policy_in",
    "outputPolicy": "policy_out",
    **{name: name for name in ("dhcp", "macfilter", "ndp", "radv")},
}
"""What Proxmox calls the provider's options of a guest."""
every_lab = pytest.mark.parametrize("name", FILES)


def vmid(found: Registration) -> int:
    """The guest that a firewall resource is about."""
    number: int = found.inputs.get("vmId") or found.inputs["containerId"]
    return number


def of_guest(found: Registration) -> bool:
    """Whether a firewall resource is about a guest, and not about a node."""
    return bool({"vmId", "containerId"} & found.inputs.keys())


def rule_line(inputs: dict[str, Any]) -> str:
    """A rule as Proxmox writes it, from what the provider is given."""
    comment = f" # {inputs['comment']}" if inputs.get("comment") else ""
    if "securityGroup" in inputs:
        return f"GROUP {inputs['securityGroup']} -i {inputs['iface']}{comment}"
    words = [inputs["type"].upper(), inputs["action"]]
    for option, key in (("-source", "source"), ("-p", "proto"), ("-dport", "dport")):
        words += [option, inputs[key]] if key in inputs else []
    return " ".join(words) + comment


@every_lab
def test_guest_files_hold_what_is_created(name: str, created: Created) -> None:
    """The rules of each guest, in order, and every option that the program sets are those of its file."""
    files = {part["vmid"]: part["firewall"] for part in rendered(name)["proxmox"]["guests"]}
    recording = created(name)
    rules = {vmid(found): found.inputs["rules"] for found in recording.of("RulesLegacy") if of_guest(found)}
    options = {vmid(found): found.inputs for found in recording.of("OptionsLegacy")}
    assert set(options) == set(files)
    for number, text in files.items():
        said = dict(line.split(": ") for line in section(text, "OPTIONS"))
        for key, value in options[number].items():
            if (option := OPTIONS.get(key)) is not None:
                assert said[option] == (str(int(value)) if isinstance(value, bool) else value)
        assert set(options[number]) <= {*OPTIONS, "nodeName", "vmId", "containerId"}
        assert section(text, "RULES") == [rule_line(rule) for rule in rules.get(number, [])]


@every_lab
def test_node_files_hold_what_is_created(name: str, created: Created) -> None:
    """The rules of each node, in order, are those of its file, and a node without a file gets none."""
    found = [part for part in created(name).of("RulesLegacy") if not of_guest(part)]
    rules = {part.inputs["nodeName"]: [rule_line(rule) for rule in part.inputs["rules"]] for part in found}
    for node in rendered(name)["proxmox"]["nodes"]:
        assert section(node["host.fw"] or "", "RULES") == rules.pop(node["name"], [])
    assert rules == {}


@every_lab
def test_the_cluster_file_holds_what_is_created(name: str, created: Created) -> None:
    """Aliases, IP sets, groups with their rules, and the switch are those that the program registers."""
    text, recording = rendered(name)["proxmox"]["cluster.fw"], created(name)
    assert [line.partition(" #")[0] for line in section(text, "ALIASES")] == [
        f"{found.inputs['name']} {found.inputs['cidr']}" for found in recording.of("AliasLegacy")
    ]
    for found in recording.of("IpsetLegacy"):
        assert section(text, f"IPSET {found.inputs['name']}") == [c["name"] for c in found.inputs["cidrs"]]
    for found in recording.of("GroupLegacy"):
        assert section(text, f"group {found.inputs['name']}") == [rule_line(x) for x in found.inputs["rules"]]
    assert text.count("[IPSET") == len(recording.of("IpsetLegacy"))
    assert text.count("[group") == len(recording.of("GroupLegacy"))
    switch = recording.one("cluster/firewallLegacy:FirewallLegacy").inputs
    assert switch == {"enabled": True, "inputPolicy": "DROP", "outputPolicy": "ACCEPT"}


@every_lab
def test_docker_hosts_hold_what_is_created(name: str, created: Created) -> None:
    """Networks, containers with addresses and ports, and the text of each guard are those of the program."""
    hosts, recording = rendered(name)["docker"], created(name)
    networks = {
        (
            found.inputs["name"],
            found.inputs["options"]["com.docker.network.bridge.name"],
            *(found.inputs["ipamConfigs"][0][key] for key in ("subnet", "gateway")),
            found.inputs["internal"],
        )
        for found in recording.of("Network")
    }
    keys = ("name", "interface", "subnet", "gateway", "internal")
    assert {tuple(n[key] for key in keys) for host in hosts for n in host["networks"]} == networks
    containers = {found["endpoint"]: found for host in hosts for found in host["containers"]}
    for found in recording.of("Container"):
        labels = {label["label"]: label["value"] for label in found.inputs.get("labels", ())}
        endpoint = labels.get("homelab.endpoint", "")
        if not endpoint or endpoint.startswith("service:guard/"):
            continue
        there = containers.pop(endpoint)
        assert there["addresses"] == {
            part["name"]: part["ipv4Address"] for part in found.inputs.get("networksAdvanced", ())
        }
        assert there["host_network"] == (found.inputs.get("networkMode") == "host")
        ports = {
            (p["ip"], p["external"], p["internal"], p["protocol"]) for p in found.inputs.get("ports") or ()
        }
        assert {(p["address"], p["external"], p["internal"], p["protocol"]) for p in there["ports"]} == ports
    assert containers == {}
    uploads = [
        up["content"] for found in recording.of("Container") for up in found.inputs.get("uploads") or ()
    ]
    assert {host["guard"] for host in hosts} <= set(uploads)


@every_lab
def test_interfaces_are_those_that_are_created(name: str, created: Created) -> None:
    """Bridge, tag, address and the firewall flag of each interface are arguments of the guest."""
    guests = {g["vmid"]: g["config"] for g in rendered(name)["proxmox"]["guests"]}
    recording = created(name)
    for kind, key in (("VmLegacy", "networkDevices"), ("ContainerLegacy", "networkInterfaces")):
        for found in recording.of(kind):
            if found.name.endswith("-data"):
                continue
            config = guests.pop(found.inputs["vmId"])
            addresses = [part["ipv4"] for part in found.inputs["initialization"]["ipConfigs"]]
            for number, (device, address) in enumerate(zip(found.inputs[key], addresses, strict=True)):
                lines = f"{config[f'net{number}']},{config.get(f'ipconfig{number}', '')}".split(",")
                assert f"bridge={device['bridge']}" in lines
                assert ("firewall=1" in lines) == device["firewall"]
                assert [part for part in lines if part.startswith("tag=")] == (
                    [f"tag={device['vlanId']}"] if "vlanId" in device else []
                )
                assert f"ip={address['address']}" in lines
    assert guests == {}


@every_lab
def test_the_tailnet_s_policy_is_the_created_one(name: str, created: Created) -> None:
    """The text that is uploaded is the text that is evaluated."""
    found = created(name).one("Acl").inputs["acl"]
    assert rendered(name)["tailnet"]["policy"] == found
