"""Docker networks from records, for the components that own some.

Every field of a network is replace-only, and a bridge's subnet and interface exist once
per engine, so the old one goes first. Containers must name a network by the output of
this resource and never by a literal: only then does the engine remove them before it.
"""

from collections.abc import Iterable, Mapping

import pulumi
import pulumi_docker as docker

from components.docker_host import DockerHost
from lab.plan.records import NetworkPlan


def create_networks(
    parent: pulumi.ComponentResource, name: str, networks: Iterable[NetworkPlan], host: DockerHost
) -> Mapping[str, pulumi.Output[str]]:
    """Create networks as children of a component; gives their names in the engine by their plan names."""
    return {network.name: _network(parent, name, network, host).name for network in networks}


def _network(
    parent: pulumi.ComponentResource, name: str, network: NetworkPlan, host: DockerHost
) -> docker.Network:
    labels = {"homelab.environment": host.environment, "homelab.purpose": network.purpose}
    return docker.Network(
        f"{name}-{network.name}",
        name=network.name,
        driver="bridge",
        internal=network.internal,
        options={"com.docker.network.bridge.name": network.interface},
        ipam_configs=[docker.NetworkIpamConfigArgs(subnet=network.subnet, gateway=network.gateway)],
        labels=[docker.NetworkLabelArgs(label=key, value=value) for key, value in sorted(labels.items())],
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[host], delete_before_replace=True),
    )
