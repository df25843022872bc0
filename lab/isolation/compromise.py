"""What follows if one service is taken: what it reaches itself, and what by taking the next one.

Three things that are kept apart. *Taken along* is what belongs to whoever is taken: who is
root on a Docker host has its containers, who has a node has its guests. *Reached* is what
can be sent packets. *By pivots* is what could follow if everything reached could be taken
too; it is an upper bound, and shows which one service more would open most.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from lab.flows import Endpoint, Port
from lab.isolation.openings import Openings
from lab.isolation.powers import Power, powers, root_of
from lab.isolation.published import containers_behind
from lab.isolation.reach import Reach
from lab.isolation.verdict import Answer, Path, Verdict, yes

_NOT_OURS = frozenset({"internet", "vlan", "tailnet"})
"""Kinds of endpoints that are not ours to lose: the internet, its users, and the unnamed machines of a segment."""


@dataclass(frozen=True)
class Chain:
    """A target that is reached by taking others first."""

    target: Endpoint
    steps: tuple[Endpoint, ...]
    """Who is taken on the way, in order; without the first service and the target."""
    answer: Answer
    """The last step; for what is taken along, why it is."""


@dataclass(frozen=True)
class Compromise:
    """What follows if a service is taken."""

    service: Endpoint
    powers: tuple[Power, ...]
    taken_along: tuple[Endpoint, ...]
    reached: tuple[Answer, ...]
    uncertain: tuple[Answer, ...]
    chains: tuple[Chain, ...]

    @property
    def root(self) -> Power | None:
        """What makes it root on its host, if anything does."""
        return next((power for power in self.powers if power.root), None)


class Compromises:
    """The consequences of each loss in one plan."""

    def __init__(self, reach: Reach, openings: Openings) -> None:
        self._reach = reach
        self._openings = openings
        self._behind = containers_behind(reach)
        self._answers: dict[Endpoint, tuple[Answer, ...]] = {}

    def of(self, service: Endpoint) -> Compromise:
        """What follows if a service, or any endpoint, is taken."""
        answers = self._from(service)
        return Compromise(
            service=service,
            powers=powers(self._reach.directory, service),
            taken_along=tuple(self._along(service)),
            reached=tuple(a for a in answers if a.verdict is Verdict.yes),
            uncertain=tuple(a for a in answers if a.verdict is Verdict.unknown),
            chains=self._chains(service),
        )

    def pivot(self, source: Endpoint, target: Endpoint) -> Chain | None:
        """The shortest way to a target by taking others first, where there is no way without."""
        if target in (along := self._along(source)):
            return Chain(target, (), _belongs(source, target, along[target]))
        return next((chain for chain in self._chains(source) if chain.target == target), None)

    def _from(self, endpoint: Endpoint) -> tuple[Answer, ...]:
        """What an endpoint reaches, by itself or as what it takes along; the best answer for each port."""
        found = self._answers.get(endpoint)
        if found is None:
            along = self._along(endpoint)
            best: dict[tuple[Endpoint, Port | None], Answer] = {}
            for source in dict.fromkeys((self._reach.machine(endpoint), *along)):
                for answer in self._all_of(source):
                    key = answer.target, answer.port
                    known = best.get(key)
                    if answer.target in (endpoint, *along) or self._is_published(answer):
                        continue
                    if known is None or known.verdict is Verdict.unknown:
                        best[key] = answer
            found = self._answers[endpoint] = tuple(best.values())
        return found

    def _all_of(self, source: Endpoint) -> Iterator[Answer]:
        yield from self._openings.of(source)
        for target in self._openings.neighbours(source):
            answers = (self._reach.answer(source, target, port) for port in self._openings.ports(target))
            yield from (answer for answer in answers if answer.verdict is not Verdict.no)

    def _is_published(self, answer: Answer) -> bool:
        """Whether a container answers there, so that the host is not what is reached."""
        return answer.port is not None and (answer.target, answer.port) in self._behind

    def _along(self, endpoint: Endpoint) -> dict[Endpoint, str]:
        """What belongs to whoever has an endpoint, with the reason."""
        directory = self._reach.directory
        container = directory.containers.get(endpoint)
        found: dict[Endpoint, str] = {}
        if container is not None:
            if (power := root_of(directory, endpoint)) is None:
                return found
            host = self._reach.grounds.host_endpoint(container.host)
            found[host] = power.reason
            found |= self._on(host)
        elif endpoint.kind == "node":
            for guest in self._reach.plan.guests:
                if guest.node == endpoint.name:
                    machine = Endpoint("guest", guest.name)
                    found[machine] = f"it runs on {endpoint}"
                    found |= self._on(machine)
        else:
            found |= self._on(endpoint)
        found.pop(endpoint, None)
        return found

    def _on(self, host: Endpoint) -> dict[Endpoint, str]:
        """The containers of a Docker host; none of anything else."""
        if host.kind not in ("guest", "device") or host.name not in self._reach.directory.hosts:
            return {}
        containers = self._reach.directory.containers.items()
        return {e: f"it runs on {host}" for e, c in containers if c.host == host.name}

    def _chains(self, service: Endpoint) -> tuple[Chain, ...]:
        return tuple(self._walk(service))

    def _walk(self, service: Endpoint) -> Iterator[Chain]:
        first = list(dict.fromkeys(answer.target for answer in self._yes(service)))
        seen = {service, *self._along(service), *first}
        waiting: deque[tuple[Endpoint, tuple[Endpoint, ...]]] = deque((target, (target,)) for target in first)
        while waiting:
            endpoint, steps = waiting.popleft()
            if endpoint.kind in _NOT_OURS:
                continue
            for target, answer in self._next(endpoint):
                if target not in seen:
                    seen.add(target)
                    yield Chain(target, steps, answer)
                    waiting.append((target, (*steps, target)))

    def _next(self, endpoint: Endpoint) -> Iterator[tuple[Endpoint, Answer]]:
        for target, reason in self._along(endpoint).items():
            yield target, _belongs(endpoint, target, reason)
        for answer in self._yes(endpoint):
            yield answer.target, answer

    def _yes(self, endpoint: Endpoint) -> tuple[Answer, ...]:
        return tuple(a for a in self._from(endpoint) if a.verdict is Verdict.yes)


def _belongs(owner: Endpoint, target: Endpoint, reason: str) -> Answer:
    return Answer(owner, target, None, (Path((yes(reason),), through=(owner,)),))
