"""Agreement of checks and diffs with the recorded answers of the official plugin."""

from sandbox.plugins.proxmoxve.provider import package
from tests.sandbox.plugins_proxmoxve.replay import compare

# Measured: 2727 of 2756 compared steps. Known differences: removing a comment after a refresh, names made
# up by plugin-framework types, nested zero defaults of the default disk, the upstream size of a download.
FLOOR = 0.985


def test_checks_and_diffs_agree_with_the_official_plugin() -> None:
    """The share of equal answers over all types in use does not fall below the measured one."""
    counts, differences = compare()
    compared = counts["agree"] + counts["differ"]
    assert compared > 2700, counts
    assert counts["agree"] / compared >= FLOOR, f"{counts}\n" + "\n".join(differences)


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
