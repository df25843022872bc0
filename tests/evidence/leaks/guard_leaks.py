"""Mistakes in the guard of a Docker host: a rule that accepts too much, or a guard that is not there."""

from lab.flows import Port
from lab.isolation import Verdict
from tests.evidence.leaks.bases import bare, guarded, routed, two_hosts
from tests.evidence.leaks.guard_planting import both, no_guards, rule_added, rule_changed, rule_for, unguarded
from tests.evidence.leaks.leak import Leak

_WITHIN = "wiki/app needs it"
_OUT = "blog/app needs it"
_IN = "it plays films"
_PROXIED = {
    "devices.nas.engine.userland-proxy": "yes",
    "stacks.media.services.admin.publishes": {"9000": 9001},
}
_PLANTED = "accepts it: planted"

WITHIN = (
    Leak(
        name="a rule within a network forgets its port",
        lab=guarded,
        plant=rule_changed(_WITHIN, port=None),
        path="service:wiki/app -> service:wiki/db:*",
        reason="the guard of docker-1 accepts it: wiki/app needs it",
    ),
    Leak(
        name="a rule within a network has a range in place of a port",
        lab=guarded,
        plant=rule_changed(_WITHIN, port=Port(5000, "tcp", 6000)),
        path="service:wiki/app -> service:wiki/db:5500/tcp",
        reason="the guard of docker-1 accepts it",
    ),
    Leak(
        name="a rule within a network has the other protocol",
        lab=guarded,
        plant=rule_changed(_WITHIN, port=Port(5432, "udp")),
        path="service:wiki/app -> service:wiki/db:5432/udp",
        reason="the guard of docker-1 accepts it",
    ),
    Leak(
        name="a rule within a network is turned around",
        lab=guarded,
        plant=rule_changed(_WITHIN, source="wiki/db", destination="wiki/app", port=Port(80)),
        path="service:wiki/db -> service:wiki/app:80/tcp",
        reason="the guard of docker-1 accepts it: wiki/app needs it",
    ),
    Leak(
        name="a rule within a network is for the wrong neighbour",
        lab=guarded,
        plant=rule_changed(_WITHIN, source="wiki/cache"),
        path="service:wiki/cache -> service:wiki/db:5432/tcp",
        reason="the guard of docker-1 accepts it",
    ),
    Leak(
        name="a rule within a network leads to the wrong neighbour",
        lab=guarded,
        plant=rule_changed(_WITHIN, destination="wiki/cache", port=None),
        path="service:wiki/app -> service:wiki/cache:6379/tcp",
        reason="the guard of docker-1 accepts it",
    ),
    Leak(
        name="a rule within a network forgets its source",
        lab=guarded,
        plant=rule_changed(_WITHIN, source=""),
        path="service:wiki/cache -> service:wiki/db:5432/tcp",
        reason="the guard of docker-1 accepts it",
    ),
    Leak(
        name="a rule within a network is for all of it",
        lab=guarded,
        plant=rule_changed(_WITHIN, source="10.128.0.0/12"),
        path="service:wiki/cache -> service:wiki/db:5432/tcp",
        reason="the guard of docker-1 accepts it",
    ),
    Leak(
        name="a rule within a network forgets its destination",
        lab=guarded,
        plant=rule_changed(_WITHIN, destination="", port=None),
        path="service:wiki/app -> service:wiki/cache:6379/tcp",
        reason="the guard of docker-1 accepts it",
        bystanders=("service:wiki/db",),
    ),
    Leak(
        name="a need is accepted in both directions",
        lab=guarded,
        plant=rule_added(_WITHIN, source="wiki/db", destination="wiki/app", port=None),
        path="service:wiki/db -> service:wiki/app:*",
        reason=_PLANTED,
    ),
)

OUT = (
    Leak(
        name="a way out is for a whole segment",
        lab=guarded,
        plant=rule_changed(_OUT, destination="10.10.20.0/24"),
        path="service:blog/app -> vlan:services:514/udp",
        reason="it leaves by out-blog-app under the host's address; the guard of docker-1 accepts it",
    ),
    Leak(
        name="a way out is for an address with the prefix of its segment",
        lab=guarded,
        plant=rule_changed(_OUT, destination="10.10.20.12/24"),
        path="service:blog/app -> vlan:services:514/udp",
        reason="the guard of docker-1 accepts it",
    ),
    Leak(
        name="a way to a range of ports of another host leads to what it publishes there",
        lab=two_hosts,
        plant=rule_changed("shop/app needs it", only="out", port=Port(20000, "tcp", 20100)),
        path="service:shop/app -> service:data/ui:8080/tcp",
        reason="published for service:data/ui",
        bystanders=("guest:docker-2",),
    ),
    Leak(
        name="a way out is for half of a segment",
        lab=guarded,
        plant=rule_changed(_OUT, destination="10.10.20.128/25"),
        path="service:blog/app -> vlan:services:514/udp",
        reason="the guard of docker-1 accepts it",
    ),
    Leak(
        name="a way out leads to an address that nobody named",
        lab=guarded,
        plant=rule_changed(_OUT, destination="10.10.20.77"),
        path="service:blog/app -> vlan:services:514/udp",
        reason="the guard of docker-1 accepts it",
    ),
    Leak(
        name="a way out leads to the wrong machine",
        lab=routed,
        plant=rule_changed(_OUT, destination="10.10.20.60", port=Port(631)),
        path="service:blog/app -> device:printer:631/tcp",
        reason="the guard of docker-1 accepts it",
    ),
    Leak(
        name="a way out forgets its port",
        lab=routed,
        plant=rule_added(_OUT, destination="10.10.20.60", port=None),
        path="service:blog/app -> device:printer:*",
        reason=_PLANTED,
    ),
    Leak(
        name="a way out leads to the internet",
        lab=routed,
        plant=rule_changed(_OUT, destination="internet", port=None),
        path="service:blog/app -> internet:*",
        reason="the node routes vlan services to the internet",
    ),
    Leak(
        name="a way out leads anywhere",
        lab=routed,
        plant=rule_changed(_OUT, destination=""),
        path="service:blog/app -> internet:514/udp",
        reason="the guard of docker-1 accepts it",
        bystanders=("device:printer", "operator", "vlan:services", "node:pve"),
    ),
    Leak(
        name="a way out leads to every address there is",
        lab=routed,
        plant=rule_changed(_OUT, destination="0.0.0.0/0"),
        path="service:blog/app -> internet:514/udp",
        reason="the guard of docker-1 accepts it",
        bystanders=("device:printer", "operator", "vlan:services", "node:pve"),
    ),
    Leak(
        name="a way out leads to one address of the internet",
        lab=routed,
        plant=rule_changed(_OUT, destination="9.9.9.9", port=Port(53, "udp")),
        path="service:blog/app -> internet:53/udp",
        reason="the guard of docker-1 accepts it",
    ),
    Leak(
        name="a way out is everybody's on its network",
        lab=two_hosts,
        plant=rule_changed("shop/app needs it", only="out", source="", destination="10.10.20.60"),
        path="service:shop/app -> device:printer:5432/tcp",
        reason="the guard of docker-1 accepts it",
    ),
    Leak(
        name="a way to another host is for every port of it",
        lab=two_hosts,
        plant=rule_changed("shop/app needs it", only="out", port=None),
        path="service:shop/app -> service:data/ui:8080/tcp",
        reason="published for service:data/ui",
        bystanders=("guest:docker-2",),
    ),
)

HOST = (
    Leak(
        name="a service is let through to its host",
        lab=guarded,
        plant=rule_for("blog/app", "out-blog-app", way="local", port=Port(22)),
        path="service:blog/app -> guest:docker-1:22/tcp",
        reason=_PLANTED,
    ),
    Leak(
        name="a service without a way out is let through to its host by the gateway",
        lab=guarded,
        plant=rule_for("wiki/db", "vnet-wiki", way="local"),
        path="service:wiki/db -> guest:docker-1:*",
        reason="of network vnet-wiki is the host; the guard of docker-1 accepts it: planted",
    ),
    Leak(
        name="a service is let through to a resolver on its host",
        lab=bare,
        plant=rule_for(
            "media/app", "out-media-app", way="local", destination="192.168.1.10", port=Port(53, "udp")
        ),
        path="service:media/app -> device:nas:53/udp",
        reason=_PLANTED,
    ),
    Leak(
        name="with a userland proxy, a service gets by its host to what another publishes",
        lab=bare,
        put=_PROXIED,
        plant=rule_for(
            "media/app", "out-media-app", way="local", destination="192.168.1.10", port=Port(9001)
        ),
        path="service:media/app -> service:media/admin:9000/tcp",
        reason="the engine's userland proxy accepts it on the host",
        bystanders=("device:nas",),
    ),
    Leak(
        name="with a userland proxy, a service gets by a range of its host's ports to what another publishes",
        lab=bare,
        put=_PROXIED,
        plant=rule_for(
            "media/app",
            "out-media-app",
            way="local",
            destination="192.168.1.10",
            port=Port(9001, "tcp", 9100),
        ),
        path="service:media/app -> service:media/admin:9000/tcp",
        reason="the engine's userland proxy accepts it on the host",
        bystanders=("device:nas",),
    ),
)

IN = (
    Leak(
        name="a published port is for a whole segment",
        lab=bare,
        plant=rule_changed(_IN, source="192.168.1.0/24"),
        path="device:phone -> service:media/app:8096/tcp",
        reason="is published for service:media/app; the guard of nas accepts it: it plays films",
        bystanders=("vlan:lan",),
    ),
    Leak(
        name="a published port is for everybody",
        lab=bare,
        plant=rule_changed(_IN, source=""),
        path="vlan:lan -> service:media/app:8096/tcp",
        reason="the guard of nas accepts it",
        bystanders=("device:phone",),
    ),
    Leak(
        name="a published port is for the wrong machine",
        lab=bare,
        plant=rule_changed(_IN, source="192.168.1.20"),
        path="device:phone -> service:media/app:8096/tcp",
        reason="the guard of nas accepts it",
    ),
    Leak(
        name="a published port is for somebody whom nobody named",
        lab=bare,
        plant=rule_changed(_IN, source="192.168.1.77"),
        path="vlan:lan -> service:media/app:8096/tcp",
        reason="the guard of nas accepts it",
    ),
    Leak(
        name="a machine is let in to another published port",
        lab=bare,
        plant=rule_changed(_IN, port=Port(9000)),
        path="device:tv -> service:media/admin:9000/tcp",
        reason="the guard of nas accepts it",
    ),
    Leak(
        name="a machine is let in to a range of published ports",
        lab=bare,
        plant=rule_changed(_IN, port=Port(8000, "tcp", 9999)),
        path="device:tv -> service:media/admin:9000/tcp",
        reason="the guard of nas accepts it",
        bystanders=("ingress",),
    ),
    Leak(
        name="a machine is let in to a container's own address, to which it may set a route",
        lab=bare,
        put={"devices.nas.engine.version": 20},
        plant=rule_added("it plays films", source="192.168.1.20", destination="media/app@out-media-app"),
        path="device:phone -> service:media/app:8096/tcp",
        reason="to whoever sets a route to it, being published; the guard of nas accepts it: planted",
    ),
    Leak(
        name="an audience comes in by the entry point of another",
        lab=bare,
        plant=rule_changed("audience lan", port=Port(8443)),
        path="vlan:lan -> ingress:8443/tcp",
        reason="port 8443/tcp of nas is published for ingress",
        bystanders=("device:phone", "device:tv"),
    ),
)

MISSING = (
    Leak(
        name="without a guard, services of one network reach each other",
        lab=guarded,
        plant=no_guards,
        path="service:wiki/cache -> service:wiki/db:5432/tcp",
        reason="members of vnet-wiki reach each other on every port",
        bystanders=(
            "service:wiki/app",
            "service:blog/app",
            "service:blog/ui",
            "guest:docker-1",
            "guest:siem",
            "vlan:services",
        ),
    ),
    Leak(
        name="without a guard, a service reaches its host",
        lab=guarded,
        plant=no_guards,
        path="service:wiki/db -> guest:docker-1:*",
        reason="of network vnet-wiki is the host; docker-1 accepts at",
        bystanders=(
            "service:wiki/app",
            "service:wiki/cache",
            "service:blog/app",
            "service:blog/ui",
            "guest:siem",
            "vlan:services",
        ),
    ),
    Leak(
        name="without a guard, a service reaches its segment",
        lab=routed,
        plant=no_guards,
        path="service:blog/app -> device:printer:*",
        reason="it leaves by out-blog-app under the host's address; both are on vlan services",
        bystanders=(
            *("service:wiki/app", "service:wiki/cache", "service:wiki/db", "service:blog/ui"),
            *("guest:docker-1", "guest:siem", "vlan:services", "operator", "internet", "node:pve"),
        ),
    ),
    Leak(
        name="without a guard, a service reaches the internet",
        lab=routed,
        plant=no_guards,
        path="service:blog/app -> internet:*",
        reason="the node routes vlan services to the internet",
        bystanders=(
            *("service:wiki/app", "service:wiki/cache", "service:wiki/db", "service:blog/ui"),
            *("guest:docker-1", "guest:siem", "vlan:services", "operator", "device:printer", "node:pve"),
        ),
    ),
    Leak(
        name="without a guard, a published port is open to its segment",
        lab=bare,
        plant=no_guards,
        path="device:phone -> service:media/admin:9000/tcp",
        reason="Docker lets it past the host's own firewall",
        bystanders=(
            *("service:media/app", "service:wiki/app", "service:wiki/cache", "service:wiki/db", "ingress"),
            *("service:way-in/router", "vlan:lan", "device:nas", "device:tv"),
        ),
    ),
    Leak(
        name="the guard does not know the network of a stack",
        lab=guarded,
        plant=unguarded("vnet-wiki"),
        path="service:wiki/cache -> service:wiki/db:5432/tcp",
        reason="vnet-wiki",
        bystanders=("service:wiki/app", "guest:docker-1"),
    ),
    Leak(
        name="the guard does not know a way out",
        lab=routed,
        plant=unguarded("out-blog-app"),
        path="service:blog/app -> device:printer:*",
        reason="out-blog-app",
        bystanders=("guest:docker-1", "guest:siem", "vlan:services", "operator", "internet", "node:pve"),
    ),
)

CROSSING = (
    Leak(
        name="a network that the guard does not know is let into one that it knows",
        lab=bare,
        put={"devices.nas.engine.version": 29},
        plant=both(
            unguarded("out-media-app"), rule_added("it plays films", source="", destination="", port=None)
        ),
        path="service:media/app -> service:wiki/app:80/tcp",
        reason="Docker passes nothing from one to another; that was measured of Docker's iptables rules",
        verdict=Verdict.unknown,
        bystanders=("device:nas", "device:phone", "device:tv", "vlan:lan", "ingress", "service:media/admin"),
    ),
)

GUARD_LEAKS = (*WITHIN, *OUT, *HOST, *IN, *MISSING, *CROSSING)
