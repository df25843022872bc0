"""Mistakes in the tailnet: a grant for too many or to too much, a router that carries more than it should."""

from lab.flows import Port
from lab.isolation import Verdict
from tests.evidence.leaks.bases import bare, remote
from tests.evidence.leaks.guard_planting import both, rule_for
from tests.evidence.leaks.leak import Leak
from tests.evidence.leaks.planting import approved, grant

_GRANTED = "the policy grants"
_WHOLE = {
    "guests.gate.tailscale": {"advertise": ["vlan:services"]},
    "flows": [{"from": "tailnet:admins", "to": "vlan:services:631", "because": "printers are anywhere"}],
}

TAILNET_LEAKS = (
    Leak(
        name="a grant is for every port",
        lab=remote,
        plant=grant(ports=("*",)),
        path="tailnet:admins -> device:printer:9100/tcp",
        reason=_GRANTED,
    ),
    Leak(
        name="a grant is for a range of ports",
        lab=remote,
        plant=grant(ports=("tcp:600-10000",)),
        path="tailnet:admins -> device:printer:9100/tcp",
        reason=_GRANTED,
    ),
    Leak(
        name="a grant has the other protocol",
        lab=remote,
        plant=grant(ports=("udp:631",)),
        path="tailnet:admins -> device:printer:631/udp",
        reason=_GRANTED,
    ),
    Leak(
        name="a grant is for all that is advertised",
        lab=remote,
        plant=grant(destination="10.10.20.0/24"),
        path="tailnet:admins -> device:camera:631/tcp",
        reason=_GRANTED,
    ),
    Leak(
        name="a grant is for another machine",
        lab=remote,
        plant=grant(destination="10.10.20.61/32", ports=("tcp:554",)),
        path="tailnet:admins -> device:camera:554/tcp",
        reason=_GRANTED,
    ),
    Leak(
        name="a grant is for another group as well",
        lab=remote,
        plant=grant(sources=("group:admins", "group:family")),
        path="tailnet:family -> device:printer:631/tcp",
        reason=_GRANTED,
    ),
    Leak(
        name="a grant is for every member",
        lab=remote,
        plant=grant(sources=("autogroup:member",)),
        path="tailnet:family -> device:printer:631/tcp",
        reason=_GRANTED,
    ),
    Leak(
        name="a grant is for everything there is",
        lab=remote,
        plant=grant(sources=("*",), destination="0.0.0.0/0", ports=("*",)),
        path="tailnet:family -> device:camera:554/tcp",
        reason=_GRANTED,
        bystanders=("device:printer", "tailnet:admins"),
    ),
    Leak(
        name="a whole segment is advertised, and a grant for it forgets its port",
        lab=remote,
        put=_WHOLE,
        plant=grant(ports=("*",)),
        path="tailnet:admins -> device:camera:554/tcp",
        reason="guest:gate advertises 10.10.20.61, and the policy approves it",
        bystanders=("device:printer", "guest:gate", "vlan:services", "node:pve"),
    ),
    Leak(
        name="a whole segment is advertised, and the subnet router is in it",
        lab=remote,
        put=_WHOLE,
        plant=grant(ports=("*",)),
        path="tailnet:admins -> guest:gate:*",
        reason="guest:gate is the subnet router itself",
        bystanders=("device:printer", "device:camera", "vlan:services", "node:pve"),
    ),
    Leak(
        name="a subnet router in a container is let out to more than the ingress",
        lab=bare,
        plant=rule_for(
            "way-in/router", "out-way-in-router", way="out", destination="192.168.1.50", port=Port(8009)
        ),
        path="service:way-in/router -> device:tv:8009/tcp",
        reason="the guard of nas accepts it: planted",
    ),
    Leak(
        name="a subnet router in a container is let through to its own host",
        lab=bare,
        plant=both(
            rule_for(
                "way-in/router", "out-way-in-router", way="local", destination="192.168.1.10", port=Port(22)
            ),
            grant(ports=("*",)),
        ),
        path="tailnet:admins -> device:nas:22/tcp",
        reason="the guard of nas accepts it: planted",
        bystanders=("service:way-in/router", "tailnet:family"),
    ),
    Leak(
        name="a grant is for every port, and the tailnet has no groups",
        lab=remote,
        put={
            "tailnet.groups": {},
            "flows": [{"from": "tailnet", "to": "device:printer:631", "because": "letters from elsewhere"}],
        },
        plant=grant(ports=("*",)),
        path="tailnet -> device:printer:9100/tcp",
        reason=_GRANTED,
    ),
    Leak(
        name="another environment owns the policy of the tailnet",
        lab=remote,
        put={"owns": ["cluster-firewall", "dns-zone"]},
        path="tailnet:family -> device:camera:554/tcp",
        reason="another environment owns the tailnet's policy",
        verdict=Verdict.unknown,
    ),
    Leak(
        name="a route is advertised and nobody here approves it",
        lab=remote,
        plant=approved(),
        path="tailnet:admins -> device:printer:9100/tcp",
        reason="nobody here approves it",
        verdict=Verdict.unknown,
    ),
)
