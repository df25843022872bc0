"""Paths of labs without a leak: why they are closed, or who permits them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.plan.records import LabPlan
from tests.evidence.leaks.bases import bare, flat, guarded, observed, remote, routed, two_hosts
from tests.evidence.leaks.guard_planting import rule_for
from tests.evidence.leaks.leak import Plant, planned
from tests.evidence.leaks.planting import detached, nic, published_on
from tests.support.builders import Raw, service, stack


@dataclass(frozen=True, kw_only=True)
class Explained:
    """One path and what the proof has to say about it."""

    lab: Callable[[], Raw]
    put: Mapping[str, Any] = field(default_factory=dict)
    plant: Plant | None = None
    path: str
    """As in `Leak`."""
    says: str
    """A part of the reason why it is closed, or the kind of permission and a part of its reason."""

    def planned(self) -> LabPlan:
        """The plan that the path is in."""
        plan = planned(self.lab(), self.put)
        return self.plant(plan) if self.plant else plan


CLOSED = (
    Explained(
        # Without the proxy Docker closes it, with the proxy the guard does: whichever it is, it is closed.
        lab=guarded,
        put={
            "guests.docker-1.engine": {"version": 20, "bridge-netfilter": "yes"},
            "stacks.wiki.services.app.publishes": {"80": 8080},
        },
        plant=rule_for("blog/app", "out-blog-app", way="within", destination="", port=None),
        path="service:blog/app -> service:wiki/app:80/tcp",
        says="the guard of docker-1 drops what no rule lets through to the host",
    ),
    Explained(
        lab=guarded,
        path="guest:siem -> device:tv:8009/tcp",
        says="nothing routes between vlan services and vlan iot",
    ),
    Explained(
        lab=guarded,
        path="guest:docker-1 -> internet:443/tcp",
        says="nothing routes from vlan services to the internet",
    ),
    Explained(
        lab=guarded,
        path="internet -> device:tv:*",
        says="nothing routes from the internet to the lab",
    ),
    Explained(
        lab=guarded,
        path="vlan:services -> guest:siem:8443/tcp",
        says="the firewall of guest siem drops what no rule accepts",
    ),
    Explained(
        lab=guarded,
        path="vlan:management -> node:pve:9999/tcp",
        says="the firewall of node pve drops what no rule accepts and is not from the set management",
    ),
    Explained(
        lab=guarded,
        path="service:wiki/cache -> service:wiki/db:5432/tcp",
        says="the guard of docker-1 drops what no rule accepts within a network",
    ),
    Explained(
        lab=guarded,
        path="service:blog/ui -> service:wiki/app:80/tcp",
        says="no network in common, and service:wiki/app publishes no such port on docker-1",
    ),
    Explained(
        lab=guarded,
        path="service:wiki/db -> guest:docker-1:*",
        says="the guard of docker-1 drops what no rule lets through to the host",
    ),
    Explained(
        lab=guarded,
        path="service:blog/app -> vlan:services:514/udp",
        says="the guard of docker-1 drops what no rule lets out",
    ),
    Explained(
        lab=guarded,
        path="service:wiki/db -> guest:siem:443/tcp",
        says="network vnet-wiki is internal: no way out",
    ),
    Explained(
        lab=observed,
        path="service:wiki/db -> device:tv:8009/tcp",
        says="it is in internal networks only, which have no default route (vnet-wiki)",
    ),
    Explained(
        lab=guarded,
        put={"stacks.blog.services.ui.listens": [], "stacks.blog.services.ui.host-network": "yes"},
        path="service:wiki/app -> service:blog/ui:80/tcp",
        says="the guard of docker-1 drops what no rule lets through to the host",
    ),
    Explained(
        lab=bare,
        path="device:phone -> service:media/admin:9000/tcp",
        says="the guard of nas drops what no rule lets in",
    ),
    Explained(
        lab=bare,
        path="service:media/app -> service:media/admin:9000/tcp",
        says="the guard of nas drops what no rule accepts within a network",
    ),
    Explained(
        lab=observed,
        put={"stacks.blog.services.app.egress": "yes", "stacks.wiki.services.app.publishes": {"80": 8080}},
        path="service:blog/app -> service:wiki/app:80/tcp",
        says="without a userland proxy Docker's isolation drops it between two networks",
    ),
    Explained(
        lab=observed,
        put={"stacks.wiki.services.app.publishes": {"80": 8080}},
        plant=published_on("wiki/app", "127.0.0.1"),
        path="device:tv -> service:wiki/app:80/tcp",
        says="Docker drops what comes from elsewhere for a container's own address",
    ),
    Explained(
        lab=bare,
        path="tailnet:family -> ingress:8443/tcp",
        says="without a userland proxy Docker's isolation drops it between two networks",
    ),
    Explained(
        lab=remote,
        path="tailnet:family -> device:printer:631/tcp",
        says="no grant of the policy lets tailnet:family use 10.10.20.60",
    ),
    Explained(
        lab=remote,
        path="tailnet:admins -> guest:siem:443/tcp",
        says="guest:gate advertises no route to 10.10.20.12",
    ),
    Explained(
        lab=remote,
        path="tailnet:admins -> internet:443/tcp",
        says="no subnet router leads there",
    ),
    Explained(
        lab=remote,
        path="device:printer -> tailnet:admins:*",
        says="no grant lets the lab open connections to devices of the tailnet",
    ),
    Explained(
        lab=flat,
        path="guest:build -> device:tv:8009/tcp",
        says="nothing routes between vlan lab and vlan home",
    ),
    Explained(
        lab=flat,
        path="guest:build -> operator:22/tcp",
        says="nothing leads from guest:build to operator",
    ),
    Explained(
        lab=remote,
        put={
            "nodes.pve.bridge": {"name": "vmbr0", "manage": "yes"},
            "vlans.iot": {"id": 30, "subnet": "10.10.30.0/24"},
            "devices.nas": {"vlan": "iot", "address": 10, "runs": "docker"},
            "stacks.web": {
                **stack("nas", app=service(listens=[80], publishes={"80": 8080})),
                "manage": "observe",
            },
            "guests.gate.tailscale": {"advertise": ["device:nas"]},
            "flows": [{"from": "tailnet:admins", "to": "device:nas:8080", "because": "from elsewhere"}],
        },
        plant=nic("gate", tag=None),
        path="tailnet:admins -> service:web/app:80/tcp",
        says="nothing routes between vlan services and vlan iot",
    ),
    Explained(
        lab=bare,
        put={
            "devices.nas.engine.userland-proxy": "yes",
            "stacks.old": {**stack("nas", app=service(listens=[80], egress="yes")), "manage": "observe"},
        },
        path="service:old/app -> ingress:443/tcp",
        says="the guard of nas drops what no rule lets through to the host",
    ),
    Explained(
        lab=observed,
        put={
            "devices.nas.engine": {"userland-proxy": "no", "bridge-netfilter": "yes"},
            "stacks.wiki.services.app.publishes": {"80": 8080},
        },
        path="service:blog/app -> service:wiki/app:80/tcp",
        says="Docker's isolation drops what leaves the internal network vnet-blog",
    ),
    Explained(
        lab=observed,
        plant=detached("wiki/cache"),
        path="service:wiki/cache -> device:tv:*",
        says="service:wiki/cache has no network",
    ),
    Explained(
        lab=observed,
        put={"stacks.wiki.services.app.publishes": {"80": 8080}},
        plant=detached("wiki/app"),
        path="device:tv -> service:wiki/app:80/tcp",
        says="in internal networks only, where Docker publishes nothing",
    ),
    Explained(
        lab=guarded,
        put={
            "nodes.pve.bridge": {"name": "vmbr0", "manage": "yes"},
            "guests.docker-1": {**guarded()["guests"]["docker-1"], "vlan": "iot", "engine": {"version": 20}},
            "stacks": {
                "old": {
                    **stack("docker-1", app=service(listens=[80], publishes={"80": 8080})),
                    "manage": "observe",
                }
            },
        },
        plant=nic("siem", tag=None),
        path="guest:siem -> service:old/app:80/tcp",
        says="the firewall of guest docker-1 drops what no rule accepts",
    ),
)
PERMITTED = (
    Explained(
        lab=guarded,
        put={"guests.siem": {"kind": "vm", "node": "pve", "vlans": ["services", "iot"], "trunk": "yes"}},
        path="guest:docker-1 -> guest:siem:8443/tcp",
        says="guest:siem is a trunk there, and no packet filter of a bridge sees tagged frames",
    ),
    Explained(
        lab=guarded,
        path="service:wiki/app -> service:wiki/db:5432/tcp",
        says="flow: wiki/app needs it",
    ),
    Explained(
        lab=guarded,
        path="guest:docker-1 -> service:wiki/db:5432/tcp",
        says="own host: a Docker host reaches its own containers",
    ),
    Explained(
        lab=guarded,
        path="guest:docker-1 -> guest:siem:514/udp",
        says="flow: blog/app needs it",
    ),
    Explained(
        lab=guarded,
        path="guest:docker-1 -> guest:siem:443/tcp",
        says="flow: people look at alerts",
    ),
    Explained(
        lab=guarded,
        path="operator -> node:pve:8006/tcp",
        says="flow: pulumi speaks to the Proxmox API",
    ),
    Explained(
        lab=routed,
        path="guest:siem -> device:printer:631/tcp",
        says="same segment: both were put on one segment",
    ),
    Explained(
        lab=routed,
        path="device:printer -> internet:*",
        says="flow: vlan services has internet: yes",
    ),
    Explained(
        lab=bare,
        path="device:phone -> ingress:443/tcp",
        says="flow: audience lan",
    ),
    Explained(
        lab=bare,
        put={"devices.nas.engine.userland-proxy": "yes"},
        path="service:way-in/router -> ingress:8443/tcp",
        says="flow: audience tailnet",
    ),
    Explained(
        lab=bare,
        path="device:nas -> ingress:8443/tcp",
        says="own host: a Docker host reaches its own containers",
    ),
    Explained(
        lab=bare,
        put={"devices.nas.engine.userland-proxy": "yes"},
        path="tailnet:family -> ingress:8443/tcp",
        says="flow: audience tailnet",
    ),
    Explained(
        lab=observed,
        path="service:wiki/cache -> service:wiki/db:5500/tcp",
        says="flow: nothing guards this host",
    ),
    Explained(
        lab=observed,
        path="service:wiki/cache -> device:nas:*",
        says="accepted: nothing guards this host",
    ),
    Explained(
        lab=two_hosts,
        path="service:shop/app -> guest:docker-2:5432/tcp",
        says="flow: shop/app needs it",
    ),
    Explained(
        lab=two_hosts,
        path="guest:docker-1 -> service:data/ui:8080/tcp",
        says="flow: route data.lab.example",
    ),
    Explained(
        lab=flat,
        put={
            "vlans.cameras": {"id": 30, "subnet": "192.168.30.0/24"},
            "guests.build": {"kind": "vm", "node": "pve", "vlans": ["cameras"], "trunk": "yes"},
        },
        path="guest:build -> device:tv:8009/tcp",
        says="same segment: both were put on one segment",
    ),
    Explained(
        lab=remote,
        path="guest:gate -> device:printer:631/tcp",
        says="flow: letters from elsewhere",
    ),
    Explained(
        lab=two_hosts,
        put={
            "ingress.audiences": {"services": {"port": 443}, "tailnet": {"port": 8443}},
            "stacks.shop.services.app.route": {"host": "shop", "audience": ["tailnet"]},
            "tailnet": {"groups": {"admins": ["admin@example.com"]}},
            "guests.docker-1.tailscale": {"advertise": ["ingress"]},
        },
        path="tailnet:admins -> ingress:8443/tcp",
        says="flow: audience tailnet",
    ),
)
