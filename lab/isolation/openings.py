"""Every path of a plan that is not closed, found without asking for every pair.

A lab of ten thousand services has a hundred million pairs, nearly all of them closed for
one reason: nothing leads there. So each source is asked only about the targets that
something may lead to, which the networks, guards and firewalls name themselves. That
nothing is missed is tested by asking for every pair of small labs.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

from lab.flows import Endpoint, Port
from lab.isolation.declared import Declared
from lab.isolation.guards import covers, is_wide, port_covers
from lab.isolation.reach import Reach
from lab.isolation.tailnet import granted_port
from lab.isolation.verdict import Answer, Verdict
from lab.plan.directory import INTERNET, Container
from lab.plan.records import ANYWHERE, GuardRule

Aim = tuple[Endpoint, Port | None]


class Openings:
    """The open paths of one plan."""

    def __init__(self, reach: Reach, declared: Declared) -> None:
        self.reach = reach
        self.declared = declared
        self.directory = reach.directory
        self.plan = reach.plan

    def all(self) -> Iterator[Answer]:
        """Every answer that is not "no", source by source."""
        for source in self.sources:
            if source not in self._silent:
                yield from self.of(source)

    def of(self, source: Endpoint) -> Iterator[Answer]:
        """Every answer of one source that is not "no"."""
        for target, port in dict.fromkeys(self.aims(source)):
            if (
                target == source
                or self.reach.machine(target) != target
                or target in self._own.get(source, ())
            ):
                # Whoever shares its host's network is asked about as its host, and a host has its own containers.
                continue
            answer = self.reach.answer(source, target, port)
            if answer.verdict is not Verdict.no:
                yield answer

    @cached_property
    def sources(self) -> tuple[Endpoint, ...]:
        """Everything that sends packets of its own."""
        boxes = [e for e, c in self.directory.containers.items() if not c.service.host_network]
        return (*boxes, *self.machines, INTERNET, *self.users)

    @cached_property
    def _silent(self) -> frozenset[Endpoint]:
        """The containers of guarded hosts about which no rule is: everything that they send is dropped."""
        speaking = {
            guard.host: {rule.source for rule in guard.rules if rule.interface} for guard in self.plan.guards
        }
        for name, host in self.directory.hosts.items():
            wide = any(is_wide(source) for source in speaking.get(name, ()))
            if wide or name in self._partly_watched or host.engine.bridge_netfilter is not True:
                speaking.pop(name, None)
        return frozenset(
            endpoint
            for endpoint, container in self.directory.containers.items()
            if container.host in speaking
            and not any(a.address in speaking[container.host] for a in container.service.attachments)
        )

    @cached_property
    def _partly_watched(self) -> frozenset[str]:
        """The hosts that have a network which their guard does not watch."""
        watched = {guard.host: guard.bridges for guard in self.plan.guards}
        networks = self.directory.networks.items()
        return frozenset(host for (host, _), part in networks if part.interface not in watched.get(host, ()))

    @cached_property
    def targets(self) -> tuple[Endpoint, ...]:
        """Everything that receives packets of its own."""
        boxes = [e for e, c in self.directory.containers.items() if not c.service.host_network]
        return (*boxes, *self.machines, INTERNET)

    @cached_property
    def machines(self) -> tuple[Endpoint, ...]:
        """Guests, nodes, devices, the operator, and somebody unnamed on each segment."""
        return tuple(self.reach.segments.spots)

    @cached_property
    def users(self) -> tuple[Endpoint, ...]:
        """The groups of the tailnet's users; all of them as one where no group is declared."""
        tailnet = self.plan.tailnet
        if tailnet is None:
            return ()
        return tuple(Endpoint("tailnet", name) for name in tailnet.groups) or (Endpoint("tailnet"),)

    def ports(self, target: Endpoint) -> tuple[Port | None, ...]:
        """The ports of a target that somebody speaks of, and None for all others."""
        found = self._known.get(target)
        if found is None:
            listens = dict.fromkeys(self._listens(target))
            spoken = {**listens, **self._spoken.get(target, {})}
            found = self._known[target] = (*sorted(spoken), None)
        return found

    @cached_property
    def _known(self) -> dict[Endpoint, tuple[Port | None, ...]]:
        return {}

    def _listens(self, target: Endpoint) -> tuple[Port, ...]:
        container = self.directory.containers.get(target)
        if container is None:
            return (*self._machine_ports.get(target, ()), *self.reach.segments.opened(target))
        published = (Port(p.internal, p.protocol) for p in container.service.published)
        return (*container.service.listens, *published)

    @cached_property
    def _machine_ports(self) -> dict[Endpoint, tuple[Port, ...]]:
        """The ports of machines, those of containers that share a host's network among them."""
        plan = self.plan
        found = {Endpoint("guest", guest.name): guest.listens for guest in plan.guests}
        found |= {Endpoint("device", device.name): device.listens for device in plan.devices}
        for container in self.directory.containers.values():
            if container.service.host_network:
                host = self.reach.grounds.host_endpoint(container.host)
                found[host] = (*found.get(host, ()), *container.service.listens)
        return found

    @cached_property
    def _spoken(self) -> dict[Endpoint, dict[Port, None]]:
        """The ports that flows name, by whom they are to."""
        found: dict[Endpoint, dict[Port, None]] = {}
        for flow in self.plan.flows:
            if flow.target.port is not None:
                for member in self.directory.members(flow.target.endpoint):
                    found.setdefault(self.reach.machine(member), {})[flow.target.port] = None
        return found

    def neighbours(self, source: Endpoint) -> Iterator[Endpoint]:
        """Whom a machine reaches by where it was put alone, and about whom it is not asked: machines on a segment
        that nothing filters, and the containers of a Docker host."""
        yield from (t for t in self.machines if t != source and self.declared.same_segment(source, t))
        yield from self._own.get(source, ())

    @cached_property
    def _own(self) -> dict[Endpoint, dict[Endpoint, None]]:
        """The containers of each Docker host that have a network of their own."""
        found: dict[Endpoint, dict[Endpoint, None]] = {}
        for endpoint, container in self.directory.containers.items():
            if not container.service.host_network:
                found.setdefault(self.reach.grounds.host_endpoint(container.host), {})[endpoint] = None
        return found

    def aims(self, source: Endpoint) -> Iterator[Aim]:
        """Whatever something may lead to from a source."""
        container = self.directory.containers.get(source)
        if source.kind == "tailnet":
            yield from self._granted()
        elif container is not None:
            yield from self._from_container(container)
        else:
            yield from self._from_machine(source)

    def _every(self, targets: Iterable[Endpoint]) -> Iterator[Aim]:
        return ((target, port) for target in targets for port in self.ports(target))

    def _from_container(self, source: Container) -> Iterator[Aim]:
        ground, box = self.reach.ground(source), self.reach.box(source)
        guard = ground.guard
        host = self.reach.grounds.host_endpoint(source.host)
        free = guard is None
        for network, address in box.addresses.items():
            interface = ground.bridges[network].interface
            if guard is None or not guard.watches(interface):
                free = True
                yield from self._every(self._members[source.host, network])
                continue
            if ground.engine.bridge_netfilter is not True:
                yield from self._every(self._members[source.host, network])
            yield from self._meant(source.host, guard.of("within", interface, address))
            yield from self._meant(source.host, guard.of("local", interface, address))
            yield from self._beyond(guard.of("out", interface, address))
        if free:
            # What closes the way from one network to another is asked for where it may be rules in nftables.
            crossed = ground.engine.firewall != "iptables"
            yield from self._every(
                self._here[source.host] if crossed else self._published.get(source.host, ())
            )
            yield from self._every([host])
            yield from self._every(self.machines)
            yield from self._every([INTERNET])
            yield from self._every(e for h, es in self._published.items() if h != source.host for e in es)

    @cached_property
    def _here(self) -> dict[str, list[Endpoint]]:
        """The containers of each Docker host."""
        found: dict[str, list[Endpoint]] = {}
        for endpoint, container in self.directory.containers.items():
            found.setdefault(container.host, []).append(endpoint)
        return found

    @cached_property
    def _members(self) -> dict[tuple[str, str], list[Endpoint]]:
        found: dict[tuple[str, str], list[Endpoint]] = {}
        for endpoint, container in self.directory.containers.items():
            for attachment in container.service.attachments:
                found.setdefault((container.host, attachment.network), []).append(endpoint)
        return found

    @cached_property
    def _published(self) -> dict[str, list[Endpoint]]:
        found: dict[str, list[Endpoint]] = {}
        for endpoint, container in self.directory.containers.items():
            if container.service.published:
                found.setdefault(container.host, []).append(endpoint)
        return found

    @cached_property
    def _at(self) -> dict[tuple[str, str], Endpoint]:
        """Containers by their host and each of their addresses."""
        return {
            (container.host, attachment.address): endpoint
            for endpoint, container in self.directory.containers.items()
            for attachment in container.service.attachments
        }

    def _meant(self, host: str, rules: Iterable[GuardRule]) -> Iterator[Aim]:
        """What rules about a host's own containers, or the host itself, are about."""
        for rule in rules:
            target = self._at.get((host, rule.destination))
            if target is not None:
                yield from self._of_rule(target, rule.port)
            else:
                for endpoint in self._covered(host, rule.destination):
                    yield from self._of_rule(endpoint, rule.port)
                yield from self._of_rule(self.reach.grounds.host_endpoint(host), rule.port)
                yield from self._behind(host, rule.port)

    def _covered(self, host: str, destination: str) -> Iterator[Endpoint]:
        """The containers of a host that a rule for more than one address is about."""
        if is_wide(destination):
            here = (item for item in self._at.items() if item[0][0] == host)
            yield from (endpoint for (_, address), endpoint in here if covers(destination, address))

    def _of_rule(self, target: Endpoint, port: Port | None) -> Iterator[Aim]:
        yield target, port
        if port is None or port.last:
            yield from self._every([target])

    def _behind(self, host: str, external: Port | None) -> Iterator[Aim]:
        """The containers that a port of a host, or any, leads to."""
        for endpoint in self._published.get(host, ()):
            for published in self.directory.containers[endpoint].service.published:
                if port_covers(external, Port(published.external, published.protocol)):
                    yield endpoint, Port(published.internal, published.protocol)

    def _beyond(self, rules: Iterable[GuardRule]) -> Iterator[Aim]:
        """What rules about the world outside of a host are about."""
        for rule in rules:
            if any(covers(rule.destination, address) for address in self.reach.segments.outside):
                yield from self._of_rule(INTERNET, rule.port)
            for machine in self._machines_in(rule.destination):
                yield from self._of_rule(machine, rule.port)
                if machine.name in self.directory.hosts:
                    yield from self._behind(machine.name, rule.port)

    def _machines_in(self, destination: str) -> Iterator[Endpoint]:
        if destination == ANYWHERE:
            return
        for machine, spots in self.reach.segments.spots.items():
            if any(covers(destination, spot.address) for spot in spots):
                yield machine

    def _from_machine(self, source: Endpoint) -> Iterator[Aim]:
        """A machine is asked about everything on segments that can answer: unfiltered neighbours reach each other
        and need no asking, unless what lies between them decides."""
        for target in self.machines:
            if not self.declared.same_segment(source, target):
                yield from self._every([target])
        if source != INTERNET:
            yield from self._every([INTERNET])
        for endpoints in self._published.values():
            yield from self._every(endpoints)
        for host in self._routing:
            if self.reach.segments.near(source, self.reach.grounds.host_endpoint(host)):
                yield from self._every(self._here.get(host, ()))
                for rule in self._passing_on.get(host, ()):
                    for endpoint in self._here.get(host, ()):
                        yield from self._of_rule(endpoint, rule.port)

    @cached_property
    def _passing_on(self) -> dict[str, list[GuardRule]]:
        """The rules for what comes in that are not about their host's own addresses, by host."""
        own = self.directory.machines
        return {
            guard.host: found
            for guard in self.plan.guards
            if (
                found := [
                    r for r in guard.rules if r.way == "in" and r.destination not in own.get(guard.host, ())
                ]
            )
        }

    @cached_property
    def _routing(self) -> tuple[str, ...]:
        """The hosts that may pass on what a neighbour sends to a container's own address."""
        guarded = {guard.host for guard in self.plan.guards}
        return tuple(
            name
            for name in self.directory.hosts
            if name not in guarded or name in self._partly_watched or name in self._passing_on
        )

    def _granted(self) -> Iterator[Aim]:
        yield from self._every(self.machines)
        for grant in self.plan.tailnet.grants if self.plan.tailnet else ():
            ports = [port for text in grant.ports if (port := granted_port(text)) is not None]
            yield from ((m, port) for m in self._machines_in(grant.destination) for port in ports)
        yield from self._every(e for endpoints in self._published.values() for e in endpoints)
