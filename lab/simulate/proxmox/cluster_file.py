"""`cluster.fw`: the switch for everything, and what the files of nodes and guests refer to."""

from dataclasses import dataclass

from lab.simulate.proxmox.addresses import Network, SetEntry, read_network
from lab.simulate.proxmox.options import CLUSTER, Options, read_options
from lab.simulate.proxmox.reading import Reading
from lab.simulate.proxmox.rule import Rule
from lab.simulate.proxmox.rules import Groups, RuleReader, read_groups
from lab.simulate.proxmox.scope import LOCAL_NETWORK, MANAGEMENT, Scope, read_scope, with_local_network
from lab.simulate.proxmox.sections import read_document

CLUSTER_FILE = "cluster.fw"

_SECTIONS = frozenset({"options", "rules", "aliases", "ipset", "group"})


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What `cluster.fw` says."""

    options: Options
    scope: Scope
    groups: Groups
    rules: tuple[Rule, ...]
    """They count on every node, after the rules of the node itself."""

    @property
    def enabled(self) -> bool:
        """Whether any rule counts anywhere."""
        return self.options.flag("enable", default=False)


def read_cluster(text: str, local_network: str, reading: Reading) -> Cluster:
    """Read `cluster.fw`; `local_network` is what Proxmox VE detects, unless an alias gives it."""
    document = read_document(CLUSTER_FILE, text, _SECTIONS, reading)
    options = read_options(document, CLUSTER, reading)
    if "policy_forward" in options.values:
        reading.ignore(
            CLUSTER_FILE,
            "policy_forward has no effect without `nftables: 1` on the node",
            "remove it, so that nobody relies on it",
        )
    scope = read_scope(document, "dc", None, reading)
    network = scope.alias("", LOCAL_NETWORK) or _detected(local_network, reading)
    if network is not None:
        _check_management(scope, network, reading)
        scope = with_local_network(scope, network)
    elif options.flag("enable", default=False):
        reading.refuse(
            CLUSTER_FILE,
            "it has no alias local_network and none was given, though that network reaches the management"
            " ports of the node",
            "pass the network of the node as local_network",
        )
    groups = read_groups(document, scope, reading)
    rules = RuleReader(scope=scope, reading=reading, groups=groups)
    return Cluster(
        options=options,
        scope=scope,
        groups=groups,
        rules=rules.read(CLUSTER_FILE, document.lines("rules")),
    )


def _check_management(scope: Scope, network: Network, reading: Reading) -> None:
    """Refuse a set `management` that excludes just what Proxmox VE adds to it."""
    declared = scope.sets.get(MANAGEMENT)
    if declared is not None and SetEntry(network, nomatch=True) in declared.entries:
        reading.refuse(
            CLUSTER_FILE,
            f"IP set management excludes {network}, the local network that Proxmox VE adds to it, and which of"
            " both counts is not known here",
            "give alias local_network the addresses that may manage the node",
        )


def _detected(text: str, reading: Reading) -> Network | None:
    if not text:
        return None
    try:
        return read_network(text)
    except ValueError:
        reading.refuse("local_network", f'"{text}" is not a network', "write it as 10.0.0.0/24")
        return None
