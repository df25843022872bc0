"""From the files of a node to its firewall."""

import re
from collections.abc import Mapping

from lab.simulate.proxmox.cluster_file import CLUSTER_FILE, read_cluster
from lab.simulate.proxmox.corosync import CONF, read_corosync
from lab.simulate.proxmox.firewall import Firewall
from lab.simulate.proxmox.guest_file import read_guest
from lab.simulate.proxmox.host_file import HOST_FILE, make_filter, make_host, read_host_file
from lab.simulate.proxmox.nics import read_nics
from lab.simulate.proxmox.reading import Reading

_GUEST_FILE = re.compile(r"^(?P<vmid>[1-9][0-9]*)\.fw$")


def read_firewall(
    files: Mapping[str, str],
    guests: Mapping[str, Mapping[str, str]],
    *,
    local_network: str = "",
    node: str = "",
) -> Firewall:
    """Read the firewall of one node.

    Args:
        files: what is in `cluster.fw`, `host.fw`, `<vmid>.fw` and `corosync.conf`, by name; an absent
            file is one that Proxmox VE does not have.
        guests: by VMID the NICs of each guest, `net0` and so on, as Proxmox VE writes them.
        local_network: the network of the node that Proxmox VE detects, unless alias `local_network` of
            cluster.fw gives it. It reaches the management ports of the node.
        node: the name of the node; needed where there is a `corosync.conf`.

    Raises:
        FirewallError: every problem at once. What Proxmox VE itself skips is not among them, but in
            `Firewall.ignored`.
    """
    reading = Reading()
    _check_names(files, guests, reading)
    cluster = read_cluster(files.get(CLUSTER_FILE, ""), local_network, reading)
    options, rules = read_host_file(files.get(HOST_FILE, ""), cluster, reading)
    corosync = read_corosync(files.get(CONF), node, reading)
    found = {
        vmid: read_guest(vmid, files.get(f"{vmid}.fw", ""), read_nics(vmid, nics, reading), cluster, reading)
        for vmid, nics in guests.items()
    }
    reading.stop_if_refused()
    return Firewall(
        host=make_host(options, rules, cluster, corosync) if cluster.enabled else None,
        guests=found,
        before=make_filter(options, cluster),
        ignored=reading.ignored,
    )


def _check_names(files: Mapping[str, str], guests: Mapping[str, object], reading: Reading) -> None:
    for name in files:
        match = _GUEST_FILE.match(name)
        if match is None and name not in (CLUSTER_FILE, HOST_FILE, CONF):
            reading.refuse(
                name,
                "it is no file of the firewall",
                f"name it {CLUSTER_FILE}, {HOST_FILE}, {CONF} or after the VMID of its guest, as 100.fw",
            )
        elif match is not None and match["vmid"] not in guests:
            reading.ignore(
                name,
                f"there is no guest {match['vmid']}, so nothing reads it",
                "remove it, or name the guest",
            )
