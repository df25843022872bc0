"""Mistakes on a Docker host that nothing guards, and engines that do less than it seems."""

from lab.flows import Port
from lab.isolation import Verdict
from tests.evidence.leaks.bases import KNOWN_ENGINE, bare, guarded, observed
from tests.evidence.leaks.guard_planting import let_in
from tests.evidence.leaks.leak import Leak
from tests.evidence.leaks.planting import attached, network, published_on
from tests.support.builders import service, stack

_APP = "stacks.wiki.services.app"

UNGUARDED = (
    Leak(
        name="a port is published and no flow speaks of it",
        lab=observed,
        put={f"{_APP}.publishes": {"80": 8080}},
        path="device:tv -> service:wiki/app:80/tcp",
        reason="port 8080/tcp of nas is published for service:wiki/app, and Docker lets it past the host's own",
        bystanders=("vlan:lan", "internet"),
    ),
    Leak(
        name="a port is published that is not even listed",
        lab=observed,
        put={"stacks.blog.services.app.publishes": {"9999": 9999}},
        path="device:tv -> service:blog/app:9999/tcp",
        reason="port 9999/tcp of nas is published for service:blog/app",
        bystanders=("vlan:lan", "internet"),
    ),
    Leak(
        name="a UDP port is published and no flow speaks of it",
        lab=observed,
        put={"stacks.wiki.services.db.publishes": {"5432/udp": 5432}},
        path="vlan:lan -> service:wiki/db:5432/udp",
        reason="port 5432/udp of nas is published for service:wiki/db",
        bystanders=("device:tv",),
    ),
    Leak(
        name="a port is published on loopback, and an older engine opens it to whoever sets a route",
        lab=observed,
        put={"devices.nas.engine.version": 20, f"{_APP}.publishes": {"80": 8080}},
        plant=published_on("wiki/app", "127.0.0.1"),
        path="device:tv -> service:wiki/app:80/tcp",
        reason="to whoever sets a route to it, being published",
        bystanders=("vlan:lan",),
    ),
    Leak(
        name="a way out opens the whole segment",
        lab=observed,
        put={f"{_APP}.egress": "yes"},
        path="service:wiki/app -> device:tv:8009/tcp",
        reason="it leaves by out-wiki-app under the host's address",
        bystanders=("vlan:lan",),
    ),
    Leak(
        name="a need of one machine opens every other",
        lab=observed,
        put={f"{_APP}.needs": ["db:5432", "device:tv:8009"]},
        path="service:wiki/app -> vlan:lan:*",
        reason="both are on vlan lan, and a switch filters nothing",
        bystanders=("device:tv",),
    ),
    Leak(
        name="a network is not internal",
        lab=observed,
        plant=network("vnet-wiki", internal=False),
        path="service:wiki/db -> device:tv:*",
        reason="it leaves by vnet-wiki under the host's address",
        bystanders=("service:wiki/app", "service:wiki/cache", "vlan:lan"),
    ),
    Leak(
        name="a service is in the network of another stack",
        lab=observed,
        plant=attached("blog/app", "vnet-wiki"),
        path="service:blog/app -> service:wiki/db:5432/tcp",
        reason="both are in network vnet-wiki; members of vnet-wiki reach each other on every port",
        bystanders=("service:wiki/app", "service:wiki/cache"),
    ),
    Leak(
        name="two stacks share a link of which only one needs the other",
        lab=observed,
        put={"stacks.blog.services.app.needs": ["wiki/cache:6379"]},
        path="service:wiki/cache -> service:blog/app:80/tcp",
        reason="both are in network link-blog-app--wiki-cache",
    ),
    Leak(
        name="what a service publishes is open to the other stacks by the host's proxy",
        lab=observed,
        put={
            "devices.nas.engine": {"version": 28, "userland-proxy": "yes", "bridge-netfilter": "yes"},
            "stacks.blog.services.app.egress": "yes",
            f"{_APP}.publishes": {"80": 8080},
        },
        path="service:blog/app -> service:wiki/app:80/tcp",
        reason="the engine's userland proxy accepts it on the host",
        bystanders=("device:tv", "vlan:lan"),
    ),
    Leak(
        name="a service goes out to what another host publishes",
        lab=observed,
        put={
            f"{_APP}.egress": "yes",
            "devices.nas-2": {"vlan": "lan", "address": 11, "runs": "docker", "engine": KNOWN_ENGINE},
            "stacks.shop": {
                **stack("nas-2", app=service(listens=[80], publishes={"80": 8080})),
                "manage": "observe",
            },
            "accept": [
                *observed()["accept"],
                {
                    "from": "stack:shop",
                    "to": ["device:nas-2", "vlan:lan", "device:nas"],
                    "because": "nothing guards it",
                },
            ],
        },
        path="service:wiki/app -> service:shop/app:80/tcp",
        reason="it leaves by out-wiki-app under the host's address; both are on vlan lan",
        bystanders=("device:nas", "device:nas-2", "device:tv", "vlan:lan"),
    ),
    Leak(
        name="a stack is only observed, so that nothing guards its host",
        lab=bare,
        put={
            "ingress": None,
            "tailnet": None,
            "stacks": {"wiki": {**observed()["stacks"]["wiki"]}},
            "flows": [],
            "devices.phone": None,
        },
        path="service:wiki/cache -> device:nas:*",
        reason="nas accepts at",
        bystanders=("service:wiki/app", "service:wiki/db"),
    ),
)

_NFTABLES = {"version": 29, "userland-proxy": "no", "bridge-netfilter": "yes"}
"""An engine whose own rules may be nftables, of which nobody measured what they close."""

ENGINE = (
    Leak(
        name="an engine may keep its rules in nftables, and nothing guards its host",
        lab=observed,
        put={"devices.nas.engine": _NFTABLES},
        path="device:tv -> service:wiki/db:5432/tcp",
        reason="this engine's may be nftables",
        verdict=Verdict.unknown,
    ),
    Leak(
        name="the guard lets in to a container's own address, and the engine's rules may be nftables",
        lab=bare,
        put={"devices.nas.engine": _NFTABLES},
        plant=let_in("nas", port=Port(777)),
        path="device:phone -> service:wiki/cache:777/tcp",
        reason="this engine's may be nftables",
        verdict=Verdict.unknown,
    ),
    Leak(
        name="a foreign router before a host that listens itself, beside a service on its network",
        lab=bare,
        put={
            "router": {"kind": "unifi"},
            "devices.nas.listens": [445],
            "stacks.media.services.watch": service(listens=[9999], host_network="yes"),
        },
        path="vlan:office -> device:nas:445/tcp",
        reason="decides between vlan office and vlan lan",
        verdict=Verdict.unknown,
    ),
    Leak(
        name="packets within a bridge meet no packet filter",
        lab=guarded,
        put={"guests.docker-1.engine": {"bridge-netfilter": "no"}},
        path="service:wiki/cache -> service:wiki/db:5432/tcp",
        reason="no packet filter sees what members of vnet-wiki send each other",
        bystanders=("service:wiki/app", "service:blog/app", "service:blog/ui"),
    ),
    Leak(
        name="a guest of its own making may have no bridge netfilter",
        lab=guarded,
        put={"guests.docker-1.kind": "lxc"},
        path="service:wiki/cache -> service:wiki/db:5432/tcp",
        reason="whether net.bridge.bridge-nf-call-iptables is on, which nobody declared",
        verdict=Verdict.unknown,
    ),
    Leak(
        name="in a shared ingress network without bridge netfilter, services reach each other",
        lab=bare,
        put={
            "devices.nas.engine": {**KNOWN_ENGINE, "bridge-netfilter": "no"},
            "ingress.attachment": "shared",
        },
        path="service:media/admin -> service:media/app:8096/tcp",
        reason="both are in network vnet-ingress",
        bystanders=("service:wiki/app", "ingress", "service:wiki/cache", "service:wiki/db"),
    ),
    Leak(
        name="nobody says whether the host's proxy is on",
        lab=observed,
        put={
            "devices.nas.engine": {"version": 28, "bridge-netfilter": "yes"},
            "stacks.blog.services.app.egress": "yes",
            f"{_APP}.publishes": {"80": 8080},
        },
        path="service:blog/app -> service:wiki/app:80/tcp",
        reason="whether its userland proxy is on",
        verdict=Verdict.unknown,
        bystanders=("vlan:lan", "device:tv", "internet"),
    ),
    Leak(
        name="an engine that may use nftables is taken for one that was measured",
        lab=observed,
        put={"devices.nas.engine.version": 29, f"{_APP}.publishes": {"80": 8080}},
        plant=published_on("wiki/app", "0.0.0.0"),
        path="service:blog/app -> service:wiki/app:80/tcp",
        reason="Docker's isolation drops what leaves the internal network vnet-blog; that was measured",
        verdict=Verdict.unknown,
        bystanders=("device:tv", "vlan:lan"),
    ),
    Leak(
        name="nobody says anything about the engine of a device",
        lab=bare,
        put={"devices.nas.engine": None},
        path="service:wiki/cache -> service:wiki/db:5432/tcp",
        reason="it depends on whether net.bridge.bridge-nf-call-iptables is on, which nobody declared",
        verdict=Verdict.unknown,
    ),
)

DOCKER_LEAKS = (*UNGUARDED, *ENGINE)
