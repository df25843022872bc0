"""The provider's configuration: only this checkout's sandbox, only a token."""

import pytest

from sandbox.plugins.check import check_resource
from sandbox.plugins.proxmoxve.connection import Client
from sandbox.plugins.proxmoxve.provider import package, refuse
from sandbox.plugins.resource import CallError, Endpoints
from sandbox.plugins.values import Values
from tests.sandbox.proxmox.doubles import TOKEN

ENDPOINTS = Endpoints(addresses={"proxmox": "https://127.0.0.1:8006"}, file=".sandbox/endpoints.json")


@pytest.mark.parametrize("endpoint", ["https://pve.example:8006", "https://127.0.0.1:8007", ""])
def test_any_other_endpoint_is_refused(endpoint: str) -> None:
    """An endpoint that is not the sandbox's is refused with a sentence that names the right one."""
    (reason,) = refuse({"endpoint": endpoint, "apiToken": TOKEN}, ENDPOINTS)
    assert "not this checkout's sandbox" in reason
    assert "https://127.0.0.1:8006" in reason


def test_the_sandboxs_endpoint_is_accepted_with_a_token_only() -> None:
    """The right endpoint passes, with a slash too; what is no token is refused and not repeated."""
    assert list(refuse({"endpoint": "https://127.0.0.1:8006/", "apiToken": TOKEN}, ENDPOINTS)) == []
    (reason,) = refuse({"endpoint": "https://127.0.0.1:8006", "apiToken": "hunter2"}, ENDPOINTS)
    assert "LAB_SECRET_PROXMOX_TOKEN" in reason
    assert "hunter2" not in reason


def test_a_property_that_is_not_played_is_refused_by_name() -> None:
    """Type and property are named, at the top and inside a block."""
    kind = package().by_token["proxmoxve:index/vmLegacy:VmLegacy"]
    given: Values = {
        "nodeName": "pve-a",
        "vmId": 100,
        "name": "a",
        "clone": {"vmId": 1},
        "cpu": {"affinity": "0"},
    }
    reasons = check_resource(kind, given, olds={}, name="rec", generated_name="rec").reasons
    assert len(reasons) == 2
    assert "The property affinity of proxmoxve:index/vmLegacy:VmLegacy is not supported" in reasons[0]
    assert "The property clone of proxmoxve:index/vmLegacy:VmLegacy is not supported" in reasons[1]


def test_an_api_that_is_down_is_one_sentence() -> None:
    """A connection that fails is an error without a stack trace and without the token."""
    client = Client("https://127.0.0.1:1", TOKEN, verify=True)
    with pytest.raises(CallError, match="Is the sandbox running") as caught:
        client.get("version")
    client.close()
    assert TOKEN.partition("=")[2] not in str(caught.value)


def test_every_type_in_use_is_there() -> None:
    """The stand-in has exactly the types that the program registers."""
    assert sorted(package().by_token) == [
        "proxmoxve:cluster/firewall/security/groupLegacy:GroupLegacy",
        "proxmoxve:cluster/firewallLegacy:FirewallLegacy",
        "proxmoxve:download/file:File",
        "proxmoxve:firewall/aliasLegacy:AliasLegacy",
        "proxmoxve:firewall/ipsetLegacy:IpsetLegacy",
        "proxmoxve:firewall/optionsLegacy:OptionsLegacy",
        "proxmoxve:firewall/rulesLegacy:RulesLegacy",
        "proxmoxve:hardware/mapping/pci:Pci",
        "proxmoxve:index/containerLegacy:ContainerLegacy",
        "proxmoxve:index/dnsLegacy:DnsLegacy",
        "proxmoxve:index/timeLegacy:TimeLegacy",
        "proxmoxve:index/vmLegacy:VmLegacy",
        "proxmoxve:network/linux/bridge:Bridge",
        "proxmoxve:node/firewall:Firewall",
    ]
