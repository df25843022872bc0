"""Mistakes that open no path of packets, or that are told beside the paths which they open: found as findings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.flows import Port
from lab.plan.records import LabPlan
from tests.evidence.leaks.bases import bare, guarded, observed, two_hosts
from tests.evidence.leaks.guard_planting import rule_added
from tests.evidence.leaks.leak import Plant, planned
from tests.support.builders import Raw

_APP = "stacks.wiki.services.app"
_ACCEPTED = [{"from": "service:wiki/app", "to": "guest:docker-1", "because": "it manages the host"}]


@dataclass(frozen=True, kw_only=True)
class Unwelcome:
    """One mistake in a lab, and the finding that it is."""

    name: str
    lab: Callable[[], Raw]
    put: Mapping[str, Any] = field(default_factory=dict)
    plant: Plant | None = None
    kind: str
    where: str
    problem: str
    """A part of the sentence that names it."""

    def planted(self) -> LabPlan:
        """The plan with the mistake."""
        plan = planned(self.lab(), self.put)
        return self.plant(plan) if self.plant else plan


POWERS = (
    Unwelcome(
        name="a service holds the raw Docker socket",
        lab=guarded,
        put={f"{_APP}.docker-socket": "yes"},
        kind="root-by-docker-socket",
        where="stacks.wiki.services.app.docker-socket",
        problem="it holds the Docker socket",
    ),
    Unwelcome(
        name="a service has the Docker socket bound, read-only as every bind is",
        lab=guarded,
        put={f"{_APP}.binds": {"/var/run/docker.sock": "/var/run/docker.sock"}},
        kind="root-by-binds",
        where="stacks.wiki.services.app.binds",
        problem="the Docker socket",
    ),
    Unwelcome(
        name="a service has the folder of the Docker socket bound",
        lab=guarded,
        put={f"{_APP}.binds": {"/run": "/host/run"}},
        kind="root-by-binds",
        where="stacks.wiki.services.app.binds",
        problem="the Docker socket",
    ),
    Unwelcome(
        name="a service has the whole host bound",
        lab=guarded,
        put={f"{_APP}.binds": {"/": "/host"}},
        kind="root-by-binds",
        where="stacks.wiki.services.app.binds",
        problem="the Docker socket",
    ),
    Unwelcome(
        name="a service reads the settings of its host",
        lab=guarded,
        put={f"{_APP}.binds": {"/etc": "/host/etc"}},
        kind="sees-by-binds",
        where="stacks.wiki.services.app.binds",
        problem="it reads the host's files",
    ),
    Unwelcome(
        name="a proxy of the Docker API lets containers be created",
        lab=guarded,
        put={
            f"{_APP}.docker-api": {"rights": ["list", "create"]},
            "accept": _ACCEPTED,
        },
        kind="root-by-docker-api",
        where="stacks.wiki.services.app.docker-api",
        problem="its rights at the Docker API include POST /containers/create",
    ),
    Unwelcome(
        name="a proxy of the Docker API lets commands be run",
        lab=guarded,
        put={
            f"{_APP}.docker-api": {"rights": ["list", "exec"]},
            "accept": _ACCEPTED,
        },
        kind="root-by-docker-api",
        where="stacks.wiki.services.app.docker-api",
        problem="its rights at the Docker API include POST /containers/{id}/exec",
    ),
    Unwelcome(
        name="a proxy of the Docker API shows the variables of every service",
        lab=guarded,
        put={
            f"{_APP}.docker-api": {"rights": ["list", "inspect"]},
        },
        kind="sees-by-docker-api",
        where="stacks.wiki.services.app.docker-api",
        problem="inspect shows the variables of every container",
    ),
    Unwelcome(
        name="a service is privileged",
        lab=guarded,
        put={f"{_APP}.privileged": "yes"},
        kind="root-by-privileged",
        where="stacks.wiki.services.app.privileged",
        problem="it is privileged",
    ),
    Unwelcome(
        name="a service keeps a capability that is root",
        lab=guarded,
        put={f"{_APP}.capabilities": ["CAP_SYS_ADMIN"]},
        kind="root-by-capabilities",
        where="stacks.wiki.services.app.capabilities",
        problem="CAP_SYS_ADMIN",
    ),
    Unwelcome(
        name="a service may trace the processes of its host",
        lab=guarded,
        put={f"{_APP}.host-processes": "yes", f"{_APP}.capabilities": ["CAP_SYS_PTRACE"]},
        kind="root-by-host-processes",
        where="stacks.wiki.services.app.host-processes",
        problem="may trace them",
    ),
    Unwelcome(
        name="a service shares the network of its host",
        lab=guarded,
        put={"stacks.blog.services.ui.host-network": "yes"},
        kind="sees-by-host-network",
        where="stacks.blog.services.ui.host-network",
        problem="it shares the network of its host",
    ),
)

PATHS = (
    Unwelcome(
        name="a database is reached by a neighbour that does not need it",
        lab=guarded,
        plant=rule_added("wiki/app needs it", source="wiki/cache"),
        kind="database-on-shared-network",
        where="stacks.wiki.services.db",
        problem="PostgreSQL of service:wiki/db can be reached by service:wiki/cache",
    ),
    Unwelcome(
        name="a published port passes the host's own firewall",
        lab=observed,
        put={f"{_APP}.publishes": {"80": 8080}},
        kind="published-past-the-firewall",
        where="stacks.wiki.services.app",
        problem="port 8080/tcp of nas is published for service:wiki/app",
    ),
    Unwelcome(
        name="an audience gets to a route of another",
        lab=bare,
        plant=rule_added("audience lan", port=Port(8443)),
        kind="wider-audience",
        where="route admin.lab.example",
        problem="vlan:lan get to admin.lab.example and are none of its audiences",
    ),
    Unwelcome(
        name="a route for the internet asks for nothing",
        lab=two_hosts,
        put={
            "ingress.audiences": {"internet": {"port": 443}},
            "stacks.shop.services.app.route": {"host": "shop", "audience": ["internet"]},
            "stacks.data.services.ui.route": {"host": "data", "audience": ["internet"]},
        },
        kind="open-to-the-internet",
        where="route shop.lab.example",
        problem="is for the internet and the ingress asks for nothing",
    ),
    Unwelcome(
        name="another environment owns the cluster's firewall",
        lab=guarded,
        put={"owns": ["dns-zone"]},
        kind="firewall-flag-missing",
        where="owns",
        problem="does not own the cluster's firewall",
    ),
    Unwelcome(
        name="nobody here sets the firewall flags of a guest",
        lab=guarded,
        put={"guests.siem.manage": "observe"},
        kind="firewall-flag-missing",
        where="guests.siem",
        problem="nobody here sets its three firewall flags",
    ),
    Unwelcome(
        name="an interface is a trunk",
        lab=guarded,
        put={"guests.siem": {"kind": "vm", "node": "pve", "vlans": ["services", "iot"], "trunk": "yes"}},
        kind="trunk",
        where="guests.siem",
        problem="carries the VLANs 20, 30",
    ),
)

UNWELCOME = (*POWERS, *PATHS)
