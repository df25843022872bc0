"""`host.fw`: the firewall of one node, before what `cluster.fw` says for all of them."""

from lab.simulate.proxmox.cluster_file import Cluster
from lab.simulate.proxmox.corosync import Corosync
from lab.simulate.proxmox.host import Host
from lab.simulate.proxmox.options import HOST, Options, read_options
from lab.simulate.proxmox.reading import Reading
from lab.simulate.proxmox.rule import Rule
from lab.simulate.proxmox.rules import RuleReader
from lab.simulate.proxmox.scope import BLACKLIST, LOCAL_NETWORK, MANAGEMENT
from lab.simulate.proxmox.sections import read_document
from lab.simulate.proxmox.standard import InputFilter

HOST_FILE = "host.fw"

_SECTIONS = frozenset({"options", "rules"})


def read_host_file(text: str, cluster: Cluster, reading: Reading) -> tuple[Options, tuple[Rule, ...]]:
    """The options and the rules of the node."""
    document = read_document(HOST_FILE, text, _SECTIONS, reading)
    options = read_options(document, HOST, reading)
    if options.flag("nftables", default=False):
        reading.refuse(
            HOST_FILE,
            "nftables: 1 hands the node to another firewall, whose verdicts are not known here",
            "remove it, or do not take verdicts for this node from here",
        )
    rules = RuleReader(scope=cluster.scope, reading=reading, groups=cluster.groups)
    return options, rules.read(HOST_FILE, document.lines("rules"))


def make_host(options: Options, rules: tuple[Rule, ...], cluster: Cluster, corosync: Corosync) -> Host:
    """The firewall of the node, once nothing was refused."""
    network = cluster.scope.aliases[LOCAL_NETWORK]
    return Host(
        enabled=options.flag("enable", default=True),
        rules=(*rules, *cluster.rules),
        policy_in=cluster.options.policy("policy_in", "DROP"),
        policy_out=cluster.options.policy("policy_out", "ACCEPT"),
        ndp=options.flag("ndp", default=True),
        management=cluster.scope.sets[MANAGEMENT],
        local_network=network,
        corosync=corosync,
    )


def make_filter(options: Options, cluster: Cluster) -> InputFilter:
    """What the node drops before any rule, its guests' packets too, even where its own rules are off."""
    return InputFilter(cluster.scope.sets.get(BLACKLIST), options.flag("nosmurfs", default=True))
