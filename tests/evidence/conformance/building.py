"""Blocks on an engine: networks and containers are made by its API, moved between networks, and removed."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, cast

import docker
from docker.errors import NotFound

from tests.evidence.conformance.lane import IMAGE, listening
from tests.evidence.conformance.topology import Container, Network, Topology

_WORKERS = 3


class Building:
    """What stands of one block.

    Args:
        client: of the engine.
        topology: the first of the block.
        restart: the containers' restart policy.
    """

    def __init__(self, client: docker.APIClient, topology: Topology, restart: str = "no") -> None:
        self.client = client
        self._restart = restart
        self.topology = topology
        self._networks: dict[str, str] = {}
        self._containers: dict[str, str] = {}
        self.namespaces: dict[str, Path] = {}

    def raise_networks(self) -> None:
        """Make the networks."""
        for network in self.topology.networks:
            self._networks[network.name] = _make_network(self.client, network)

    def raise_container(self, container: Container) -> None:
        """Make and start a container of the block."""
        client = self.client
        made = client.create_container(
            IMAGE,
            name=container.name,
            environment={
                "HOMELAB_NAME": container.name,
                "HOMELAB_LISTENS": listening((*container.listens, *container.canaries)),
            },
            ports=[(port.internal, port.protocol) for port in container.published],
            host_config=self._host_config(container),
            networking_config=self._first_network(container),
        )["Id"]
        self._containers[container.name] = made
        for name in list(container.addresses)[1:]:
            self._connect(container, name)
        client.start(made)
        pid = client.inspect_container(made)["State"]["Pid"]
        self.namespaces[container.name] = Path(f"/proc/{pid}/ns/net")

    def move_to(self, topology: Topology) -> None:
        """Attach the running containers as another topology of the block says."""
        for before, after in zip(self.topology.containers, topology.containers, strict=True):
            for name in before.addresses.keys() - after.addresses.keys():
                self.client.disconnect_container_from_network(
                    self._containers[before.name], self._networks[name]
                )
            for name in [name for name in after.addresses if name not in before.addresses]:
                self._connect(after, name)
        self.topology = topology

    def raze(self) -> None:
        """Remove everything of the block, however much of it stands."""
        for made in self._containers.values():
            _remove(partial(self.client.remove_container, made, force=True))
        for made in self._networks.values():
            _remove(partial(self.client.remove_network, made))

    def _connect(self, container: Container, name: str) -> None:
        self.client.connect_container_to_network(
            self._containers[container.name],
            self._networks[name],
            ipv4_address=container.addresses[name],
            ipv6_address=container.addresses6.get(name),
        )

    def _host_config(self, container: Container) -> Any:
        bindings: dict[int | str, Any] = {
            f"{port.internal}/{port.protocol}": (port.address, port.external) for port in container.published
        }
        mode = "host" if container.host_network else next(iter(container.addresses))
        return self.client.create_host_config(
            network_mode=mode,
            port_bindings=bindings,
            restart_policy={"Name": self._restart},
            log_config=docker.types.LogConfig(type="none"),
        )

    def _first_network(self, container: Container) -> Any:
        if container.host_network:
            return None
        name, address = next(iter(container.addresses.items()))
        endpoint = self.client.create_endpoint_config(
            ipv4_address=address, ipv6_address=container.addresses6.get(name)
        )
        # The stubs take it for one endpoint's configuration.
        return self.client.create_networking_config(cast(Any, {name: endpoint}))


def raise_all(
    client: docker.APIClient, topologies: Iterable[Topology], restart: str = "no"
) -> list[Building]:
    """Make several blocks side by side; one that fails leaves no other standing."""
    buildings = [Building(client, topology, restart) for topology in topologies]
    try:
        with ThreadPoolExecutor(_WORKERS) as pool:
            list(pool.map(Building.raise_networks, buildings))
            jobs = [
                pool.submit(building.raise_container, container)
                for building in buildings
                for container in building.topology.containers
            ]
            for job in jobs:
                job.result()
    except BaseException:
        raze_all(buildings)
        raise
    return buildings


def raze_all(buildings: Sequence[Building]) -> None:
    """Remove several blocks."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(Building.raze, buildings))


def _make_network(client: docker.APIClient, network: Network) -> str:
    pools = [docker.types.IPAMPool(subnet=network.subnet, gateway=network.gateway)]
    if network.subnet6:
        pools.append(docker.types.IPAMPool(subnet=network.subnet6, gateway=network.gateway6))
    options = {
        "com.docker.network.bridge.name": network.interface,
        "com.docker.network.bridge.enable_icc": str(network.icc).lower(),
        **({"com.docker.network.bridge.inhibit_ipv4": "true"} if network.isolated else {}),
    }
    made = client.create_network(
        network.name,
        internal=network.internal,
        enable_ipv6=bool(network.subnet6),
        options=options,
        ipam=docker.types.IPAMConfig(pool_configs=pools),
    )
    return str(made["Id"])


def _remove(removal: Any) -> None:
    try:
        removal()
    except NotFound:
        return
