"""Labs for tests: the smallest valid one, plus what a test is about.

`lab(...)` takes the sections of a lab file as a person would write them and fills in one
VLAN, one node and one Docker host; `plan(...)` plans it. Both go through the same reading
as a file, so that a test never describes what nobody could write.
"""

from collections.abc import Mapping
from typing import Any

from lab.config.load import parse
from lab.config.model import LabConfig
from lab.ledger import Ledger
from lab.plan import plan_with_ledger
from lab.plan.records import LabPlan, ServicePlan

DIGEST = "@sha256:" + "a1" * 32
IMAGE = f"docker.io/library/app:1{DIGEST}"
TRAEFIK = f"docker.io/library/traefik:3.7{DIGEST}"
TAILSCALE = f"ghcr.io/tailscale/tailscale:v1{DIGEST}"

Raw = dict[str, Any]


def raw_lab(**sections: Any) -> Raw:
    """A lab as it stands in a file: one VLAN, one node, one Docker host, and the given sections."""
    return {
        "domain": "lab.example",
        "vlans": {"services": {"id": 20, "subnet": "10.10.20.0/24"}},
        "nodes": {"pve": {"address": "10.10.20.2"}},
        "guests": {"docker-1": guest(address=11, runs="docker")},
        **{name.replace("_", "-"): part for name, part in sections.items()},
    }


def guest(**changes: Any) -> Raw:
    """A VM on the node, in the VLAN."""
    return {"kind": "vm", "node": "pve", "vlan": "services", **_keys(changes)}


def service(**changes: Any) -> Raw:
    """A service with an image and nothing else."""
    return {"image": IMAGE, **_keys(changes)}


def stack(host: str = "docker-1", /, **services: Raw) -> Raw:
    """A stack of services."""
    return {"host": host, "services": {name.replace("_", "-"): part for name, part in services.items()}}


def has_its_host(member: str) -> Raw:
    """An entry of `accept` for a service that is as good as root on the Docker host."""
    return {"from": f"service:{member}", "to": "guest:docker-1", "because": "it manages the host"}


def route(host: str, *audience: str, **changes: Any) -> Raw:
    """A route, for the tailnet where nothing else is said."""
    return {"host": host, "audience": list(audience) or ["tailnet"], **_keys(changes)}


def ingress(**changes: Any) -> Raw:
    """Traefik on the Docker host, with a way in for the tailnet."""
    return {"host": "docker-1", "image": TRAEFIK, "audiences": {"tailnet": {"port": 8443}}, **_keys(changes)}


def _keys(changes: Mapping[str, Any]) -> Raw:
    return {name.replace("_", "-"): part for name, part in changes.items()}


def lab(**sections: Any) -> LabConfig:
    """The declaration."""
    return parse(raw_lab(**sections))


def plan(ledger: Ledger | None = None, **sections: Any) -> LabPlan:
    """Its plan."""
    return plan_with_ledger(lab(**sections), ledger or Ledger(), environment="test")[0]


def service_of(decided: LabPlan, member: str) -> ServicePlan:
    """The service `stack/name` of a plan."""
    stack_name, _, name = member.partition("/")
    return next(
        service
        for part in decided.stacks
        if part.name == stack_name
        for service in part.services
        if service.name == name
    )
