"""Changes after which a lab is as tight as before: nobody may be accused because of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.flows import Port
from lab.plan.records import LabPlan
from tests.evidence.leaks.bases import bare, flat, guarded, observed, remote, routed, two_hosts
from tests.evidence.leaks.guard_planting import rule_added, rule_changed, rule_for
from tests.evidence.leaks.leak import Plant, planned
from tests.evidence.leaks.planting import attached, grant, guest_rule, network, open_guest_rule, published_on
from tests.support.builders import TAILSCALE, Raw, guest, route, service, stack


@dataclass(frozen=True)
class Harmless:
    """A change of a lab that opens nothing that nobody declared."""

    name: str
    lab: Callable[[], Raw]
    put: Mapping[str, Any] = field(default_factory=dict)
    plant: Plant | None = None

    def planted(self) -> LabPlan:
        """The plan after it."""
        plan = planned(self.lab(), self.put)
        return self.plant(plan) if self.plant else plan


def _flow(source: str, target: str) -> list[Raw]:
    return [{"from": source, "to": target, "because": "somebody said so"}]


SERVICES = (
    Harmless("one more stack", guarded, {"stacks.new": stack("docker-1", app=service(listens=[80]))}),
    Harmless("one more service", guarded, {"stacks.wiki.services.ui": service(listens=[80])}),
    Harmless("one more need", guarded, {"stacks.wiki.services.app.needs": ["db:5432", "cache:6379"]}),
    Harmless("needs in a circle", guarded, {"stacks.wiki.services.db.needs": ["app:80"]}),
    Harmless("a need of another stack", guarded, {"stacks.blog.services.ui.needs": ["wiki/app:80"]}),
    Harmless("a need by UDP", guarded, {"stacks.wiki.services.app.needs": ["db:5432/udp"]}),
    Harmless("a service that nobody needs", guarded, {"stacks.wiki.services.app.needs": []}),
    Harmless(
        "a service that listens on more", guarded, {"stacks.wiki.services.db.listens": [5432, "53/udp", 9187]}
    ),
    Harmless(
        "a service that listens on a range", guarded, {"stacks.wiki.services.cache.listens": ["7000-7010"]}
    ),
    Harmless(
        "two networks of one stack",
        guarded,
        {
            "stacks.wiki.networks": ["front", "back"],
            "stacks.wiki.services.app.networks": ["front", "back"],
            "stacks.wiki.services.cache.networks": ["front"],
            "stacks.wiki.services.db.networks": ["back"],
        },
    ),
    Harmless("a larger network", guarded, {"stacks.wiki.size": 24}),
    Harmless("a service that is declared to go out", routed, {"stacks.wiki.services.app.egress": "yes"}),
    Harmless(
        "a need of the internet", routed, {"stacks.wiki.services.app.needs": ["db:5432", "internet:443"]}
    ),
    Harmless(
        "a need of a device", routed, {"stacks.wiki.services.app.needs": ["db:5432", "device:printer:631"]}
    ),
    Harmless(
        "a need of the own host", routed, {"stacks.wiki.services.app.needs": ["db:5432", "guest:docker-1:22"]}
    ),
    Harmless(
        "a need of a whole segment", routed, {"stacks.blog.services.ui.needs": ["vlan:services:161/udp"]}
    ),
    Harmless(
        "a service in the network of its host", guarded, {"stacks.blog.services.ui.host-network": "yes"}
    ),
    Harmless(
        "a flow within a stack", guarded, {"flows": _flow("service:wiki/cache", "service:wiki/db:5500")}
    ),
    Harmless("a flow without a port", guarded, {"flows": _flow("service:wiki/cache", "service:wiki/db")}),
    Harmless("a flow of a whole stack", guarded, {"flows": _flow("stack:wiki", "stack:wiki")}),
)
HOSTS = (
    Harmless(
        "a published port of which no flow speaks, guarded",
        guarded,
        {"stacks.wiki.services.app.publishes": {"80": 8080}},
    ),
    Harmless("one more published port, guarded", bare, {"stacks.wiki.services.db.publishes": {"5432": 5432}}),
    Harmless(
        "a published port with its flow", bare, {"flows": _flow("vlan:lan", "service:media/admin:9000")}
    ),
    Harmless(
        "a published port for the internet", bare, {"flows": _flow("internet", "service:media/admin:9000")}
    ),
    Harmless("a userland proxy behind a guard", bare, {"devices.nas.engine.userland-proxy": "yes"}),
    Harmless("an older engine behind a guard", bare, {"devices.nas.engine.version": 20}),
    Harmless("an engine of which little is known", bare, {"devices.nas.engine": {"bridge-netfilter": "yes"}}),
    Harmless("an engine of which nothing is known", bare, {"devices.nas.engine": None}),
    Harmless("a shared ingress network behind a guard", bare, {"ingress.attachment": "shared"}),
    Harmless("more edge slots", bare, {"ingress.slots": 12}),
    Harmless(
        "a route for one more audience",
        bare,
        {"stacks.media.services.app.route": route("tv", "lan", "tailnet", port=8096)},
    ),
    Harmless(
        "a route of another host", two_hosts, {"stacks.data.services.db.route": route("db", "services")}
    ),
    Harmless(
        "a stack on the other host", two_hosts, {"stacks.new": stack("docker-2", app=service(listens=[80]))}
    ),
    Harmless("an older engine that nobody guards", observed, {"devices.nas.engine.version": 20}),
    Harmless(
        "a port that is published on loopback, unguarded",
        observed,
        {
            "stacks.blog.services.app.publishes": {"80": 8080},
            "accept": [
                *observed()["accept"],
                {
                    "from": "stack:blog",
                    "to": ["vlan:lan", "device:tv", "internet"],
                    "because": "it may go anywhere",
                },
            ],
        },
        published_on("blog/app", "127.0.0.1"),
    ),
    Harmless(
        "accepted ways out of an unguarded host",
        observed,
        {
            "stacks.blog.services.app.egress": "yes",
            "accept": [
                *observed()["accept"],
                {"from": "stack:blog", "to": ["vlan:lan", "internet"], "because": "it may go anywhere"},
            ],
        },
    ),
)
MACHINES = (
    Harmless("one more guest", guarded, {"guests.backup": guest(address=14, listens=[22])}),
    Harmless(
        "a guest without a fixed address",
        guarded,
        {"vlans.services.dhcp": ".100-.200", "guests.backup": guest(address="dhcp", listens=[22])},
    ),
    Harmless(
        "a guest in another segment", guarded, {"guests.camera": guest(vlan="iot", address=14, listens=[554])}
    ),
    Harmless(
        "a guest in two segments",
        guarded,
        {"guests.both": {"kind": "vm", "node": "pve", "vlans": ["services", "iot"]}},
    ),
    Harmless("one more device", guarded, {"devices.lamp": {"vlan": "iot", "listens": [80]}}),
    Harmless("one more node", guarded, {"nodes.pve-b": {"address": "10.10.10.3", "vlan": "management"}}),
    Harmless("one more segment", guarded, {"vlans.dmz": {"id": 40, "subnet": "10.10.40.0/24"}}),
    Harmless("a segment that may go out", guarded, {"vlans.iot.internet": "yes"}),
    Harmless("a foreign router", guarded, {"router": {"kind": "unifi"}}),
    Harmless("a flow from another segment", guarded, {"flows": _flow("vlan:iot", "guest:siem:443")}),
    Harmless("a flow from the internet", guarded, {"flows": _flow("internet", "guest:siem:443")}),
    Harmless("a flow to a whole segment", guarded, {"flows": _flow("vlan:iot", "vlan:services:443")}),
    Harmless("a flow between all guests", guarded, {"flows": _flow("guests", "guests:22")}),
    Harmless(
        "a flow of a set",
        guarded,
        {"sets": {"people": ["vlan:services", "device:tv"]}, "flows": _flow("set:people", "guest:siem:8443")},
    ),
    Harmless("an operator somewhere in its segment", guarded, {"operator": {"vlan": "management"}}),
    Harmless(
        "untagged segments on bridges of their own",
        flat,
        {
            "vlans.third": {"subnet": "192.168.9.0/24", "bridge": "vmbr2"},
            "guests.third": guest(vlan="third", address=11),
        },
    ),
    Harmless(
        "a node in a segment that is on another of its bridges",
        flat,
        {"nodes.pve": {"address": "192.168.7.2", "vlan": "lab"}},
    ),
    Harmless(
        "a guest rule that is narrower than its flow",
        guarded,
        plant=guest_rule("siem", "people look at alerts", source="10.10.20.11"),
    ),
    Harmless(
        "a guest rule for an address in no segment",
        guarded,
        plant=open_guest_rule("siem", source="172.16.0.1", port="8443", protocol="tcp"),
    ),
)
TAILNET = (
    Harmless(
        "a router in a container, whose host may what it carries",
        guarded,
        {
            "tailnet": {"groups": {"admins": ["admin@example.com"]}},
            "stacks.way-in": {
                "host": "docker-1",
                "tailscale": {"advertise": ["guest:siem"], "image": TAILSCALE},
            },
            "flows": _flow("tailnet:admins", "guest:siem:8443"),
        },
    ),
    Harmless("one more group", remote, {"tailnet.groups.guests": ["visitor@example.com"]}),
    Harmless(
        "no groups at all", remote, {"tailnet.groups": {}, "flows": _flow("tailnet", "device:printer:631")}
    ),
    Harmless(
        "one more machine is advertised, and nobody granted it",
        remote,
        {"guests.gate.tailscale.advertise": ["device:printer", "device:camera", "guest:siem"]},
    ),
    Harmless(
        "a whole segment is advertised, and one machine granted",
        remote,
        {"guests.gate.tailscale.advertise": ["vlan:services"]},
    ),
    Harmless("a flow of a group", remote, {"flows": _flow("tailnet:family", "device:camera:554")}),
    Harmless(
        "a grant for a guest whose firewall is closed",
        remote,
        plant=grant(destination="10.10.20.12/32", ports=("*",)),
    ),
    Harmless(
        "a grant for what nobody advertises", remote, plant=grant(destination="10.10.99.0/24", ports=("*",))
    ),
)
GUARDS = (
    Harmless(
        "a rule that is narrower than its flow",
        bare,
        plant=rule_changed("it plays films", source="192.168.1.50/32"),
    ),
    Harmless(
        "a rule for a machine in no segment", bare, plant=rule_added("it plays films", source="172.16.0.1")
    ),
    Harmless(
        "a rule for another protocol on which nothing is published",
        bare,
        plant=rule_added("it plays films", port=Port(8096, "udp")),
    ),
    Harmless(
        "a rule for the way out of a container that has none",
        guarded,
        plant=rule_for("wiki/db", "vnet-wiki", way="out", destination="10.10.20.12"),
    ),
    Harmless(
        "a way out to where nothing routes",
        guarded,
        plant=rule_added("blog/app needs it", destination="internet", port=None),
    ),
    Harmless("a member that no rule lets in", guarded, plant=attached("blog/ui", "vnet-wiki")),
    Harmless("a network that is not internal, guarded", guarded, plant=network("vnet-wiki", internal=False)),
)

HARMLESS = (*SERVICES, *HOSTS, *MACHINES, *TAILNET, *GUARDS)
