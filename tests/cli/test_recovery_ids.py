"""What `lab recover` calls an object, against what the official plugins called it."""

import gzip
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from cli.recovery import proxmox
from cli.recovery.state import Adoption, Operation, repaired
from tests.support.shared import shared_path

PROXMOX = (
    "proxmoxve:cluster/firewall/security/groupLegacy:GroupLegacy",
    "proxmoxve:download/file:File",
    "proxmoxve:firewall/aliasLegacy:AliasLegacy",
    "proxmoxve:firewall/ipsetLegacy:IpsetLegacy",
    "proxmoxve:firewall/rulesLegacy:RulesLegacy",
    "proxmoxve:hardware/mapping/pci:Pci",
    "proxmoxve:index/containerLegacy:ContainerLegacy",
    "proxmoxve:index/vmLegacy:VmLegacy",
    "proxmoxve:network/linux/bridge:Bridge",
)
VERSIONED = (
    "docker:index/network:Network",
    "docker:index/container:Container",
    "docker:index/volume:Volume",
    "cloudflare:index/apiToken:ApiToken",
    "cloudflare:index/dnsRecord:DnsRecord",
)


@cache
def recorded(package: str) -> list[dict[str, Any]]:
    """Every recorded case of a package."""
    path = shared_path(f"schemas/plugin-recordings/{package}.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def creates(type_: str) -> Iterator[dict[str, Any]]:
    """The creates of a type that succeeded."""
    for case in recorded(type_.partition(":")[0]):
        for step in case["steps"]:
            created = step["kind"] == "create" and not step.get("preview") and step["result"].get("id")
            if case["type"] == type_ and created:
                yield step


@pytest.mark.parametrize("type_", PROXMOX)
def test_ids_are_those_that_the_plugin_answered(type_: str) -> None:
    """From the inputs alone, every id is the one that a create answered."""
    seen = 0
    for step in creates(type_):
        where = proxmox.place(type_, step["properties"])
        if "vmLegacy" in type_ and "vmId" not in step["properties"]:
            # The plugin chose one: only a person can tell which guest it is.
            assert where is None
            continue
        assert where is not None
        assert where.id == step["result"]["id"]
        seen += 1

    assert seen > 3


@pytest.mark.parametrize("type_", [type_ for type_ in PROXMOX if "containerLegacy" not in type_])
def test_lists_are_ones_that_the_plugin_asks_too(type_: str) -> None:
    """A path is the list in which the plugin reads, or the folder of what it reads.

    Containers are looked up in the list of VMs, which has both.
    """
    step = next(creates(type_))
    where = proxmox.place(type_, step["properties"])
    assert where is not None
    asked = {
        request["path"]
        for case in recorded("proxmoxve")
        if case["type"] == type_
        for one in case["steps"]
        for request in one.get("http") or ()
        if request["method"] == "GET" and request["status"] == 200
    }

    assert any(path.startswith(f"/api2/json/{where.path}") for path in asked), (where.path, sorted(asked)[:9])


@pytest.mark.parametrize("type_", sorted(proxmox.WRITES))
def test_harmless_types_delete_nothing_and_make_nothing(type_: str) -> None:
    """Creating one of them is a PUT: there is no object that could be left over."""
    methods = {
        request["method"]
        for step in creates(type_)
        for request in step.get("http") or ()
        if request["method"] != "GET"
    }

    assert methods == {"PUT"}


@pytest.mark.parametrize("type_", VERSIONED)
def test_states_carry_the_version_that_the_plugin_writes(type_: str) -> None:
    """Without it the plugin would upgrade the state from version 0."""
    operation = Operation(
        kind="creating", resource={"urn": f"urn:x::y::{type_}::z", "type": type_, "inputs": {}}
    )
    document = repaired({"deployment": {}}, [Adoption(operation=operation, id="1")])
    written = json.loads(document["deployment"]["resources"][0]["outputs"]["__meta"])
    versions = {
        json.loads(step["result"]["properties"]["__meta"])["schema_version"] for step in creates(type_)
    }

    assert versions == {written["schema_version"]}
