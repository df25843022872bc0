"""Bridges, node settings, files, mappings and the firewall, through the stand-in and the sandbox's API."""

import pytest

from sandbox.plugins.proxmoxve.connection import Client
from sandbox.plugins.resource import CallError
from sandbox.plugins.values import Values
from tests.sandbox.plugins_proxmoxve.life import Life, at, unchanged
from tests.sandbox.proxmox.doubles import Api

FILE: Values = {
    "contentType": "import",
    "datastoreId": "local",
    "fileName": "debian-13.qcow2",
    "nodeName": "pve-a",
    "overwrite": False,
    "url": "https://images.example/debian-13.qcow2",
}
SSH: Values = {"type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "22", "comment": "ssh"}
WEB: Values = {"type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "443", "log": "info"}
DROP: Values = {"type": "in", "action": "DROP", "comment": "rest"}

LIVES: list[tuple[str, Values, Values]] = [
    (
        "network/linux/bridge:Bridge",
        {"nodeName": "pve-a", "name": "vmbr1", "vlanAware": True, "ports": ["eno1"], "comment": "lab"},
        {"nodeName": "pve-a", "name": "vmbr1", "vlanAware": True, "ports": ["eno1"], "vids": "2-4094"},
    ),
    (
        "index/dnsLegacy:DnsLegacy",
        {"nodeName": "pve-a", "domain": "lab.example", "servers": ["10.0.0.1"]},
        {"nodeName": "pve-a", "domain": "lab.example", "servers": ["10.0.0.1", "10.0.0.2"]},
    ),
    (
        "hardware/mapping/pci:Pci",
        {
            "name": "gpu",
            "maps": [{"id": "10de:27b0", "node": "pve-a", "path": "0000:01:00.0", "iommuGroup": 1}],
        },
        {
            "name": "gpu",
            "maps": [{"id": "10de:27b0", "node": "pve-a", "path": "0000:02:00.0"}],
            "comment": "x",
        },
    ),
    (
        "firewall/aliasLegacy:AliasLegacy",
        {"name": "mgmt", "cidr": "10.10.10.0/24"},
        {"name": "mgmt", "cidr": "10.10.11.0/24", "comment": "management"},
    ),
    (
        "firewall/ipsetLegacy:IpsetLegacy",
        {"name": "admins", "cidrs": [{"name": "10.10.10.0/24"}, {"name": "10.10.10.9", "nomatch": True}]},
        {
            "name": "ops",
            "comment": "who may",
            "cidrs": [{"name": "10.10.10.0/24"}, {"name": "10.10.10.9", "nomatch": True}],
        },
    ),
    (
        "cluster/firewallLegacy:FirewallLegacy",
        {"enabled": True, "inputPolicy": "DROP"},
        {"enabled": True, "inputPolicy": "REJECT", "logRatelimit": {"burst": 10}},
    ),
    (
        "node/firewall:Firewall",
        {"nodeName": "pve-a", "enabled": True, "logLevelIn": "info"},
        {"nodeName": "pve-a", "enabled": True, "nftables": True},
    ),
    ("firewall/rulesLegacy:RulesLegacy", {"rules": [SSH, DROP]}, {"rules": [WEB, SSH, DROP]}),
    (
        "firewall/rulesLegacy:RulesLegacy",
        {"nodeName": "pve-a", "rules": [WEB, SSH, DROP]},
        {"nodeName": "pve-a", "rules": [DROP, WEB]},
    ),
    (
        "cluster/firewall/security/groupLegacy:GroupLegacy",
        {"name": "web", "comment": "web servers", "rules": [SSH, WEB]},
        {"name": "web", "comment": "other", "rules": [WEB, {**SSH, "enabled": False}, DROP]},
    ),
    (
        "firewall/optionsLegacy:OptionsLegacy",
        {"nodeName": "pve-a", "vmId": 201, "enabled": True, "inputPolicy": "DROP"},
        {"nodeName": "pve-a", "vmId": 201, "enabled": True, "inputPolicy": "REJECT", "ipfilter": True},
    ),
]


@pytest.mark.parametrize(("token", "first", "second"), LIVES)
def test_created_changed_and_gone(
    client: Client, api: Api, token: str, first: Values, second: Values
) -> None:
    """Each type is stable after its create, is updated in place, is stable again, and is deleted."""
    api.vm(201, ide2="none,media=cdrom", scsi0="local-zfs:1", net0="virtio,bridge=vmbr0")
    life = Life(client, token, first)
    unchanged(life, first)
    assert not life.diff(second).replaces
    life.update(second)
    if token == "firewall/ipsetLegacy:IpsetLegacy":
        life.id = "ops"
    unchanged(life, second)
    life.delete()


def test_a_time_zone(client: Client, api: Api) -> None:
    """The zone is set and changed in place; a wrong one is an error of the API."""
    life = Life(client, "index/timeLegacy:TimeLegacy", {"nodeName": "pve-a", "timeZone": "Europe/Berlin"})
    life.update({"nodeName": "pve-a", "timeZone": "UTC"})
    assert api.ok("GET", "nodes/pve-a/time")["timezone"] == "UTC"
    with pytest.raises(CallError, match="No such timezone"):
        life.update({"nodeName": "pve-a", "timeZone": "Mars/Base"})


def test_a_file(client: Client, api: Api) -> None:
    """A download is stable, its URL replaces it, and its delete removes it."""
    life = Life(client, "download/file:File", FILE)
    assert life.id == "local:import/debian-13.qcow2"
    unchanged(life, FILE)
    found = life.diff({**FILE, "url": "https://images.example/other.qcow2"})
    assert found.replaces
    assert not found.delete_before_replace
    life.delete()
    assert not life.refresh()


def test_a_file_that_is_there_is_refused_or_taken_over(client: Client, api: Api) -> None:
    """Without overwriteUnmanaged a foreign file is an error; with it, it is deleted and loaded again."""
    api.image()
    with pytest.raises(CallError, match="File already exists in the datastore"):
        Life(client, "download/file:File", FILE)
    unchanged(Life(client, "download/file:File", taken := {**FILE, "overwriteUnmanaged": True}), taken)


def test_a_bridge_that_exists_is_an_error(client: Client, api: Api) -> None:
    """A second owner of a bridge name gets the official sentence."""
    api.bridge(name="vmbr0")
    with pytest.raises(CallError, match="the requested resource already exists"):
        Life(client, "network/linux/bridge:Bridge", {"nodeName": "pve-a", "name": "vmbr0"})


def test_rules_have_one_owner_per_scope(client: Client) -> None:
    """A scope with rules is refused; identities and order survive any change."""
    life = Life(client, "firewall/rulesLegacy:RulesLegacy", {"rules": [SSH, WEB, DROP]})
    with pytest.raises(CallError, match="Existing rules detected"):
        Life(client, "firewall/rulesLegacy:RulesLegacy", {"rules": [SSH]})
    life.update({"rules": [DROP, {**SSH, "comment": "new"}, WEB]})
    rules = at(life.state, "rules")
    assert isinstance(rules, list)
    assert [at(rule, "dport") for rule in rules] == ["", "22", "443"]
    assert at(rules, 1, "comment") == "new"
    assert life.id == "rule-" + life.id.removeprefix("rule-")
    assert life.imported("cluster") is not None


def test_an_existing_group_and_set_are_adopted_as_they_are(client: Client, api: Api) -> None:
    """As officially, the content of what is there is not compared."""
    api.ok("POST", "cluster/firewall/groups", group="web", comment="old")
    assert (
        Life(client, "cluster/firewall/security/groupLegacy:GroupLegacy", {"name": "web"}).state["comment"]
        == "old"
    )
    api.ok("POST", "cluster/firewall/ipset", name="admins", comment="old")
    assert Life(client, "firewall/ipsetLegacy:IpsetLegacy", {"name": "admins"}).state["comment"] == "old"
