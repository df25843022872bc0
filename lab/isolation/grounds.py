"""The Docker hosts of a plan, as the rules about packets want them.

Networks and containers are converted when somebody asks about them: of a large lab a
proof touches few.
"""

from functools import cached_property

from lab.flows import Endpoint
from lab.isolation.docker import Box, Bridge, DockerGround
from lab.isolation.guards import GuardRules
from lab.plan.directory import Container, Directory


class _Bridges(dict[str, Bridge]):
    """The networks of one host."""

    def __init__(self, directory: Directory, host: str) -> None:
        super().__init__()
        self._directory = directory
        self._host = host

    def __missing__(self, name: str) -> Bridge:
        network = self._directory.networks[self._host, name]
        found = self[name] = Bridge(
            name=name, interface=network.interface, gateway=network.gateway, internal=network.internal
        )
        return found


class Grounds:
    """Every Docker host of one plan with its networks, containers and guard."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self._boxes: dict[Endpoint, Box] = {}

    def box(self, container: Container) -> Box:
        """A container as the rules about packets want it."""
        endpoint = container.service.endpoint
        found = self._boxes.get(endpoint)
        if found is None:
            found = self._boxes[endpoint] = _box(container)
        return found

    @cached_property
    def by_host(self) -> dict[str, DockerGround]:
        """Every Docker host by its name."""
        guards = {guard.host: GuardRules(guard) for guard in self.directory.plan.guards}
        return {
            name: DockerGround(
                name=name,
                addresses=self.directory.machines.get(name, ()),
                engine=host.engine,
                bridges=_Bridges(self.directory, name),
                guard=guards.get(name),
            )
            for name, host in self.directory.hosts.items()
        }

    def host_endpoint(self, host: str) -> Endpoint:
        """The machine that a Docker host is."""
        return self._hosts[host]

    @cached_property
    def _hosts(self) -> dict[str, Endpoint]:
        return {
            name: Endpoint("guest" if host.guest else "device", name)
            for name, host in self.directory.hosts.items()
        }


def _box(container: Container) -> Box:
    service = container.service
    return Box(
        name=str(service.endpoint),
        addresses={a.network: a.address for a in service.attachments},
        published=service.published,
        host_network=service.host_network,
    )
