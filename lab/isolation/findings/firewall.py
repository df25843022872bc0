"""Findings about the Proxmox firewall: flags that are not on, and tags that are not there."""

from collections.abc import Iterator

from lab.isolation.findings.finding import Finding
from lab.isolation.proof import Proof


def firewall(proof: Proof) -> Iterator[Finding]:
    """Missing flags, and interfaces that carry every VLAN."""
    plan = proof.plan
    managed = [guest for guest in plan.guests if guest.managed]
    if managed and "cluster-firewall" not in plan.owns:
        yield Finding(
            kind="firewall-flag-missing",
            where="owns",
            problem=f"this lab makes rules for {len(managed)} guests and does not own the cluster's firewall",
            consequence="Proxmox ignores every rule while the cluster's switch is off, and here nobody turns it on",
            repair="add cluster-firewall to owns in exactly one environment of this cluster",
        )
    for guest in plan.guests:
        if not guest.managed and any(node.managed for node in plan.nodes):
            yield Finding(
                kind="firewall-flag-missing",
                where=f"guests.{guest.name}",
                problem=f"guest {guest.name} is only observed, so nobody here sets its three firewall flags",
                consequence="with one of them missing everything passes: cluster, guest and interface have to say yes",
                repair="look on its node (pve-firewall simulate), or let the lab manage the guest",
            )
        trunks = [nic for nic in guest.nics if nic.trunks]
        if trunks:
            tags = ", ".join(str(tag) for nic in trunks for tag in nic.trunks)
            yield Finding(
                kind="trunk",
                where=f"guests.{guest.name}",
                problem=f"an interface of guest {guest.name} carries the VLANs {tags}",
                consequence="whoever has this guest is on each of these segments",
                repair="give it one interface for each segment, unless it routes between them",
            )
