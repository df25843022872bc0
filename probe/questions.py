"""What is asked of a running lab: every pair of endpoints that can be probed here, and what the proof expects.

Sources are the containers and whoever else has a network namespace on this machine: the
Docker hosts, and peers on their segments. A port that nobody declared is asked by a
canary: a listener that the probe itself starts in the target's namespace.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from lab.flows import Endpoint, Port
from lab.isolation import Proof, Verdict
from lab.plan.directory import Container


@dataclass(frozen=True, kw_only=True)
class Question:
    """May this source open a connection to that port?"""

    source: Endpoint
    target: Endpoint
    port: Port | None
    """None: one that nobody declared."""
    protocol: str
    aims: tuple[tuple[str, int], ...]
    """Every address and port under which the target could be reached; one that answers is enough."""
    expected: Verdict
    because: str
    """The permission, or why it is closed."""
    kind: str = ""
    """What kind of permission there is: `flow`, `own host`, `same segment`, `accepted`; empty for none."""

    @property
    def what(self) -> str:
        """The target's port in words."""
        return str(self.port) if self.port else f"other/{self.protocol}"


def questions(
    proof: Proof, present: Collection[Endpoint], canary: int, peers: Mapping[Endpoint, str] | None = None
) -> tuple[Question, ...]:
    """Every question about endpoints that are present.

    Args:
        proof: what is expected.
        present: the endpoints that have a namespace here, as sources and as targets.
        canary: the number of the port on which canaries listen, over TCP and UDP.
        peers: the addresses of those who stand for somebody on a segment.
    """
    return tuple(_questions(proof, sorted(present), canary, peers or {}))


def _questions(
    proof: Proof, present: list[Endpoint], canary: int, peers: Mapping[Endpoint, str]
) -> Iterator[Question]:
    for target in present:
        ports = [(port, port.protocol) for port in proof.openings.ports(target) if port and not port.last]
        for port, protocol in [*ports, (None, "tcp"), (None, "udp")]:
            for source in present:
                if source == target:
                    continue
                found = _aims(proof, source, target, port, canary)
                if target in peers:
                    found = iter([(peers[target], port.number if port else canary)])
                if aims := tuple(dict.fromkeys(found)):
                    yield _question(proof, source, target, port, protocol, aims)


def _question(
    proof: Proof,
    source: Endpoint,
    target: Endpoint,
    port: Port | None,
    protocol: str,
    aims: tuple[tuple[str, int], ...],
) -> Question:
    answer = proof.answer(source, target, port)
    permission = proof.judged(answer).permission
    return Question(
        source=source,
        target=target,
        port=port,
        protocol=protocol,
        aims=aims,
        expected=answer.verdict,
        because=permission.because if permission and answer.verdict is Verdict.yes else answer.reason,
        kind=permission.kind if permission else "",
    )


def _aims(
    proof: Proof, source: Endpoint, target: Endpoint, port: Port | None, canary: int
) -> Iterator[tuple[str, int]]:
    """Where a packet could be sent in order to get there, whether or not it may."""
    directory = proof.reach.directory
    container = directory.containers.get(target)
    number = port.number if port else canary
    if container is None:
        yield from ((address, number) for address in directory.addresses(target) if "/" not in address)
        own = directory.containers.get(source)
        if own is not None and target == proof.reach.grounds.host_endpoint(own.host):
            yield from ((gateway, number) for gateway in _gateways(proof, own))
        return
    yield from ((attachment.address, number) for attachment in container.service.attachments)
    for published in container.published_as(port) if port else ():
        yield published.address, published.external
        own = directory.containers.get(source)
        if own is not None and own.host == container.host:
            yield from ((gateway, published.external) for gateway in _gateways(proof, own))


def _gateways(proof: Proof, container: Container) -> Iterator[str]:
    for attachment in container.service.attachments:
        yield proof.reach.directory.networks[container.host, attachment.network].gateway
