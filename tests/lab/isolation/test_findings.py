"""Findings: for each kind a small lab that has it, and nearly the same one that does not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lab.isolation import prove
from lab.isolation.findings import Finding, findings
from lab.isolation.findings.kinds import KINDS
from lab.plan.records import LabPlan
from tests.support.builders import guest, has_its_host, ingress, plan, route, service, stack
from tests.support.proofs import IOT, SERVICES

Raw = Mapping[str, Any]
NAS = {"vlan": "services", "address": 30, "runs": "docker"}
KNOWN = {**NAS, "engine": {"version": 20, "userland-proxy": "yes", "bridge-netfilter": "yes"}}
TV = {"vlan": "iot", "address": 50, "listens": [8009]}
DOCKER = {"docker-1": guest(address=11, runs="docker")}
BOTH = {"services": SERVICES, "iot": IOT}

ORIGIN = {
    "names": ["*.lab.example"],
    "ca": "cloudflare-origin",
    "pair": {"certificate": "origin-certificate", "key": "origin-key"},
}
WEB_TV = {"vlan": "iot", "address": 51, "listens": [443]}
LISTED = ingress(
    audiences={"services": {"port": 443}, "tailnet": {"port": 8443}},
    middlewares={"at-home": {"allow": ["10.10.20.0/24"]}},
)
ROUTED_GUESTS = {"docker-1": guest(address=11, runs="docker", tailscale={"advertise": ["ingress"]})}


def as_it_is(decided: LabPlan) -> LabPlan:
    """No change."""
    return decided


def without_guards(decided: LabPlan) -> LabPlan:
    """Guards that were never loaded."""
    return replace(decided, guards=())


@dataclass(frozen=True)
class Case:
    """A kind of finding, a lab that has it, and one that does not."""

    kind: str
    where: str
    unwelcome: Raw
    clean: Raw
    both: Raw = field(default_factory=dict)
    """What is in both labs."""
    plant: Callable[[LabPlan], LabPlan] = as_it_is
    """What is changed in the plan of the first, where no lab file can say it."""

    def found(self, sections: Raw, plant: Callable[[LabPlan], LabPlan]) -> list[Finding]:
        """The findings of this kind at this place."""
        proof = prove(plant(plan(**{**self.both, **sections})))
        return [one for one in findings(proof) if (one.kind, one.where) == (self.kind, self.where)]


def flow(source: str, target: str) -> dict[str, str]:
    """A flow with a reason."""
    return {"from": source, "to": target, "because": "it is wanted"}


def app(**changes: Any) -> Raw:
    """A lab with one service that has these keys, and one that asks the Docker API."""
    asks = service(docker_api={"rights": ["list"]})
    return {"stacks": {"web": stack(app=service(**changes), user=asks)}, "accept": [has_its_host("web/app")]}


_APP = "stacks.web.services.app"
_DATABASE = stack("nas", app=service(listens=[80]), db=service(listens=[5432]))
_CIRCLE = {"guests": {"dns": guest(address=12, listens=["53/udp"])}}

_PUBLISHED: Raw = {
    "tailnet": {},
    "ingress": ingress(audiences={"internet": {"port": 443}, "tailnet": {"port": 8443}}),
    "stacks": {
        "web": stack(
            www=service(listens=[80], route=route("www", "internet")),
            admin=service(listens=[80], route=route("admin")),
        )
    },
}
CASES = [
    Case(
        "blocked-flow",
        "flow vlan:iot -> device:nas:445/tcp",
        {"router": {"kind": "none"}},
        {"router": {"kind": "node"}},
        {
            "vlans": BOTH,
            "devices": {"nas": {"vlan": "services", "address": 30}},
            "flows": [flow("vlan:iot", "device:nas:445")],
        },
    ),
    Case(
        "layers-disagree",
        "needs flow service:web/app -> device:tv:8009/tcp",
        {"router": {"kind": "none"}},
        {"router": {"kind": "node"}},
        {
            "vlans": BOTH,
            "devices": {"tv": TV},
            "stacks": {"web": stack(app=service(needs=["device:tv:8009"]))},
        },
    ),
    Case(
        "shadowed-flow",
        "flow guest:docker-1 -> device:tv:8009/tcp",
        {"flows": [flow("guest:docker-1", "device:tv:8009"), flow("guests", "device:tv:8000-8010")]},
        {"flows": [flow("guest:docker-1", "device:tv:8009"), flow("guests", "device:tv:8010-8020")]},
        {"vlans": BOTH, "devices": {"tv": TV}, "router": {"kind": "node"}},
    ),
    Case(
        "unused-flow",
        "flow service:web/app -> service:web/db:5433/tcp",
        {"flows": [flow("service:web/app", "service:web/db:5433")]},
        {"flows": [flow("service:web/app", "service:web/db:5432")]},
        {"stacks": {"web": stack(app=service(), db=service(listens=[5432]))}},
    ),
    Case(
        "unused-flow",
        "flow set:nobody -> device:tv:8009/tcp",
        {"sets": {"nobody": []}},
        {"sets": {"nobody": ["guest:docker-1"]}},
        {
            "vlans": BOTH,
            "devices": {"tv": TV},
            "router": {"kind": "node"},
            "flows": [flow("set:nobody", "device:tv:8009")],
        },
    ),
    Case(
        "contradicting-flow",
        "expect[0]",
        {"expect": [{"from": "vlan:iot", "to": "ingress:443", "reach": "no"}]},
        {"expect": [{"from": "vlan:iot", "to": "ingress:80", "reach": "no"}]},
        {
            "vlans": BOTH,
            "stacks": {"web": stack(app=service(listens=[80], route=route("www", "internet")))},
            "ingress": ingress(audiences={"internet": {"port": 443}}),
        },
    ),
    Case("root-by-docker-socket", f"{_APP}.docker-socket", app(docker_socket="yes"), app()),
    Case(
        "root-by-docker-api",
        f"{_APP}.docker-api",
        app(docker_api={"rights": ["list", "create"]}),
        app(docker_api={"rights": ["list"]}),
    ),
    Case(
        "root-by-binds",
        f"{_APP}.binds",
        app(binds={"/run/docker.sock": "/run/docker.sock"}),
        app(binds={"/srv": "/srv"}),
    ),
    Case("root-by-privileged", f"{_APP}.privileged", app(privileged="yes"), app()),
    Case(
        "root-by-capabilities",
        f"{_APP}.capabilities",
        app(capabilities=["CAP_SYS_ADMIN"]),
        app(capabilities=["CAP_CHOWN"]),
    ),
    Case(
        "root-by-host-processes",
        f"{_APP}.host-processes",
        app(host_processes="yes", capabilities=["CAP_SYS_PTRACE"]),
        app(host_processes="yes"),
    ),
    Case(
        "root-by-host-network",
        f"{_APP}.host-network",
        app(host_network="yes", capabilities=["CAP_NET_ADMIN"]),
        app(host_network="yes"),
    ),
    Case(
        "sees-by-docker-api",
        f"{_APP}.docker-api",
        app(docker_api={"rights": ["inspect"]}),
        app(docker_api={"rights": ["events"]}),
    ),
    Case(
        "sees-by-binds",
        f"{_APP}.binds",
        app(binds={"/etc": "/etc/host"}),
        app(binds={"/etc/hosts": "/hosts"}),
    ),
    Case("sees-by-host-network", f"{_APP}.host-network", app(host_network="yes"), app()),
    Case(
        "database-on-shared-network",
        "stacks.web.services.db",
        {"devices": {"nas": NAS}},
        {"devices": {"nas": KNOWN}},
        {"guests": {}, "stacks": {"web": _DATABASE}},
    ),
    Case(
        "published-past-the-firewall",
        "stacks.web.services.app",
        {
            "stacks": {
                "web": {
                    **stack("nas", app=service(listens=[80], publishes={"80": 8080})),
                    "manage": "observe",
                }
            }
        },
        {"stacks": {"web": stack("nas", app=service(listens=[80], publishes={"80": 8080}))}},
        {"guests": {}, "devices": {"nas": KNOWN}},
    ),
    Case(
        "open-to-the-internet",
        "route www.lab.example",
        {
            "stacks": {"web": stack(app=service(listens=[80], route=route("www", "internet")))},
            "ingress": ingress(audiences={"internet": {"port": 443}}),
        },
        {
            "stacks": {"web": stack(app=service(listens=[80], route=route("www", "services")))},
            "ingress": ingress(audiences={"services": {"port": 443}}),
        },
    ),
    Case(
        "untrusted-certificate",
        "route www.lab.example",
        {
            "certificate": ORIGIN,
            "dns": {"provider": "cloudflare", "address": "203.0.113.9"},
            "stacks": {"web": stack(app=service(listens=[80], route=route("www", "internet")))},
            "ingress": ingress(audiences={"internet": {"port": 443}}),
        },
        {
            "certificate": ORIGIN,
            "dns": {"provider": "cloudflare", "address": "203.0.113.9", "mode": "proxied"},
            "stacks": {"web": stack(app=service(listens=[80], route=route("www", "internet")))},
            "ingress": ingress(audiences={"internet": {"port": 443}}),
        },
    ),
    Case(
        "factors-decided-elsewhere",
        "sign-in device:tv",
        {"ingress": ingress(auth={"kind": "authentik", "endpoint": "device:tv"})},
        {"ingress": ingress(auth={"kind": "authelia", "endpoint": "device:tv"})},
        {
            "vlans": BOTH,
            "devices": {"tv": WEB_TV},
            "stacks": {"web": stack(app=service(listens=[80], route=route("www")))},
            "tailnet": {},
        },
    ),
    Case(
        "mints-any-token",
        "certificate.mint-token",
        {"certificate": {"names": ["*.lab.example"], "mint-token": "maker"}},
        {"certificate": {"names": ["*.lab.example"]}},
        {"dns": {"provider": "cloudflare"}, "ingress": ingress(audiences={"services": {"port": 443}})},
    ),
    Case(
        "unverified-target",
        "route tv.lab.example",
        {"devices": {"tv": {**WEB_TV, "route": route("tv", "services", scheme="https", verify="no")}}},
        {"devices": {"tv": {**WEB_TV, "route": route("tv", "services", scheme="https", ca="tv-ca")}}},
        {"vlans": BOTH, "ingress": ingress(audiences={"services": {"port": 443}})},
    ),
    Case(
        "address-proves-little",
        "route tv.lab.example",
        {"devices": {"tv": {**WEB_TV, "route": route("tv", middlewares=["at-home"])}}},
        {"devices": {"tv": {**WEB_TV, "route": route("tv", "services", middlewares=["at-home"])}}},
        {"vlans": BOTH, "ingress": LISTED, "tailnet": {}, "guests": ROUTED_GUESTS},
    ),
    Case(
        "address-proves-little",
        "route tv.lab.example",
        {"vlans": {**BOTH, "services": {**SERVICES, "nat": "yes"}}},
        {"vlans": BOTH},
        {
            "ingress": LISTED,
            "devices": {"tv": {**WEB_TV, "route": route("tv", "services", middlewares=["at-home"])}},
        },
    ),
    Case(
        "wider-audience",
        "route www.lab.example",
        {},
        {},
        {
            "vlans": BOTH,
            "guests": {},
            "devices": {"nas": KNOWN},
            "router": {"kind": "node"},
            "stacks": {"web": stack("nas", app=service(listens=[80], route=route("www", "iot")))},
            "ingress": ingress(host="nas", audiences={"iot": {"port": 8443}}),
        },
        without_guards,
    ),
    Case("firewall-flag-missing", "owns", {"owns": ["dns-zone"]}, {"owns": ["cluster-firewall"]}),
    Case(
        "firewall-flag-missing",
        "guests.siem",
        {"guests": {**DOCKER, "siem": guest(address=12, manage="observe")}},
        {"guests": {**DOCKER, "siem": guest(address=12)}},
    ),
    Case(
        "trunk",
        "guests.gate",
        {"guests": {"gate": {"kind": "vm", "node": "pve", "vlans": ["services", "iot"], "trunk": "yes"}}},
        {"guests": {"gate": {"kind": "vm", "node": "pve", "vlans": ["services", "iot"]}}},
        {"vlans": BOTH},
    ),
    Case(
        "names-leave",
        "guest:docker-1",
        {"nodes": {"pve": {"address": "10.10.20.2", "dns": ["127.0.0.53"]}}},
        {"nodes": {"pve": {"address": "10.10.20.2", "dns": ["10.10.20.53"]}}},
        {"stacks": {"web": stack(app=service(listens=[80]))}},
    ),
    Case(
        "public-name-leads-inside",
        "record www.lab.example",
        {"dns": {"provider": "cloudflare"}},
        {"dns": {"provider": "cloudflare", "address": "9.9.9.9"}},
        _PUBLISHED,
    ),
    Case(
        "public-name-leads-inside",
        "record *.lab.example",
        {"dns": {"provider": "cloudflare", "records": "wildcard"}},
        {"dns": {"provider": "cloudflare", "records": "none"}},
        _PUBLISHED,
    ),
    Case(
        "needless-public-name",
        "record admin.lab.example",
        {"dns": {"provider": "cloudflare", "internal": {"software": "bind9", "endpoint": "guest:docker-1"}}},
        {"dns": {"provider": "cloudflare", "internal": {"software": "other", "endpoint": "guest:docker-1"}}},
        _PUBLISHED,
    ),
    Case(
        "boot-order-cycle",
        "guest:dns",
        {"nodes": {"pve": {"address": "10.10.20.2", "dns": ["10.10.20.12"]}}},
        {"nodes": {"pve": {"address": "10.10.20.2", "dns": ["10.10.20.12", "9.9.9.9"]}}},
        _CIRCLE,
    ),
    Case(
        "single-router",
        "guests.gate.startup",
        {"guests": {**DOCKER, "gate": guest(address=1)}},
        {"guests": {**DOCKER, "gate": guest(address=1, startup=1)}},
        {"router": {"kind": "guest", "guest": "gate"}},
    ),
]


def name(case: Case) -> str:
    """What a case is called."""
    return f"{case.kind} at {case.where}"


@pytest.mark.parametrize("case", CASES, ids=name)
def test_what_is_unwelcome_is_found(case: Case) -> None:
    """A lab with the mistake has the finding, once, with its consequence and its repair."""
    (found,) = case.found(case.unwelcome, case.plant)
    assert found.problem
    assert found.consequence
    assert found.repair


@pytest.mark.parametrize("case", CASES, ids=name)
def test_what_is_welcome_is_not(case: Case) -> None:
    """Nearly the same lab without it does not."""
    assert case.found(case.clean, as_it_is) == []


def test_every_kind_is_tried() -> None:
    """The kinds that are listed are those that there are."""
    assert {case.kind for case in CASES} == set(KINDS)


def told(kind: str, **sections: Any) -> list[str]:
    """The findings of one kind, each as it is printed."""
    return [str(found) for found in findings(prove(plan(**sections))) if found.kind == kind]


def test_a_finding_says_what_follows_and_what_helps() -> None:
    """A finding is one sentence with its place, what it means, and the repair."""
    assert told("root-by-privileged", **app(privileged="yes")) == [
        "stacks.web.services.app.privileged: it is privileged: it has every device and capability of the host; "
        "whoever takes it has docker-1 and every container there\n"
        "      repair: name the single capabilities or devices that it needs"
    ]


def test_a_blocked_flow_names_what_closes_it_and_the_question() -> None:
    """A flow that is blocked for several pairs is told once, with the question that explains it."""
    sections = {
        "vlans": BOTH,
        "devices": {"tv": TV, "lamp": {"vlan": "iot", "address": 51}},
        "sets": {"things": ["device:tv", "device:lamp"]},
        "router": {"kind": "none"},
        "flows": [flow("operator", "set:things:8009")],
        "operator": {"vlan": "services"},
    }
    (found,) = [one for one in told("blocked-flow", **sections) if one.startswith("flow ")]
    assert (
        "nothing routes between vlan services and vlan iot (operator to device:tv and 1 more pairs)" in found
    )
    assert found.endswith("open what closes it: `lab explain operator device:tv:8009/tcp`")


def test_derived_flows_are_told_together() -> None:
    """What nobody wrote and one thing closes is one finding; of an operator whose place nobody said there is none."""
    (found,) = told("blocked-flow", router={"kind": "none"})
    assert found.startswith(
        "4 derived flows: guest:docker-1 -> internet:53/tcp, guest:docker-1 -> internet:53/udp, "
        "guest:docker-1 -> internet:123/udp and 1 more: it is permitted, and "
        "nothing routes from vlan services to the internet"
    )
    elsewhere = told("layers-disagree", vlans=BOTH, operator={"vlan": "iot"}, router={"kind": "none"})
    assert any("operator -> guest:docker-1:22/tcp" in line for line in elsewhere)


def test_of_two_equal_flows_one_is_shadowed() -> None:
    """Of two flows that come to the same only one is told of, because removing both would close the path."""
    flows = [flow("guest:docker-1", "device:tv:8009"), flow("guests", "device:tv:8009")]
    sections = {"vlans": BOTH, "devices": {"tv": TV}, "router": {"kind": "node"}, "flows": flows}
    assert len(told("shadowed-flow", **sections)) == 1


def test_a_wider_port_is_not_shadowed_by_a_narrow_one() -> None:
    """A flow for every port is not held by one for a single port, nor the other protocol's."""
    wide = [flow("guest:docker-1", "device:tv"), flow("guest:docker-1", "device:tv:8009")]
    sections: dict[str, Any] = {"vlans": BOTH, "devices": {"tv": TV}, "router": {"kind": "node"}}
    (found,) = told("shadowed-flow", **sections, flows=wide)
    assert found.startswith(
        "flow guest:docker-1 -> device:tv:8009/tcp: guest:docker-1 -> device:tv permits it already"
    )
    other = [flow("guest:docker-1", "device:tv:8009"), flow("guest:docker-1", "device:tv:8009/udp")]
    assert told("shadowed-flow", **sections, flows=other) == []


def test_a_proxy_may_hold_the_socket() -> None:
    """Somebody has to hold the Docker socket: a proxy that others ask is no finding, what it lets through is."""
    assert told("root-by-docker-socket", **app()) == []


def test_a_sign_in_page_cannot_ask_for_itself() -> None:
    """The route of what others are asked by is open to the internet by its nature."""
    auth = {"kind": "authelia", "endpoint": "service:web/auth", "port": 9091, "default": "one-factor"}
    sections = {
        "stacks": {"web": stack(auth=service(listens=[9091], route=route("auth", "internet", auth="none")))},
        "ingress": ingress(audiences={"internet": {"port": 443}}, auth=auth),
    }
    assert told("open-to-the-internet", **sections) == []


def test_who_needs_a_database_is_no_stranger() -> None:
    """A service with a flow to the database's port is not accused, whatever nobody can tell of its other ports."""
    stacks = {"web": stack("nas", app=service(needs=["db:5432"]), db=service(listens=[5432]))}
    assert told("database-on-shared-network", guests={}, devices={"nas": NAS}, stacks=stacks) == []


@pytest.mark.parametrize(("allowed", "who"), [("10.10.20.0/24", "all"), ("10.10.30.0/24", "none")])
def test_a_list_of_addresses_says_whom_it_lets_in(allowed: str, who: str) -> None:
    """Behind one address there is no more than one answer."""
    (found,) = told(
        "address-proves-little",
        tailnet={},
        guests=ROUTED_GUESTS,
        ingress=ingress(
            audiences={"tailnet": {"port": 8443, "middlewares": ["some"]}},
            middlewares={"some": {"allow": [allowed]}},
        ),
        stacks={"web": stack(app=service(listens=[80], route=route("www")))},
    )
    assert found.startswith(
        "route www.lab.example: some decides by addresses, and whoever comes from the tailnet arrives with "
        f"10.10.20.11; it lets {who} of them in"
    )
