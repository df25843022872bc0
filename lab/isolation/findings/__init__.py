"""Findings: what is true and unwelcome in a lab, each with its consequence and the repair.

One module for each part of a lab that can be unwelcome. A finding stops nothing; a
violation, which is a path that nobody declared, does.
"""

from collections.abc import Callable, Iterator

from lab.isolation.findings.addresses import addresses
from lab.isolation.findings.certificate import certificate
from lab.isolation.findings.docker_api import docker_api
from lab.isolation.findings.docker_networks import docker_networks
from lab.isolation.findings.finding import Finding
from lab.isolation.findings.firewall import firewall
from lab.isolation.findings.flows import flows
from lab.isolation.findings.names import names
from lab.isolation.findings.public_names import public_names
from lab.isolation.findings.routes import routes
from lab.isolation.findings.starting import starting
from lab.isolation.proof import Proof

_RULES: tuple[Callable[[Proof], Iterator[Finding]], ...] = (
    flows,
    docker_api,
    docker_networks,
    names,
    public_names,
    routes,
    certificate,
    addresses,
    firewall,
    starting,
)


def findings(proof: Proof) -> tuple[Finding, ...]:
    """Every finding of a proven lab, each once, by where it is."""
    found = {finding: None for rule in _RULES for finding in rule(proof)}
    return tuple(sorted(found, key=lambda finding: (finding.where, finding.kind, finding.problem)))


__all__ = ["Finding", "findings"]
