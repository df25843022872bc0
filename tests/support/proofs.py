"""Proofs of small labs for tests, and whatever a proof refuses."""

from collections.abc import Callable, Iterator
from typing import Any

from lab.errors import LabError
from lab.isolation import Proof, prove
from lab.isolation.acceptances import refuse_idle
from lab.isolation.proof import OpenPath
from lab.isolation.queries import Queries
from lab.isolation.violations import violation_issues
from tests.support.builders import guest, ingress, plan, route, service, stack

MANAGEMENT = {"id": 10, "subnet": "10.10.10.0/24"}
SERVICES = {"id": 20, "subnet": "10.10.20.0/24"}
IOT = {"id": 30, "subnet": "10.10.30.0/24"}


def proof(**sections: Any) -> Proof:
    """The proof of a lab with one VLAN, one node, one Docker host, and the given sections."""
    return prove(plan(**sections))


def small_lab(**sections: Any) -> Proof:
    """Two stacks behind Traefik, a guest, a device on a segment of its own, and users of a tailnet."""
    return proof(
        **{
            "vlans": {"services": SERVICES, "iot": IOT},
            "guests": {
                "docker-1": guest(address=11, runs="docker"),
                "siem": guest(address=12, listens=[443]),
            },
            "devices": {"tv": {"vlan": "iot", "address": 50, "listens": [8009]}},
            "operator": {"vlan": "services", "address": 5},
            "stacks": {
                "wiki": stack(
                    app=service(listens=[80], needs=["db:5432"], route=route("wiki", "services")),
                    db=service(listens=[5432]),
                ),
                "blog": stack(app=service(listens=[8080])),
            },
            "ingress": ingress(audiences={"services": {"port": 443}}),
            "tailnet": {"groups": {"admins": ["admin@example.com"]}},
            "sets": {"screens": ["device:tv"], "nobody": []},
            "router": {"kind": "none"},
            **sections,
        }
    )


def open_node(**sections: Any) -> Proof:
    """A node that routes between two segments and filters nothing, so that a device is reached by a guest."""
    return proof(
        **{
            "vlans": {"services": SERVICES, "iot": IOT},
            "guests": {"siem": guest(address=12)},
            "devices": {"tv": {"vlan": "iot", "address": 50, "listens": [8009]}},
            "operator": {"vlan": "services", "address": 5},
            "router": {"kind": "node"},
            **sections,
        }
    )


def text(path: OpenPath) -> str:
    """A path in one line; `*` is a port that nobody declared."""
    answer = path.answer
    return f"{answer.source} -> {answer.target}:{answer.port or '*'}"


def refusals() -> Iterator[Callable[[], object]]:
    """Everything that a proof refuses: questions about nobody, acceptances of nothing, and violations."""
    queries = Queries(small_lab())
    yield lambda: queries.source("vlan:iott")
    yield lambda: queries.source("set:nobody")
    yield lambda: queries.names("device:tv")
    yield lambda: queries.target("service:wiki/app:htpp")
    yield lambda: queries.pairs(queries.source("device:tv"), queries.target("set:screens"))
    idle = small_lab(accept=[{"from": "device:tv", "to": "guest:siem", "because": "the old television did"}])
    yield lambda: refuse_idle(idle.plan.accepted, idle.idle_acceptances)
    yield lambda: _refuse_violations(open_node())


def _refuse_violations(found: Proof) -> None:
    raise LabError(violation_issues(found.violations))
