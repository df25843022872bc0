"""What the cluster's own files have: its options, SDN, and the sections of storages, mappings and the like."""

from __future__ import annotations

from typing import Final

from sandbox.conformance.http.conversation import EXISTS, Trace
from sandbox.conformance.http.proxmox_seeds.seed import Make, Names, Seeds, without
from sandbox.proxmox import cluster, sdn, sections
from sandbox.proxmox.sections import Section
from sandbox.store import Transaction


def _section(section: Section) -> Make:
    def make(t: Transaction, names: Names, trace: Trace) -> None:
        exists = EXISTS.search(trace.refused)
        name = names.get(section.key) or str(trace.body.get(section.key, ""))
        if (
            name
            and (exists or trace.method in ("GET", "PUT", "DELETE"))
            and t.get(section.collection, name) is None
        ):
            t.put(
                section.collection, name, without(trace.data or trace.body, "digest", "delete", section.key)
            )

    return make


def _subnets(t: Transaction, names: Names, trace: Trace) -> None:
    """A network of this name must be there, in the zone that the subnets' names begin with."""
    if t.get(sdn.VNETS.collection, names["vnet"]) is None and names["vnet"] not in trace.made:
        zone = names.get("subnet", "").partition("-")[0] or "vlz1"
        t.put(sdn.VNETS.collection, names["vnet"], {"zone": zone})


def _zone_of(t: Transaction, names: Names, trace: Trace) -> None:
    zone = trace.body.get("zone")
    if zone and t.get("pve/sdn-zones", zone) is None:
        t.put("pve/sdn-zones", zone, {"type": "simple"})


def _options_of_cluster(t: Transaction, names: Names, trace: Trace) -> None:
    if trace.data:
        t.put(cluster.OPTIONS, "datacenter", trace.data)


SEEDS: Final[Seeds] = (
    (r"cluster/options", _options_of_cluster),
    (r"cluster/sdn/vnets", _zone_of),
    (r"cluster/sdn/vnets/(?P<vnet>[^/]+)/subnets(?:/(?P<subnet>[^/]+))?", _subnets),
    *(
        (f"{one.base.strip('/')}(?:/(?P<{one.key}>[^/]+))?", _section(one))
        for one in (*sections.SECTIONS, sdn.VNETS)
    ),
)
