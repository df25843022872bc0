"""What the model says about a question: each aim is a question to one of its public methods."""

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from lab.isolation import docker
from lab.isolation.guards import GuardRules
from lab.isolation.verdict import Path, Verdict, any_of, no, yes
from lab.plan.records import GuardPlan, GuardRule, ServicePlan
from tests.evidence.conformance.aims import BRIDGE_LINK_LOCAL, HOST, LOOPBACK6, NEIGHBOUR, Aim
from tests.evidence.conformance.topology import LOOPBACK, Setting, Topology

_ITSELF = Path((yes("it is the source itself"),))
_PLAIN = Path((yes("machines of a segment reach each other and themselves; Docker has no part in it"),))


class Expectation:
    """The model's view of one topology under one setting.

    Args:
        topology: what stands.
        setting: under what.
        model: the module of the model; a changed one where the model itself is tested.
    """

    def __init__(self, topology: Topology, setting: Setting, model: ModuleType = docker) -> None:
        self._neighbour = topology.neighbour.address
        self.ground = ground(topology, setting, model)
        self._boxes = boxes(topology, model)
        bridges = self.ground.bridges.values()
        self._addresses = {
            *(LOOPBACK, LOOPBACK6, BRIDGE_LINK_LOCAL, topology.host.address6),
            *self.ground.addresses,
            *(bridge.host_address for bridge in bridges),
            *(bridge.gateway6 for bridge in bridges),
        }

    def of(self, aim: Aim) -> Path:
        """The way that an aim takes, with the verdict and its reason."""
        if aim.kind == "itself":
            return _ITSELF
        if aim.kind in ("host", "published") and aim.address not in self._addresses:
            return Path((no(f"nobody has the address {aim.address}"),))
        if aim.ipv6:
            return self._over_ipv6(aim)
        if aim.source == HOST:
            return self._from_host(aim)
        return self._from_neighbour(aim) if aim.source == NEIGHBOUR else self._from_container(aim)

    def of_all(self, aim: Aim) -> tuple[Verdict, str] | None:
        """What the model says of an aim's source, target and port whatever the address; None where it has no word.

        This is what a proof asks; `of` shows that it is right for the right reason.
        """
        own, target = self._boxes.get(aim.source), self._boxes.get(aim.target)
        ways: Iterable[Path]
        if aim.kind == "container" and own:
            ways = self.ground.between(own, target, aim.asked)
        elif aim.kind == "host" and own:
            ways = self.ground.to_host(own, aim.asked)
        elif aim.kind == "published" and own:
            ways = self.ground.to_published(own, target, aim.published)
        elif aim.kind == "published" and aim.source == NEIGHBOUR:
            ways = [Path(self.ground.arrive(self._neighbour, target, aim.published))]
        elif aim.kind == "container" and aim.source == HOST:
            ways = [self.ground.from_host(target)]
        else:
            return None
        found = list(ways)
        return any_of(way.verdict for way in found), " | ".join(way.reason for way in found)

    def _from_container(self, aim: Aim) -> Path:
        own, target = self._boxes[aim.source], self._boxes.get(aim.target)
        if aim.kind == "container":
            way = self.ground.within(own, target, aim.network, aim.asked)
        elif aim.kind == "host":
            way = self.ground.host_at(own, aim.address, aim.asked)
        elif aim.kind == "published":
            way = self.ground.published_at(own, target, aim.published, aim.address)
        else:
            way = Path(self.ground.leave_for(own, aim.address, aim.asked))
        assert isinstance(way, Path)
        return way

    def _from_host(self, aim: Aim) -> Path:
        target = self._boxes.get(aim.target)
        way = _PLAIN
        if aim.kind == "container":
            way = self.ground.from_host_by(target, aim.network)
        elif aim.kind == "published":
            way = self.ground.from_host_published(target, aim.published, aim.address)
        return way

    def _from_neighbour(self, aim: Aim) -> Path:
        target = self._boxes.get(aim.target)
        if aim.kind == "container":
            return Path(self.ground.arrive_routed(self._neighbour, target, aim.network, aim.asked))
        if aim.kind == "published":
            return Path(self.ground.arrive_at(self._neighbour, target, aim.published, aim.address))
        return _PLAIN

    def _over_ipv6(self, aim: Aim) -> Path:
        ipv6, own, target = self.ground.ipv6, self._boxes.get(aim.source), self._boxes.get(aim.target)
        way = _PLAIN
        if aim.kind == "published":
            asked = (own, target, aim.published, aim.address)
            way = ipv6.published_at(*asked) if own else ipv6.arrive(target, aim.published)
        elif aim.source == NEIGHBOUR and aim.kind == "container":
            way = ipv6.arrive_routed(target, aim.port.protocol)
        elif own and aim.kind == "container":
            way = ipv6.within(own, target, aim.network, aim.port.protocol)
        elif own and aim.kind == "host":
            way = ipv6.host_at(own, aim.address)
        elif own:
            way = ipv6.leave(own)
        return way


def guard_plan(host: str, bridges: Mapping[str, str], rules: tuple[GuardRule, ...]) -> GuardPlan:
    """A guard of these rules; nothing loads it but the test itself."""
    return GuardPlan(host=host, bridges=bridges, rules=rules, service=ServicePlan(name="guard", image=""))


def ground(topology: Topology, setting: Setting, model: Any = docker) -> Any:
    """The Docker host of a topology as the model takes it."""
    guard = None
    if setting.rules is not None:
        bridges = {network.interface: network.name for network in topology.networks}
        guard = GuardRules(guard_plan(topology.host.name, bridges, setting.rules))
    return model.DockerGround(
        name=topology.host.name,
        addresses=(topology.host.address,),
        engine=setting.engine,
        bridges={
            network.name: model.Bridge(
                name=network.name,
                interface=network.interface,
                gateway=network.gateway,
                internal=network.internal,
                icc=network.icc,
                isolated=network.isolated,
                gateway6=network.gateway6,
            )
            for network in topology.networks
        },
        guard=guard,
    )


def boxes(topology: Topology, model: Any = docker) -> dict[str, Any]:
    """Its containers as the model takes them, without those that share the host's network."""
    return {
        container.name: model.Box(
            name=container.name, addresses=container.addresses, published=container.published
        )
        for container in topology.containers
        if not container.host_network
    }
