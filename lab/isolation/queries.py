"""What a person asks about: the words of a question, found in one plan.

An endpoint that stands for several (a set, a stack, `guests`, `nodes`) is asked about one
by one. Whoever shares the network of its host is asked about as the host, because that is
who sends. The grammar is in docs/reading-the-matrix.md.
"""

from dataclasses import dataclass

from lab.errors import Issue, QueryError
from lab.flows import NAMED_KINDS, Endpoint, Port
from lab.isolation.guards import port_covers
from lab.isolation.proof import Proof
from lab.isolation.verdict import Path
from lab.names import did_you_mean, nearest
from lab.plan.directory import INGRESS, OPERATOR

OTHER = "other"
"""Written in place of a port: every one that nobody declared."""
NAMES = "names"
"""Written in place of a target: whatever answers questions for names outside."""


@dataclass(frozen=True)
class Aim:
    """What somebody asks to reach."""

    endpoints: tuple[Endpoint, ...]
    ports: tuple[Port | None, ...] = ()
    """The ports that were asked for; empty where none was, which means every known one and `other`."""

    def ports_of(self, proof: Proof, endpoint: Endpoint) -> tuple[Port | None, ...]:
        """The ports to ask about at one of them."""
        return self.ports or proof.openings.ports(endpoint)


class Queries:
    """The questions that one proof can be asked."""

    def __init__(self, proof: Proof) -> None:
        self.proof = proof
        self.plan = proof.plan
        self.directory = proof.reach.directory

    def source(self, text: str, where: str = "FROM") -> tuple[Endpoint, ...]:
        """The endpoints that a text stands for.

        Args:
            text: an endpoint, without a port.
            where: the argument, for the message.

        Raises:
            QueryError: there is no such endpoint, or it stands for nobody.
        """
        return self._expanded(self._endpoint(text, where), where)

    def taken(self, text: str, where: str = "ENDPOINT") -> tuple[Endpoint, ...]:
        """Whom a text stands for as somebody who is taken: a service stays itself, whose network it may share.

        Raises:
            QueryError: there is no such endpoint, or it stands for nobody.
        """
        endpoint = self._endpoint(text, where)
        self._expanded(endpoint, where)
        return self.directory.members(endpoint)

    def names(self, text: str, where: str = "FROM") -> dict[Endpoint, Path]:
        """The containers that a text stands for, each with the way of its questions for names.

        Raises:
            QueryError: there is no such endpoint, or none of those is a container.
        """
        known = self.proof.names
        found = {endpoint: known[endpoint] for endpoint in self.taken(text, where) if endpoint in known}
        if not found:
            problem = f"{text} is no container, and only of those the lab knows whom they ask for names"
            raise QueryError(
                [Issue(path=where, problem=problem, repair="name a service, a stack or the ingress")]
            )
        return found

    def target(self, text: str, where: str = "TO") -> Aim:
        """The endpoints and the port that a text stands for.

        Raises:
            QueryError: there is no such endpoint, or what follows it is no port.
        """
        head, _, tail = text.rpartition(":")
        if self._missing(text) is not None and self._has_port(head, tail):
            named = self._endpoint(head, where)
            return Aim(self._expanded(named, where), (self._port(text, tail, where),))
        return Aim(self._expanded(self._endpoint(text, where), where))

    def _has_port(self, head: str, tail: str) -> bool:
        """Whether the last part of a text was meant as a port, well or badly written."""
        if tail == OTHER or tail[:1].isdigit():
            return ":" in head or self._missing(head) is None
        # The one kind that may also stand alone is followed by a name.
        return head not in NAMED_KINDS and self._missing(head) is None

    def pairs(
        self, sources: tuple[Endpoint, ...], aim: Aim
    ) -> tuple[tuple[Endpoint, Endpoint, Port | None], ...]:
        """Every source, target and port that a question is about.

        Raises:
            QueryError: source and target are one and the same, so that no packet leaves.
        """
        found = tuple(
            (source, target, port)
            for source in sources
            for target in aim.endpoints
            if source != target
            for port in aim.ports_of(self.proof, target)
        )
        if not found:
            problem = f"{sources[0]} is source and target, and what it sends itself leaves it by no network"
            raise QueryError([Issue(path="TO", problem=problem, repair="name two that are not one machine")])
        return found

    def is_known(self, endpoint: Endpoint, port: Port | None) -> bool:
        """Whether a port of an endpoint is one that the lab file speaks of."""
        known = self.proof.openings.ports(endpoint)
        return port is None or any(span is not None and port_covers(span, port) for span in known)

    def _port(self, text: str, tail: str, where: str) -> Port | None:
        if tail == OTHER:
            return None
        try:
            return Port.parse(tail)
        except ValueError as error:
            problem, _, repair = str(error).partition("; ")
            raise QueryError(
                [Issue(path=where, problem=f'{problem} (in "{text}")', repair=f"{repair}, or {OTHER}")]
            ) from None

    def _endpoint(self, text: str, where: str) -> Endpoint:
        missing = self._missing(text)
        if missing is not None:
            raise QueryError([Issue(path=where, problem=missing[0], repair=missing[1])])
        return Endpoint.parse(text)

    def _missing(self, text: str) -> tuple[str, str] | None:
        """What is wrong with a text as an endpoint of this lab, and the repair; None for nothing."""
        try:
            endpoint = Endpoint.parse(text)
        except ValueError as error:
            problem, _, repair = str(error).partition("; ")
            near = self._nearest(text)
            return problem, f'write "{near}"' if near else repair
        if endpoint in self._singles:
            return self._singles[endpoint]
        if endpoint.name and endpoint.name not in self._names[endpoint.kind]:
            kind = "tailnet group" if endpoint.kind == "tailnet" else endpoint.kind
            return f'there is no {kind} "{endpoint.name}"', self._near_name(endpoint)
        return None

    @property
    def _singles(self) -> dict[Endpoint, tuple[str, str]]:
        """Endpoints without a name that this lab does not have, and what to do about each."""
        plan, found = self.plan, {}
        if plan.operator_vlan is None:
            found[OPERATOR] = (
                "the lab file does not say where the operator is",
                "write operator: {vlan: …}, or name something else",
            )
        if plan.ingress is None:
            found[INGRESS] = ("there is no ingress", "declare ingress, or name something else")
        if plan.tailnet is None:
            found[Endpoint("tailnet")] = ("there is no tailnet", "declare tailnet, or name something else")
        return found

    @property
    def _names(self) -> dict[str, list[str]]:
        plan = self.plan
        services = [e.name for e in self.directory.containers if e.kind == "service"]
        return {
            "service": services,
            "stack": sorted({name.partition("/")[0] for name in services}),
            "guest": [guest.name for guest in plan.guests],
            "node": [node.name for node in plan.nodes],
            "device": [device.name for device in plan.devices],
            "vlan": [vlan.name for vlan in plan.vlans],
            "set": list(plan.sets),
            "tailnet": list(plan.tailnet.groups) if plan.tailnet else [],
        }

    def _near_name(self, endpoint: Endpoint) -> str:
        """The repair for a name that is not there: a near one of its kind, then of any, else all of its kind."""
        names = self._names[endpoint.kind]
        if near := nearest(endpoint.name, names):
            return f'write "{endpoint.kind}:{near}"'
        if elsewhere := self._nearest(endpoint.name):
            return f'write "{elsewhere}"'
        return did_you_mean(endpoint.name, names)

    def _nearest(self, text: str) -> str | None:
        """The endpoint that a person most likely meant, also by the last part of its name alone."""
        everybody = {f"{kind}:{name}" for kind in NAMED_KINDS for name in self._names[kind]}
        by_last = {
            full.partition(":")[2].rpartition("/")[2]: full for full in sorted(everybody, reverse=True)
        }
        by_name = {full.partition(":")[2]: full for full in sorted(everybody, reverse=True)}
        words = {full: full for full in everybody} | by_last | by_name
        near = nearest(text, words)
        return words[near] if near else None

    def _expanded(self, endpoint: Endpoint, where: str) -> tuple[Endpoint, ...]:
        machine = self.proof.reach.machine
        found = tuple(dict.fromkeys(machine(member) for member in self.directory.members(endpoint)))
        if not found:
            problem = f"{endpoint} stands for nobody in this lab"
            raise QueryError([Issue(path=where, problem=problem, repair="name somebody who is in it")])
        return found
