"""Mistakes between machines: rules of Proxmox's firewall, its flags, routers, and segments that only look separate."""

from lab.isolation import Verdict
from tests.evidence.leaks.bases import flat, guarded, routed
from tests.evidence.leaks.leak import Leak
from tests.evidence.leaks.planting import guest_rule, nic, node_rule, open_guest_rule, vlan_rule
from tests.support.builders import guest

_SYSLOG = "blog/app needs it"
_SIEM = "the firewall of guest siem accepts it"

RULES = (
    Leak(
        name="a rule of a guest is for a whole segment",
        lab=guarded,
        plant=guest_rule("siem", _SYSLOG, source="10.10.20.0/24"),
        path="vlan:services -> guest:siem:514/udp",
        reason=_SIEM,
    ),
    Leak(
        name="a rule of a guest forgets its source",
        lab=routed,
        plant=guest_rule("siem", _SYSLOG, source=""),
        path="device:printer -> guest:siem:514/udp",
        reason=_SIEM,
        bystanders=("vlan:services", "operator", "node:pve"),
    ),
    Leak(
        name="a rule of a node is for a whole segment",
        lab=routed,
        plant=node_rule("pve", "it reads the node's figures", source="10.10.20.0/24"),
        path="device:printer -> node:pve:9100/tcp",
        reason="the firewall of node pve accepts it",
        bystanders=("vlan:services", "operator", "guest:docker-1"),
    ),
    Leak(
        name="a rule of a guest forgets its port",
        lab=guarded,
        plant=guest_rule("siem", "people look at alerts", port="", protocol=""),
        path="vlan:services -> guest:siem:8443/tcp",
        reason=_SIEM,
        bystanders=("guest:docker-1",),
    ),
    Leak(
        name="a rule of a guest has a range in place of a port",
        lab=guarded,
        plant=guest_rule("siem", "people look at alerts", port="443:9000"),
        path="vlan:services -> guest:siem:8443/tcp",
        reason=_SIEM,
        bystanders=("guest:docker-1",),
    ),
    Leak(
        name="a rule of a guest has the wrong port",
        lab=guarded,
        plant=guest_rule("siem", "people look at alerts", port="8443"),
        path="vlan:services -> guest:siem:8443/tcp",
        reason=_SIEM,
        bystanders=("guest:docker-1",),
    ),
    Leak(
        name="a rule of a guest has the other protocol",
        lab=guarded,
        plant=guest_rule("siem", _SYSLOG, protocol="tcp"),
        path="guest:docker-1 -> guest:siem:514/tcp",
        reason=_SIEM,
    ),
    Leak(
        name="a rule of a guest opens a port of which nobody speaks",
        lab=guarded,
        plant=open_guest_rule("siem", source="10.10.20.0/24", port="9999", protocol="tcp"),
        path="vlan:services -> guest:siem:9999/tcp",
        reason="the firewall of guest siem accepts it: planted",
        bystanders=("guest:docker-1",),
    ),
    Leak(
        name="a rule of a guest lets in somebody whom nobody named",
        lab=guarded,
        plant=open_guest_rule("siem", source="10.10.20.77", port="8443", protocol="tcp"),
        path="vlan:services -> guest:siem:8443/tcp",
        reason="the firewall of guest siem accepts it: planted",
    ),
    Leak(
        name="a Docker host is open to its segment",
        lab=guarded,
        plant=open_guest_rule("docker-1", source="10.10.20.12"),
        path="guest:siem -> guest:docker-1:*",
        reason="the firewall of guest docker-1 accepts it: planted",
    ),
    Leak(
        name="a rule of a segment's zone forgets its source",
        lab=routed,
        put={"flows": [{"from": "guest:siem", "to": "vlan:services:22", "because": "it logs in everywhere"}]},
        plant=vlan_rule("services", "it logs in everywhere", source=""),
        path="device:printer -> guest:docker-1:22/tcp",
        reason="the firewall of guest docker-1 accepts it: it logs in everywhere",
        bystanders=("guest:siem", "operator", "vlan:services", "node:pve"),
    ),
    Leak(
        name="a rule of a segment's zone lets in somebody whom nobody named",
        lab=routed,
        put={"flows": [{"from": "guest:siem", "to": "vlan:services:22", "because": "it logs in everywhere"}]},
        plant=vlan_rule("services", "it logs in everywhere", source="10.10.20.77"),
        path="vlan:services -> guest:docker-1:22/tcp",
        reason="the firewall of guest docker-1 accepts it: it logs in everywhere",
        bystanders=("guest:siem",),
    ),
    Leak(
        name="a rule of a segment's zone forgets its port",
        lab=routed,
        put={"flows": [{"from": "guest:siem", "to": "vlan:services:22", "because": "it logs in everywhere"}]},
        plant=vlan_rule("services", "it logs in everywhere", port="", protocol=""),
        path="guest:siem -> guest:docker-1:*",
        reason="the firewall of guest docker-1 accepts it: it logs in everywhere",
    ),
)

FLAGS = (
    Leak(
        name="a guest is only observed",
        lab=guarded,
        put={"guests.siem.manage": "observe"},
        path="vlan:services -> guest:siem:*",
        reason="guest siem is only observed, and its firewall is not this lab's",
        verdict=Verdict.unknown,
    ),
    Leak(
        name="another environment owns the cluster's firewall",
        lab=guarded,
        put={"owns": ["dns-zone"]},
        path="guest:docker-1 -> guest:siem:8443/tcp",
        reason="another environment owns the cluster's firewall",
        verdict=Verdict.unknown,
    ),
    Leak(
        name="no node is managed",
        lab=guarded,
        put={"nodes.pve.manage": "observe"},
        path="operator -> node:pve:*",
        reason="no node is managed here",
        verdict=Verdict.unknown,
    ),
    Leak(
        name="a node that is only observed is open to its segment all the same",
        lab=guarded,
        put={"nodes.pve-b": {"address": "10.10.10.3", "vlan": "management", "manage": "observe"}},
        path="vlan:management -> node:pve-b:22/tcp",
        reason="is in the set management, to which Proxmox opens",
        bystanders=("operator", "node:pve"),
    ),
)

ROUTERS = (
    Leak(
        name="the node routes, and filters nothing on the way",
        lab=guarded,
        put={"router": {"kind": "node"}},
        path="guest:siem -> device:tv:8009/tcp",
        reason="the node routes between vlan services and vlan iot and filters nothing on the way",
        bystanders=(
            *("guest:docker-1", "operator", "node:pve", "internet"),
            *("vlan:iot", "vlan:management", "vlan:services"),
        ),
    ),
    Leak(
        name="a router that is not ours decides between segments",
        lab=guarded,
        put={"router": {"kind": "unifi"}},
        path="guest:siem -> device:tv:8009/tcp",
        reason="the router unifi decides between vlan services and vlan iot",
        verdict=Verdict.unknown,
    ),
    Leak(
        name="a segment goes out and nobody said that it may",
        lab=routed,
        put={"vlans.services.internet": "no"},
        path="device:printer -> internet:*",
        reason="the node routes vlan services to the internet",
        bystanders=("guest:docker-1", "guest:siem", "node:pve", "operator", "vlan:services"),
    ),
)


_BRIDGE = {"name": "vmbr0", "manage": "yes"}

WIRES = (
    Leak(
        name="two untagged segments are on one bridge",
        lab=flat,
        put={"vlans.lab.bridge": None},
        path="guest:build -> device:tv:8009/tcp",
        reason="vlan lab and vlan home are one wire",
        bystanders=("guest:mail", "node:pve", "vlan:home", "vlan:lab"),
    ),
    Leak(
        name="an untagged segment is on the bridge of its node",
        lab=flat,
        put={"vlans.lab.bridge": None, "guests.mail": None},
        path="guest:build -> device:tv:8009/tcp",
        reason="vlan lab and vlan home are one wire",
        bystanders=("node:pve", "vlan:home", "vlan:lab"),
    ),
    Leak(
        name="a machine behind a masquerading node is taken for the node",
        lab=flat,
        put={
            "router": {"kind": "node"},
            "vlans.lab.nat": "yes",
            "flows": [{"from": "node:pve", "to": "guest:mail:25", "because": "the node reports"}],
        },
        path="guest:build -> guest:mail:25/tcp",
        reason="the firewall of guest mail accepts it: the node reports",
        bystanders=("vlan:home", "vlan:lab", "device:tv", "node:pve", "internet"),
    ),
    Leak(
        name="a machine behind a masquerading node is taken for the gateway of a segment where the node is not",
        lab=flat,
        put={
            "router": {"kind": "node"},
            "vlans.lab.nat": "yes",
            "vlans.web": {"subnet": "192.168.9.0/24", "bridge": "vmbr2"},
            "guests.web": guest(vlan="web", address=11, listens=[80]),
        },
        plant=open_guest_rule("web", source="192.168.9.1", port="80", protocol="tcp"),
        path="guest:build -> guest:web:80/tcp",
        reason="the firewall of guest web accepts it: planted",
        bystanders=("vlan:home", "vlan:lab", "vlan:web", "device:tv", "node:pve", "internet", "guest:mail"),
    ),
    Leak(
        name="somebody on one of two untagged segments is on the other as well",
        lab=flat,
        put={"vlans.lab.bridge": "vmbr0"},
        path="vlan:lab -> vlan:home:*",
        reason="neither has a tag, and both are on one bridge",
        bystanders=("guest:build", "guest:mail", "node:pve", "device:tv"),
    ),
    Leak(
        name="an interface lost its tag, and its bridge is VLAN-aware",
        lab=guarded,
        put={"nodes.pve.bridge": _BRIDGE},
        plant=nic("siem", tag=None),
        path="guest:siem -> device:tv:8009/tcp",
        reason="bridge vmbr0 of pve is VLAN-aware, so it carries every VLAN",
        bystanders=("vlan:iot", "vlan:management", "operator", "node:pve", "guest:docker-1"),
    ),
    Leak(
        name="an untagged interface is on the bridge of tagged segments",
        lab=flat,
        put={"vlans.cameras": {"id": 30, "subnet": "192.168.30.0/24", "bridge": "vmbr1"}},
        path="guest:build -> vlan:cameras:*",
        reason="bridge vmbr1 of pve may be VLAN-aware",
        verdict=Verdict.unknown,
    ),
)

SEGMENT_LEAKS = (*RULES, *FLAGS, *ROUTERS, *WIRES)
