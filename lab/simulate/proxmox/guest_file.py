"""`<vmid>.fw`: the firewall of one guest."""

from collections.abc import Mapping

from lab.simulate.proxmox.addresses import IpSet, SetEntry, link_local, read_network
from lab.simulate.proxmox.cluster_file import Cluster
from lab.simulate.proxmox.guest import Guest
from lab.simulate.proxmox.nics import Nic
from lab.simulate.proxmox.options import GUEST, read_options
from lab.simulate.proxmox.reading import Reading
from lab.simulate.proxmox.rules import RuleReader
from lab.simulate.proxmox.scope import read_scope
from lab.simulate.proxmox.sections import read_document

_SECTIONS = frozenset({"options", "rules", "aliases", "ipset"})


def read_guest(vmid: str, text: str, nics: Mapping[str, Nic], cluster: Cluster, reading: Reading) -> Guest:
    """Read the file of a guest; no text is a guest without a file, which filters nothing."""
    name = f"{vmid}.fw"
    document = read_document(name, text, _SECTIONS, reading)
    options = read_options(document, GUEST, reading)
    scope = read_scope(document, "guest", cluster.scope, reading)
    rules = RuleReader(
        scope=scope, reading=reading, groups=cluster.groups, allows_interface=lambda nic: nic in nics
    )
    return Guest(
        vmid=vmid,
        kind=next((nic.kind for nic in nics.values()), "vm"),
        nics=nics,
        enabled=options.flag("enable", default=False),
        rules=rules.read(name, document.lines("rules")),
        policy_in=options.policy("policy_in", "DROP"),
        policy_out=options.policy("policy_out", "ACCEPT"),
        # The documentation says off; the compiler takes an option that is not set for on.
        dhcp=options.flag("dhcp", default=True),
        ndp=options.flag("ndp", default=True),
        radv=options.flag("radv", default=False),
        macfilter=options.flag("macfilter", default=True),
        ip_filters=_ip_filters(nics, scope.sets, everywhere=options.flag("ipfilter", default=False)),
    )


def _ip_filters(nics: Mapping[str, Nic], sets: Mapping[str, IpSet], *, everywhere: bool) -> dict[str, IpSet]:
    """The sources of each NIC that has a set of its own, or of every NIC with option `ipfilter`.

    Each holds the link-local address of the NIC too, and the addresses that a container is given.
    """
    found = {}
    for nic in nics.values():
        name = f"ipfilter-{nic.name}"
        if name in sets or everywhere:
            declared = sets[name].entries if name in sets else ()
            own = [link_local(nic.mac), *nic.addresses]
            found[nic.name] = IpSet.of(name, [*declared, *(SetEntry(read_network(str(a))) for a in own)])
    return found
