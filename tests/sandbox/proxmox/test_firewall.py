"""The firewall's configuration at every scope."""

import pytest

from tests.sandbox.proxmox.doubles import Api

SCOPES = ("cluster/firewall", "nodes/pve-a/firewall", "nodes/pve-a/qemu/201/firewall")


@pytest.fixture(autouse=True)
def _guest(api: Api) -> None:
    api.bridge()
    api.image()
    api.vm()


@pytest.mark.parametrize("scope", SCOPES)
def test_rules_are_an_ordered_list(api: Api, scope: str) -> None:
    """New rules go to the front, empty matchers are dropped, moves and deletes keep the order."""
    for port in ("22", "80", "443"):
        api.ok(
            "POST", f"{scope}/rules", type="in", action="ACCEPT", proto="tcp", dport=port, enable=1,
            source="", comment="", iface="",
        )  # fmt: skip
    rules = api.ok("GET", f"{scope}/rules")
    assert [(rule["pos"], rule["dport"]) for rule in rules] == [(0, "443"), (1, "80"), (2, "22")]
    assert "source" not in rules[0]
    one = api.ok("GET", f"{scope}/rules/1")
    assert (one["pos"], one["dport"], one["enable"]) == ("1", "80", 1)
    api.ok("PUT", f"{scope}/rules/0", moveto=3)
    assert [rule["dport"] for rule in api.ok("GET", f"{scope}/rules")] == ["80", "22", "443"]
    api.ok("PUT", f"{scope}/rules/0", dport="8080", delete="proto,comment", proto="tcp")
    api.ok("DELETE", f"{scope}/rules/1")
    assert [rule["dport"] for rule in api.ok("GET", f"{scope}/rules")] == ["8080", "443"]
    assert api.refused("GET", f"{scope}/rules/2")[1] == "no rule at position 2"


def test_a_rule_must_make_sense(api: Api) -> None:
    """Unknown actions, ports without protocol, and names that nobody defined are refused per field."""
    bad = api.refused(
        "POST", "cluster/firewall/rules", type="in", action="ALLOW", dport="22", source="+admins"
    )
    assert set(bad[2]) == {"action", "proto", "source"}
    assert (
        "dest" in api.refused("POST", "cluster/firewall/rules", type="in", action="DROP", dest="300.0.0.1")[2]
    )
    api.ok("POST", "cluster/firewall/ipset", name="admins")
    api.ok("POST", "cluster/firewall/aliases", name="Mgmt", cidr="10.10.10.1/24")
    api.ok(
        "POST",
        "nodes/pve-a/qemu/201/firewall/rules",
        type="in",
        action="ACCEPT",
        source="+dc/admins",
        dest="mgmt",
    )
    iface = api.refused(
        "POST", "nodes/pve-a/qemu/201/firewall/rules", type="in", action="DROP", iface="vmbr0"
    )
    assert "iface" in iface[2]


@pytest.mark.parametrize(
    ("field", "text", "rule"),
    [
        (
            "macro",
            "the sandbox knows no macro 'Ceph'; give its protocol and ports instead",
            {"macro": "Ceph"},
        ),
        (
            "dport",
            "the sandbox knows no service 'gopher'; give its port",
            {"proto": "tcp", "dport": "gopher"},
        ),
        ("proto", "the sandbox knows no protocol 'wonder'; give its number", {"proto": "wonder"}),
    ],
)
def test_what_could_not_be_enforced_is_refused(api: Api, field: str, text: str, rule: dict[str, str]) -> None:
    """For guests and in groups, when it is added and when it is changed."""
    api.ok("POST", "cluster/firewall/groups", group="web")
    for here, one in ((f"{SCOPES[2]}/rules", f"{SCOPES[2]}/rules/0"), ("cluster/firewall/groups/web",) * 2):
        assert api.refused("POST", here, type="in", action="DROP", **rule)[2] == {field: text}
        api.ok("POST", here, type="in", action="DROP", proto="tcp", dport="ssh")
        path = one if one != here else f"{here}/0"
        change = rule | ({"delete": "proto,dport"} if "macro" in rule else {})
        assert api.refused("PUT", path, **change)[2] == {field: text}


def test_a_group_includes_no_group_and_names_no_interface(api: Api) -> None:
    """As on Proxmox VE, where only the including rule says for which interface."""
    api.ok("POST", "cluster/firewall/groups", group="web")
    here = "cluster/firewall/groups/web"
    assert api.refused("POST", here, type="group", action="web")[2] == {"type": "security groups not allowed"}
    assert set(api.refused("POST", here, type="in", action="DROP", iface="net0")[2]) == {"iface"}


@pytest.mark.parametrize("scope", [SCOPES[0], SCOPES[2]])
def test_aliases_and_ip_sets(api: Api, scope: str) -> None:
    """Names are kept per scope, networks are tidied, and a set must be empty to go."""
    api.ok("POST", f"{scope}/aliases", name="Mgmt", cidr="10.10.10.1/24", comment="")
    found = api.ok("GET", f"{scope}/aliases/mgmt")
    assert (found["name"], found["cidr"], found["ipversion"]) == ("Mgmt", "10.10.10.0/24", 4)
    assert (
        "already exists" in api.refused("POST", f"{scope}/aliases", name="mgmt", cidr="10.0.0.1")[2]["name"]
    )
    api.ok("PUT", f"{scope}/aliases/mgmt", cidr="10.10.11.0/24", rename="lan")
    assert api.refused("GET", f"{scope}/aliases/mgmt")[1] == "no such alias 'mgmt'"
    api.ok("POST", f"{scope}/ipset", name="admins", comment="who may")
    api.ok("POST", f"{scope}/ipset/admins", cidr="10.10.10.0/24", nomatch=1)
    api.ok("POST", f"{scope}/ipset/admins", cidr="lan")
    assert "cidr" in api.refused("POST", f"{scope}/ipset/admins", cidr="nobody")[2]
    entries = api.ok("GET", f"{scope}/ipset/admins")
    assert [(one["cidr"], one.get("nomatch")) for one in entries] == [("10.10.10.0/24", 1), ("lan", None)]
    assert api.refused("DELETE", f"{scope}/ipset/admins")[1] == "IPSet 'admins' is not empty"
    api.ok("DELETE", f"{scope}/ipset/admins/10.10.10.0%2F24")
    api.ok("DELETE", f"{scope}/ipset/admins/lan")
    api.ok("DELETE", f"{scope}/ipset/admins")
    assert api.refused("GET", f"{scope}/ipset/admins")[1] == "no such IPSet 'admins'"


def test_security_groups(api: Api) -> None:
    """A group holds rules, is changed by renaming it, and must be empty to go."""
    api.ok("POST", "cluster/firewall/groups", group="web", comment="old")
    exists = api.refused("POST", "cluster/firewall/groups", group="web")
    assert exists[2] == {"group": "Security group 'web' already exists"}
    api.ok("POST", "cluster/firewall/groups/web", type="in", action="ACCEPT", macro="HTTPS")
    api.ok("POST", "cluster/firewall/groups", group="web", rename="web", comment="new")
    (found,) = api.ok("GET", "cluster/firewall/groups")
    assert found["comment"] == "new"
    assert api.ok("GET", "cluster/firewall/groups/web/0")["macro"] == "HTTPS"
    assert api.refused("DELETE", "cluster/firewall/groups/web")[1] == "Security group 'web' is not empty"
    api.ok("DELETE", "cluster/firewall/groups/web/0")
    api.ok("DELETE", "cluster/firewall/groups/web")
    assert api.refused("GET", "cluster/firewall/groups/web")[1] == "no such security group 'web'"


@pytest.mark.parametrize("scope", SCOPES)
def test_options(api: Api, scope: str) -> None:
    """Options are kept, deleted by name, and numbers stay numbers."""
    api.ok("PUT", f"{scope}/options", enable=1)
    assert api.ok("GET", f"{scope}/options")["enable"] == 1
    api.ok("PUT", f"{scope}/options", delete="enable")
    assert "enable" not in api.ok("GET", f"{scope}/options")


def test_a_guests_firewall_goes_with_it(api: Api) -> None:
    """A new guest with the id of a destroyed one starts without its rules."""
    rules = "nodes/pve-a/qemu/201/firewall/rules"
    api.ok("POST", rules, type="in", action="DROP")
    api.done("DELETE", "nodes/pve-a/qemu/201")
    assert "201.conf' does not exist" in api.refused("GET", rules)[1]
    api.vm()
    assert api.ok("GET", rules) == []
