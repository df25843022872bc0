"""Findings about names: containers that ask outside although nothing lets them out."""

from collections.abc import Iterator

from lab.flows import Endpoint
from lab.isolation.findings.finding import Finding
from lab.isolation.names import NAMES
from lab.isolation.proof import Proof
from lab.isolation.verdict import Verdict
from lab.plan.directory import INTERNET

_NAMED = 4


def names(proof: Proof) -> Iterator[Finding]:
    """Docker hosts whose containers get their questions answered without a flow for it, each host once."""
    asking = set(_may_ask(proof))
    by_host: dict[str, list[Endpoint]] = {}
    for endpoint, path in proof.names.items():
        if path.verdict is Verdict.yes and endpoint not in asking:
            by_host.setdefault(proof.reach.directory.containers[endpoint].host, []).append(endpoint)
    for host, found in by_host.items():
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        who = ", ".join(map(str, found[:_NAMED])) + more
        yield Finding(
            kind="names-leave",
            where=str(proof.reach.grounds.host_endpoint(host)),
            problem=f"{who} may ask for names outside, which no flow permits: {proof.names[found[0]].reason}",
            consequence="whoever takes one of them sends data out in the names it asks for",
            repair="name a server that is not on the host's loopback (key dns of the node), or declare the flow",
        )


def _may_ask(proof: Proof) -> Iterator[Endpoint]:
    for flow in proof.plan.flows:
        port = flow.target.port
        if flow.target.endpoint == INTERNET or (port is not None and port.number == NAMES.number):
            yield from proof.reach.directory.members(flow.source)
