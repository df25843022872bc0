"""The lab as its artefacts make it: a packet walks from a source to a target, and the first that decides says so.

Nothing here knows the plan, or who was meant to reach whom. A sender may address a target
under every address that leads to it: its own, the host's published port, or, from the
same segment, a container itself by way of its host.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lab.errors import Issue
from lab.flows import Port
from lab.simulate.answers import Answer, Trace, Verdict, best, follow, passes
from lab.simulate.artefacts import ArtefactError, Artefacts, Container, DockerHost, read_artefacts
from lab.simulate.cluster import Cluster
from lab.simulate.docker_host import DockerKernel
from lab.simulate.journeys import Journeys
from lab.simulate.places import Places
from lab.simulate.relays import Relay, read_relays
from lab.simulate.tailnet import Tailnet
from lab.simulate.targets import INTERNET, Targets
from lab.simulate.unknowns import Fact, Facts, under_all
from lab.simulate.wires import Wires

_RECENT = 28
"""Where internal networks lost their default route (measured on 20.10.24 and 28.5.2)."""
_STRENGTH = {Verdict.no: 0, Verdict.unknown: 1, Verdict.yes: 2}

NOT_MODELLED = (
    "IPv6, ICMP, fragments and established connections: a question is about the first packet over IPv4",
    "a router that knows routes to the networks of a Docker host",
    "what a sender's own unknown firewall drops, and what a device filters by itself",
    "a container that binds its packets to another interface than its route (SO_BINDTODEVICE)",
    "ARP, MAC and source address spoofing; DHCP; the moments of boot, restart and replacement",
    "whether a guest or node that advertises routes wears the tag for which the policy approves them",
    "rules by which a node that is not this lab's closes what Proxmox opens by itself",
    "exit nodes, Tailscale SSH, and devices of the tailnet as targets",
)
"""What no answer takes into account."""


class World:
    """Everything that packets meet.

    Args:
        data: the artefacts, as plain data (version 1).

    Raises:
        LabError: a part of them is not understood.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        artefacts = read_artefacts(data)
        self._names = artefacts.names
        self._places = Places(artefacts)
        kernels = {host.machine: self._kernel(host) for host in artefacts.docker}
        self._containers: dict[str, tuple[DockerKernel, Container]] = {
            container.endpoint: (kernel, container)
            for kernel in kernels.values()
            for container in kernel.networks.containers
        }
        self._tailnet = Tailnet(artefacts.tailnet) if artefacts.tailnet else None
        self._targets = Targets(self._places, kernels, self._containers)
        self._journeys = Journeys(
            places=self._places,
            cluster=Cluster(artefacts.proxmox, self._places),
            wires=Wires(artefacts, self._places),
            kernels=kernels,
            containers=self._containers,
            tailnet=self._tailnet,
        )
        self._ingress = artefacts.ingress
        self._relays = read_relays(artefacts.ingress) if artefacts.ingress else ()
        self._facts = _facts(artefacts)

    def _kernel(self, host: DockerHost) -> DockerKernel:
        places = self._places.of.get(host.machine, ())
        return DockerKernel(host, tuple(place.address for place in places if place.address))

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Everything that sends packets of its own."""
        boxes = [name for name, (_, container) in self._containers.items() if not container.host_network]
        users = self._tailnet.groups if self._tailnet else ()
        return (*boxes, *self._places.of, INTERNET, *users)

    def machine(self, endpoint: str) -> str:
        """What sends and receives an endpoint's packets."""
        endpoint = self._names.get(endpoint, endpoint)
        found = self._containers.get(endpoint)
        return found[0].machine if found is not None and found[1].host_network else endpoint

    def ask(self, source: str, target: str, port: Port) -> Answer:
        """Whether a source can open a connection to a port of a target; to the first and the last, for a range.

        Args:
            source: an endpoint as text, such as `service:web/app`; one without a name stands for whoever it may be.
            target: the same.
            port: the target's own port, or one that its machine publishes.

        Raises:
            LabError: an endpoint is unknown.
        """
        source, target = self._known(source), self._known(target)
        numbers = sorted({port.number, port.last or port.number})
        answers = [self._one(source, target, port.protocol, number) for number in numbers]
        return min(answers, key=lambda answer: _STRENGTH[answer.verdict])

    def relay(self, source: str, target: str, port: Port) -> Answer | None:
        """Whether Traefik passes a source's requests on to a port of a target; None where no router of it does.

        Args:
            source: an endpoint as text.
            target: the same.
            port: the target's own port.
        """
        if self._ingress is None or self.machine(source) == self._ingress.endpoint:
            return None
        ways = {
            (str(way.aim.destination), Port(way.aim.port, port.protocol))
            for way in self._targets.ways(target, port.protocol, port.number)
        }
        found: Answer | None = None
        for relay in self._relays:
            if (relay.host, relay.port) not in ways:
                continue
            brought = self._bring(relay) if source == INTERNET else ()
            arriving = [self.ask(one, self._ingress.endpoint, relay.entry) for one in (source, *brought)]
            inward = max(arriving, key=lambda answer: _STRENGTH[answer.verdict])
            onward = self.ask(self._ingress.endpoint, target, port)
            passed = passes(f"Traefik passes it on by router {relay.router}")
            trace = Trace((*inward.trace.hops, passed, *onward.trace.hops))
            verdict = min(inward.verdict, onward.verdict, key=_STRENGTH.__getitem__)
            answer = Answer(verdict, trace, inward.depends_on or onward.depends_on)
            found = answer if found is None or _STRENGTH[verdict] > _STRENGTH[found.verdict] else found
        return found

    def _bring(self, relay: Relay) -> Iterator[str]:
        """Who passes the internet's requests on to an entry point, by the addresses whose word it takes."""
        for address in relay.brought_by:
            inside = [
                name for name, (_, box) in self._containers.items() if address in box.addresses.values()
            ]
            there = [
                name for name, places in self._places.of.items() if address in {p.address for p in places}
            ]
            around = [f"vlan:{s.name}" for s in self._places.segments.values() if address in s.subnet]
            yield from [*inside, *there, *around][:1]

    def _known(self, endpoint: str) -> str:
        machine = self.machine(endpoint)
        known = machine in self._containers or machine in self._places.of or machine == INTERNET
        if known or machine.partition(":")[0] == "tailnet":
            return machine
        raise ArtefactError(
            [
                Issue(
                    path=endpoint,
                    problem="no artefact knows it",
                    repair=f"name one of {', '.join(self.endpoints)}",
                )
            ]
        )

    def _one(self, source: str, target: str, protocol: str, number: int) -> Answer:
        def question(facts: Facts) -> Answer:
            trace = best(
                follow(walk, target, number)
                for way in self._targets.ways(target, protocol, number)
                for walk in self._journeys.begin(source, way, facts)
            )
            return Answer(trace.verdict, trace)

        return under_all(self._facts, question)


def _facts(artefacts: Artefacts) -> Facts:
    values: dict[Fact, bool] = {}
    for host in artefacts.docker:
        engine = host.engine
        if engine.version is not None or engine.firewall == "nftables":
            # An engine that keeps its rules in nftables is newer than that.
            values[host.machine, "recent"] = engine.version is None or engine.version >= _RECENT
        if engine.userland_proxy is not None:
            values[host.machine, "userland_proxy"] = engine.userland_proxy
        if engine.bridge_netfilter is not None:
            values[host.machine, "bridge_netfilter"] = engine.bridge_netfilter
    return Facts(values)
